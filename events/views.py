from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from events import actions, rules
from events.forms import (
    EventFilterForm,
    EventForm,
    ProgramFormSet,
    ProgramTitlesForm,
    RegistrationForm,
    program_initial,
)
from events.models import Event
from portal import languages, public
from portal.http import StaffRequest, staff
from portal.revisions.rules import heading, read
from portal.revisions.views import gone_or_missing, language_rows, reading

ON_A_PAGE = 20
IN_A_CALENDAR = 200


def _code() -> str:
    return get_language() or languages.SOURCE


@require_safe
@public.public()
def events(request: HttpRequest) -> HttpResponse:
    """What is to come, soonest first, then what has passed."""
    code, now = _code(), timezone.now()
    found = Event.objects.published().read_in(code)
    page = Paginator(found.passed(now), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "upcoming": [(event, read(event, code)) for event in found.upcoming(now)[:IN_A_CALENDAR]],
        "passed": [(event, read(event, code)) for event in page],
        "page": page,
        "alternates": public.alternates(request.path),
    }
    return render(request, "events/events.html", context)


@require_safe
@public.public()
def event(request: HttpRequest, slug: str) -> HttpResponse:
    code = _code()
    found = Event.objects.published().read_in(code).with_taken().filter(slug=slug).first()
    if found is None:
        return gone_or_missing(Event, slug=slug)
    text = read(found, code)
    assert text is not None
    context = {
        **reading(request, found, text),
        "event": found,
        "program": [(item, read(item, code)) for item in found.program.read_in(code).with_speakers()],
    }
    return render(request, "events/event.html", context)


@csrf_exempt  # no cookie, no ambient authority: the signed token and the origin check stand in for it
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def register(request: HttpRequest, slug: str) -> HttpResponse:
    code = _code()
    found = get_object_or_404(Event.objects.published().read_in(code).with_taken(), slug=slug)
    form = RegistrationForm(request.POST or None)
    expired = False
    if request.method == "POST":
        expired = public.check_public_post(request, "register") is None
        if not expired and form.is_valid():
            if not public.within_limit(request, "register", per_hour=120):
                return HttpResponse(status=429)
            wanted = {name: form.cleaned_data[name] for name in ("name", "email", "question")}
            try:
                actions.register(found, language=code, **wanted)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                return redirect("registered", slug)
    context = {
        "event": found,
        "text": read(found, code),
        "form": form,
        "token": public.form_token("register"),
        "expired": expired,
        "keep_days": found.registrations.model.KEEP_AFTER_EVENT.days,
    }
    return render(request, "events/register.html", context, status=422 if form.errors or expired else 200)


@require_safe
@public.public(stored=False)
def registered(request: HttpRequest, slug: str) -> HttpResponse:
    """The same for everybody who has sent the form, whether or not the address had a seat before."""
    found = get_object_or_404(Event.objects.published().read_in(_code()), slug=slug)
    return render(request, "events/registered.html", {"event": found, "text": read(found, _code())})


@csrf_exempt  # the secret link itself is the proof; the signed token keeps other sites from sending the form
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def registration(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """One's own seat. Scanners follow every link in a mail, so that only POST cancels."""
    found = rules.token_owner(token)
    if found is None:
        # The event's name stands in the address for people to read; the token alone says which seat it is.
        raise Http404
    expired = request.method == "POST" and public.check_public_post(request, "registration") is None
    if request.method == "POST" and not expired:
        actions.cancel(found)
        return redirect("registration", slug, token)
    context = {
        "registration": found,
        "event": found.event,
        "text": read(found.event, _code()),
        "token": public.form_token("registration"),
        "expired": expired,
    }
    response = render(request, "events/registration.html", context, status=422 if expired else 200)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _calendar_file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return response


@require_safe
@public.public()
def events_ics(_request: HttpRequest) -> HttpResponse:
    found = Event.objects.published().read_in(_code()).upcoming(timezone.now())[:IN_A_CALENDAR]
    name = f"{settings.SITE_NAME} – {settings.MUNICIPALITY}"
    return _calendar_file(rules.calendar(found, _code(), name=name), "events")


@require_safe
@public.public()
def event_ics(_request: HttpRequest, slug: str) -> HttpResponse:
    found = Event.objects.published().read_in(_code()).filter(slug=slug).first()
    if found is None:
        return gone_or_missing(Event, slug=slug)
    return _calendar_file(rules.calendar([found], _code()), slug)


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("events.view")
def staff_events(request: StaffRequest) -> HttpResponse:
    form = EventFilterForm(request.GET)
    kind = form.cleaned_data["kind"] if form.is_valid() else ""
    now = timezone.now()
    found = Event.objects.of_kind(kind).read_in(languages.SOURCE).with_taken()
    passed = Event.objects.of_kind(kind).read_in(languages.SOURCE).passed(now)
    context = {
        "form": form,
        "query": f"kind={kind}&" if kind else "",
        "upcoming": found.upcoming(now)[:IN_A_CALENDAR],
        "page": Paginator(passed.with_taken(), ON_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "events/staff/events.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def new_event(request: StaffRequest) -> HttpResponse:
    form = EventForm(request.POST or None)
    program = ProgramFormSet(request.POST or None, prefix="program")
    if request.method == "POST" and form.is_valid() and program.is_valid():
        try:
            made = actions.create(by=request.user, program=_rows(program, form), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        except IntegrityError:
            form.add_error("slug", pgettext("staff", "This address was taken a moment ago."))
        else:
            messages.success(request, pgettext("staff", "Made. Now write the Swedish text."))
            return redirect("text", "event", made.pk, languages.SOURCE)
    return _form_page(request, form, program, title=pgettext("staff", "New event"), back=reverse("staff_events"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def edit_event(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Event, pk=pk)
    form = EventForm(request.POST or None, instance=found)
    program = ProgramFormSet(request.POST or None, prefix="program", initial=program_initial(found))
    back = reverse("staff_event", args=[pk])
    if request.method == "POST" and form.is_valid() and program.is_valid():
        try:
            actions.edit(found, by=request.user, program=_rows(program, form), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(
                request, pgettext("staff", "Saved. The reminders have moved along, if the time is another one.")
            )
            return redirect(back)
    return _form_page(request, form, program, title=heading(found), back=back)


def _rows(program: Any, form: EventForm) -> list[dict[str, Any]]:
    kept = [f for f in program if f.cleaned_data.get("starts") and not f.cleaned_data.get("DELETE")]
    return [f.row(form.cleaned_data["starts_at"]) for f in kept]


def _form_page(request: StaffRequest, form: EventForm, program: Any, *, title: str, back: str) -> HttpResponse:
    is_wrong = bool(form.errors) or program.total_error_count() > 0
    context = {"form": form, "program": program, "title": title, "back": back}
    return render(request, "events/staff/form.html", context, status=422 if is_wrong else 200)


@require_safe
@staff("events.view")
def staff_event(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Event.objects.with_taken().select_related("topic"), pk=pk)
    context = {
        "event": found,
        "rows": language_rows(found),
        "program": found.program.read_in(languages.SOURCE).with_speakers(),
        "is_published": Event.objects.published().filter(pk=pk).exists(),
        "other_languages": [language for language in languages.ACTIVE if language.code != languages.SOURCE],
    }
    return render(request, "events/staff/event.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.translate")
def event_program(request: StaffRequest, pk: int, language: str) -> HttpResponse:
    """The titles of the program in one language."""
    if language not in languages.CATALOG:
        raise Http404
    if language == languages.SOURCE and not request.user.has_perm("events.edit"):
        raise PermissionDenied
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    items = {item.pk: item for item in found.program.read_in(language)}
    form = ProgramTitlesForm(items, language, request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.name_program(found, language=language, titles=form.titles(), by=request.user)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("staff_event", pk)
    context = {"form": form, "event": found, "text_language": languages.get(language)}
    return render(request, "events/staff/program.html", context, status=422 if form.errors else 200)


@require_safe
@staff("registrations.view")
def event_registrations(request: StaffRequest, pk: int) -> HttpResponse:
    """Who has a seat, to read and to print."""
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    context = {"event": found, "registrations": found.registrations.confirmed()}
    return render(request, "events/staff/registrations.html", context)

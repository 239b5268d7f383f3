from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.text import slugify
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events import actions, calendar, rules
from events.forms import (
    CalendarForm,
    CopyForm,
    EditEventForm,
    EventFilterForm,
    EventForm,
    NewEventForm,
    ReasonForm,
    RiskForm,
)
from events.models import Access, Event, EventQuerySet, Group, Kind, Status, page_at
from portal import languages, public
from portal.facts.models import Audience, Fact, Link
from portal.http import StaffRequest, staff
from portal.mail.models import Pause
from portal.revisions.rules import heading, read
from portal.revisions.views import gone_or_missing, language_rows, reading

ON_A_PAGE = 20
IN_A_CALENDAR = 200


def _code() -> str:
    return get_language() or languages.SOURCE


@require_safe
@public.public(parameters=("kind", "language", "month", "page"))
def events(request: HttpRequest) -> HttpResponse:
    """What is to come, soonest first, then what has passed; or one month.

    An address that asks for what cannot be, or in another way than our own, leads to one of ours.
    """
    form, code, now = CalendarForm(request.GET), _code(), timezone.now()
    form.full_clean()
    chosen = {"kind": "", "language": "", "month": None} | form.cleaned_data
    found = Event.objects.published().read_in(code).of_kind(chosen["kind"]).spoken_in(chosen["language"])
    if chosen["month"]:
        return _month(request, form, found)
    page = Paginator(found.passed(now), ON_A_PAGE).get_page(request.GET.get("page"))
    asked = form.query() + (f"page={page.number}" if "page" in request.GET else "")
    if not _asks(request, asked):
        return redirect(_address(request, asked))
    context = {
        "upcoming": [(event, read(event, code)) for event in found.upcoming(now)[:IN_A_CALENDAR]],
        "passed": [(event, read(event, code)) for event in page],
        "page": page,
        "by_month": f"{form.query()}month={now:%Y-%m}",
    }
    return _calendar_page(request, form, context)


def _month(request: HttpRequest, form: CalendarForm, found: EventQuerySet) -> HttpResponse:
    code, now, month = _code(), timezone.localtime(), form.cleaned_data["month"]
    as_list = form.query(without="month")
    begins, ends = Event.objects.published().span() or (now, now)
    first, last = rules.month_of(min(begins, now)), rules.month_of(max(ends - timedelta.resolution, now))
    asked = form.query() if first <= month <= last else as_list
    if not _asks(request, asked):
        return redirect(_address(request, asked))
    start, end = (datetime.combine(day, time(), now.tzinfo) for day in (month, rules.next_month(month)))
    rows = [(event, read(event, code)) for event in found.during(start, end)[:IN_A_CALENDAR]]
    soonest = None if rows else found.held().upcoming(now).first()
    near = {"prev": rules.month_of(start - timedelta.resolution), "next": end.date()}
    context = {
        "month": month,
        "weekdays": WEEKDAYS.values(),
        "weeks": rules.weeks(month, rows, today=now.date()) if rows else [],
        "soonest": soonest,
        "soonest_text": read(soonest, code) if soonest else None,
        "near": [(rel, day, f"{as_list}month={day:%Y-%m}") for rel, day in near.items() if first <= day <= last],
        "as_list": as_list,
    }
    return _calendar_page(request, form, context)


def _calendar_page(request: HttpRequest, form: CalendarForm, context: Mapping[str, Any]) -> HttpResponse:
    """The whole list is for search engines; a month or a part of it is for people, and stays with its language."""
    query = form.query()
    address = _address(request, query)
    context = {
        **context,
        "form": form,
        "query": query,
        "active": form.active(),
        "alternates": public.alternates(address),
        "canonical": public.absolute(address),
        **public.switcher(address, languages.get(_code())),
    }
    response = render(request, "events/events.html", context)
    if query:
        response.headers["X-Robots-Tag"] = "noindex"
    return response


def _asks(request: HttpRequest, query: str) -> bool:
    return public.stored_query(request) == query.rstrip("&")


def _address(request: HttpRequest, query: str) -> str:
    return f"{request.path}?{query}".rstrip("?&")


@require_safe
@public.public()
def event(request: HttpRequest, slug: str) -> HttpResponse:
    code = _code()
    found = page_at(slug, code)
    if found is None:
        return gone_or_missing(Event, slug=slug)
    text = read(found, code)
    recording = getattr(found, "recording", None) if found.has_passed else None
    assert text is not None
    version = found.program_versions.read_newest(found, code)
    read_by = reading(request, found, text)
    context = {
        **read_by,
        "event": found,
        "recording": recording,
        "facts": _facts_about(found, code) if recording and recording.is_gone else [],
        "program": version.read(code) if version else [],
        "program_version": version,
        "has_days": version and version.snapshot.has_days,
        "moved_from": rules.moved_from(found),
        "sisters": sorted(
            (rules.Sister.of(row, code) for row in found.sister_rows), key=lambda sister: sister.starts_at
        ),
        "linked_data": rules.linked_data(found, text, url=read_by["canonical"]),
        "groups": [Group(group).label for group in found.groups],
        "access": [Access(feature).label for feature in found.access] if found.is_place_public else [],
    }
    return render(request, "events/event.html", context)


def _facts_about(found: Event, code: str) -> list[Link]:
    """What can be read instead of what cannot be watched any more."""
    facts = Fact.objects.published().for_audience(Audience.PARENTS).of_topic(found.topic_id)
    return facts[:6].links(code)


def _calendar_file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return response


@require_safe
@public.public()
def events_ics(_request: HttpRequest) -> HttpResponse:
    found = Event.objects.published().read_in(_code()).upcoming(timezone.now())[:IN_A_CALENDAR]
    name = f"{settings.SITE_NAME} – {settings.MUNICIPALITY}"
    return _calendar_file(calendar.published(found, _code(), name=name), "events")


@require_safe
@public.public()
def event_ics(_request: HttpRequest, slug: str) -> HttpResponse:
    found = Event.objects.published().read_in(_code()).filter(slug=slug).first()
    if found is None:
        return gone_or_missing(Event, slug=slug)
    return _calendar_file(calendar.published([found], _code()), slug)


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("events.view")
def staff_events(request: StaffRequest) -> HttpResponse:
    form = EventFilterForm(request.GET)
    kind = form.cleaned_data["kind"] if form.is_valid() else ""
    now = timezone.now()
    # A visit has no text of its own: it goes by who was visited.
    found = (
        Event.objects.seen_by(request.user)
        .of_kind(kind)
        .read_in(languages.SOURCE)
        .with_taken()
        .annotate(host=F("session__host"))
    )
    context = {
        "form": form,
        "query": f"kind={kind}&" if kind else "",
        "upcoming": found.upcoming(now)[:IN_A_CALENDAR],
        "page": Paginator(found.passed(now), ON_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "events/staff/events.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def new_event(request: StaffRequest) -> HttpResponse:
    """A draft, and the first draft of its Swedish text."""
    initial = {"kind": Kind.SEMINAR, "team": [request.user.pk], "series": request.GET.get("series")}
    form = NewEventForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create(by=request.user, text=form.text(), **form.values())
        except ValidationError as error:
            form.add_error(None, error)
        except IntegrityError:
            form.add_error("slug", pgettext("staff", "This address was taken a moment ago."))
        else:
            messages.success(request, pgettext("staff", "Made. Nobody sees it yet."))
            return redirect("staff_event", made.pk)
    return _form_page(request, form, title=pgettext("staff", "New event"), back=reverse("staff_events"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def edit_event(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Event, pk=pk)
    form = EditEventForm(request.POST or None, instance=found)
    back = reverse("staff_event", args=[pk])
    if request.method == "POST" and form.is_valid():
        try:
            form.hand_to(actions.edit, found, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        except IntegrityError:
            sentence = pgettext(
                "staff", "This does not go together with what a colleague has just saved. Look at the event once more."
            )
            form.add_error(None, sentence)
        if not form.errors:
            messages.success(
                request,
                pgettext(
                    "staff",
                    "Saved. If the time or the place is another one, who has registered is told in two minutes: until "
                    "then you can change it back, and nobody is told.",
                ),
            )
            return redirect(back)
    return _form_page(request, form, title=heading(found), back=back)


def _form_page(request: StaffRequest, form: EventForm, *, title: str, back: str) -> HttpResponse:
    context = {"form": form, "title": title, "back": back}
    return render(request, "events/staff/form.html", context, status=422 if form.errors else 200)


@require_safe
@staff("events.view")
def staff_event(request: StaffRequest, pk: int) -> HttpResponse:
    shown = Event.objects.seen_by(request.user).with_taken()
    found = get_object_or_404(shown.select_related("topic", "series", "asked_by", "approved_by", "recording"), pk=pk)
    program, snapshot = list(found.program.read_in(languages.SOURCE).with_speakers()), found.program.snapshot()
    version, pauses = found.program_versions.newest(), list(Pause.objects.holding(found.mail_prefix))
    context = {
        "event": found,
        "rows": language_rows(found),
        "program": program,
        "has_days": snapshot.has_days,
        "program_version": version,
        "program_outside": [item for item in program if item.is_outside],
        "is_program_new": version.snapshot != snapshot if version else bool(program),
        "is_published": Event.objects.published().filter(pk=pk).exists(),
        "other_languages": [language for language in languages.ACTIVE if language.code != languages.SOURCE],
        "lacking": actions.lacking(found, by=request.user) if found.status == Status.REVIEW else [],
        "pauses": pauses,
        "is_paused": any(pause.prefix for pause in pauses),
        "assessment": found.risk_assessments.select_related("filled_by", "approved_by").last(),
        "groups": [Group(group).label for group in found.groups],
        "access": [Access(feature).label for feature in found.access],
    }
    return render(request, "events/staff/event.html", context)


def _step(request: StaffRequest, pk: int, act: Any, done: str, **values: Any) -> HttpResponse:
    """Carry out one step of an event's way, and say what came of it on its page."""
    found = get_object_or_404(Event.objects.seen_by(request.user), pk=pk)
    try:
        act(found, by=request.user, **values)
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    else:
        messages.success(request, done)
    # A planned visit that an approver sends back is not theirs to see any more.
    if not Event.objects.seen_by(request.user).filter(pk=pk).exists():
        return redirect("staff_events")
    return redirect("staff_event", pk)


@require_POST
@staff("events.edit")
def hand_in_event(request: StaffRequest, pk: int) -> HttpResponse:
    return _step(request, pk, actions.hand_in, pgettext("staff", "Handed in. Somebody else has to approve it."))


@require_POST
@staff("events.publish")
def publish_event(request: StaffRequest, pk: int) -> HttpResponse:
    return _step(request, pk, actions.publish, pgettext("staff", "Published."), seen=request.POST.get("seen", ""))


@require_POST
@staff("events.edit")
def restore_event(request: StaffRequest, pk: int) -> HttpResponse:
    done = pgettext("staff", "It is held after all. Who has registered is told in two minutes.")
    return _step(request, pk, actions.restore, done)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.publish")
def send_back_event(request: StaffRequest, pk: int) -> HttpResponse:
    title = pgettext("staff", "Send back")
    done = pgettext("staff", "Sent back.")
    return _with_reason(request, pk, actions.send_back, title=title, done=done, what="")


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def cancel_event(request: StaffRequest, pk: int) -> HttpResponse:
    return _with_reason(
        request,
        pk,
        actions.cancel,
        title=pgettext("staff", "Cancel the event"),
        done=pgettext("staff", "Canceled. Who has registered is told in two minutes; until then you can take it back."),
        what=pgettext(
            "staff",
            "Its page stays and says that it is canceled. Everybody who has registered gets a mail that takes it out "
            "of their calendar. You can hold it after all later.",
        ),
    )


def _with_reason(request: StaffRequest, pk: int, act: Any, *, title: str, done: str, what: str) -> HttpResponse:
    found = get_object_or_404(Event.objects.seen_by(request.user).with_taken(), pk=pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return _step(request, pk, act, done, reason=form.cleaned_data["reason"])
    context = {"event": found, "form": form, "title": title, "what": what}
    return render(request, "events/staff/reason.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def copy_event(request: StaffRequest, pk: int) -> HttpResponse:
    """A draft like this one at another time, with its Swedish text as a draft."""
    found = get_object_or_404(Event, pk=pk)
    form = CopyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        starts_at = form.cleaned_data["starts_at"]
        slug = slugify(f"{found.slug[:45]}-{timezone.localtime(starts_at):%Y-%m-%d}")
        try:
            made = actions.copy(found, slug=slug, starts_at=starts_at, by=request.user)
        except IntegrityError:
            form.add_error("starts_at", pgettext("staff", "There is a copy for this day already."))
        else:
            messages.success(request, pgettext("staff", "Made. Nobody sees it yet."))
            return redirect("staff_event", made.pk)
    context = {"event": found, "form": form}
    return render(request, "events/staff/copy.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def assess_event(request: StaffRequest, pk: int) -> HttpResponse:
    """What may happen if the place and the speakers are known, and what is done about it."""
    found = get_object_or_404(Event, pk=pk)
    newest = found.risk_assessments.last()
    form = RiskForm(request.POST if request.method == "POST" else None, initial=_assessed(newest))
    if form.is_bound and form.is_valid():
        values = {name: form.cleaned_data[name] for name in RiskForm.Meta.fields}
        actions.assess(found, by=request.user, **values)
        messages.success(request, pgettext("staff", "Saved. Somebody else has to approve it."))
        return redirect("staff_event", pk)
    context = {"event": found, "form": form}
    return render(request, "events/staff/assess.html", context, status=422 if form.errors else 200)


def _assessed(newest: Any) -> dict[str, str]:
    return {name: getattr(newest, name) for name in RiskForm.Meta.fields} if newest else {}


@require_POST
@staff("events.publish")
def approve_risks(request: StaffRequest, pk: int) -> HttpResponse:
    given = request.POST.get("seen", "")
    seen = int(given) if given.isdecimal() and len(given) <= 18 else 0
    return _step(request, pk, actions.approve_risks, pgettext("staff", "The risk assessment is approved."), seen=seen)

from collections.abc import Callable
from typing import Final
from uuid import uuid5

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events import erasing
from events.models import Event, page_at
from events.registrations import actions, documents, rules
from events.registrations.forms import CodeForm, RegistrationForm, WishesForm, wishes_of
from events.registrations.models import Need, Registration, State
from portal import languages, public, secret_links
from portal.http import StaffRequest, staff
from portal.mail.models import Delivery
from portal.revisions.rules import read

REGISTER: Final = "register"
OWN: Final = "registration"
FIND: Final = "find-registration"
SAVED: Final = "saved"
"""In the address to which saving leads."""
PER_HOUR: Final = 120
"""From one address: wide enough for a class of 85."""
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STATUS: Final = {"": 422, "expired": 422, "fast": 422, "many": 429}


def _code() -> str:
    return get_language() or languages.SOURCE


def _hindrance(request: HttpRequest, purpose: str) -> str:
    """Why what was sent is not acted on; empty when it is."""
    if public.check_public_post(request, purpose) is None:
        return "expired"
    if purpose == REGISTER and public.is_too_fast(request):
        return "fast"
    return "" if public.within_limit(request, purpose, per_hour=PER_HOUR) else "many"


@csrf_exempt  # no cookie, no ambient authority: the signed token and the origin check stand in for it
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def register(request: HttpRequest, slug: str) -> HttpResponse:
    found = page_at(slug, _code())
    if found is None:
        raise Http404
    form = RegistrationForm(found, request.POST if request.method == "POST" else None)
    hindrance = ""
    if form.is_bound and form.is_valid() and not (hindrance := _hindrance(request, REGISTER)):
        form_id = public.check_public_post(request, REGISTER)
        assert form_id is not None
        who = form.registration()
        try:
            # The same form sent twice is one registration; sent back and mended, with another address, it is another.
            person = who["email"].lower() or who["name"]
            made = actions.register(found, form_id=uuid5(form_id, f"{found.pk} {person}"), **who)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if made.email:
                return redirect("registered", slug)
            return redirect("registration", slug, rules.private_token(made))
    is_same_form = form.is_bound and hindrance != "expired" and public.check_public_post(request, REGISTER)
    context = {
        "event": found,
        "text": read(found, _code()),
        "form": form,
        "token": request.POST["token"] if is_same_form else public.form_token(REGISTER, is_again=form.is_bound),
        "hindrance": hindrance,
        "keep_days": Registration.KEEP_AFTER_EVENT.days,
        "needs_days": Need.KEEP_AFTER_EVENT.days,
    }
    return render(request, "events/register.html", context, status=STATUS[hindrance] if form.is_bound else 200)


@require_safe
@public.public(stored=False)
def registered(request: HttpRequest, slug: str) -> HttpResponse:
    """The same for everybody who has sent the form with an address, whether or not it had a seat before."""
    found = get_object_or_404(Event.objects.published().read_in(_code()), slug=slug)
    return render(request, "events/registered.html", {"event": found, "text": read(found, _code())})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def find_registration(request: HttpRequest, slug: str) -> HttpResponse:
    """For who registered without an address and has a code. Every code that is typed counts for the limit."""
    found = get_object_or_404(Event.objects.published().read_in(_code()), slug=slug)
    form, hindrance = CodeForm(request.POST if request.method == "POST" else None), ""
    if form.is_bound and form.is_valid() and not (hindrance := _hindrance(request, FIND)):
        if owner := rules.code_owner(found, form.cleaned_data["code"]):
            return redirect("registration", slug, rules.private_token(owner))
        form.refuse()
    context = {
        "event": found,
        "text": read(found, _code()),
        "form": form,
        "hindrance": hindrance,
        "token": public.form_token(FIND, is_again=form.is_bound),
    }
    return render(request, "events/find_registration.html", context, status=STATUS[hindrance] if form.is_bound else 200)


STEPS: Final[dict[str, Callable[[Registration], object]]] = {
    "accept": actions.accept,
    "cancel": actions.cancel,
    "regret": actions.regret,
}


@csrf_exempt  # the secret link itself is the proof; the signed token keeps other sites from sending the form
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def registration(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """One's own registration. Scanners follow every link in a mail, so that only POST acts."""
    # The event's name stands in the address for people to read; the token alone says which seat it is.
    found = rules.token_owner(token)
    if found is None:
        return _nobodys_page(request, slug, token)
    if request.method != "POST":
        return _own_page(request, found)
    try:
        return _act(request, found, token)
    except Registration.DoesNotExist:  # deleted meanwhile
        return _nobodys_page(request, slug, token)


def _nobodys_page(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    # A link that was only renewed has deleted nothing.
    is_there = Registration.objects.filter(pk=secret_links.pk_of(token)).exists()
    if is_there or not erasing.is_pressed(request, OWN, token):
        raise Http404
    return erasing.erased(request, get_object_or_404(Event.objects.published().read_in(_code()), slug=slug))


def _act(request: HttpRequest, found: Registration, token: str) -> HttpResponse:
    purpose = erasing.purpose(OWN, found.pk) if request.POST.get("do") == "erase" else OWN
    if public.check_public_post(request, purpose) is None:
        return _own_page(request, found, problem="expired", status=422)
    match request.POST.get("do", ""):
        case "reveal":
            answer = _own_page(request, found, join_url=actions.reveal(found), asked="reveal")
        case "ask_erase":
            answer = _own_page(request, found, asked="erase")
        case "erase":
            actions.erase(found)
            answer = erasing.erased(request, found.event)
        case "change":
            answer = _change(request, found, token)
        case step if step in STEPS:
            answer = _step(request, found, token, STEPS[step])
        case _:
            answer = _own_page(request, found, status=422)
    return answer


def _step(request: HttpRequest, found: Registration, token: str, act: Callable[[Registration], object]) -> HttpResponse:
    try:
        act(found)
    except ValidationError as error:
        return _own_page(request, found, problem=error.messages[0], status=422)
    return redirect("registration", found.event.slug, token)


def _change(request: HttpRequest, found: Registration, token: str) -> HttpResponse:
    form = WishesForm(found.event, request.POST, initial=wishes_of(found), largest=found.party_size)
    if form.is_valid():
        try:
            changed = actions.change(found, **form.wishes())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            # Who has chosen another language reads on in that one.
            with translation.override(changed.language if changed.language != found.language else _code()):
                return redirect(reverse("registration", args=[found.event.slug, token], query={SAVED: ""}))
    return _own_page(request, found, form=form, status=422)


def _own_page(
    request: HttpRequest,
    found: Registration,
    *,
    form: WishesForm | None = None,
    problem: str = "",
    asked: str = "",
    join_url: str = "",
    status: int = 200,
) -> HttpResponse:
    event = found.event
    is_changeable = found.state != State.CANCELED and event.is_upcoming
    is_coming = _is_coming(found)
    wishes = form or WishesForm(event, initial=wishes_of(found), largest=found.party_size)
    context = {
        "registration": found,
        "event": event,
        "text": read(event, _code()),
        "needs": found.needs.all(),
        "form": wishes if is_changeable else None,
        "token": public.form_token(OWN),
        "erase_token": public.form_token(erasing.purpose(OWN, found.pk)) if asked == "erase" else "",
        "code": rules.code_of(found),
        "is_place_told": rules.is_place_told(found),
        "is_saved": SAVED in request.GET and request.method != "POST",
        "check_in_code": rules.check_in_code(found) if is_coming and event.place else "",
        "is_coming": is_coming,
        "may_return": found.state == State.CANCELED and actions.may_return(found),
        "place_in_line": found.event.registrations.waiting().filter(queued_at__lt=found.queued_at).count() + 1,
        "problem": problem,
        "asked": asked,
        "join_url": join_url,
        "keep_days": Registration.KEEP_AFTER_EVENT.days,
    }
    response = render(request, "events/registration.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _is_coming(found: Registration) -> bool:
    return found.is_seated and not found.event.is_canceled and not found.event.has_passed


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("registrations.view")
def event_registrations(request: StaffRequest, pk: int) -> HttpResponse:
    """Who has a seat and who waits, to read and to print."""
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    everybody = found.registrations.active().with_reveals().prefetch_related("needs")
    context = {
        "event": found,
        "seated": [each for each in everybody if each.state == State.CONFIRMED],
        "others": sorted(
            (each for each in everybody if each.state != State.CONFIRMED), key=lambda each: (each.queued_at, each.pk)
        ),
        "canceled": found.registrations.filter(state=State.CANCELED).count(),
        "names_until": found.ends_at + Registration.KEEP_AFTER_EVENT,
        "needs_until": found.ends_at + Need.KEEP_AFTER_EVENT,
    }
    return render(request, "events/staff/registrations.html", context)


@require_safe
@staff("registrations.view")
def export_registrations(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    everybody = list(found.registrations.active().prefetch_related("needs"))
    content = documents.workbook(everybody)
    actions.tell_export(found, count=len(everybody), by=request.user)
    disposition = content_disposition_header(as_attachment=True, filename=f"{found.slug}.xlsx")
    return HttpResponse(content, XLSX, headers={"Content-Disposition": disposition or "attachment"})


@require_safe
@staff("registrations.view")
def event_registration(request: StaffRequest, pk: int, registration: int) -> HttpResponse:
    """One who has registered, and what they were sent."""
    found = _of_event(pk, registration)
    context = {
        "event": found.event,
        "registration": found,
        "needs": found.needs.all(),
        "deliveries": Delivery.objects.named(prefix=found.key).order_by("-due_at", "-pk"),
        "asked": "",
    }
    return render(request, "events/staff/registration.html", context)


@require_POST
@staff("registrations.edit")
def change_registration(request: StaffRequest, pk: int, registration: int) -> HttpResponse:
    """Cancel, forget or send a new link for somebody who has asked for it in another way than by their own page."""
    found = _of_event(pk, registration)
    match request.POST.get("do", ""):
        case "cancel":
            actions.cancel(found, by=request.user)
            messages.success(request, pgettext("staff", "Canceled. They get a mail about it."))
        case "link":
            try:
                actions.renew_link(found, by=request.user)
            except ValidationError as error:
                messages.error(request, error.messages[0])
            else:
                messages.success(request, pgettext("staff", "A new link is on its way. The old one leads nowhere."))
        case "ask_erase":
            context = {"event": found.event, "registration": found, "needs": [], "deliveries": [], "asked": "erase"}
            return render(request, "events/staff/registration.html", context)
        case "erase":
            actions.erase(found, by=request.user)
            messages.success(request, pgettext("staff", "Everything about this person is deleted."))
            return redirect("event_registrations", pk)
        case _:
            raise Http404
    return redirect("event_registration", pk, registration)


def _of_event(pk: int, registration: int) -> Registration:
    found = Registration.objects.filter(event=pk).select_related("event")
    return get_object_or_404(found, pk=registration)


@require_safe
@staff("registrations.view")
def needs(request: StaffRequest) -> HttpResponse:
    """What people need to be able to take part, in what is to come; what is not settled and comes soonest first."""
    found = Need.objects.to_come(timezone.now())
    return render(request, "events/staff/needs.html", {"needs": found, "states": Need.State.choices})


@require_POST
@staff("registrations.edit")
def settle_need(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Need, pk=pk)
    state = request.POST.get("state", "")
    if state not in Need.State:
        raise Http404
    actions.settle_need(found, state=state, by=request.user)
    messages.success(request, pgettext("staff", "Saved."))
    return redirect("needs")

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events import erasing
from events.actors import actions as actors
from events.actors.models import Actor
from events.agreements.models import Agreement
from events.invitations import actions, documents, rules
from events.invitations.forms import (
    AcceptForm,
    CoverageFilterForm,
    HandForm,
    InviteFilterForm,
    InviteForm,
    SubstituteForm,
    guests_of,
)
from events.invitations.models import Answer, Invitation
from events.models import Event
from events.registrations.forms import wishes_of
from events.registrations.models import Need
from events.registrations.rules import private_url
from portal import languages, public, secret_links
from portal.http import StaffRequest, staff
from portal.mail.models import Delivery
from portal.revisions.rules import heading, read

OWN: Final = "invitation"
PER_HOUR: Final = 120
"""From one address: a whole office may answer from behind it."""
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# Who is invited --------------------------------------------------------------------------------------------------


@csrf_exempt  # the secret link itself is the proof; the signed token keeps other sites from sending the form
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """One's own invitation. Scanners follow every link in a mail, so that only POST answers."""
    found = rules.token_owner(token)
    if found is None:
        return _nobodys_page(request, token)
    if request.method != "POST":
        return _own_page(request, found)
    purpose = erasing.purpose(OWN, found.pk) if request.POST.get("do") == "erase" else OWN
    if public.check_public_post(request, purpose) is None:
        return _own_page(request, found, problem="expired", status=422)
    if not public.within_limit(request, OWN, per_hour=PER_HOUR):
        return _own_page(request, found, problem="many", status=429)
    match request.POST.get("do", ""):
        case "yes":
            answer = _accept(request, found, token)
        case "no":
            answer = _decline(request, found, token)
        case "substitute":
            answer = _name_substitute(request, found, token)
        case "ask_erase":
            answer = _own_page(request, found, asked="erase")
        case "erase":
            actions.erase(found)
            answer = erasing.erased(request, found.event)
        case _:
            answer = _own_page(request, found, status=422)
    return answer


def _nobodys_page(request: HttpRequest, token: str) -> HttpResponse:
    was_erased = Invitation.objects.filter(pk=secret_links.pk_of(token), forgotten_at__isnull=False)
    forgotten = was_erased.select_related("event").first()
    if forgotten is None or not erasing.is_pressed(request, OWN, token):
        raise Http404
    return erasing.erased(request, forgotten.event)


def _accept(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    form = AcceptForm(found.event, request.POST, initial=wishes_of(found.registration) if found.registration else None)
    if form.is_valid():
        try:
            actions.accept(found, form_id=public.check_public_post(request, OWN), **form.values())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            with translation.override(form.cleaned_data["language"]):
                return redirect("invitation", token)
    return _own_page(request, found, accept=form, status=422)


def _decline(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    try:
        actions.decline(found)
    except ValidationError as error:
        return _own_page(request, found, problem=error.messages[0], status=422)
    return redirect("invitation", token)


def _name_substitute(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    form = SubstituteForm(request.POST, prefix="instead")
    if form.is_valid():
        try:
            actions.name_substitute(found, **form.values())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("invitation", token)
    return _own_page(request, found, substitute=form, status=422)


def _own_page(
    request: HttpRequest,
    found: Invitation,
    *,
    accept: AcceptForm | None = None,
    substitute: SubstituteForm | None = None,
    problem: str = "",
    asked: str = "",
    status: int = 200,
) -> HttpResponse:
    event, code = found.event, get_language() or languages.SOURCE
    seat = found.registration if found.is_declinable else None
    initial = wishes_of(seat) if seat else {"language": code}
    context = {
        "invitation": found,
        "event": event,
        "text": read(event, code),
        "brought": Agreement.objects.brought_to(event),
        "accept": accept or AcceptForm(event, initial=initial),
        "substitute": substitute or SubstituteForm(prefix="instead", initial={"language": code}),
        "instead": found.substitutes.standing().first(),
        "seat_url": private_url(seat) if seat and found.answer == Answer.YES else "",
        "token": public.form_token(OWN),
        "erase_token": public.form_token(erasing.purpose(OWN, found.pk)) if asked == "erase" else "",
        "problem": problem,
        "asked": asked,
        "keep_days": Invitation.KEEP_AFTER_EVENT.days,
        "needs_days": Need.KEEP_AFTER_EVENT.days,
    }
    response = render(request, "invitations/invitation.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


# Staff -----------------------------------------------------------------------------------------------------------


@require_safe
@staff("invitations.view")
def event_invitations(request: StaffRequest, pk: int) -> HttpResponse:
    """Who is invited to one event, and what they have answered."""
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE).select_related("series"), pk=pk)
    invitations = list(found.invitations.as_rows())
    standing = [each for each in invitations if each.withdrawn_at is None]
    seated, came = sum(each.is_seated for each in standing), sum(each.has_come for each in standing)
    actors.consult_list(Actor, by=request.user)
    context = {
        "event": found,
        "title": heading(found),
        "invitations": invitations,
        "unanswered": sum(not each.answer for each in standing),
        "answers": [(Answer(value).label, sum(each.answer == value for each in standing)) for value in Answer.values],
        "seated": seated,
        "came": came,
        "is_nobody_checked_in": found.has_passed and seated and not came,
    }
    return render(request, "invitations/staff/event_invitations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("invitations.edit")
def invite(request: StaffRequest, pk: int) -> HttpResponse:
    """Choose from the register; the filters stand in the address."""
    found = get_object_or_404(Event.objects.select_related("series"), pk=pk)
    filters = InviteFilterForm(request.GET)
    circle = set(found.series.circle.values_list("pk", flat=True)) if found.series else set()
    matching = Actor.objects.matching(**filters.filters()).filter(is_active=True).prefetch_related("contacts")
    ordered = sorted(matching, key=lambda actor: actor.pk not in circle)
    guests = guests_of(ordered, taken=found.invitations.standing().values_list("email", flat=True))
    chosen = [key for key, guest in guests.items() if guest["actor"].pk in circle and "contact" not in guest]
    form = InviteForm(guests, request.POST if request.method == "POST" else None, initial={"who": chosen})
    if form.is_bound and form.is_valid():
        try:
            return _invited(request, found, actions.invite(found, guests=form.chosen(), by=request.user))
        except ValidationError as error:
            form.add_error(None, error)
    actors.consult_list(Actor, by=request.user)
    context = {
        "event": found,
        "title": heading(found),
        "form": form,
        "filters": filters,
        "active": filters.active(),
        "areas": Actor.objects.areas(),
        "invited": found.invitations.standing().as_rows(),
        "action": f"?{filters.query()}",
        "guests": guests,
    }
    return render(request, "invitations/staff/invite.html", context, status=422 if form.errors else 200)


def _invited(request: StaffRequest, event: Event, made: list[Invitation]) -> HttpResponse:
    if not made:
        messages.info(request, pgettext("staff", "They are invited already."))
    elif event.is_public:
        messages.success(
            request, pgettext("staff", "Invited: %(number)d. The mail leaves now.") % {"number": len(made)}
        )
    else:
        messages.success(
            request,
            pgettext("staff", "Invited: %(number)d. The mail leaves when the event is published.")
            % {"number": len(made)},
        )
    return redirect("event_invitations", event.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("invitations.edit")
def invite_by_hand(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Event, pk=pk)
    form = HandForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            return _invited(request, found, actions.invite(found, guests=[form.values()], by=request.user))
        except ValidationError as error:
            form.add_error(None, error)
    actors.consult_list(Actor, by=request.user)
    context = {"event": found, "title": heading(found), "form": form}
    return render(request, "invitations/staff/invite_by_hand.html", context, status=422 if form.errors else 200)


@require_safe
@staff("invitations.view")
def staff_invitation(request: StaffRequest, pk: int) -> HttpResponse:
    """One invitation with what was sent for it, and for the seat that came of it."""
    found = get_object_or_404(Invitation.objects.as_rows().select_related("event"), pk=pk)
    actors.consult_list(Actor, by=request.user)
    sent = Delivery.objects.named(prefix=found.key)
    if found.registration:
        sent = sent | Delivery.objects.named(prefix=found.registration.key)
    context = {
        "invitation": found,
        "event": found.event,
        "title": heading(found.event),
        "deliveries": sent.order_by("-due_at", "-pk"),
        "substitutes": found.substitutes.as_rows(),
    }
    return render(request, "invitations/staff/staff_invitation.html", context)


@require_POST
@staff("invitations.edit")
def send_invitation_again(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        actions.send_again(get_object_or_404(Invitation.objects.select_related("event"), pk=pk), by=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, pgettext("staff", "It is sent with a new link. The one before leads nowhere now."))
    return redirect("staff_invitation", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("invitations.edit")
def withdraw_invitation(request: StaffRequest, pk: int) -> HttpResponse:
    """Asks first: a seat is given back, and people are told."""
    found = get_object_or_404(Invitation.objects.as_rows().select_related("event"), pk=pk)
    if request.method == "POST":
        actions.withdraw(found, by=request.user)
        messages.success(request, pgettext("staff", "The invitation is withdrawn."))
        return redirect("event_invitations", found.event_id)
    actors.consult_list(Actor, by=request.user)
    return render(request, "invitations/staff/withdraw_invitation.html", {"invitation": found})


# Coverage --------------------------------------------------------------------------------------------------------


@require_safe
@staff("actors.view")
def coverage(request: StaffRequest) -> HttpResponse:
    """Which organizations nobody invites, which never come and which have fallen silent."""
    form = CoverageFilterForm(request.GET)
    every = _coverage(form)
    actors.consult_list(Actor, by=request.user)
    context = {
        "rows": _reached(form, every),
        "numbers": [(reach.label, sum(row.reach == reach for row in every)) for reach in rules.Reach],
        "form": form,
        "active": form.active(),
        "areas": Actor.objects.areas(),
    }
    return render(request, "invitations/staff/coverage.html", context)


@require_safe
@staff("actors.view")
def export_coverage(request: StaffRequest) -> HttpResponse:
    form = CoverageFilterForm(request.GET)
    rows = _reached(form, _coverage(form))
    content = documents.workbook(rows)
    actors.tell_export(count=len(rows), filters=[each["words"] for each in form.active()], by=request.user)
    name = f"{pgettext('staff', 'reached')}-{timezone.localdate()}.xlsx"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(content, XLSX, headers={"Content-Disposition": disposition})


def _coverage(form: CoverageFilterForm) -> list[rules.Coverage]:
    found = Actor.objects.matching(**form.filters()).filter(is_active=True)
    return rules.coverage(found, Invitation.objects.of_organizations(), now=timezone.now())


def _reached(form: CoverageFilterForm, rows: list[rules.Coverage]) -> list[Any]:
    wanted = form.cleaned_data.get("reach")
    return [row for row in rows if not wanted or row.reach == wanted]

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST

from events.actors import actions as actors
from events.actors.models import Actor
from events.agreements import actions
from events.agreements.forms import AgreementForm, EditAgreementForm, MinutesForm
from events.agreements.models import Agreement, Minutes
from events.models import Event
from events.series.models import Series
from portal.http import StaffRequest, staff
from portal.revisions.rules import heading


@require_http_methods(["GET", "HEAD", "POST"])
@staff("agreements.view")
def event_agreements(request: StaffRequest, pk: int) -> HttpResponse:
    """What was agreed last time, and what was agreed here, with the minutes."""
    found = get_object_or_404(Event.objects.select_related("series"), pk=pk)
    form = AgreementForm(request.POST if request.method == "POST" else None)
    if _is_agreed(request, form, event=found):
        return redirect("event_agreements", pk)
    _consult_offered(request)
    context = {
        "event": found,
        "title": heading(found),
        "brought": Agreement.objects.brought_to(found),
        "agreements": found.agreements.with_owners(),
        "minutes": Minutes.objects.filter(event=found).select_related("written_by").first(),
        "form": form,
    }
    return render(request, "agreements/staff/event_agreements.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("agreements.view")
def series_agreements(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Series, pk=pk)
    form = AgreementForm(request.POST if request.method == "POST" else None)
    if _is_agreed(request, form, series=found):
        return redirect("series_agreements", pk)
    _consult_offered(request)
    every = Agreement.objects.of_series(found).with_owners()
    context = {
        "series": found,
        "open": every.open(),
        "settled": every.exclude(outcome="").order_by("-settled_at"),
        "form": form,
    }
    return render(request, "agreements/staff/series_agreements.html", context, status=422 if form.errors else 200)


def _is_agreed(
    request: StaffRequest, form: AgreementForm, *, event: Event | None = None, series: Series | None = None
) -> bool:
    if form.is_bound and not request.user.has_perm("agreements.edit"):
        raise PermissionDenied
    if not (form.is_bound and form.is_valid()):
        return False
    try:
        actions.agree(by=request.user, event=event, series=series, **form.values())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, pgettext("staff", "Saved."))
    return True


def _consult_offered(request: StaffRequest) -> None:
    """The form offers all organizations to who may write down an agreement; the others are not shown it."""
    if request.user.has_perm("agreements.edit"):
        actors.consult_list(Actor, by=request.user)


def _home(agreement: Agreement) -> str:
    if agreement.event_id:
        return reverse("event_agreements", args=[agreement.event_id])
    return reverse("series_agreements", args=[agreement.series_id])


@require_http_methods(["GET", "HEAD", "POST"])
@staff("agreements.edit")
def edit_agreement(request: StaffRequest, pk: int) -> HttpResponse:
    """Its words, who sees to it by when, and what became of it; what was said of that is taken back in the same way."""
    found = get_object_or_404(Agreement, pk=pk)
    back = _home(found)
    form = EditAgreementForm(found, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and form.hand_to(actions.edit, found, by=request.user):
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(back)
    actors.consult_list(Actor, by=request.user)
    context = {"form": form, "back": back}
    return render(request, "agreements/staff/edit_agreement.html", context, status=422 if form.errors else 200)


# Minutes -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff("agreements.edit")
def minutes(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Event, pk=pk)
    written = Minutes.objects.filter(event=found).first()
    form = MinutesForm(request.POST if request.method == "POST" else None, instance=written)
    if form.is_bound and form.is_valid() and form.hand_to(actions.write_minutes, found, by=request.user):
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("event_agreements", pk)
    context = {"event": found, "title": heading(found), "form": form, "minutes": written}
    return render(request, "agreements/staff/minutes.html", context, status=422 if form.errors else 200)


@require_POST
@staff("agreements.edit")
def publish_minutes(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        actions.publish_minutes(get_object_or_404(Minutes, event=pk), by=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, pgettext("staff", "Published."))
    return redirect("event_agreements", pk)


@require_POST
@staff("agreements.edit")
def hide_minutes(request: StaffRequest, pk: int) -> HttpResponse:
    actions.hide_minutes(get_object_or_404(Minutes, event=pk), by=request.user)
    messages.success(request, pgettext("staff", "Only colleagues read them now."))
    return redirect("event_agreements", pk)

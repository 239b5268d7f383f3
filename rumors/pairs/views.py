from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.http import StaffRequest, staff
from rumors import actions as rumors
from rumors.models import Rumor
from rumors.pairs import actions
from rumors.pairs.forms import RelateForm, SettleForm
from rumors.pairs.models import Merge, Pair
from rumors.vocabulary import PairState


def _rumor(request: StaffRequest, pk: int | str | None) -> Rumor:
    found: Rumor = get_object_or_404(Rumor.objects.visible_to(request.user), pk=pk)
    rumors.consult(found, by=request.user)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def relate(request: StaffRequest, pk: int) -> HttpResponse:
    found = _rumor(request, pk)
    form = RelateForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.relate(found, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error("other", error)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(found)
    context = {"rumor": found, "form": form, "title": pgettext("staff", "Belongs together with another rumor")}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


@require_POST
@staff("rumors.handle")
def settle_pair(request: StaffRequest, pk: int, rumor_pk: int) -> HttpResponse:
    """Say of a suggestion, or of what somebody said before, whether it is so."""
    found = _rumor(request, rumor_pk)
    pair = get_object_or_404(Pair.objects.visible_to(request.user).of(found).select_related("one", "other"), pk=pk)
    form = SettleForm(request.POST)
    if form.is_valid():
        is_so = form.cleaned_data["state"] == PairState.CONFIRMED
        other = pair.other if pair.one_id == found.pk else pair.one
        actions.relate(found, other=other, kind=pair.kind, is_so=is_so, by=request.user)
        messages.success(request, pgettext("staff", "Saved."))
    return redirect("suggestions" if request.POST.get("next") == "suggestions" else found)


@require_POST
@staff("rumors.log")
def merge_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = _rumor(request, pk)
    into = request.POST.get("into", "")
    target = _rumor(request, into if into.isdecimal() and len(into) < 19 else None)
    try:
        actions.merge(found, into=target, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(found)
    messages.success(request, pgettext("staff", "Added as a sighting of %(rumor)s.") % {"rumor": target})
    return redirect(target)


@require_POST
@staff("rumors.handle")
def undo_merge(request: StaffRequest, pk: int) -> HttpResponse:
    visible = Rumor.objects.visible_to(request.user)
    merge = get_object_or_404(Merge.objects.filter(rumor__in=visible).select_related("rumor"), pk=pk)
    rumors.consult(merge.rumor, by=request.user)
    found = actions.undo(merge, by=request.user)
    messages.success(request, pgettext("staff", "%(rumor)s stands for itself again.") % {"rumor": found})
    return redirect(found)

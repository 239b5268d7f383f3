from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import model_to_dict
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.http import StaffRequest, staff
from rumors import actions as rumors
from rumors.assessments import actions
from rumors.assessments.forms import AbcdeForm, AssessForm
from rumors.assessments.models import Abcde
from rumors.models import Rumor


def _rumor(request: StaffRequest, pk: int) -> Rumor:
    found: Rumor = get_object_or_404(Rumor.objects.visible_to(request.user), pk=pk)
    rumors.consult(found, by=request.user)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def assess(request: StaffRequest, pk: int) -> HttpResponse:
    """How far it has come, and how hard it hits."""
    found = _rumor(request, pk)
    last = found.reaches.first()
    now = {"reach": found.reach, "basis": last.basis if last else "", "version": found.version}
    now |= {f"on_{on}": level for on, level in found.impacts.values_list("on", "level")}
    form = AssessForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        said = {name: form.cleaned_data[name] for name in ("reach", "basis", "version")}
        try:
            actions.assess(found, by=request.user, impacts=form.impacts(), **said)
        except ValidationError as error:
            form.show_again(found.version)
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(found)
    context = {"rumor": found, "form": form, "title": pgettext("staff", "Reach and impact")}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def abcde(request: StaffRequest, pk: int) -> HttpResponse:
    """Who, how, what, how widely, with which effect."""
    found = _rumor(request, pk)
    known = Abcde.objects.filter(rumor=found).first()
    now = {"version": found.version} | (model_to_dict(known) if known else {})
    form = AbcdeForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name in form.base_fields}
        try:
            actions.describe(found, by=request.user, **values)
        except ValidationError as error:
            form.show_again(found.version)
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(found)
    context = {"rumor": found, "form": form, "title": "ABCDE"}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


@require_POST
@staff("rumors.handle")
def confirm_attribution(request: StaffRequest, pk: int) -> HttpResponse:
    found = _rumor(request, pk)
    try:
        actions.confirm(found, attribution=request.POST.get("attribution", ""), by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "Confirmed."))
    return redirect(found)

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.http import StaffRequest, staff
from rumors import actions as rumors
from rumors.models import Rumor
from rumors.responses import actions
from rumors.responses.forms import FinishForm, ResponseForm
from rumors.responses.models import Response


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def respond(request: StaffRequest, pk: int) -> HttpResponse:
    """What is to be done about a rumor."""
    found = get_object_or_404(Rumor.objects.visible_to(request.user), pk=pk)
    rumors.consult(found, by=request.user)
    form = ResponseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name in form.base_fields}
        try:
            actions.plan(found, by=request.user, **values)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(found)
    context = {"rumor": found, "form": form, "title": pgettext("staff", "Say what is to be done")}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


def _response(request: StaffRequest, pk: int) -> Response:
    visible = Rumor.objects.visible_to(request.user)
    found: Response = get_object_or_404(Response.objects.filter(rumor__in=visible).select_related("rumor"), pk=pk)
    rumors.consult(found.rumor, by=request.user)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def finish_response(request: StaffRequest, pk: int) -> HttpResponse:
    found = _response(request, pk)
    form = FinishForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.finish(found, result=form.cleaned_data["result"], by=request.user)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(found.rumor)
    context = {"rumor": found.rumor, "form": form, "title": found.get_action_display()}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


@require_POST
@staff("rumors.handle")
def drop_response(request: StaffRequest, pk: int) -> HttpResponse:
    found = _response(request, pk)
    try:
        actions.drop(found, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "Taken back."))
    return redirect(found.rumor)

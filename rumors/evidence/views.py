from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.http import StaffRequest, staff
from rumors import actions as rumors
from rumors.evidence import actions
from rumors.evidence.forms import EvidenceForm
from rumors.evidence.models import Evidence
from rumors.models import Rumor


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def add_evidence(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Rumor.objects.visible_to(request.user), pk=pk)
    rumors.consult(found, by=request.user)
    form = EvidenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name in form.base_fields}
        actions.add(found, by=request.user, **values)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(found)
    context = {"rumor": found, "form": form, "title": pgettext("staff", "What speaks for or against it")}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


@require_POST
@staff("rumors.handle")
def remove_evidence(request: StaffRequest, pk: int) -> HttpResponse:
    visible = Rumor.objects.visible_to(request.user)
    found = get_object_or_404(Evidence.objects.filter(rumor__in=visible).select_related("rumor"), pk=pk)
    rumors.consult(found.rumor, by=request.user)
    actions.remove(found, by=request.user)
    messages.success(request, pgettext("staff", "Taken back."))
    return redirect(found.rumor)

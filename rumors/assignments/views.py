from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from portal.http import StaffRequest, staff
from rumors import actions as rumors
from rumors import rules
from rumors.assignments import actions
from rumors.assignments.forms import AssignForm
from rumors.models import Rumor


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def assign_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found: Rumor = get_object_or_404(Rumor.objects.visible_to(request.user), pk=pk)
    rumors.consult(found, by=request.user)
    standing = found.assignments.filter(ended_at__isnull=True).first()
    initial = {"assignee": found.assignee_id, "note": standing.note if standing else ""}
    form = AssignForm(rules.handlers(), request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.assign(found, to=data["assignee"], note=data["note"], by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(found)
    context = {"rumor": found, "form": form, "title": pgettext("staff", "Who takes care of it?")}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)

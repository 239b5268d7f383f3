from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from portal.http import StaffRequest, staff
from rumors.alarms import actions, rules
from rumors.alarms.forms import SeeForm


@require_safe
@staff("rumors.view")
def alarms(request: StaffRequest) -> HttpResponse:
    board = rules.standing(request.user, now=timezone.now())
    return render(request, "alarms/staff/alarms.html", {"board": board})


@require_POST
@staff("rumors.view")
def see_alarm(request: StaffRequest) -> HttpResponse:
    """Put aside for this person, as bad as it was shown to them."""
    form = SeeForm(request.POST)
    levels = rules.standing(request.user, now=timezone.now()).levels
    if form.is_valid() and form.cleaned_data["key"] in levels:
        key = form.cleaned_data["key"]
        # Nobody puts aside what is still to come.
        actions.see(key=key, level=min(form.cleaned_data["level"], levels[key]), by=request.user)
        messages.success(request, pgettext("staff", "Put aside. It comes back when it becomes worse."))
    else:
        messages.info(request, pgettext("staff", "That alarm is over."))
    return redirect("alarms")


@require_POST
@staff("rumors.view")
def unsee_alarm(request: StaffRequest) -> HttpResponse:
    actions.unsee(key=request.POST.get("key", "").replace("\0", "")[:60], by=request.user)
    messages.success(request, pgettext("staff", "It is back on the list."))
    return redirect("alarms")

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from portal.facts.links import actions
from portal.facts.links.models import CheckedLink
from portal.http import StaffRequest, staff


@require_POST
@staff("facts.edit")
def check_again(request: StaffRequest, pk: int) -> HttpResponse:
    actions.check_again(get_object_or_404(CheckedLink, pk=pk), by=request.user)
    messages.success(request, pgettext("staff", "It is checked again within the hour."))
    return redirect("staff_links")

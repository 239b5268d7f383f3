from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from portal.facts.readings import actions
from portal.facts.readings.models import Opinion
from portal.http import StaffRequest, staff


@require_POST
@staff("opinions.forget")
def forget_comment(request: StaffRequest, pk: int) -> HttpResponse:
    opinion = get_object_or_404(Opinion, pk=pk)
    actions.forget(opinion, by=request.user)
    messages.success(request, pgettext("staff", "The comment is gone. Whether the text helped still counts."))
    return redirect("staff_fact", opinion.fact_id)

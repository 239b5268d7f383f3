from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from portal.http import StaffRequest, staff
from rumors.models import Rumor
from rumors.notices import actions, rules
from rumors.notices.forms import NoticesForm

FOLLOWED = 50


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.view")
def rumor_notices(request: StaffRequest) -> HttpResponse:
    """How somebody hears of rumors, and of which."""
    user = request.user
    form = NoticesForm(request.POST or None, initial={"how": rules.choice(user)})
    if request.method == "POST" and form.is_valid():
        actions.choose(how=form.cleaned_data["how"], by=user)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("rumor_notices")
    watched = Rumor.watchers.through.objects.filter(user=user)
    followed = Rumor.objects.visible_to(user).filter(Q(assignee=user) | Q(pk__in=watched.values("rumor")))
    page = Paginator(followed.most_urgent_first(), FOLLOWED).get_page(request.GET.get("page"))
    context = {"form": form, "page": page}
    return render(request, "notices/staff/notices.html", context, status=422 if form.errors else 200)

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.http import StaffRequest, staff
from rumors.lists import actions, rules
from rumors.lists.forms import RumorFilterForm, SaveFilterForm
from rumors.lists.models import SavedFilter
from rumors.models import Rumor, Sighting


@require_safe
@staff("rumors.view")
def staff_rumors(request: StaffRequest) -> HttpResponse:
    form = RumorFilterForm(request.user, request.GET)
    found = Rumor.objects.visible_to(request.user).matching(**form.filters())
    places = {name: request.GET.get(name, "") for name in ("after", "before")}
    context = {
        "page": rules.page(found.as_rows(), **places),
        "form": form,
        "active": form.active(),
        "saved": SavedFilter.objects.filter(owner=request.user),
        "areas": Sighting.objects.areas(),
    }
    return render(request, "rumors/staff/rumors.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.view")
def save_filter(request: StaffRequest) -> HttpResponse:
    """Names the filters of the address it was opened with."""
    asked = RumorFilterForm(
        request.user, request.GET if request.method != "POST" else QueryDict(request.POST.get("query", ""))
    )
    asked.filters()
    query = asked.query().removesuffix("&")
    if request.method != "POST" and asked.errors:
        return redirect(f"{reverse('staff_rumors')}?{asked.as_typed()}")
    if not query and not asked.errors:
        messages.error(request, pgettext("staff", "Choose a filter first. Then it can be saved."))
        return redirect("staff_rumors")
    form = SaveFilterForm(request.POST or None, initial={"query": query})
    if request.method == "POST":
        for fault in asked.faults():
            form.add_error(None, fault)
    if request.method == "POST" and form.is_valid():
        try:
            saved = actions.save(name=form.cleaned_data["name"], query=query, by=request.user)
        except ValidationError as error:
            form.add_error("name", error)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(saved)
    context = {"form": form, "active": asked.active(), "back": asked.as_typed()}
    return render(request, "rumors/staff/save_filter.html", context, status=422 if form.errors else 200)


@require_POST
@staff("rumors.view")
def forget_filter(request: StaffRequest, pk: int) -> HttpResponse:
    actions.forget(pk=pk, by=request.user)
    messages.success(request, pgettext("staff", "Deleted."))
    return redirect("staff_rumors")

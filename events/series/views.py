from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from events.actors import actions as actors
from events.actors.models import Actor
from events.series import actions
from events.series.forms import EditSeriesForm, SeriesForm
from events.series.models import Series
from portal import languages
from portal.http import StaffRequest, staff


@require_safe
@staff("series.view")
def all_series(request: StaffRequest) -> HttpResponse:
    return render(request, "series/staff/all_series.html", {"all_series": Series.objects.as_rows()})


@require_safe
@staff("series.view")
def series(request: StaffRequest, pk: int) -> HttpResponse:
    """One series with its sittings, newest first: the next one is a copy of the last."""
    found = get_object_or_404(Series.objects.prefetch_related("circle"), pk=pk)
    sittings = found.events.seen_by(request.user).read_in(languages.SOURCE).with_invited().order_by("-starts_at")
    if request.user.has_perm("actors.view"):  # the others are not told which organizations these are
        actors.consult_list(Actor, by=request.user)
    return render(request, "series/staff/series.html", {"series": found, "sittings": sittings})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("series.edit")
def new_series(request: StaffRequest) -> HttpResponse:
    form = SeriesForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = actions.create(by=request.user, **form.values())
        except IntegrityError:
            form.refuse_name()
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(made)
    return _form_page(request, form, title=pgettext("staff", "New series"), back=reverse("all_series"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("series.edit")
def edit_series(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Series, pk=pk)
    form = EditSeriesForm(request.POST if request.method == "POST" else None, instance=found)
    if form.is_bound and form.is_valid():
        try:
            form.hand_to(actions.edit, found, by=request.user)
        except IntegrityError:
            form.refuse_name()
        if not form.errors:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(found)
    return _form_page(request, form, title=found.name, back=found.get_absolute_url())


def _form_page(request: StaffRequest, form: SeriesForm, *, title: str, back: str) -> HttpResponse:
    actors.consult_list(Actor, by=request.user)
    context = {"form": form, "title": title, "back": back}
    return render(request, "series/staff/form.html", context, status=422 if form.errors else 200)

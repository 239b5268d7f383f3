"""Choose what of the register is to be in a file, see it being made, and fetch it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.http import StaffRequest, staff
from portal.pictures.views import HEADERS
from rumors.exports import actions, rules, storage
from rumors.exports.forms import ExportForm, filtered
from rumors.exports.models import Export, State
from rumors.exports.words import Level
from rumors.lists.forms import RumorFilterForm
from rumors.models import Rumor

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.export")
def export_rumors(request: StaffRequest) -> HttpResponse:
    """The filters stand in the address, as on the list that it is opened from."""
    query = request.POST.get("query", "") if request.method == "POST" else request.GET.urlencode()
    asked = RumorFilterForm(request.user, QueryDict(query[:1000]))
    filters = asked.filters()
    kept = asked.query().removesuffix("&")
    form = ExportForm(request.user, request.POST or None, initial={"query": kept})
    if request.method == "POST":
        for fault in asked.faults():
            form.add_error(None, fault)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(actions.order(by=request.user, **form.cleaned_data | {"query": kept}))
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "form": form,
        "active": asked.active(),
        "faults": asked.faults(),
        "back": asked.as_typed(),
        "count": Rumor.objects.countable().matching(**filters | {"with_secret": False}).count(),
        "exports": Export.objects.of(request.user).fresh(timezone.now()),
    }
    return render(request, "exports/staff/order.html", context, status=422 if form.errors else 200)


def _mine(request: StaffRequest, pk: int) -> Export | None:
    found: Export | None = Export.objects.of(request.user).fresh(timezone.now()).filter(pk=pk).first()
    if found is None:
        messages.error(request, pgettext("staff", "This export is not there any more. Make a new one."))
    return found


@require_safe
@staff("rumors.export")
def rumor_export(request: StaffRequest, pk: int) -> HttpResponse:
    export = _mine(request, pk)
    if export is None:
        return redirect("export_rumors")
    _found, filters = filtered(export)
    context = {
        "export": export,
        "filters": filters,
        "may": rules.may_have(request.user, export),
        "keeps_all": export.level == Level.ALL,
    }
    return render(request, "exports/staff/export.html", context)


@require_safe
@staff("rumors.export")
def download_export(request: StaffRequest, pk: int) -> HttpResponseBase:
    """For its maker, while it is there and they still may: asked anew each time."""
    export = _mine(request, pk)
    if export is None:
        return redirect("export_rumors")
    if export.state != State.MADE or not rules.may_have(request.user, export):
        messages.error(request, pgettext("staff", "It cannot be fetched."))
        return redirect(export)
    try:
        file = storage.read(export.name)
    except OSError:
        messages.error(request, pgettext("staff", "The file is gone. Make the export once more."))
        return redirect(export)
    if request.method == "GET":
        actions.tell_download(export, filters=filtered(export)[1], by=request.user)
    stem = pgettext("staff", "rumors")
    name = f"{stem}-{timezone.localdate(export.made_at)}.{export.extension}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=_TYPES[export.extension], headers=HEADERS)


@require_POST
@staff("rumors.export")
def forget_export(request: StaffRequest, pk: int) -> HttpResponse:
    export = _mine(request, pk)
    if export is not None and actions.forget(export, by=request.user):
        messages.success(request, pgettext("staff", "The export is deleted."))
    return redirect("export_rumors")

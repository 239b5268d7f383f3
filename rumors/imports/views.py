"""A list of sightings in three steps: send it, say what its columns are, look at what it will do."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.http import StaffRequest, staff
from rumors.imports import actions, documents, rules
from rumors.imports.forms import CarryOutForm, MappingForm, Reader, UploadForm
from rumors.imports.models import Batch, Line, Outcome, State
from rumors.models import Rumor, Sighting

SHOWN: Final = 20
EXAMPLES: Final = 3
"""First rows that are shown beside the columns."""
HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def _mine(request: StaffRequest, pk: int) -> Batch | None:
    found: Batch | None = Batch.objects.of(request.user).fresh(timezone.now()).filter(pk=pk).first()
    if found is None:
        messages.error(request, pgettext("staff", "This list is not there any more. Send the file again."))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.log")
def import_sightings(request: StaffRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            kept = actions.keep(form.cleaned_data["file"], by=request.user)
        except ValidationError as error:
            form.add_error("file", error)
        else:
            return redirect(kept)
    batches = Batch.objects.of(request.user).fresh(timezone.now())
    context = {"form": form, "page": Paginator(batches, SHOWN).get_page(request.GET.get("page"))}
    return render(request, "imports/staff/upload.html", context, status=422 if form.errors else 200)


@require_safe
@staff("rumors.log")
def import_template(_request: StaffRequest, kind: str) -> HttpResponse:
    name = pgettext("staff", "sightings")
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return HttpResponse(documents.template(kind), documents.TYPES[kind], headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.log")
def import_mapping(request: StaffRequest, pk: int) -> HttpResponse:
    batch = _mine(request, pk)
    if batch is None:
        return redirect("import_sightings")
    if batch.state not in {State.SENT, State.CHECKED}:
        return redirect(batch)
    first = list(batch.lines.all()[:EXAMPLES])
    form = MappingForm(batch, request.POST or None, first=first)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(_checked(request, batch, form))
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "batch": batch,
        "form": form,
        "first": first,
        "rows_count": batch.lines.count(),
        "areas": Sighting.objects.areas(),
    }
    return render(request, "imports/staff/mapping.html", context, status=422 if form.errors else 200)


def _checked(request: StaffRequest, batch: Batch, form: MappingForm) -> Batch:
    reader = Reader(form.columns, form.fixed)
    rows = {line.number: reader.read(line) for line in batch.lines.all()}
    return actions.check(
        batch,
        columns=form.columns,
        fixed=form.fixed,
        understood={number: row.values for number, row in rows.items()},
        faults={number: row.faults for number, row in rows.items()},
        kinds={number: row.kinds for number, row in rows.items()},
        guesses={number: row.guess for number, row in rows.items() if row.guess is not None},
        by=request.user,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.log")
def import_check(request: StaffRequest, pk: int) -> HttpResponse:
    """What each row will do, how far the import is, and what it has done."""
    batch = _mine(request, pk)
    if batch is None:
        return redirect("import_sightings")
    if batch.state == State.SENT:
        return redirect(batch)
    counts, warned = batch.lines.counts(), batch.lines.warned()
    form = CarryOutForm(
        request.POST if request.method == "POST" else None,
        has_warnings=batch.state == State.CHECKED and warned.exists(),
        has_refused=batch.state == State.CHECKED and counts[Outcome.REFUSED] > 0,
    )
    if request.method == "POST" and form.is_valid():
        try:
            _carry_out(batch, request, form)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(batch)
    return _check_page(request, batch, form, counts)


def _carry_out(batch: Batch, request: StaffRequest, form: CarryOutForm) -> None:
    promised = actions.promise(batch, by=request.user, **form.cleaned_data)
    if promised.state == State.PROMISED and promised.lines.to_be_done().count() <= rules.AT_ONCE:
        actions.carry_out(promised.pk)


def _check_page(request: StaffRequest, batch: Batch, form: CarryOutForm, counts: dict[str, int]) -> HttpResponse:
    shown = request.GET.get("show", "")
    lines = batch.lines.filter(outcome=shown) if shown in Outcome else batch.lines.all()
    page = Paginator(lines.select_related("rumor"), 50).get_page(request.GET.get("page"))
    visible = Rumor.objects.visible_to(request.user).in_bulk([line.rumor_id for line in page if line.rumor_id])
    context = {
        "batch": batch,
        "form": form,
        "page": page,
        "rows": [(line, visible.get(line.rumor_id), _claim(batch, line)) for line in page],
        "shown": shown,
        "query": f"show={shown}&" if shown in Outcome else "",
        "outcomes": [(outcome, counts[outcome]) for outcome in Outcome],
        "to_do": counts[Outcome.NEW] + counts[Outcome.SIGHTING],
        "refused_count": counts[Outcome.REFUSED],
        "warned_count": batch.lines.warned().count(),
        "done": actions.progress(batch) if batch.state == State.PROMISED else 0,
    }
    return render(request, "imports/staff/check.html", context, status=422 if form.errors else 200)


def _claim(batch: Batch, line: Line) -> str:
    """Also of a row that was not understood."""
    place = batch.columns.get("claim")
    return str(line.cells[place]) if place is not None and line.cells else ""


@require_safe
@staff("rumors.log")
def import_faults(request: StaffRequest, pk: int) -> HttpResponse:
    batch = _mine(request, pk)
    if batch is None:
        return redirect("import_sightings")
    name = pgettext("staff", "rows-to-mend")
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(documents.faults(batch), documents.TYPES["csv"], headers=headers)


@require_POST
@staff("rumors.log")
def drop_import(request: StaffRequest, pk: int) -> HttpResponse:
    batch = _mine(request, pk)
    if batch is not None and actions.drop(batch, by=request.user):
        messages.success(request, pgettext("staff", "The list is deleted. What was imported stays."))
    elif batch is not None:
        messages.error(request, pgettext("staff", "It is being imported just now."))
    return redirect("import_sightings")

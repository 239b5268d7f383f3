from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from portal.audit.models import AuditEvent
from portal.audit.rules import entries
from portal.facts.documents import UnavailableError
from portal.facts.views import come_back
from portal.http import StaffRequest, staff
from portal.reports import actions, documents, rules
from portal.reports.forms import CompareForm, KeepForm, PeriodForm
from portal.reports.models import Report


@require_safe
@staff("reports.view")
def staff_reports(request: StaffRequest) -> HttpResponse:
    """The reports that were kept; for a period, what is counted for it now."""
    form = PeriodForm(request.GET if {"first", "last"} & set(request.GET) else None)
    keep_form = KeepForm(initial=form.cleaned_data) if form.is_bound and form.is_valid() else None
    return _reports(request, form, keep_form)


def _reports(request: StaffRequest, form: PeriodForm, keep_form: KeepForm | None, *, status: int = 200) -> HttpResponse:
    report = None
    if form.is_bound and form.is_valid():
        report = actions.counted(**form.cleaned_data)
    context = {
        "form": form,
        "keep_form": keep_form,
        "report": report,
        "sections": rules.in_words(report) if report else [],
        "page": Paginator(Report.objects.select_related("made_by"), 50).get_page(request.GET.get("page")),
    }
    return render(request, "reports/staff/reports.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("reports.make")
def keep_report(request: StaffRequest) -> HttpResponse:
    """Count once more and keep it for good."""
    if request.method != "POST":  # somebody asks for the address of a form that was refused
        return redirect(f"{reverse('staff_reports')}?{request.GET.urlencode()}")
    form = KeepForm(request.POST)
    if not form.is_valid():
        return _reports(request, PeriodForm(request.POST), form, status=422)
    values = {name: value for name, value in form.cleaned_data.items() if name in form.base_fields}
    kept = actions.keep(by=request.user, **values)
    messages.success(request, pgettext("staff", "The report is kept. Its numbers do not change any more."))
    return redirect(kept)


@require_safe
@staff("reports.view")
def report(request: StaffRequest, pk: int) -> HttpResponse:
    """One that was kept, with what has changed since an earlier one."""
    found: Report = get_object_or_404(Report.objects.select_related("made_by"), pk=pk)
    form = CompareForm(found, request.GET)
    older = form.cleaned_data["older"] if form.is_valid() else None
    older = older or Report.objects.of_the_same_days_before(found).first()
    context = {
        "report": found,
        "sections": rules.in_words(found),
        "form": form,
        "older": older,
        "changes": rules.changes(older, found) if older else [],
    }
    return render(request, "reports/staff/report.html", context)


@require_safe
@staff("reports.view")
def report_pdf(_request: StaffRequest, pk: int) -> HttpResponse:
    return _file(pk, "pdf", "application/pdf", documents.pdf)


@require_safe
@staff("reports.view")
def report_workbook(_request: StaffRequest, pk: int) -> HttpResponse:
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(pk, "xlsx", content_type, documents.workbook)


def _file(pk: int, suffix: str, content_type: str, made: Callable[[Report], bytes]) -> HttpResponse:
    found = get_object_or_404(Report, pk=pk)
    try:
        content = made(found)
    except UnavailableError:
        return come_back()
    name = f"rapport-{found.pk}-{found.first}-{found.last}.{suffix}"
    return HttpResponse(content, content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@require_safe
@staff("audit.view")
def staff_audit(request: StaffRequest) -> HttpResponse:
    """Who did what, newest first."""
    page = Paginator(AuditEvent.objects.select_related("by"), 100).get_page(request.GET.get("page"))
    return render(request, "reports/staff/audit.html", {"page": page, "entries": entries(page)})

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from events.models import Event
from events.programs import actions
from events.programs.forms import ProgramFormSet, ProgramTitlesForm, program_initial
from portal import languages
from portal.http import StaffRequest, staff


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def program(request: StaffRequest, pk: int) -> HttpResponse:
    """The lines of the program with their Swedish titles."""
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    lines: Any = ProgramFormSet(request.POST or None, prefix="program", initial=program_initial(found))
    refused: list[str] = []
    if request.method == "POST" and lines.is_valid():
        kept = [f for f in lines if f.cleaned_data.get("starts") and not f.cleaned_data.get("DELETE")]
        try:
            actions.write(found, [f.row(found.starts_at) for f in kept], by=request.user)
        except ValidationError as error:
            refused = error.messages
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect("staff_event", pk)
    is_wrong = refused or lines.total_error_count() > 0
    context = {"event": found, "program": lines, "refused": refused}
    return render(request, "events/staff/program.html", context, status=422 if is_wrong else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.translate")
def program_titles(request: StaffRequest, pk: int, language: str) -> HttpResponse:
    """The titles of the program in one language."""
    if language not in languages.CATALOG:
        raise Http404
    if language == languages.SOURCE and not request.user.has_perm("events.edit"):
        raise PermissionDenied
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    items = {item.pk: item for item in found.program.read_in(language)}
    form = ProgramTitlesForm(items, language, request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.name_program(found, language=language, titles=form.titles(), by=request.user)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("staff_event", pk)
    context = {"form": form, "event": found, "text_language": languages.get(language)}
    return render(request, "events/staff/program_titles.html", context, status=422 if form.errors else 200)

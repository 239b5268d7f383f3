from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events.models import Event
from events.programs import actions, rules
from events.programs.forms import (
    ProgramFormSet,
    ProgramTextsForm,
    PublishForm,
    SpeakerForm,
    program_initial,
    with_more_lines,
)
from events.programs.models import Snapshot, Speaker
from portal import languages, meanwhile, public
from portal.http import StaffRequest, staff
from portal.pictures import actions as pictures
from portal.pictures.models import Picture
from portal.pictures.views import preview
from portal.revisions.actions import ChangedMeanwhileError
from portal.revisions.forms import SeenForm


@require_safe
@public.public(stored=False)
def speaker_photo(_request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    """The small copy, of who stands with a photo in what readers see of the program. Asked each time anew."""
    event = get_object_or_404(Event.objects.published().filter(are_speakers_public=True), slug=slug)
    newest = event.program_versions.defer("texts").newest()
    rows = [row for line in newest.lines for row in line["speakers"]] if newest else []
    if not any(row["id"] == pk and row["photo"] for row in rows):
        raise Http404
    found = get_object_or_404(Picture, pk__in=Speaker.objects.filter(pk=pk).values("photo"))
    return preview(found, filename="speaker")


# Staff ---------------------------------------------------------------------------------------------------------


def _event(request: StaffRequest, pk: int) -> Event:
    found: Event = get_object_or_404(Event.objects.seen_by(request.user).read_in(languages.SOURCE), pk=pk)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def program(request: StaffRequest, pk: int) -> HttpResponse:
    """The lines of the program with their Swedish texts."""
    found = _event(request, pk)
    is_for_more = "more" in request.POST
    sent = with_more_lines(request.POST) if is_for_more else request.POST or None
    # What was sent is not compared with what stands there: somebody else may have changed that.
    initial = None if sent else program_initial(found)
    finished = {"is_finished": not is_for_more}
    lines: Any = ProgramFormSet(sent, prefix="program", initial=initial, event=found, form_kwargs=finished)
    seen = SeenForm(sent, initial={"seen": found.program.version()})
    theirs: list[Any] = []
    if request.method == "POST" and not is_for_more and seen.is_valid() and lines.is_valid():
        try:
            actions.write(found, lines.rows(), by=request.user, seen=seen.cleaned_data["seen"])
        except ChangedMeanwhileError as error:
            seen.add_error(None, error)
            seen.see(found.program.version())
            theirs = list(found.program.read_in(languages.SOURCE).with_speakers())
        else:
            messages.success(request, pgettext("staff", "Saved. Readers see it when you publish it."))
            return redirect("publish_program" if "publish" in request.POST else "staff_event", pk)
    is_wrong = not is_for_more and bool(seen.errors or lines.total_error_count())
    outside = [] if lines.is_bound else [item for item in found.program.all() if item.is_outside]
    context = {"event": found, "program": lines, "seen": seen, "theirs": theirs, "is_wrong": is_wrong}
    context |= {"outside": outside, "is_for_more": is_for_more}
    return render(request, "events/staff/program.html", context, status=422 if is_wrong else 200)


@require_POST
@staff("events.edit")
def move_program(request: StaffRequest, pk: int) -> HttpResponse:
    """Have it begin when the event does; readers see that when it is published."""
    found = _event(request, pk)
    try:
        actions.move(found, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("program", pk)
    messages.success(request, pgettext("staff", "Moved. Readers see it when you publish it."))
    return redirect("publish_program", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.translate")
def program_texts(request: StaffRequest, pk: int, language: str) -> HttpResponse:
    """Titles and abstracts of the program in one language."""
    if language not in languages.CATALOG:
        raise Http404
    if language == languages.SOURCE and not request.user.has_perm("events.edit"):
        raise PermissionDenied
    found = _event(request, pk)
    items = {item.pk: item for item in found.program.read_in(language)}
    form = ProgramTextsForm(items, language, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.name_program(found, language=language, texts=form.changes(), was=form.was(), by=request.user)
        except meanwhile.ChangedMeanwhileError as error:
            form.show_what_is_now(error.now)
        else:
            messages.success(request, pgettext("staff", "Saved. Readers see it when the program is published."))
            return redirect("staff_event", pk)
    context = {"form": form, "event": found, "text_language": languages.get(language)}
    return render(request, "events/staff/program_texts.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def publish_program(request: StaffRequest, pk: int) -> HttpResponse:
    """What changes for readers, and whom to tell."""
    found = _event(request, pk)
    form = PublishForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            actions.publish(found, by=request.user, seen=request.POST.get("seen", ""), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Published: readers see the new program."))
            return redirect("staff_event", pk)
    newest, draft = found.program_versions.newest(), found.program.snapshot()
    before, code = newest.snapshot if newest else Snapshot([], {}), languages.SOURCE
    context = {
        "event": found,
        "form": form,
        "seen": found.program.version(),
        "is_new": before != draft,
        "outside": [item for item in found.program.read_in(languages.SOURCE) if item.is_outside],
        "newest": newest,
        "changes": rules.changes(before.read(code, found), draft.read(code, found)),
        "has_days": before.has_days or draft.has_days,
        "translated": [languages.get(each) for each in rules.translated(before, draft)],
        "unnamed": Speaker.objects.filter(items__event=found, consent_to_be_named_at=None).distinct(),
        "versions": found.program_versions.defer("lines", "texts").select_related("published_by"),
        "registered": found.registrations.active().exclude(email="").count(),
    }
    return render(request, "events/staff/publish_program.html", context, status=422 if form.errors else 200)


@require_safe
@staff("events.view")
def program_version(request: StaffRequest, pk: int, number: int) -> HttpResponse:
    """The program as it was published once, and what was new in it."""
    found = _event(request, pk)
    version = get_object_or_404(found.program_versions.select_related("published_by"), number=number)
    earlier = found.program_versions.filter(number=number - 1).first()
    lines = version.read(languages.SOURCE)
    context = {
        "event": found,
        "version": version,
        "lines": lines,
        "has_days": version.snapshot.has_days or (earlier and earlier.snapshot.has_days),
        "changes": rules.changes(earlier.read(languages.SOURCE), lines) if earlier else [],
    }
    return render(request, "events/staff/program_version.html", context)


@require_safe
@staff("events.edit")
def speakers(request: StaffRequest, pk: int) -> HttpResponse:
    """Who speaks at an event, and what they have agreed to."""
    found = _event(request, pk)
    return render(request, "events/staff/speakers.html", {"event": found, "speakers": Speaker.objects.of(found)})


def _speaker(event: Event, pk: int) -> Speaker:
    found: Speaker = get_object_or_404(Speaker.objects.of(event).select_related("photo"), pk=pk)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def speaker(request: StaffRequest, pk: int, speaker: int) -> HttpResponse:
    event = _event(request, pk)
    found = _speaker(event, speaker)
    initial = {name: getattr(found, name) for name in SpeakerForm.DESCRIBED}
    is_sent = request.method == "POST"
    form = SpeakerForm(*((request.POST, request.FILES) if is_sent else ()), initial=initial)
    if is_sent and form.is_valid():
        file = form.cleaned_data["picture"]
        photo = None
        try:
            photo = pictures.keep(file, by=request.user) if file else None
            actions.describe(found, by=request.user, was=form.was(), photo=photo, **form.changes())
        except ValidationError as error:
            form.add_error("picture", error)
        except meanwhile.ChangedMeanwhileError as error:
            form.show_what_is_now(error.now)
            if photo:
                pictures.remove(photo, by=request.user)
        else:
            messages.success(request, pgettext("staff", "Saved. Readers see it when the program is published."))
            return redirect("speakers", pk)
    context = {"event": event, "speaker": found, "form": form}
    return render(request, "events/staff/speaker.html", context, status=422 if form.errors else 200)


@require_safe
@staff("events.edit")
def speaker_preview(request: StaffRequest, pk: int, speaker: int) -> HttpResponseBase:
    """The photo, small, for staff."""
    found = _speaker(_event(request, pk), speaker)
    if found.photo is None:
        raise Http404
    return preview(found.photo, filename="speaker")


@require_POST
@staff("events.edit")
def agree_to_be_named(request: StaffRequest, pk: int, speaker: int) -> HttpResponse:
    actions.agree(_speaker(_event(request, pk), speaker), by=request.user)
    messages.success(request, pgettext("staff", "Noted. The name shows when the program is published."))
    return redirect("speakers", pk)


@require_POST
@staff("events.edit")
def take_name_back(request: StaffRequest, pk: int, speaker: int) -> HttpResponse:
    actions.take_back(_speaker(_event(request, pk), speaker), by=request.user)
    messages.success(request, pgettext("staff", "The name is gone from every program that readers see."))
    return redirect("speakers", pk)


@require_POST
@staff("events.edit")
def remove_photo(request: StaffRequest, pk: int, speaker: int) -> HttpResponse:
    actions.remove_photo(_speaker(_event(request, pk), speaker), by=request.user)
    messages.success(request, pgettext("staff", "The photo is deleted."))
    return redirect("speakers", pk)

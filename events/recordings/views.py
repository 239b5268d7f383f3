from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST

from events.models import Event
from events.recordings import actions
from events.recordings.forms import ConsentsForm, RecordingForm
from events.recordings.models import Recording
from portal.http import StaffRequest, staff


def _recording(pk: int) -> Recording:
    found: Recording = get_object_or_404(Recording.objects.select_related("event"), event=pk)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def recording(request: StaffRequest, pk: int) -> HttpResponse:
    """Where the recording is, who has agreed to it, and whether readers are led to it."""
    event = get_object_or_404(Event, pk=pk)
    kept = Recording.objects.filter(event=event).first()
    initial = {name: getattr(kept, name) for name in RecordingForm.base_fields} if kept else None
    form = RecordingForm(event, request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid() and form.hand_to(actions.keep, event, by=request.user):
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("recording", pk)
    context = {"event": event, "recording": kept, "form": form, "consents": ConsentsForm(kept) if kept else None}
    return render(request, "events/staff/recording.html", context, status=422 if form.errors else 200)


@require_POST
@staff("events.edit")
def note_consents(request: StaffRequest, pk: int) -> HttpResponse:
    found = _recording(pk)
    form = ConsentsForm(found, request.POST)
    if form.is_valid():
        actions.note_consents(found, by=request.user, **form.values())
        messages.success(request, pgettext("staff", "Saved."))
    else:
        messages.error(request, pgettext("staff", "The program has changed meanwhile. Look at who speaks once more."))
    return redirect("recording", pk)


@require_POST
@staff("events.edit")
def show_recording(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        actions.show(_recording(pk), by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "Readers find it on the page of the event, when that has passed."))
    return redirect("recording", pk)


@require_POST
@staff("events.edit")
def hide_recording(request: StaffRequest, pk: int) -> HttpResponse:
    actions.hide(_recording(pk), by=request.user)
    messages.success(request, pgettext("staff", "Readers are not led to it any more."))
    return redirect("recording", pk)


@require_POST
@staff("events.edit")
def remove_recording(request: StaffRequest, pk: int) -> HttpResponse:
    actions.remove(_recording(pk), by=request.user)
    messages.success(request, pgettext("staff", "Taken away."))
    return redirect("staff_event", pk)

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events.attachments import actions, rules
from events.attachments.forms import AttachmentForm
from events.attachments.models import Attachment
from events.models import Event
from portal import languages, public
from portal.http import StaffRequest, staff
from portal.pictures.views import HEADERS


@require_safe
@public.public(stored=False)
def attachment(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A document, to download, as long as the page of its event can be read. Asked each time anew."""
    found = get_object_or_404(Attachment.objects.without_content().of_published(slug), pk=pk)
    return _document(request, found)


def _document(request: HttpRequest, found: Attachment) -> HttpResponse:
    etag = f'"{found.sha256}"'
    told = {
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=rules.filename(found)) or "",
        "Content-Language": languages.get(found.language).tag,
        "ETag": etag,
    }
    response = HttpResponse(content_type="application/pdf", headers=HEADERS | told)
    answer = get_conditional_response(request, etag=etag, response=response) or response
    if answer is response:
        response.content = bytes(found.content)
    return answer


# Staff ---------------------------------------------------------------------------------------------------------


def _event(request: StaffRequest, pk: int) -> Event:
    found: Event = get_object_or_404(Event.objects.seen_by(request.user).read_in(languages.SOURCE), pk=pk)
    return found


@require_safe
@staff("events.view")
def attachments(request: StaffRequest, pk: int) -> HttpResponse:
    """The documents of an event."""
    event = _event(request, pk)
    found = list(event.attachments.without_content().select_related("added_by"))
    context = {
        "event": event,
        "attachments": found,
        "has_silent": not all(each.is_for_screen_readers for each in found),
        "is_full": len(found) >= Attachment.MOST,
    }
    return render(request, "events/staff/attachments.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.edit")
def add_attachment(request: StaffRequest, pk: int) -> HttpResponse:
    event = _event(request, pk)
    form = AttachmentForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if form.is_bound and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("title", "language", "file")}
        try:
            actions.add(event, by=request.user, **values)
        except ValidationError as error:
            form.add_error("file", error)
        else:
            messages.success(request, pgettext("staff", "Added."))
            return redirect("attachments", pk)
    context = {"event": event, "form": form}
    return render(request, "events/staff/add_attachment.html", context, status=422 if form.errors else 200)


def _attachment(request: StaffRequest, pk: int, attachment: int) -> Attachment:
    found: Attachment = get_object_or_404(_event(request, pk).attachments.without_content(), pk=attachment)
    return found


@require_safe
@staff("events.view")
def staff_attachment(request: StaffRequest, pk: int, attachment: int) -> HttpResponse:
    """The document as readers get it, published or not."""
    return _document(request, _attachment(request, pk, attachment))


@require_POST
@staff("events.edit")
def remove_attachment(request: StaffRequest, pk: int, attachment: int) -> HttpResponse:
    actions.remove(_attachment(request, pk, attachment), by=request.user)
    messages.success(request, pgettext("staff", "Taken away. Readers cannot open it any more."))
    return redirect("attachments", pk)

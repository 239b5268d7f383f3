import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from portal import languages
from portal.http import StaffRequest, staff
from portal.mail import actions, rules
from portal.mail.forms import AddressForm, LiftForm
from portal.mail.models import Suppression
from portal.public import public

SHOWN: Final = 50
NAME: Final = re.compile(r"[0-9]{20}-[0-9]+")


# The mail providers that act on List-Unsubscribe-Post send neither cookie nor token: the link itself is the proof.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@public(stored=False)
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Scanners follow every link in a mail, so that only POST acts."""
    delivery = rules.token_owner(token)
    if delivery is None:
        raise Http404
    if request.method == "POST":
        actions.unsubscribe(delivery=delivery)
    with translation.override(delivery.language):
        response = render(request, "mail/unsubscribe.html", {"is_done": request.method == "POST"})
    response.headers["Content-Language"] = languages.get(delivery.language).tag
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@staff("mail.view")
def stopped_addresses(request: StaffRequest) -> HttpResponse:
    """How many there are, and of one whether it is among them. It is sent in the body, so that it stands in no log."""
    form, stops = AddressForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        stops = actions.look_up(address=form.cleaned_data["address"], by=request.user)
    numbers = [(reason.label, number) for reason, number in Suppression.objects.all().numbers().items() if number]
    context = {"form": form, "stops": stops, "numbers": numbers}
    return render(request, "mail/stopped_addresses.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("mail.decide")
def lift_stop(request: StaffRequest, pk: int) -> HttpResponse:
    stop = get_object_or_404(Suppression.objects.liftable(), pk=pk)
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.lift(stop, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, pgettext("staff", "Mail goes to that address again."))
        return redirect("stopped_addresses")
    context = {"stop": stop, "form": form}
    return render(request, "mail/lift_stop.html", context, status=422 if form.errors else 200)


@require_safe
@staff("staff.home")
def mailbox(request: StaffRequest) -> HttpResponse:
    paths = [path for path in _folder().glob("*.eml") if NAME.fullmatch(path.stem)]
    newest = sorted(paths, reverse=True)[:SHOWN]
    letters = []
    for path in newest:
        letter = _read(path)
        letters.append({"name": path.stem, "letter": letter, "to": letter["X-Envelope-To"]})
    return render(request, "mail/mailbox.html", {"letters": letters})


@require_safe
@staff("staff.home")
def mailbox_message(request: StaffRequest, name: str) -> HttpResponse:
    path = _folder() / f"{name}.eml"
    if not NAME.fullmatch(name) or not path.is_file():
        raise Http404
    letter = _read(path)
    body = letter.get_body(("plain",))
    context = {
        "subject": letter["Subject"],
        "text_language": letter["Content-Language"],
        "headers": letter.items(),
        "text": body.get_content() if body else "",
        "attachments": [part.get_filename() for part in letter.iter_attachments()],
    }
    return render(request, "mail/mailbox_message.html", context)


def _folder() -> Path:
    if not (settings.DEMO and settings.MAILBOX_DIR):
        raise Http404
    return Path(settings.MAILBOX_DIR)


def _read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=default)

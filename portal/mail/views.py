import re
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import npgettext, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages
from portal.http import StaffRequest, staff
from portal.mail import actions, rules
from portal.mail.forms import AddressForm, DecisionForm, DeliveryFilterForm, LiftForm, PauseForm
from portal.mail.models import ACCOUNT, Delivery, DeliveryQuerySet, Pause, Suppression
from portal.public import public

SHOWN: Final = 50
SHOWN_DAYS: Final = timedelta(days=30)
SOON: Final = timedelta(days=1)
LATE: Final = timedelta(minutes=15)
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


@require_safe
@staff("mail.view")
def staff_mail(request: StaffRequest) -> HttpResponse:
    """What leaves, what waits, and what people have to decide."""
    now = timezone.now()
    age = Delivery.objects.oldest_unsent_age(now)
    overdue = Delivery.objects.waiting().filter(due_at__lte=now).unexpired(now)
    numbers = Delivery.objects.numbers(since=now - SHOWN_DAYS)
    pauses = list(Pause.objects.select_related("by").order_by("at"))
    context = {
        "pauses": pauses,
        "is_all_held": any(not pause.prefix for pause in pauses),
        "held_count": overdue.count() - overdue.unpaused().count(),
        "is_late": age >= LATE,
        "oldest_at": now - age if age else None,
        "undecided": Delivery.objects.undecided().by_kind(),
        "numbers": [(state, number) for state, number in numbers.items() if number],
        "days": SHOWN_DAYS.days,
    }
    return render(request, "mail/staff_mail.html", context)


@require_safe
@staff("mail.view")
def deliveries(request: StaffRequest) -> HttpResponse:
    form = DeliveryFilterForm(request.GET)
    filters = form.cleaned_data if form.is_valid() else {}
    context = {
        "form": form,
        "page": Paginator(Delivery.objects.matching(**filters), SHOWN).get_page(request.GET.get("page")),
        "query": f"{urlencode(filters)}&",
    }
    return render(request, "mail/deliveries.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("mail.view")
def mail_history(request: StaffRequest) -> HttpResponse:
    """What one address was sent. It comes in the body, so that it stands in no log."""
    form, found = AddressForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        found = actions.read_history(address=form.cleaned_data["address"], by=request.user)
    context = {"form": form, "found": found, "most": actions.HISTORY}
    return render(request, "mail/mail_history.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("mail.decide")
def pause_mail(request: StaffRequest) -> HttpResponse:
    form = PauseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.pause(prefix="", reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, pgettext("staff", "Nothing leaves now but what people need to sign in."))
        return redirect("staff_mail")
    context = {"form": form, "back": reverse("staff_mail"), **waiting(Delivery.objects.exclude(kind=ACCOUNT))}
    return render(request, "mail/hold_back.html", context, status=422 if form.errors else 200)


def waiting(deliveries: DeliveryQuerySet) -> dict[str, int]:
    """What staff are told before they hold these back."""
    soon = timezone.now() + SOON
    found = deliveries.waiting().filter(due_at__lte=soon)
    return {"waiting_count": found.count(), "expiring_count": found.filter(expires_at__lte=soon).count()}


@require_POST
@staff("mail.decide")
def resume_mail(request: StaffRequest) -> HttpResponse:
    prefix = request.POST.get("prefix", "")
    if "\0" in prefix:  # no form of ours held that
        raise Http404
    actions.resume(prefix=prefix, by=request.user)
    messages.success(request, pgettext("staff", "It is no longer held back: what is due leaves within a minute."))
    return redirect("staff_mail")


@require_http_methods(["GET", "HEAD", "POST"])
@staff("mail.decide")
def uncertain_mail(request: StaffRequest, kind: str) -> HttpResponse:
    """What a person says of messages of one kind of which nobody knows whether they arrived."""
    undecided = Delivery.objects.undecided().matching(kind=kind)
    form = DecisionForm(undecided, request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = actions.decide(deliveries=form.asked(), decision=form.cleaned_data["decision"], by=request.user)
        told = npgettext("staff", "%(number)d message is decided.", "%(number)d messages are decided.", number)
        messages.success(request, told % {"number": number})
        return redirect("uncertain_mail", kind) if undecided.exists() else redirect("staff_mail")
    context = {
        "kind": kind,
        "known": actions.kinds().get(kind),
        "form": form,
        "chosen": request.POST.getlist("chosen"),
        "until": undecided.aggregate(newest=Max("ended_at"))["newest"],
        "page": Paginator(undecided, SHOWN).get_page(request.GET.get("page")),
    }
    return render(request, "mail/uncertain_mail.html", context, status=422 if form.errors else 200)


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

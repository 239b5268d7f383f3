from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events.attendance import actions, rules
from events.attendance.forms import CountForm, FeedbackForm, FindForm, PartyForm
from events.attendance.models import Feedback, How
from events.models import Event
from events.registrations.models import Registration
from portal import languages, public
from portal.http import StaffRequest, staff
from portal.revisions.rules import read

GIVE: Final = "feedback"
PER_HOUR: Final = 120
"""From one address: wide enough for a class of 85."""
STATUS: Final = {"": 422, "expired": 422, "fast": 422, "many": 429}


# At the door -----------------------------------------------------------------------------------------------------


@require_safe
@staff("attendance.edit")
def check_in_list(request: StaffRequest, pk: int) -> HttpResponse:
    """Who has a seat and who is here, for a phone at the door and for paper."""
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    form = FindForm(request.GET)
    asked = form.cleaned_data["q"] if form.is_valid() else ""
    context = {
        "event": found,
        "form": form,
        "asked": asked,
        "shown": found.registrations.confirmed().called(asked).select_related("check_in"),
        "seats": found.registrations.confirmed().seats(),
        "here": found.check_ins.people(),
        "without_name": found.check_ins.without_name().people(),
    }
    return render(request, "attendance/staff/check_in_list.html", context)


def _back_to_list(request: StaffRequest, pk: int) -> HttpResponse:
    """With the letters that had been typed: the next in the queue is often of the same family."""
    asked = request.POST.get("q", "")[:60]
    url = reverse("check_in_list", args=[pk])
    return redirect(f"{url}?{urlencode({'q': asked})}" if asked else url)


@require_POST
@staff("attendance.edit")
def check_in(request: StaffRequest, pk: int, registration: int) -> HttpResponse:
    found = get_object_or_404(Registration, event=pk, pk=registration)
    _count_in(request, found, How.LIST)
    return _back_to_list(request, pk)


def _count_in(request: StaffRequest, found: Registration, how: How) -> None:
    """All of the party, or as many as the form says; a sentence says why nobody is."""
    form = PartyForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["party"][0]))
        return
    try:
        actions.check_in(found, how=how, party=form.cleaned_data["party"], by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))


@require_POST
@staff("attendance.edit")
def undo_check_in(request: StaffRequest, pk: int, registration: int) -> HttpResponse:
    found = get_object_or_404(Registration, event=pk, pk=registration)
    actions.undo_check_in(found, by=request.user)
    return _back_to_list(request, pk)


@require_POST
@staff("attendance.edit")
def walk_in(request: StaffRequest, pk: int) -> HttpResponse:
    actions.walk_in(get_object_or_404(Event.objects.without_text(), pk=pk), by=request.user)
    return _back_to_list(request, pk)


@require_POST
@staff("attendance.edit")
def undo_walk_in(request: StaffRequest, pk: int) -> HttpResponse:
    actions.undo_walk_in(get_object_or_404(Event.objects.without_text(), pk=pk), by=request.user)
    return _back_to_list(request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("attendance.edit")
def scan_check_in(request: StaffRequest, token: str) -> HttpResponse:
    """What the code on somebody's own page leads to. Opening it changes nothing."""
    found = rules.scanned(token)
    if found is None:
        raise Http404
    if request.method == "POST":
        _count_in(request, found, How.SCAN)
        return redirect("scan_check_in", token)
    context = {"registration": found, "event": found.event, "check_in": getattr(found, "check_in", None)}
    return render(request, "attendance/staff/scan.html", context)


# Numbers ---------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff("attendance.view")
def attendance(request: StaffRequest, pk: int) -> HttpResponse:
    """How many came, by each way of counting."""
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    may_count = request.user.has_perm("attendance.edit")
    form = CountForm(request.POST if request.method == "POST" and may_count else None)
    if form.is_bound and form.is_valid():
        actions.count(found, by=request.user, **form.values())
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("attendance", pk)
    known = rules.attendance(found)
    context = {
        "event": found,
        "known": known,
        "ways": [(How(way).label, people) for way, people in known.by_way.items()],
        "form": form if may_count else None,
        "answers": found.feedback.count(),
    }
    return render(request, "attendance/staff/attendance.html", context, status=422 if form.errors else 200)


@require_safe
@staff("attendance.view")
def event_feedback(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Event.objects.read_in(languages.SOURCE), pk=pk)
    form = FeedbackForm()
    context = {
        "event": found,
        "answers": found.feedback.count(),
        "questions": [(form[name].label, found.feedback.marks(name)) for name in Feedback.QUESTIONS],
        "words": found.feedback.words(),
        "enough": Feedback.ENOUGH,
        "keep_days": Feedback.KEEP.days,
    }
    return render(request, "attendance/staff/feedback.html", context)


# The public form -------------------------------------------------------------------------------------------------


@csrf_exempt  # no cookie, no ambient authority: the signed token and the origin check stand in for it
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def feedback(request: HttpRequest, slug: str) -> HttpResponse:
    """What people think of an event, without a name; open for two weeks after it."""
    found = get_object_or_404(Event.objects.held().read_in(_code()), slug=slug)
    form = FeedbackForm(request.POST if request.method == "POST" else None)
    form_id, hindrance = None, ""
    if form.is_bound and found.is_open_for_feedback:
        form_id = public.check_public_post(request, GIVE)
        hindrance = _hindrance(request) if form_id else "expired"
        if form.is_valid() and form_id and not hindrance:
            actions.give_feedback(found, form_id=form_id, **form.cleaned_data)
            return redirect("feedback_thanks", slug)
    context = {
        "event": found,
        "text": read(found, _code()),
        "form": form,
        # However often it has to be shown again, it is the same form.
        "token": request.POST["token"] if form_id else public.form_token(GIVE, is_again=form.is_bound),
        "hindrance": hindrance,
        "keep_days": Feedback.KEEP.days,
    }
    return render(request, "attendance/feedback.html", context, status=STATUS[hindrance] if form.is_bound else 200)


def _hindrance(request: HttpRequest) -> str:
    if public.is_too_fast(request):
        return "fast"
    return "" if public.within_limit(request, GIVE, per_hour=PER_HOUR) else "many"


@require_safe
@public.public(stored=False)
def feedback_thanks(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Event.objects.held().read_in(_code()), slug=slug)
    return render(request, "attendance/thanks.html", {"event": found, "text": read(found, _code())})


def _code() -> str:
    return get_language() or languages.SOURCE

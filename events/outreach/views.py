from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import model_to_dict
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events.models import Group
from events.outreach import actions
from events.outreach.forms import EditSessionForm, LogForm, QuestionsForm, SafetyForm
from events.outreach.models import Asked, Draft, Session
from portal import languages
from portal.http import StaffRequest, staff
from portal.questions import actions as questions

ON_A_PAGE: Final = 30
WAITING: Final = 20


@require_safe
@staff("outreach.view")
def outreach(request: StaffRequest) -> HttpResponse:
    """The questions of visits that nobody has settled, and the visits."""
    waiting = Asked.objects.waiting_for(request.user)
    context = {
        "waiting": waiting[:WAITING],
        "more": max(0, waiting.count() - WAITING),
        "page": Paginator(Session.objects.as_rows(request.user), ON_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "outreach/staff/outreach.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("outreach.log")
def log_session(request: StaffRequest) -> HttpResponse:
    """A visit that has been made, written down in the corridor."""
    if request.method != "POST":
        return _opened(request)
    form = LogForm(request.user, request.POST)
    if not form.is_valid():
        return _log_page(request, form, status=422)
    made = actions.log(by=request.user, form_id=form.cleaned_data["form_id"] or uuid4(), **form.values())
    messages.success(request, pgettext("staff", "Saved. The questions are in the inbox."))
    return redirect(made)


def _opened(request: StaffRequest) -> HttpResponse:
    drafts = Draft.objects.filter(owner=request.user)
    wanted = _form_id(request.GET.get("draft", ""))
    chosen = drafts.filter(form_id=wanted).first() if wanted else None
    if chosen is None:
        return _log_page(request, LogForm(request.user, initial={"form_id": uuid4()}), drafts=drafts[:5])
    return _log_page(request, LogForm(request.user, initial=chosen.data | {"form_id": chosen.form_id}))


def _form_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _log_page(request: StaffRequest, form: LogForm, *, drafts: Any = (), status: int = 200) -> HttpResponse:
    context = {"form": form, "drafts": drafts, "hosts": Session.objects.hosts()}
    return render(request, "outreach/staff/log.html", context, status=status)


@require_POST
@staff("outreach.log")
def keep_session(request: StaffRequest) -> HttpResponse:
    """While somebody types: keeps what they have typed, unless the guard asks about it."""
    form = LogForm(request.user, request.POST)
    form.is_valid()
    form_id, is_kept = form.cleaned_data.get("form_id"), None
    if form_id:
        is_kept = form.may_be_kept() and actions.keep(form_id=form_id, data=form.typed(), by=request.user)
    return render(request, "outreach/staff/kept.html", {"is_kept": is_kept})


@require_POST
@staff("outreach.log")
def throw_session_away(request: StaffRequest) -> HttpResponse:
    if form_id := _form_id(request.POST.get("draft", "")):
        actions.throw_away(form_id=form_id, by=request.user)
    messages.success(request, pgettext("staff", "Thrown away."))
    return redirect("log_session")


@require_safe
@staff("outreach.view")
def outreach_session(request: StaffRequest, pk: int) -> HttpResponse:
    return _page(request, _session(pk))


def _session(pk: int) -> Session:
    found: Session = get_object_or_404(Session.objects.select_related("event", "actor", "logged_by"), pk=pk)
    return found


def _page(request: StaffRequest, session: Session, form: QuestionsForm | None = None) -> HttpResponse:
    """With each question that this person may read, and what became of it."""
    asked = list(session.asked.in_order())
    for one in asked:
        if one.question and not one.question.is_kept_from(request.user):
            questions.consult(one.question, by=request.user)
    event = session.event
    context = {
        "session": session,
        "event": event,
        "asked": [(one.question, one.question and one.question.is_kept_from(request.user)) for one in asked],
        "counts": event.counts.all(),
        "groups": [Group(group).label for group in event.groups],
        "team": event.team.order_by("name"),
        "handed_out": session.handed_out.read_in(languages.SOURCE),
        "form": form or QuestionsForm(spoken_there=event.spoken),
    }
    return render(request, "outreach/staff/session.html", context, status=422 if form else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("outreach.log")
def ask_session(request: StaffRequest, pk: int) -> HttpResponse:
    """More questions that somebody remembers afterwards."""
    found = _session(pk)
    if request.method != "POST":  # somebody asks for the address of a form that was refused
        return redirect(found)
    form = QuestionsForm(request.POST, spoken_there=found.event.spoken)
    if not form.is_valid():
        return _page(request, found, form)
    actions.ask(found, asked=form.asked(), by=request.user)
    messages.success(request, pgettext("staff", "Saved. The questions are in the inbox."))
    return redirect(found)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("outreach.log")
def edit_session(request: StaffRequest, pk: int) -> HttpResponse:
    found = _session(pk)
    # What has been withdrawn since cannot be chosen.
    initial = model_to_dict(found, fields=[*EditSessionForm.base_fields]) | {"handed_out": found.handed_out.published()}
    form = EditSessionForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid() and form.hand_to(actions.edit, found, by=request.user):
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(found)
    context = {"session": found, "form": form, "hosts": Session.objects.hosts()}
    return render(request, "outreach/staff/edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("outreach.safety")
def session_safety(request: StaffRequest, pk: int) -> HttpResponse:
    """What was not safe. That somebody reads it is logged."""
    found = _session(pk)
    form = SafetyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and form.hand_to(actions.note_safety, found, by=request.user):
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(found)
    # Last, so that nobody is shown what somebody else has written while this was sent without that being logged.
    note = actions.consult_safety(found, by=request.user)
    form.initial = {"text": note.text if note else ""}
    context = {"session": found, "note": note, "form": form}
    return render(request, "outreach/staff/safety.html", context, status=422 if form.errors else 200)

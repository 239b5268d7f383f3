from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events.invitations import rules as invitations
from events.models import Event
from events.programs.models import Speaker
from events.reminders import actions, rules
from events.reminders.forms import EditRuleForm, RuleForm, RuleTextForm, rule_initial
from events.reminders.models import Audience, Rule
from events.series.models import Series
from portal import languages
from portal.http import StaffRequest, staff
from portal.mail import actions as mail
from portal.mail.forms import PauseForm
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.mail.views import waiting
from portal.revisions.rules import heading


@require_safe
@staff("events.view")
def reminders(request: StaffRequest) -> HttpResponse:
    """The reminders of all events that have none of their own, and which series have theirs."""
    context = {
        "rules": Rule.objects.default(),
        "series": Series.objects.prefetch_related("reminder_rules"),
        "other_languages": _other_languages(),
    }
    return render(request, "events/staff/reminders.html", context)


@require_safe
@staff("events.view")
def event_reminders(request: StaffRequest, pk: int) -> HttpResponse:
    """When who is reminded of one event, what has been sent, and what it looks like."""
    found = get_object_or_404(Event.objects.seen_by(request.user).with_taken(), pk=pk)
    standing, now = list(Rule.objects.of(found)), timezone.now()
    active = [rule for rule in standing if rule.is_active]
    sent = {(each.rule_id, each.rule_version, each.anchor_at): each for each in found.dispatches.all()}
    # What was sent as it was set before tells that nobody has missed it.
    before = {(each.rule_id, each.anchor_at): each for each in found.dispatches.all()}
    planned = [
        (
            each,
            sent.get((each.rule.pk, each.rule.version, each.anchor_at))
            or (None if each.due_at > now else before.get((each.rule.pk, each.anchor_at))),
            each.due_at > now,
        )
        for each in rules.occurrences(found, active)
    ]
    context = {
        "event": found,
        "planned": planned,
        "rules": standing,
        "is_own": any(rule.event_id for rule in standing),
        "lacks_link": found.is_online and not rules.carries_link(found, active),
        "other_languages": _other_languages(),
    }
    return render(request, "events/staff/event_reminders.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("mail.decide")
def pause_event(request: StaffRequest, pk: int) -> HttpResponse:
    """Hold back all mail about one event; `resume_mail` lets it leave."""
    found = get_object_or_404(Event.objects.seen_by(request.user), pk=pk)
    form, name = PauseForm(request.POST or None), heading(found)
    if request.method == "POST" and form.is_valid():
        mail.pause(prefix=found.mail_prefix, name=name, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, pgettext("staff", "Nothing about this event leaves now."))
        return redirect("staff_event", pk)
    held = waiting(Delivery.objects.named(prefix=found.mail_prefix))
    context = {"form": form, "name": name, "back": reverse("staff_event", args=[pk]), **held}
    return render(request, "mail/hold_back.html", context, status=422 if form.errors else 200)


def _other_languages() -> list[languages.Language]:
    return [language for language in languages.ACTIVE if language.code != languages.SOURCE]


def _back(rule: Rule | None, event: Event | None = None) -> str:
    owner = rule.event if rule else event
    return reverse("event_reminders", args=[owner.pk]) if owner else reverse("reminders")


@require_http_methods(["GET", "HEAD", "POST"])
@staff("reminders.edit")
def new_rule(request: StaffRequest) -> HttpResponse:
    """For the event or the series that the address names, else for all."""
    event = _named(Event.objects.all(), request.GET.get("event"))
    series = _named(Series.objects.all(), request.GET.get("series"))
    if event and series:  # a reminder is of one of them
        raise Http404
    form = RuleForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        actions.add(by=request.user, event=event, series=series, **form.values())
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(_back(None, event))
    context = {"form": form, "title": pgettext("staff", "New reminder"), "back": _back(None, event), "of": series}
    return render(request, "events/staff/rule.html", context, status=422 if form.errors else 200)


def _named(found: Any, given: str | None) -> Any:
    if not given:
        return None
    if not given.isdecimal() or len(given) > 18:
        raise Http404
    return get_object_or_404(found, pk=int(given))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("reminders.edit")
def edit_rule(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Rule.objects.select_related("event"), pk=pk)
    form = EditRuleForm(request.POST if request.method == "POST" else None, initial=rule_initial(found))
    if form.is_bound and form.is_valid() and form.hand_to(actions.edit, found, by=request.user):
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(_back(found))
    context = {"form": form, "rule": found, "title": pgettext("staff", "Change the reminder"), "back": _back(found)}
    return render(request, "events/staff/rule.html", context, status=422 if form.errors else 200)


@require_POST
@staff("reminders.edit")
def remove_rule(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Rule.objects.select_related("event"), pk=pk)
    back = _back(found)
    actions.remove(found, by=request.user)
    messages.success(request, pgettext("staff", "Taken away."))
    return redirect(back)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("events.translate")
def rule_text(request: StaffRequest, pk: int, language: str) -> HttpResponse:
    """What a reminder says first in one language."""
    if language not in languages.CATALOG:
        raise Http404
    if language == languages.SOURCE and not request.user.has_perm("reminders.edit"):
        raise PermissionDenied
    found = get_object_or_404(Rule.objects.select_related("event"), pk=pk)
    text = getattr(found, languages.suffixed("text", language))
    form = RuleTextForm(language, request.POST if request.method == "POST" else None, initial={"text": text})
    if form.is_bound and form.is_valid() and form.hand_to(actions.write, found, language=language, by=request.user):
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(_back(found))
    context = {
        "form": form,
        "rule": found,
        "swedish": found.swedish,
        "text_language": languages.get(language),
        "back": _back(found),
    }
    return render(request, "events/staff/rule_text.html", context, status=422 if form.errors else 200)


@require_safe
@staff("events.view")
def preview(request: StaffRequest, pk: int, rule: int, language: str) -> HttpResponse:
    """A reminder as somebody gets it who reads this language. The links in it lead nowhere."""
    event = get_object_or_404(Event.objects.seen_by(request.user), pk=pk)
    found = get_object_or_404(Rule, pk=rule)
    if language not in languages.CATALOG:
        raise Http404
    if not request.user.has_perm("events.edit"):
        event.join_url = ""  # in memory alone: it is not shown to them on the event's own page either
    with translation.override(language):
        message = _sample(found, event, language, request)
    context = {
        "event": event,
        "heading": heading(event),
        "rule": found,
        "message": message,
        "text_language": languages.get(language),
        "languages": languages.ACTIVE,
    }
    return render(request, "events/staff/preview.html", context)


def _sample(rule: Rule, event: Event, language: str, request: StaffRequest) -> Message:
    if rule.audience == Audience.STAFF:
        return rules.to_colleague(rule, event, request.user)
    if rule.audience == Audience.SPEAKERS:
        return rules.to_speaker(rule, event, rules.speakers_of(event).first() or Speaker())
    if rule.audience == Audience.INVITED:
        return rules.to_invited(rule, invitations.sample(event, language))
    return rules.to_participant(rule, rules.sample(event, language))


@require_POST
@staff("reminders.edit")
def own_reminders(request: StaffRequest, pk: int) -> HttpResponse:
    actions.own(get_object_or_404(Event, pk=pk), by=request.user)
    messages.success(request, pgettext("staff", "This event has reminders of its own now."))
    return redirect("event_reminders", pk)


@require_POST
@staff("reminders.edit")
def share_reminders(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        actions.share(get_object_or_404(Event, pk=pk), by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "The reminders that all events have hold again."))
    return redirect("event_reminders", pk)

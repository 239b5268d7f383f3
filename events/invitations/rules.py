from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import rules
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext, pgettext_lazy

from events.actors.models import Actor
from events.agreements.models import Agreement
from events.invitations.models import Answer, Invitation
from events.models import Event
from portal import contacts, languages, secret_links
from portal.accounts.models import Role, User
from portal.accounts.rules import has_role
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute
from portal.revisions.rules import heading, read

rules.add_perm("invitations.view", has_role(Role.EVENTS))
rules.add_perm("invitations.edit", has_role(Role.EVENTS))

PURPOSE: Final = "events.invitation"
"""Of secret links."""
TOLD_EVERY: Final = timedelta(minutes=30)
"""How often at most colleagues are told who does not come."""


def hosts(invitation: Invitation) -> models.QuerySet[User]:
    """Who is told what this person has answered: the colleagues who hold the event, and whoever has invited."""
    first = invitation.stands_in_for or invitation
    is_host = models.Q(events=invitation.event_id) | models.Q(pk=first.invited_by_id)
    return User.objects.holding(Role.EVENTS).filter(is_host).distinct()


# Secret links ----------------------------------------------------------------------------------------------------


def secret_token(invitation: Invitation) -> str:
    return secret_links.token(PURPOSE, invitation.pk, invitation.nonce)


def secret_url(invitation: Invitation) -> str:
    return absolute(reverse("invitation", args=[secret_token(invitation)]))


def token_owner(token: str) -> Invitation | None:
    """The invitation whose secret link this is."""
    found = Invitation.objects.filter(pk=secret_links.pk_of(token)).select_related("event", "registration").first()
    if found and secret_links.fits(token, PURPOSE, found.pk, found.nonce):
        owner: Invitation = found
        return owner
    return None


# Messages --------------------------------------------------------------------------------------------------------
# In the language of whoever is invited, with the Swedish text below. What somebody has typed on the page of an
# invitation is in none of them.


def invitation(delivery: Delivery) -> Message | None:
    """Nothing when it was answered or withdrawn meanwhile, or the event is again as they know it."""
    found = _invitation(delivery)
    if found is None or found.answer or not found.is_declinable:
        return None
    if "from" not in delivery.context:
        return letter("emails/events/invitation", pgettext("mail", "You are invited: %(title)s"), found)
    # Whatever it was when this was planned: what holds now is told, if they know something else.
    old = found.event.appointments.filter(sequence=delivery.context["from"]).first()
    newest = found.event.appointments.last()
    if old is None or newest is None or old.terms == newest.terms:
        return None
    if old.is_canceled:
        return letter("emails/events/invitation", pgettext("mail", "It is held after all: %(title)s"), found, old=old)
    return letter("emails/events/invitation", pgettext("mail", "New time or place: %(title)s"), found, old=old)


def substitute(delivery: Delivery) -> Message | None:
    """To who was invited: somebody else has been written to."""
    found = _invitation(delivery)
    if found is None or found.answer != Answer.SUBSTITUTE or not found.is_declinable:
        return None
    return letter("emails/events/substitute", pgettext("mail", "Somebody else comes in your place: %(title)s"), found)


def ended(delivery: Delivery) -> Message | None:
    """The invitation was withdrawn, or its event is not held."""
    found = _invitation(delivery)
    if found is None or found.event.has_passed or not (found.withdrawn_at or found.event.is_canceled):
        return None
    if found.event.is_canceled:
        return letter("emails/events/invitation_ended", pgettext("mail", "Canceled: %(title)s"), found)
    return letter("emails/events/invitation_ended", pgettext("mail", "You are no longer invited: %(title)s"), found)


def answered(delivery: Delivery) -> Message | None:
    """To a colleague: how many do not come themselves. It names nobody: a mailbox is not the register."""
    context = delivery.context
    since = datetime.fromtimestamp(context["since"], UTC)
    event = Event.objects.filter(pk=context["event"], ends_at__gt=timezone.now()).first()
    if event is None or not User.objects.holding(Role.EVENTS).filter(pk=context["user"]).exists():
        return None
    told = Counter(event.invitations.told_between(since, since + TOLD_EVERY).values_list("answer", flat=True))
    if not told:
        return None
    lines = [f"{Answer(value).label}: {number}" for value, number in sorted(told.items())]
    return Message(
        subject=pgettext("staff", "Answers to your invitations: %(title)s") % {"title": heading(event)},
        text="\n\n".join([*lines, absolute(reverse("event_invitations", args=[event.pk]))]),
    )


def letter(
    template: str,
    subject: str,
    invitation: Invitation,
    *,
    intro: Callable[[str], Mapping[str, Any] | None] = lambda _code: None,
    **more: Any,
) -> Message:
    """What both templates of this name (text and HTML) say, in each of the languages of this invitation. `intro` is
    what comes first in a language."""
    parts: list[dict[str, Any]] = []
    for code in dict.fromkeys([invitation.language, languages.SOURCE]):
        with translation.override(code):
            context = about(invitation, code) | more | {"intro": intro(code)}
            known = languages.get(code)
            html, text = (render_to_string(f"{template}.{ending}", context) for ending in ("html", "txt"))
            parts.append({"language": known, "html": html, "text": text, "title": context["title"]})
    return Message(
        subject=subject % parts[0],
        text="\n\n* * *\n\n".join(part["text"] for part in parts),
        html=render_to_string("emails/events/in_two_languages.html", {"parts": parts}),
    )


def about(invitation: Invitation, code: str) -> dict[str, Any]:
    """What every template about an invitation may say to a reader of this language."""
    event = invitation.event
    text = read(event, code)
    return {
        "event": event,
        "invitation": invitation,
        "title": contacts.expand(text["title"]) if text else str(event.get_kind_display()),
        "text": text,
        "brought": list(Agreement.objects.brought_to(event)),
        "is_place_told": True,
        "secret_url": secret_url(invitation),
        "is_to_answer_by": event.answers_due_at is not None and event.answers_due_at > timezone.now(),
    }


def sample(event: Event, code: str) -> Invitation:
    """Somebody who might be invited, for a preview; never saved."""
    return Invitation(pk=0, event=event, language=languages.get(code).code)


def _invitation(delivery: Delivery) -> Invitation | None:
    found: Invitation | None = (
        Invitation.objects.filter(pk=delivery.context["invitation"]).select_related("event", "stands_in_for").first()
    )
    return found


# Coverage --------------------------------------------------------------------------------------------------------


class Reach(models.TextChoices):
    """How an organization is reached, from what needs most to be done to what needs least."""

    NEVER_INVITED = "never_invited", pgettext_lazy("staff", "Never invited")
    NEVER_CAME = "never_came", pgettext_lazy("staff", "Invited, never came")
    SILENT = "silent", pgettext_lazy("staff", "Fell silent")
    NEW = "new", pgettext_lazy("staff", "New, or invited for the first time")
    COMES = "comes", pgettext_lazy("staff", "Comes")


NEW_FOR: Final = timedelta(days=90)
"""So long an organization that nobody has invited yet is new."""
LAST_SITTINGS: Final = 3
SILENT_AFTER: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Coverage:
    """One organization: how often it was invited to what is over, and how often somebody came."""

    actor: Actor
    reach: Reach
    invited: int
    came: int
    came_last_at: datetime | None


def coverage(actors: Iterable[Actor], invitations: Iterable[Invitation], *, now: datetime) -> list[Coverage]:
    """Of each organization, whoever needs most to be done first. Of `invitations` the newest event comes first."""
    visits: dict[int | None, dict[int, tuple[datetime, bool]]] = {}
    awaited = set()
    for each in invitations:
        if each.event.ends_at >= now:
            awaited.add(each.actor_id)
            continue
        # Several people of an organization who are invited to one event are one invitation here.
        events = visits.setdefault(each.actor_id, {})
        has_come = each.has_come or (each.event_id in events and events[each.event_id][1])
        events[each.event_id] = (each.event.starts_at, has_come)
    found = [
        _covered(actor, list(visits.get(actor.pk, {}).values()), is_awaited=actor.pk in awaited, now=now)
        for actor in actors
    ]
    order = list(Reach)
    return sorted(found, key=lambda row: (order.index(row.reach), row.actor.area, row.actor.name.casefold()))


def _covered(actor: Actor, visits: list[tuple[datetime, bool]], *, is_awaited: bool, now: datetime) -> Coverage:
    came = [at for at, has_come in visits if has_come]
    if not visits:
        is_new = actor.created_at is not None and now - actor.created_at < NEW_FOR
        reach = Reach.NEW if is_new or is_awaited else Reach.NEVER_INVITED
    elif not came:
        reach = Reach.NEVER_CAME
    else:
        last = visits[:LAST_SITTINGS]
        missed_all = len(last) == LAST_SITTINGS and not any(has_come for _at, has_come in last)
        reach = Reach.SILENT if missed_all or now - came[0] > SILENT_AFTER else Reach.COMES
    return Coverage(actor, reach, len(visits), len(came), came[0] if came else None)

"""What tests need to exist, made by the same actions as in the site."""

from datetime import datetime, timedelta
from itertools import count

from django.db import transaction
from django.utils import timezone

from events import actions as events
from events.models import Event
from events.registrations.models import Registration
from portal import languages
from portal.accounts.models import User
from portal.facts import actions as facts
from portal.facts.models import Audience, Fact, Topic
from portal.revisions import actions as revisions
from portal.revisions.glossary import actions as glossary
from portal.revisions.glossary.models import Term, Wording
from portal.revisions.models import Revision, State

_numbers = count(1)


def user(**fields) -> User:
    number = next(_numbers)
    return User.objects.create_user(
        f"person{number}@example.org", name=fields.pop("name", f"Person {number}"), **fields
    )


def topic(key: str = "care") -> Topic:
    return Topic.objects.get_or_create(key=key, defaults={languages.suffixed("name", "sv"): "Vård"})[0]


def fact(*, by: User | None = None, **fields) -> Fact:
    """A fact without text."""
    today = timezone.localdate()
    values = {
        "audience": Audience.PARENTS,
        "topic": fields.pop("topic", None) or topic(),
        "slug": f"faktum-{next(_numbers)}",
        "reviewed_on": today,
        "review_due": today + timedelta(days=365),
    } | fields
    return facts.create(by=by or user(), **values)


def send(revision: Revision) -> Revision:
    """For approval, whatever the checks say, which have tests of their own: texts of tests need not agree."""
    with transaction.atomic():
        return revisions._move(revision, State.SUBMITTED, allowed={State.DRAFT}, by=revision.author)


def publish(thing, language: str = "sv", /, **fields) -> Revision:
    """A text written by one person, approved and published by another."""
    names = ("significance", "change_note", "is_dangerous_if_old", "method", "pivot", "based_on")
    about = {k: fields.pop(k) for k in names if k in fields}
    author, approver = user(), user()
    revision = revisions.draft(thing, language=language, fields=fields, by=author, **about)
    send(revision)
    revisions.approve(revision, by=approver)
    revisions.publish(revision, by=approver)
    revision.refresh_from_db()
    return revision


def put_out(event) -> None:
    """Approve an event that has its Swedish text: one hands it in, another approves; risks, too, if it needs that."""
    author, approver = user(), user()
    if event.is_place_public or event.are_speakers_public:
        written = events.assess(event, risks="Störning.", measures="Vakt.", responsible="Enhetschef", by=author)
        events.approve_risks(event, seen=written.pk, by=approver)
    events.publish(event, seen=events.hand_in(event, by=author).version, by=approver)


def seminar(slug: str, *, starts_at: datetime, by: User | None = None, **fields) -> Event:
    """Published in Swedish, an hour long; who wants to registers until it starts."""
    values = {"ends_at": starts_at + timedelta(hours=1), "registration_ends_at": starts_at} | fields
    made = events.create(by=by or user(), kind="seminar", slug=slug, starts_at=starts_at, **values)
    publish(made, title="Träff om oro", summary="Kom och fråga.", body="Välkommen.")
    made.refresh_from_db()
    put_out(made)
    made.refresh_from_db()
    return made


def seat(event: Event, *addresses: str) -> None:
    """Give each a seat, without a message that says so; in Swedish and Arabic by turns."""
    Registration.objects.bulk_create(
        Registration(
            event=event,
            name=f"Deltagare {number}",
            email=address,
            language=("sv", "ar")[number % 2],
            told_sequence=event.sequence,
        )
        for number, address in enumerate(addresses)
    )


def published_fact(*codes: str, **fields) -> Fact:
    """A fact with a published text in Swedish and in `codes`; the title names the language."""
    made = fact(**fields)
    for code in ("sv", *codes):
        publish(made, code, title=f"Fråga {code}?", summary=f"Svar {code}.", body=f"## Rubrik\n\nText {code} 1–4 §§.")
    made.refresh_from_db()
    return made


def term(word: str = "", *forms: str) -> Term:
    return glossary.create(word=word or f"ord{next(_numbers)}", forms=forms, by=user())


def wording(of: Term, language: str = "sv", /, *, is_approved: bool = True, **fields) -> Wording:
    """Written by one person and approved by another."""
    fields = {"use": f"word {language}", "meaning": f"Det betyder något ({language})."} | fields
    written = glossary.write(of, language=language, fields=fields, seen="", by=user())
    return glossary.approve(written, seen=written.version, by=user()) if is_approved else written

import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from events.actors import actions as actors
from events.attendance import actions as attendance
from events.invitations import actions as invitations
from events.outreach import actions as outreach
from events.programs import actions as programs
from events.recordings import actions as recordings
from events.registrations import actions as registrations
from portal import VERSION, contacts
from portal.accounts import actions as accounts
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts import actions as facts
from portal.facts.packs import actions as packs
from portal.facts.readings import actions as readings
from portal.mail import actions as mail
from portal.pages.models import Contact, Heartbeat, Page, Purge
from portal.pictures import actions as pictures
from portal.questions import actions as questions
from portal.revisions import actions as revisions
from portal.revisions.exchange import actions as exchange
from portal.revisions.readers import actions as readers
from portal.search import actions as search
from rumors import actions as rumors
from rumors.alarms import actions as alarms
from rumors.exports import actions as exports
from rumors.imports import actions as imports
from rumors.intake import actions as intake
from rumors.notices import actions as notices

log = structlog.get_logger(__name__)


@transaction.atomic
def change_contacts(*, numbers: Mapping[str, str], by: User) -> None:
    """Keep new numbers and renew the mirror; numbers by key. Raises OSError when they are kept and it cannot be."""
    standing = stored_contacts()
    if any(standing[key] != number for key, number in numbers.items()):
        facts.promise_all()
    for key, number in numbers.items():
        contact, _ = Contact.objects.get_or_create(key=key, defaults={"number": standing[key]})
        if contact.number != number:
            audit.record("edit", contact, by=by, changes={"number": (contact.number, number)})
            contact.number = number
            contact.save(update_fields=["number"])
    transaction.on_commit(mirror_contacts)


def stored_contacts() -> dict[str, str]:
    """Numbers by key as staff keep them, those that nobody has changed among them."""
    standing = {contact.key: contact.number for contact in contacts.DEFAULTS}
    return standing | dict(Contact.objects.values_list("key", "number"))


def mirror_contacts() -> None:
    """Write the file that pages read; also run by the clock, for a place whose file was lost."""
    wanted = [contacts.Contact(key, number) for key, number in stored_contacts().items()]
    if list(contacts.numbers().values()) != wanted:
        contacts.write(wanted)


def beat(*, at: datetime) -> None:
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": at})


def forget_purges(*, now: datetime) -> int:
    """Our own records, through the one function that may delete them; returns how many rows went."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pages_forget_purges(%s)", [now - Purge.KEEP])
        return int(cursor.fetchone()[0])


_PARTS: Final[Mapping[str, Callable[..., int]]] = {
    "questions": questions.purge,
    "codes": questions.forget_codes,
    # Before registrations, which tell who came.
    "invitations": invitations.purge,
    "needs": registrations.forget_needs,
    "registrations": registrations.purge,
    "speakers": programs.purge,
    "consents to recordings": recordings.purge,
    "words of feedback": attendance.purge,
    "safety notes and drafts of visits": outreach.purge,
    "contacts and helpers": actors.purge,
    "rumors": rumors.purge,
    "notices": notices.purge,
    "seen alarms": alarms.purge,
    "drafts of what was heard": intake.purge,
    "pictures": pictures.purge,
    "reader checks": readers.purge,
    "followers": packs.purge,
    "addresses of mail": mail.forget_addresses,
    "deliveries": mail.purge,
    "audit": audit.purge,
    "sessions": accounts.purge,
    "readings": readings.purge,
    "searches": search.purge,
    "uploads": exchange.purge,
    "exports": exports.purge,
    "imports": imports.purge,
    "unsaved texts": revisions.purge,
    "purges": forget_purges,
}
"""By the name that their number is kept under."""


def purge(*, now: datetime) -> Purge:
    """Everything whose retention has run out, in every module, with a row that says what that was."""
    done = _purge_all(now=now)
    done.save()
    return done


def rehearse(*, now: datetime) -> Purge:
    """What `purge` would do, by doing it in a transaction that is rolled back: files go on commit, and none comes.

    Whoever works on a row is not kept waiting by this, so a part may fail that would not in the night.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
        found = _purge_all(now=now)
        transaction.set_rollback(True)
    return found


def _purge_all(*, now: datetime) -> Purge:
    """Each part for itself: one that fails leaves everything of its own, keeps no other from its work, and is tried
    again the next time."""
    done = Purge(began_at=timezone.now(), version=VERSION)
    for part, purge_part in _PARTS.items():
        try:
            with transaction.atomic():
                done.counts[part] = purge_part(now=now)
        except Exception as error:  # noqa: BLE001
            done.failed.append(part)
            # What the database says may name somebody; the kind and the place of the error do not.
            frames = traceback.extract_tb(error.__traceback__)
            places = [f"{frame.filename}:{frame.lineno}" for frame in frames]
            log.error("purge_failed", part=part, error=type(error).__name__, places=places)
    done.ended_at = max(timezone.now(), done.began_at)
    return done


def reindex(thing: Model, language: str) -> None:
    """Standing pages are found in the footer of every page, not by search."""


def register() -> None:
    revisions.register(
        revisions.Kind(
            name="page",
            model=Page,
            area="pages",
            reindex=reindex,
            staff_url=lambda page: reverse("staff_page", args=[page.pk]),
        )
    )

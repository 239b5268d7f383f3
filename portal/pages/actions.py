from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Model
from django.urls import reverse

from events.actors import actions as actors
from events.attendance import actions as attendance
from events.invitations import actions as invitations
from events.outreach import actions as outreach
from events.programs import actions as programs
from events.recordings import actions as recordings
from events.registrations import actions as registrations
from portal import contacts
from portal.accounts import actions as accounts
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts import actions as facts
from portal.facts.packs import actions as packs
from portal.facts.readings import actions as readings
from portal.mail import actions as mail
from portal.pages.models import Contact, Heartbeat, Page
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

AUDIT_KEEP: Final = timedelta(days=5 * 365)


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


def purge(*, now: datetime) -> dict[str, int]:
    """Everything whose retention has run out, in every module; counts by what it was."""
    return {
        "questions": questions.purge(now=now),
        # Before registrations, which tell who came.
        "invitations": invitations.purge(now=now),
        "registrations": registrations.purge(now=now),
        "speakers": programs.purge(now=now),
        "consents to recordings": recordings.purge(now=now),
        "words of feedback": attendance.purge(now=now),
        "safety notes and drafts of visits": outreach.purge(now=now),
        "contacts and helpers": actors.purge(now=now),
        "rumors": rumors.purge(now=now),
        "notices": notices.purge(now=now),
        "seen alarms": alarms.purge(now=now),
        "drafts of what was heard": intake.purge(now=now),
        "pictures": pictures.purge(now=now),
        "reader checks": readers.purge(now=now),
        "followers": packs.purge(now=now),
        "deliveries": mail.purge(now=now),
        "audit": audit.purge(keep=AUDIT_KEEP),
        "sessions": accounts.purge(now=now),
        "readings": readings.purge(now=now),
        "searches": search.purge(now=now),
        "uploads": exchange.purge(now=now),
        "exports": exports.purge(now=now),
        "imports": imports.purge(now=now),
        "unsaved texts": revisions.purge(now=now),
    }


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

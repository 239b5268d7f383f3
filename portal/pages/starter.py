"""Reads the texts that come with the portal (`portal/facts/starter/`) and publishes them through the same actions as
everybody's. A text is a folder with one Markdown file per language (`portal.front_matter`)."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from events import actions as events
from events.actors import actions as actors
from events.actors.models import Actor
from events.agreements import actions as agreements
from events.attachments import actions as attachments
from events.attendance.models import Method as Counted
from events.invitations import actions as invitations
from events.invitations.models import Invitation
from events.models import Event
from events.models import Status as EventStatus
from events.outreach import actions as outreach
from events.outreach.actions import Said
from events.outreach.models import Session
from events.programs import actions as programs
from events.programs.models import Speaker
from events.recordings import actions as recordings
from events.series import actions as series
from events.series.models import Series
from portal import front_matter, languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts import actions as facts
from portal.facts import documents, folder
from portal.facts.models import Audience, Fact, Topic
from portal.facts.packs import actions as packs
from portal.facts.packs.models import Pack
from portal.front_matter import File
from portal.pages.models import Page
from portal.questions import actions as questions
from portal.questions.models import Outcome, Question
from portal.revisions import actions as revisions
from portal.revisions.glossary import actions as glossary
from portal.revisions.glossary.models import Term
from portal.revisions.models import Edition, Method, Revision, text_hash
from portal.revisions.rules import translated_fields
from rumors import actions as rumors
from rumors.models import Rebuttal
from rumors.responses import actions as responses
from rumors.vocabulary import Action, Status

FOLDER: Final = Path(__file__).resolve().parent.parent / "facts" / "starter"
STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")
AUTHOR: Final = "example.texts@klarlagt.invalid"
APPROVER: Final = "example.approvals@klarlagt.invalid"
PACK_LANGUAGES: Final = ("sv", "en", "ar")


def texts(kind: str) -> Iterator[dict[str, File]]:
    """Every text of a kind (`facts`, `rumors`, `events`, `pages`) by language, Swedish first."""
    for place in sorted((FOLDER / kind).iterdir()):
        paths = [path for path in sorted(place.glob("*.md")) if path.stem in languages.CATALOG]
        found = {path.stem: front_matter.read(path, str(path)) for path in paths}
        yield {languages.SOURCE: found.pop(languages.SOURCE), **found}


def author() -> User:
    """Whom the texts that come with the portal are by; nobody can sign in as it."""
    return _nobody(AUTHOR, "Klarlagt")


def _nobody(email: str, name: str) -> User:
    return User.objects.filter(email=email).first() or User.objects.create_user(email, name=name, is_active=False)


def load_pages() -> int:
    """The standing pages, for a site that has none yet; never touches one that has been written. Texts made."""
    made = 0
    for versions in texts("pages"):
        with transaction.atomic():
            page, is_new = Page.objects.get_or_create(key=versions[languages.SOURCE].key)
            if is_new:
                made += _publish(page, {code: _own(file) for code, file in versions.items()}, by=author())
    return made


def _own(file: File) -> File:
    """With the names of this place: the law wants them in the accessibility statement."""

    def own(text: str) -> str:
        return text.replace("Exempelkommun", settings.MUNICIPALITY).replace("Klarlagt", settings.SITE_NAME)

    return replace(file, body=own(file.body), meta={name: own(value) for name, value in file.meta.items()})


def load() -> dict[str, int]:
    """All example content; what is there already, word for word, is left alone. How much was made."""
    by = author()
    made: Counter[str] = Counter()
    made["topics"] = _load_topics(by)
    made["words"] = _load_words(by)
    # Those first whose matter others share.
    for versions in sorted(texts("facts"), key=lambda versions: folder.is_version(versions[languages.SOURCE])):
        made["fact texts"] += _load_fact(versions, by)
    for versions in texts("rumors"):
        made["rebuttal texts"] += _load_rumor(versions, by)
    for versions in texts("events"):
        made["event texts"] += _load_event(versions, by)
    made["packs"] = _load_pack(by)
    made["actors"] = _load_actors(by)
    made["invitations"] = _load_round_table(by)
    made["visits"] = _load_visit(by)
    return dict(made)


def _publish(thing: Model, versions: Mapping[str, File], *, by: User, **fields_of: str) -> int:
    """Publish what differs from what readers get, but for what somebody has taken in hand. `fields_of` maps a
    translated field to its name in the file."""
    made = 0
    for code, file in versions.items():
        everything = {**file.meta, "body": file.body}
        names = translated_fields(type(thing))
        words = {name: str(everything.get(fields_of.get(name, name), "")) for name in names}
        fields = revisions.cleaned(type(thing), words)
        live = revisions.current(thing, code)
        if live is not None and live.digest == text_hash(fields):
            continue
        if _is_in_hand(thing, code):
            if code == languages.SOURCE:
                break  # The translations here render a text that readers do not get.
            continue
        revision = revisions.draft(
            thing,
            language=code,
            fields=fields,
            by=by,
            method=Method.HUMAN if code == languages.SOURCE else file.meta.get("method", Method.MACHINE),
            pivot=file.meta.get("pivot", ""),
            is_example=True,
        )
        revisions.publish(revision, by=by)
        made += 1
    return made


def _is_in_hand(thing: Model, code: str) -> bool:
    """Somebody has written a text of their own, published or on its way, or has taken the example away."""
    written = Revision.objects.of(thing).filter(language=code, is_example=False)
    withdrawn = Edition.objects.of(thing).filter(language=code, withdrawn_at__isnull=False)
    return written.exists() or withdrawn.exists()


def _load_topics(by: User) -> int:
    wanted = tomllib.loads((FOLDER / "topics.toml").read_text("utf-8"))
    known = set(Topic.objects.values_list("key", flat=True))
    for key, names in wanted.items():
        if key not in known:
            facts.name_topic(key=key, names=names, by=by)
    return len(wanted.keys() - known)


@transaction.atomic
def _load_words(by: User) -> int:
    """The glossary; what somebody has written or approved is left alone."""
    made = 0
    for row in tomllib.loads((FOLDER / "words.toml").read_text("utf-8"))["word"]:
        word, forms = row.pop("word"), row.pop("forms")
        term = Term.objects.filter(word__iexact=word).first() or glossary.create(word=word, forms=forms, by=by)
        there = {wording.language: wording for wording in term.wordings.all()}
        for code, fields in row.items():
            known = there.get(code)
            if known is None or (known.is_example and audit.changed(known, fields)):
                seen = known.version if known else ""
                glossary.write(term, language=code, fields=fields, seen=seen, by=by, is_example=True)
                made += 1
    return made


@transaction.atomic
def _load_fact(versions: dict[str, File], by: User) -> int:
    file = versions[languages.SOURCE]
    fact = _fact_at(file.key)
    if fact is None:
        first = _fact_at(file.meta.get(folder.VERSION_OF, ""))
        matter = first.matter if first else None
        values, _ = folder.settled(file, matter=matter, by=by)
        fact = facts.create(by=by, matter=matter, **values)
    return _publish(fact, versions, by=by)


def _fact_at(address: str) -> Fact | None:
    """Also when somebody has given it another address since."""
    found: Fact | None = Fact.objects.filter(Q(slug=address) | Q(former_addresses__slug=address)).first()
    return found


@transaction.atomic
def _load_rumor(versions: dict[str, File], by: User) -> int:
    file = versions[languages.SOURCE]
    meta = file.meta
    rebuttal = Rebuttal.objects.filter(slug=file.key).first()
    if rebuttal is None:
        rumor = rumors.log(
            claim=meta["claim"],
            original=meta["original"],
            original_language=meta["original_language"],
            channel=meta["channel"],
            area=meta["area"],
            seen_on=timezone.localdate() - timedelta(days=meta["seen_days_ago"]),
            claim_type=meta["claim_type"],
            priority=meta["priority"],
            topic=Topic.objects.get(key=meta["fact_topic"]),
            by=by,
        )
        fact = Fact.objects.get(slug=meta["fact"])
        basis = getattr(fact, languages.suffixed("title", languages.SOURCE))
        rumors.rate(
            rumor, verdict=meta["verdict"], basis=f"Faktatexten ”{basis}” och de källor som den bygger på.", by=by
        )
        responses.plan(rumor, action=Action.REPLY_PUBLIC, by=by)
        for step in (Status.SCREENED, Status.ASSESSED, Status.DECIDED):
            rumor = rumors.move(rumor, status=step, by=by)
        rumor = rumors.approve(rumor, by=_nobody(APPROVER, "Klarlagt, godkännande"), version=rumor.version)
        rumors.move(rumor, status=Status.RESPONDING, by=by)
        rebuttal = rumors.link(rumor=rumor, fact=fact, strength=meta["strength"], slug=file.key, by=by)
    return _publish(rebuttal, versions, by=by, answer="summary", claim="public_claim", explanation="body")


GROUPS: Final = {"parents": "parents", "newly_arrived": "new", "staff": "staff", "children": "young", "youth": "young"}
"""For whom an event is, by the audience in its file."""


@transaction.atomic
def _load_event(versions: dict[str, File], by: User) -> int:
    file = versions[languages.SOURCE]
    meta = file.meta
    event = Event.objects.filter(slug=file.key).first()
    if event is None:
        event = _make_event(file, by)
    if not meta["public"]:
        return 0
    made = _publish(event, versions, by=by)
    event.refresh_from_db()
    if event.status == EventStatus.DRAFT:
        approver = _nobody(APPROVER, "Klarlagt, godkännande")
        written = events.assess(
            event,
            risks="Exempel: någon kommer för att störa, eller filmar dem som är där.",
            measures="Exempel: två kollegor möter i entrén, och alla vet vem de ringer.",
            responsible="Enhetschef",
            by=by,
        )
        events.approve_risks(event, seen=written.pk, by=approver)
        events.publish(event, seen=events.hand_in(event, by=by).version, by=approver)
    return made


def _make_event(file: File, by: User) -> Event:
    meta = file.meta
    day = timezone.localdate() + timedelta(days=meta["starts_in_days"])
    starts_at, ends_at = _moment(day, meta["start"]), _moment(day, meta["end"])
    event = events.create(
        by=by,
        kind=meta["kind"],
        slug=file.key,
        groups=[GROUPS[audience] for audience in meta["audience"]],
        starts_at=starts_at,
        ends_at=ends_at,
        place=meta["place"],
        is_online=meta["online"],
        are_speakers_public=True,
        join_url="https://meeting.example.org/klarlagt" if meta["online"] else "",
        capacity=meta["capacity"],
        registration_ends_at=starts_at - timedelta(days=meta["registration_closes_days_before"])
        if meta.get("registration", True) and meta["public"]
        else None,
        spoken=meta["languages"],
        contact_content=meta["contact_content"],
        contact_registration=meta["contact_registration"],
    )
    lines = [
        {
            "day": item.get("day", 1),
            "starts": time.fromisoformat(item["start"]),
            "ends": time.fromisoformat(item["end"]),
            "is_break": item["is_break"],
            "titles": item["title"],
            "abstracts": item.get("abstract", {}),
            "speakers": item["speakers"],
        }
        for item in meta.get("program", [])
    ]
    if lines:
        programs.write(event, lines, by=by)
        for speaker in Speaker.objects.of(event):
            programs.agree(speaker, by=by)
        programs.publish(event, by=by)
        if meta.get("printed"):
            _add_printed_program(event, file, by=by)
    if recording_days := meta.get("recording_days"):
        _add_recording(event, until=day + timedelta(days=recording_days), by=by)
    return event


def _add_printed_program(event: Event, file: File, *, by: User) -> None:
    """As a PDF with tags; without what makes PDFs the event has none."""
    lines = format_html_join(
        "",
        "<tr><th scope='row'>{}–{}</th><td>{}</td></tr>",
        ((item["start"], item["end"], item["title"][languages.SOURCE]) for item in file.meta["program"]),
    )
    page = format_html(
        "<html lang='sv'><title>{0}</title><link rel='stylesheet' href='css/handout.css'><body><h1>{0}</h1>"
        "<p>Exempel</p><table>{1}</table></body></html>",
        file.meta["title"],
        lines,
    )
    with suppress(documents.UnavailableError):
        content = ContentFile(documents.make(page))
        attachments.add(event, title="Program att skriva ut", language=languages.SOURCE, file=content, by=by)


def _add_recording(event: Event, *, until: date, by: User) -> None:
    recording = recordings.keep(
        event,
        url="https://video.example.org/klarlagt",
        until=until,
        captions=event.spoken,
        no_captions_reason="",
        by=by,
    )
    recordings.note_consents(recording, given=Speaker.objects.of(event), by=by)
    recordings.show(recording, by=by)


def _load_pack(by: User) -> int:
    """The first version for embassies, for a site that has none."""
    if Pack.objects.exists():
        return 0
    briefings = Fact.objects.published().for_audience(Audience.EMBASSIES).select_related("matter")
    packs.make(facts=list(briefings), codes=PACK_LANGUAGES, by=by)
    return 1


@transaction.atomic
def _load_actors(by: User) -> int:
    """Whom we work with, for a site that has nobody yet."""
    if Actor.objects.exists():
        return 0
    content, today = tomllib.loads((FOLDER / "actors.toml").read_text("utf-8")), timezone.localdate()

    def agreed(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"consented_on": today - timedelta(days=row.pop("agreed_days_ago"))}

    for row in content["actor"]:
        contacts, topics = row.pop("contact", ()), Topic.objects.filter(key__in=row.pop("topics"))
        days = row.pop("review_in_days", None)
        review_on = today + timedelta(days=days) if days is not None else None
        actor = actors.create(by=by, topics=topics, review_on=review_on, **row)
        for contact in contacts:
            actors.add_contact(actor, by=by, **agreed(contact))
    for row in content["helper"]:
        actors.add_helper(by=by, **agreed(row))
    return len(content["actor"])


def _meetings() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "meetings.toml").read_text("utf-8"))


@transaction.atomic
def _load_round_table(by: User) -> int:
    """The circle of a round table, what it has agreed on, and who has been invited and has answered; for a site that
    has no series yet."""
    content = _meetings()
    row, today = content["series"], timezone.localdate()
    event = Event.objects.filter(slug=row["event"], starts_at__gt=timezone.now()).first()
    if event is None or Series.objects.exists():
        return 0
    known = {actor.name: actor for actor in Actor.objects.filter(name__in=row["circle"])}
    circle = series.create(name=row["name"], about=row["about"], circle=known.values(), by=by)
    for agreed in content["agreement"]:
        owner = {"owner": agreed.get("owner", ""), "owner_actor": known.get(agreed.get("actor"))}
        due_on = today + timedelta(days=agreed["due_in_days"])
        agreements.agree(series=circle, what=agreed["what"], due_on=due_on, by=by, **owner)
    answers_due_at = event.starts_at - timedelta(days=row["answers_due_days_before"])
    event = events.edit(event, series=circle, theme=row["theme"], answers_due_at=answers_due_at, by=by)
    guests = [guest for guest in content["guest"] if guest["actor"] in known]
    for guest in guests:
        actor = known[guest["actor"]]
        about = {"actor": actor, "name": actor.name, "email": actor.email, "language": guest["language"]}
        (invitation,) = invitations.invite(event, guests=[about], by=by)
        _answer(invitation, guest)
    return len(guests)


def _answer(invitation: Invitation, guest: Mapping[str, Any]) -> None:
    match guest.get("answer"):
        case "yes":
            invitations.accept(invitation, language=guest["language"], needs=guest["needs"], question=guest["question"])
        case "no":
            invitations.decline(invitation)
        case "substitute":
            invitations.name_substitute(invitation, **guest["substitute"])


@transaction.atomic
def _load_visit(by: User) -> int:
    """One with questions, of which one is answered; for a site that has none yet."""
    if Session.objects.exists():
        return 0
    row = _meetings()["visit"]
    starts_at = _moment(timezone.localdate() - timedelta(days=row.pop("days_ago")), row.pop("start"))
    asked, handed_out = row.pop("question"), Fact.objects.filter(slug__in=row.pop("handed_out"))
    session = outreach.log(
        by=by,
        form_id=uuid4(),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=row.pop("minutes")),
        heads={"method": Counted.BAND, "number": row.pop("band")},
        asked=[Said(each["text"], each["language"]) for each in asked],
        handed_out=handed_out,
        **row,
    )
    for one, each in zip(session.asked.in_order(), asked, strict=True):
        fact = Fact.objects.filter(slug=each.get("fact")).first()
        if fact is not None:
            questions.settle(Question.objects.get(asked=one), outcome=Outcome.ANSWERED, fact=fact, by=by)
    return 1


def _moment(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=STOCKHOLM)

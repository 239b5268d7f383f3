from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.models import SETTLE, Event
from events.programs import rules
from events.programs.models import Appearance, ProgramItem, ProgramVersion, Speaker
from events.registrations.models import Registration
from portal import languages, meanwhile
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.mail import actions as mail
from portal.mail.rules import Promise
from portal.pictures import actions as pictures
from portal.pictures.models import Picture
from portal.revisions.actions import ChangedMeanwhileError

PROGRAM: Final = "event_program"

Person = tuple[str, str, str]
"""Name, title, organization."""


# As it is being written ----------------------------------------------------------------------------------------


@transaction.atomic
def write(event: Event, program: Sequence[Mapping[str, Any]], *, by: User, seen: str | None = None) -> None:
    """Make this the program, for colleagues until it is published.

    A row has `day`, `starts`, `ends`, `is_break`, `titles` and `abstracts` by language code, and `speakers`, each with
    `name`, `title`, `organization` and `is_moderator`. A row with the `id` of a line changes that one, whose other
    texts stay; what is left out goes. `seen` is the version that the writer knew.
    """
    locked = _locked(event)
    if seen is not None and seen != locked.program.version():
        raise ChangedMeanwhileError(
            pgettext("staff", "Somebody else has saved this while you were writing. Both versions are shown here.")
        )
    known: dict[int, ProgramItem] = {item.pk: item for item in locked.program.all()}
    before = [str(item) for item in known.values()]
    people = _people(locked, [speaker for row in program for speaker in row["speakers"]])
    locked.program.exclude(pk__in=[row["id"] for row in program if row.get("id")]).delete()
    items, columns = [], {"day", "starts", "ends", "is_break"}
    for row in program:
        values = {name: row[name] for name in ("day", "starts", "ends", "is_break")}
        values |= {languages.suffixed("title", code): title for code, title in row["titles"].items()}
        values |= {languages.suffixed("abstract", code): text for code, text in row.get("abstracts", {}).items()}
        columns |= values.keys()
        item = known.get(row.get("id", 0)) or ProgramItem(event=locked)
        for name, value in values.items():
            setattr(item, name, value)
        items.append(item)
    # In one statement: lines may change places.
    ProgramItem.objects.bulk_update([item for item in items if not item._state.adding], sorted(columns))
    for item in items:
        if item._state.adding:
            item.save()
    _cast(items, program, people)
    after = [str(item) for item in locked.program.all()]
    if before != after:
        audit.record("write_program", locked, by=by, changes={"program": (before, after)})


def _cast(items: Sequence[ProgramItem], program: Sequence[Mapping[str, Any]], people: Mapping[Person, Speaker]) -> None:
    """Who speaks in which line, in the order in which they were typed."""
    standing: dict[int, list[tuple[int, bool]]] = {item.pk: [] for item in items}
    for one in Appearance.objects.filter(item__in=items):
        standing[one.item_id].append((one.speaker_id, one.is_moderator))
    for item, row in zip(items, program, strict=True):
        wanted: dict[int, bool] = {}
        for speaker in row["speakers"]:
            pk = people[_person(speaker)].pk
            wanted[pk] = wanted.get(pk, False) or speaker.get("is_moderator", False)
        if standing[item.pk] != list(wanted.items()):
            item.appearances.all().delete()
            Appearance.objects.bulk_create(
                Appearance(item=item, speaker_id=pk, is_moderator=is_moderator) for pk, is_moderator in wanted.items()
            )


def _person(row: Mapping[str, Any]) -> Person:
    return row["name"], row.get("title", ""), row.get("organization", "")


def _people(event: Event, typed: Sequence[Mapping[str, Any]]) -> dict[Person, Speaker]:
    """The speaker of each that was typed.

    Who stands in the program already keeps consent, address and photo under another title; the name alone, a second
    time, means the same person.
    """
    wanted = sorted(dict.fromkeys(map(_person, typed)), key=lambda person: person[1:] == ("", ""))
    mine = list(Speaker.objects.of(event))
    found = {speaker.terms: speaker for speaker in mine if speaker.terms in wanted}
    for person in wanted:
        if person in found:
            continue
        name, title, organization = person
        is_name_alone = not (title or organization)
        namesakes = [speaker for terms, speaker in found.items() if terms[0] == name] if is_name_alone else []
        namesakes += [speaker for speaker in mine if speaker.name == name and speaker.terms not in wanted]
        if namesakes:
            found[person] = namesakes[0]
            if not is_name_alone:
                found[person].title, found[person].organization = title, organization
                found[person].save(update_fields=["title", "organization"])
            continue
        values = {"name": name, "title": title, "organization": organization}
        # With all three it is who spoke elsewhere, and what they agreed to holds here, too; a name is not enough.
        is_certain = bool(title and organization)
        known = Speaker.objects.filter(**values).first() if is_certain else None
        found[person] = known or Speaker.objects.create(**values)
    return found


@transaction.atomic
def move(event: Event, *, by: User) -> None:
    """Have the program begin when the event does, all lines as far apart as they were, for colleagues until it is
    published. ValidationError when a line would run past midnight."""
    locked = _locked(event)
    items: list[ProgramItem] = list(locked.program.all())
    if not items:
        return
    before = [str(item) for item in items]
    first_day = timezone.localdate(locked.starts_at)
    moved_by = timezone.make_naive(locked.starts_at) - datetime.combine(items[0].on, items[0].starts)
    for item in items:
        starts, ends = (datetime.combine(item.on, clock) + moved_by for clock in (item.starts, item.ends))
        item.day = (starts.date() - first_day).days + 1
        if ends.date() != starts.date() or item.day > ProgramItem.LAST_DAY:
            raise ValidationError(pgettext("staff", "A line would run past midnight. Write the times yourself."))
        item.starts, item.ends = starts.time(), ends.time()
    # In one statement: a line may take the time of the next one.
    ProgramItem.objects.bulk_update(items, ["day", "starts", "ends"])
    after = [str(item) for item in items]
    if before != after:
        audit.record("write_program", locked, by=by, changes={"program": (before, after)})


@transaction.atomic
def name_program(
    event: Event, *, language: str, texts: Mapping[str, str], by: User, was: Mapping[str, str] | None = None
) -> None:
    """Write these texts of the program in one language, by the line's id and what they are: `17-title`, `17-abstract`.
    `was` is what the writer had seen; texts of a line that is gone go with it.

    Raises meanwhile.ChangedMeanwhileError, and changes nothing, when somebody else has changed one of them.
    """
    locked = _locked(event)
    columns = {name: languages.suffixed(name, language) for name in ("title", "abstract")}
    items = list(locked.program.all())
    standing = {f"{item.pk}-{name}": getattr(item, columns[name]) or "" for item in items for name in columns}
    seen = {key: text for key, text in (was or {}).items() if key in standing}
    meanwhile.refuse_clashes(standing, was=seen, values=texts)
    changes = {}
    for item in items:
        for name, column in columns.items():
            old = standing[key := f"{item.pk}-{name}"]
            if (new := texts.get(key, old)) != old:
                changes[f"{item.pk} {name}"] = (old, new)
                setattr(item, column, new)
        item.save(update_fields=list(columns.values()))
    if changes:
        audit.record("name_program", locked, by=by, changes=changes, language=language)


# Published -----------------------------------------------------------------------------------------------------


@transaction.atomic
def publish(
    event: Event, *, by: User, note: str = "", is_to_be_told: bool = False, seen: str | None = None
) -> ProgramVersion:
    """Show readers the program as it is now. Who has registered is told by the clock, if they are to be told.

    Raises ValidationError when readers have it already. `seen` is the version that the publisher looked at.
    """
    locked = _locked(event)
    # Who takes a consent back meanwhile waits for this, and is then taken out of it.
    there = Appearance.objects.filter(item__event=locked).values("speaker")
    speakers = list(Speaker.objects.select_for_update(of=("self",)).filter(pk__in=there).order_by("pk"))
    if seen is not None and seen != locked.program.version():
        raise ChangedMeanwhileError(
            pgettext("staff", "Somebody has changed the program meanwhile. Look at what changes once more.")
        )
    newest, snapshot = locked.program_versions.newest(), locked.program.snapshot()
    if newest.snapshot == snapshot if newest else not snapshot.lines:
        raise ValidationError(pgettext("staff", "There is nothing new to publish."))
    version: ProgramVersion = ProgramVersion.objects.create(
        event=locked,
        number=newest.number + 1 if newest else 1,
        published_by=by,
        note=note,
        lines=snapshot.lines,
        texts=snapshot.texts,
        is_to_be_told=is_to_be_told,
    )
    version.speakers.set(speakers)
    audit.record("publish_program", locked, by=by, changes={"number": ("", version.number)}, note=note)
    return version


def keep(now: datetime) -> None:
    """Plan what tells who has registered of a new program. Any number of processes may do this."""
    waiting = ProgramVersion.objects.to_be_told()
    for event in Event.objects.held().filter(ends_at__gt=now, program_versions__in=waiting).distinct():
        with transaction.atomic():
            locked = Event.objects.to_change(skip_locked=True).filter(pk=event.pk).first()
            if locked is not None:
                _tell(locked, now)


def _tell(event: Event, now: datetime) -> None:
    """Several versions within the minutes in which they can be mended are one message, of what readers see by then."""
    first = event.program_versions.to_be_told().order_by("number").values_list("number", flat=True).first()
    if first is None:
        return
    versions = list(event.program_versions.order_by("number").values_list("number", "published_at"))
    last, published_at = versions[-1]
    if published_at > now - SETTLE:
        return

    def known_to(person: Registration) -> int:
        """The version that was the newest when they registered, or the last one that is told by now."""
        return max([first - 1, *(number for number, at in versions if at <= person.registered_at)])

    people = event.registrations.active().filter(registered_at__lt=published_at).exclude(email="")
    promises = [
        Promise(
            f"{person.key}program:{last}",
            person.email,
            person.language,
            {"registration": person.pk, "from": known_to(person), "to": last},
        )
        for person in people
    ]
    mail.plan_all(kind=PROGRAM, promises=promises, due_at=now, expires_at=event.ends_at)
    event.program_versions.to_be_told().update(told_at=now)


# Who speaks ----------------------------------------------------------------------------------------------------


@transaction.atomic
def describe(
    speaker: Speaker, *, by: User, was: Mapping[str, Any] | None = None, photo: Picture | None = None, **values: Any
) -> Speaker:
    """Change name, title, organization and address; a photo comes with the consent to show it, and replaces another.

    `was` is what the writer had seen. Raises meanwhile.ChangedMeanwhileError, and changes nothing, when somebody else
    has changed the same.
    """
    # Before the speaker, as who plans a reminder does, which must not go where they cannot be reached any more.
    spoken_at = Event.objects.without_text().filter(pk__in=speaker.versions.values("event")).order_by("pk")
    events = list(spoken_at.to_change()) if "email" in values else []
    locked = _locked_speaker(speaker)
    meanwhile.refuse_clashes({name: getattr(locked, name) for name in values}, was=was or {}, values=values)
    changed, old = list(audit.changed(locked, values)), locked.photo
    for name, value in values.items():
        setattr(locked, name, value)
    if photo:
        changed.append("photo")
        locked.photo, locked.consent_photo_at = photo, timezone.now()
    locked.save(update_fields=[*values, "photo", "consent_photo_at"])
    if "email" in changed and locked.email:
        for event in events:
            mail.readdress(prefix=f"{event.mail_prefix}speaker:{locked.pk}:", to=locked.email)
    if photo and old:
        pictures.remove(old, by=by)
    if changed:
        # Who it is stays out of the log, which is kept for longer than they are.
        audit.record("describe_speaker", locked, by=by, changes=dict.fromkeys(changed, (audit.UNTOLD, audit.UNTOLD)))
    return locked


@transaction.atomic
def agree(speaker: Speaker, *, by: User) -> None:
    """They let themselves be named, in what is published from now on."""
    locked = _locked_speaker(speaker)
    if locked.consent_to_be_named_at is None:
        locked.consent_to_be_named_at = timezone.now()
        locked.save(update_fields=["consent_to_be_named_at"])
        audit.record("agree_to_be_named", locked, by=by)


@transaction.atomic
def take_back(speaker: Speaker, *, by: User) -> None:
    """They do not want to be named any more: the name goes out of what has been published, too, at once."""
    locked = _locked_speaker(speaker)
    locked.consent_to_be_named_at = None
    locked.save(update_fields=["consent_to_be_named_at"])
    _take_out(locked, name="", photo=None)
    audit.record("take_name_back", locked, by=by)


@transaction.atomic
def remove_photo(speaker: Speaker, *, by: User) -> None:
    """The consent to show it is taken back, and nothing of it stays."""
    locked = _locked_speaker(speaker)
    photo, locked.photo, locked.consent_photo_at = locked.photo, None, None
    locked.save(update_fields=["photo", "consent_photo_at"])
    _take_out(locked, photo=None)
    if photo:
        pictures.remove(photo, by=by)
    audit.record("remove_photo", locked, by=by)


def _take_out(speaker: Speaker, **values: Any) -> None:
    for version in speaker.versions.select_for_update(of=("self",)).defer("texts"):
        for row in (row for line in version.lines for row in line["speakers"] if row["id"] == speaker.pk):
            row.update(values)
        version.save(update_fields=["lines"])


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget addresses that remind of nothing any more, and speakers of no program; returns how many of both."""
    addresses = Speaker.objects.with_needless_address(now).update(email="")
    _total, counts = Speaker.objects.of_no_program().delete()
    return int(addresses) + counts.get(Speaker._meta.label, 0)


def announce() -> None:
    mail.register(
        PROGRAM,
        rules.program,
        label=pgettext_lazy("staff", "New program of an event"),
        is_necessary=False,
        if_twice=pgettext_lazy("staff", "Says the same again."),
    )
    mail.plan_before_delivering(keep)


def _locked(event: Event) -> Event:
    found: Event = Event.objects.to_change().get(pk=event.pk)
    return found


def _locked_speaker(speaker: Speaker) -> Speaker:
    found: Speaker = Speaker.objects.select_for_update(of=("self",)).select_related("photo").get(pk=speaker.pk)
    return found

"""What differs between two programs, and how it is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import pgettext

from events.models import Status
from events.programs.models import Line, Snapshot
from events.registrations.models import Registration, State
from events.registrations.rules import message
from portal import languages
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute
from portal.revisions.rules import Text


class Deed(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    RENAMED = "renamed"
    DESCRIBED = "described"
    CAST = "cast"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different in one line."""

    deed: Deed
    line: Line
    """As it is now; as it was when it is there no more."""
    before: Line | None = None

    @property
    def title(self) -> Text | None:
        return self._titles[0]

    @property
    def old_title(self) -> Text | None:
        return self._titles[1]

    @property
    def _titles(self) -> tuple[Text | None, Text | None]:
        """Now and before; in Swedish when the translation has not followed yet, and would tell nothing new."""
        now, then = self.line.text, self.before.text if self.before else None
        if self.deed == Deed.RENAMED and now and then and now["title"] == then["title"] and self.before:
            return _in_swedish(self.line, now), _in_swedish(self.before, then)
        return now, then


def _in_swedish(line: Line, text: Text) -> Text:
    return Text(line.swedish, languages.get(languages.SOURCE), text.wanted)


def changes(before: Sequence[Line], after: Sequence[Line], *, with_speakers: bool = True) -> list[Change]:
    """What is new, in the order of the program, then what is gone; both read for the same reader."""
    known = {line.pk: line for line in before}
    found = []
    for line in after:
        old = known.pop(line.pk, None)
        if old is None:
            found.append(Change(Deed.ADDED, line))
            continue
        differs = {
            Deed.MOVED: old.time != line.time,
            Deed.RENAMED: (old.swedish["title"], old.is_break) != (line.swedish["title"], line.is_break),
            Deed.DESCRIBED: old.swedish["abstract"] != line.swedish["abstract"],
            Deed.CAST: with_speakers and _cast(old) != _cast(line),
        }
        found += [Change(deed, line, old) for deed, is_so in differs.items() if is_so]
    return found + [Change(Deed.REMOVED, line) for line in known.values()]


def _cast(line: Line) -> list[tuple[Any, ...]]:
    names = ("name", "title", "organization", "is_moderator")
    return sorted(tuple(speaker[name] for name in names) for speaker in line.speakers)


def translated(before: Snapshot, after: Snapshot) -> list[str]:
    """The languages beside Swedish, by code, in which something reads another way."""
    others = [code for code in languages.CATALOG if code != languages.SOURCE]
    return [code for code in others if before.texts.get(code) != after.texts.get(code)]


def program(delivery: Delivery) -> Message | None:
    """What has become of the program that this person knew; nothing when it is as it was, or they do not come."""
    registration: Registration | None = (
        Registration.objects.filter(pk=delivery.context["registration"]).select_related("event").first()
    )
    if registration is None or registration.state == State.CANCELED:
        return None
    event, code = registration.event, registration.language
    if event.status != Status.PUBLISHED or event.has_passed:
        return None
    first, last = delivery.context["from"], delivery.context["to"]
    found = event.program_versions.read_in(code).filter(number__in=[first, last])
    versions = {version.number: version for version in found}
    before = versions[first].read(code) if first in versions else []
    after = versions[last].read(code)
    is_timed = all(line.is_timed for line in after)
    differing = [
        change
        for change in changes(before, after, with_speakers=event.are_speakers_public)
        if is_timed or change.deed != Deed.MOVED
    ]
    if not differing:
        return None
    return message(
        "emails/events/program",
        pgettext("mail", "New program: %(title)s") if first else pgettext("mail", "The program: %(title)s"),
        registration,
        changes=differing,
        is_first=not first,
        is_timed=is_timed,
        has_days=any(version.snapshot.has_days for version in found),
        program_url=absolute(f"{event.get_absolute_url()}#program"),
    )

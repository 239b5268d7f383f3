"""Facts as a folder of Markdown files, out and in: `topics.toml` and `facts/<address>/<language>.md`.

The texts that come with the portal have the same form. What comes in becomes drafts; what people wrote here stays.
"""

import io
import os
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.forms import BaseForm
from django.utils.translation import pgettext

from portal import contacts, front_matter, languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.audit.models import AuditEvent
from portal.facts import actions
from portal.facts.forms import FactForm, SourceForm
from portal.facts.models import Audience, Fact, Matter, Source, Topic
from portal.front_matter import File, UnreadableError
from portal.revisions import actions as revisions
from portal.revisions.forms import TextForm
from portal.revisions.models import Edition, Method, Provenance, Revision, Significance, State, text_hash

TOPICS: Final = "topics.toml"
OLD: Final = re.compile(rf"{languages.SOURCE}-([0-9a-f]{{12}})")
"""An older Swedish text, named by the beginning of its digest: one that a translation beside it still renders."""

# What is no text: its name in a file, and the field of a fact. The only place that knows both.
SETTINGS: Final = {
    "audience": "audience",
    "topic": "topic",
    "order": "order",
    "asked_often": "is_asked_often",
    "about_violence": "is_about_violence",
    "checked": "reviewed_on",
    "check_again": "review_due",
}
VERSION_OF: Final = "version_of"
"""Names the fact whose matter this one shares. What belongs to the matter stands in that one's file alone: what is
written once cannot differ."""
SHARED: Final = {"checked": "reviewed_on", "check_again": "review_due"}
OF_THE_MATTER: Final = (*SHARED, "sources")
TYPES: Final[dict[str, tuple[type, ...]]] = {
    "order": (int,),
    "asked_often": (bool,),
    "about_violence": (bool,),
    "checked": (str, date),
    "check_again": (str, date),
    "sources": (list,),
}
TEXT: Final = ("title", "summary")
NEEDED: Final = {languages.SOURCE: (*TEXT, "audience", "topic", "checked")}
KNOWN: Final = {
    languages.SOURCE: {*TEXT, *SETTINGS, VERSION_OF, "sources", "settings", "edition", "significance", "change_note"},
}
KNOWN_IN_TRANSLATIONS: Final = {*TEXT, "edition", "method", "pivot", "based_on"}
WORDS: Final = {
    (str,): "a text in quotation marks",
    (int,): "a number",
    (bool,): "true or false",
    (str, date): "a date like 2026-11-03",
    (list,): "a list of { law or report, sfs, sections, url }",
}
KEY: Final = re.compile(r"[a-z0-9_-]{1,30}")
MOST_SOURCES: Final = 20


class FolderError(Exception):
    """Everything that is wrong with a folder; nothing of it was taken in."""

    def __init__(self, mistakes: list[UnreadableError]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


@dataclass(slots=True)
class Report:
    """What was made of a folder, in the words of the commands."""

    topics: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    """New facts that share the matter of another."""
    drafts: dict[str, list[str]] = field(default_factory=dict)
    settings: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Left alone, and why."""
    same: int = 0

    def lines(self) -> list[str]:
        drafts = [f"{slug}: {' '.join(names)}" for slug, names in self.drafts.items()]
        parts = {
            "New topics": self.topics,
            "New facts": self.facts,
            "Joined to the matter of": self.joined,
            "New drafts": drafts,
            "Settings changed": self.settings,
            "Left alone": self.left,
        }
        told = [
            f"{heading} ({len(rows)}):\n" + "\n".join(f"  {row}" for row in rows)
            for heading, rows in parts.items()
            if rows
        ]
        return [*told, f"Here already, word for word: {self.same} texts."]


# Out ------------------------------------------------------------------------------------------------------------


def settings_of(fact: Fact, *, is_version: bool = False) -> dict[str, Any]:
    """What is no text, as files have it; for a version without what the first fact of the matter says."""
    own = {key: _plain(getattr(fact, name)) for key, name in SETTINGS.items() if key not in SHARED}
    return own if is_version else own | _of(fact.matter)


def _of(matter: Matter) -> dict[str, Any]:
    """What all facts of a matter share, as files have it."""
    days = {key: _plain(getattr(matter, name)) for key, name in SHARED.items()}
    return days | {"sources": [_source(source) for source in matter.sources.all()]}


def _plain(value: Any) -> Any:
    if isinstance(value, Topic):
        return value.key
    return value.isoformat() if isinstance(value, date) else value


def _source(source: Source) -> dict[str, str]:
    row = {"law" if source.sfs else "report": source.title}
    return row | {name: getattr(source, name) for name in ("sfs", "sections", "url") if getattr(source, name)}


def _digest(settings: Mapping[str, Any]) -> str:
    return text_hash({key: str(value) for key, value in settings.items()})


def files(codes: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Every published fact in every language it is published in, or in Swedish and `codes`: place and content."""
    published = Fact.objects.published().read_in(languages.SOURCE)
    facts = list(published.select_related("topic", "matter").prefetch_related("matter__sources"))
    yield TOPICS, _topics({fact.topic for fact in facts})
    firsts = _firsts(facts)
    for fact in facts:
        for name, content in _fact_files(fact, firsts[fact.matter_id], codes):
            yield f"facts/{fact.slug}/{name}.md", content


def _firsts(facts: Collection[Fact]) -> dict[int, Fact]:
    """By matter, whose file has the dates and sources: who is told it first in the order of audiences. That stays the
    same wherever the folder is taken in, as numbers in a database do not."""
    order = Audience.values
    return {fact.matter_id: fact for fact in sorted(facts, key=lambda fact: order.index(fact.audience), reverse=True)}


def _topics(topics: Collection[Topic]) -> str:
    parts = []
    for topic in sorted(topics, key=lambda topic: topic.key):
        names = {code: getattr(topic, languages.suffixed("name", code)) for code in languages.CATALOG}
        lines = [front_matter.line(code, name) for code, name in names.items() if name]
        parts.append("\n".join([f"[{topic.key}]", *lines, ""]))
    return "\n".join(parts)


def _fact_files(fact: Fact, first: Fact, codes: Collection[str]) -> Iterator[tuple[str, str]]:
    editions: dict[str, Any] = {
        edition.language: edition.revision
        for edition in Edition.objects.of(fact).given().select_related("revision__based_on")
    }
    outdated = {code for code, row in Provenance.by_language(fact).items() if row.is_outdated}
    swedish = editions.pop(languages.SOURCE)
    # A correction of the spelling since does not undo what changed before it: readers elsewhere have to hear of that.
    changed = Revision.objects.of(fact).filter(
        language=languages.SOURCE, state=State.PUBLISHED, significance__in=[Significance.CONTENT, Significance.MAJOR]
    )
    change = changed.filter(pk__lte=swedish.pk).first() or swedish
    is_version = fact != first
    settings = settings_of(fact, is_version=is_version)
    about = {"edition": swedish.digest, "settings": _digest(settings), "significance": change.significance}
    named = {VERSION_OF: first.slug} if is_version else {}
    yield languages.SOURCE, _file(swedish, named | settings | about | {"change_note": change.change_note})
    for code, revision in sorted(editions.items()):
        if codes and code not in codes:
            continue
        base = revision.based_on if code in outdated else swedish
        if base.digest != swedish.digest:
            yield f"{languages.SOURCE}-{base.digest[:12]}", _file(base, {})
        about = {"edition": revision.digest, "based_on": base.digest, "method": revision.method}
        yield code, _file(revision, about | {"pivot": revision.pivot})


def _file(revision: Revision, meta: Mapping[str, Any]) -> str:
    head = {name: revision.fields[name] for name in TEXT}
    return front_matter.written(head | {k: v for k, v in meta.items() if v != ""}, revision.fields["body"])


def write(root: Path, codes: Collection[str] = ()) -> int:
    """Into a folder that is new or empty: nothing of an earlier export may pass for part of this one."""
    root.mkdir(parents=True, exist_ok=True)
    if next(root.iterdir(), None):
        raise FileExistsError(f"{root} is not empty. Name a new folder.")
    count = 0
    for place, content in files(codes):
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="\n")
        count += 1
    return count


def archive() -> bytes:
    """The same as a ZIP file, equal for equal texts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for place, content in files():
            file.writestr(zipfile.ZipInfo(place), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


# In -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Folder:
    """What was found, not yet compared with what is here."""

    topics: dict[str, Any] = field(default_factory=dict)
    facts: list[dict[str, File]] = field(default_factory=list)
    """By language, old Swedish texts by their file's name; without those whose files cannot be read."""
    addresses: set[str] = field(default_factory=set)
    """Of all facts, also of those whose files cannot be read."""
    mistakes: list[UnreadableError] = field(default_factory=list)

    def wrong(self, place: str, sentence: str, line: int = 1) -> None:
        self.mistakes.append(UnreadableError(place, line, sentence))


def read(root: Path) -> Folder:
    found = Folder()
    if not root.is_dir():
        found.wrong(str(root), "There is no such folder.")
        return found
    if os.path.lexists(root / TOPICS):
        try:
            found.topics = front_matter.toml(front_matter.decoded(root / TOPICS, TOPICS), TOPICS)
        except UnreadableError as error:
            found.mistakes.append(error)
    seen: set[str] = set()
    for path in _entries(root / "facts", "facts", found):
        place = f"facts/{_shown(path.name)}"
        if path.is_symlink() or not path.is_dir():
            found.wrong(place, "This is no folder. Each fact has one, named after its address.")
        elif path.name.casefold() in seen:
            found.wrong(place, "Another folder has the same address, but for small and large letters.")
        else:
            seen.add(path.name.casefold())
            found.addresses.add(path.name)
            _read_fact(path, place, found)
    return found


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def _entries(path: Path, place: str, found: Folder) -> list[Path]:
    """What is in a folder of ours, hidden files aside."""
    try:
        if path.is_symlink():
            raise NotADirectoryError
        return sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    except OSError:
        found.wrong(place, "There has to be a folder here, and one that can be read.")
        return []


def _read_fact(path: Path, place: str, found: Folder) -> None:
    versions: dict[str, File] = {}
    before = len(found.mistakes)
    for entry in _entries(path, place, found):
        name = entry.name.removesuffix(".md")
        where = f"{place}/{_shown(entry.name)}"
        if name == entry.name or not (name in languages.CATALOG or OLD.fullmatch(name)):
            found.wrong(where, "No language is called that. A file is named after its language, like ar.md.")
            continue
        try:
            file = front_matter.read(entry, where)
        except UnreadableError as error:
            found.mistakes.append(error)
            continue
        found.mistakes.extend(_faults(file))
        versions[name] = file
    if languages.SOURCE not in versions and len(found.mistakes) == before:
        found.wrong(place, f"The Swedish text, {languages.SOURCE}.md, is missing: all others render it.")
    if len(found.mistakes) == before:
        found.facts.append(versions)


def _faults(file: File) -> Iterator[UnreadableError]:
    """Keys that are missing, unknown or of the wrong type."""
    known = TEXT if OLD.fullmatch(file.language) else KNOWN.get(file.language, KNOWN_IN_TRANSLATIONS)
    for key, value in file.meta.items():
        wanted = TYPES.get(key, (str,))
        if key not in known:
            why = f"“{_shown(key)}” is no key of this file. There are: {', '.join(sorted(known))}."
            yield UnreadableError(file.place, file.line(key), why)
        elif type(value) not in wanted or (key == "sources" and not all(_is_source(row) for row in value)):
            yield UnreadableError(file.place, file.line(key), f"{key} has to be {WORDS[wanted]}.")
        elif isinstance(value, str) and "\0" in value:  # the database cannot be asked for one
            yield UnreadableError(file.place, file.line(key), f"{key} holds a NUL, which no text may.")
    for key in NEEDED.get(file.language, TEXT):
        if key not in file.meta and not (key in OF_THE_MATTER and is_version(file)):
            yield UnreadableError(file.place, 1, f"{key} is missing.")


def is_version(file: File) -> bool:
    return VERSION_OF in file.meta


def _is_source(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and row.keys() <= {"law", "report", "sfs", "sections", "url"}
        and len(row.keys() & {"law", "report"}) == 1
        and all(isinstance(value, str) for value in row.values())
    )


def settled(
    file: File,
    fact: Fact | None = None,
    *,
    matter: Matter | None = None,
    said: dict[str, Any] | None = None,
    by: User,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is no text, checked by the forms of the staff pages: what `actions.create` and `actions.edit` take, and what
    of it belongs to the matter, as files have it. Raises FolderError.

    A version takes the latter from its `matter`, or from what another file has `said` of that, and changes none of it.
    """
    shared = said or (_of(matter) if matter and is_version(file) else {})
    meta: dict[str, Any] = {"order": 100, "check_again": _a_year_after(file.meta.get("checked"))} | shared | file.meta
    topic = Topic.objects.filter(key=meta["topic"]).first()
    data = {name: _plain(meta.get(key)) for key, name in SETTINGS.items()}
    data |= {"slug": file.key, "topic": topic and topic.pk, "owner": matter.owner_id if matter else by.pk}
    data |= {"seen": fact.version if fact else ""}
    form = FactForm(data, instance=fact, matter=matter, by=by)
    rows = [SourceForm(row | {"title": row.get("law") or row.get("report")}) for row in meta.get("sources", [])]
    mistakes = _complaints(file, form, {name: key for key, name in SETTINGS.items()})
    for row in rows:
        mistakes += _complaints(file, row, dict.fromkeys(row.fields, "sources"))
    if topic is None:
        why = f"There is no topic “{_shown(meta['topic'])}”, neither here nor in {TOPICS}."
        mistakes.append(UnreadableError(file.place, file.line("topic"), why))
    if len(rows) > MOST_SOURCES:
        mistakes.append(UnreadableError(file.place, file.line("sources"), f"At most {MOST_SOURCES} sources."))
    if mistakes:
        raise FolderError(mistakes)
    values = form.cleaned_data | {"sources": [{name: row.cleaned_data[name] for name in row.fields} for row in rows]}
    written = _as_written(values)
    if is_version(file):
        values = {name: value for name, value in values.items() if name not in {*SHARED.values(), "owner", "sources"}}
    return values, {key: written[key] for key in OF_THE_MATTER}


def _as_written(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the forms, as files have them."""
    found = {key: _plain(values[name]) for key, name in SETTINGS.items() if name in values}
    if "sources" in values:
        found["sources"] = [_source(Source(**row)) for row in values["sources"]]
    return found


def _a_year_after(day: Any) -> str:
    try:
        return (date.fromisoformat(str(day)) + timedelta(days=365)).isoformat()
    except (ValueError, OverflowError):
        return date.max.isoformat()  # The form complains of the day itself.


def _complaints(file: File, form: BaseForm, keys: Mapping[str, str] = MappingProxyType({})) -> list[UnreadableError]:
    """What a form says, with the line of the file; `keys` by the form's names where they differ."""
    found = []
    for name, errors in form.errors.as_data().items():
        key = keys.get(name, name)
        if key == "topic":  # said better than by the form
            continue
        for error in errors:
            # The guard counts the lines of the text.
            inside = (error.params or {}).get("line", 1) - 1 if key == "body" else 0
            found.append(UnreadableError(file.place, file.line(key) + inside, f"{key}: {' '.join(error.messages)}"))
    return found


def _text(file: File) -> TextForm:
    """A text, checked by the editor's form. For a translation that does not say how it was made nobody vouches."""
    kind = revisions.kind_named("fact")
    assert kind is not None
    usual = {"method": Method.MACHINE, "significance": Significance.CONTENT}
    return TextForm(kind, _language(file.language), usual | file.meta | {"body": file.body, "submit": ""})


def _language(name: str) -> str:
    return languages.SOURCE if OLD.fullmatch(name) else name


@transaction.atomic
def take_in(root: Path, *, by: User) -> Report:
    """Everything in the folder as drafts by `by`; or nothing, and a FolderError that names every mistake.

    Repeatable: a text that is here already makes nothing, and one that people have gone on with here is left alone.
    """
    found, report = read(root), Report()
    mistakes = [*found.mistakes, *_take_in_topics(found.topics, report, by=by)]
    matters = _Matters(found)
    # Those first whose matter others share.
    for versions in sorted(found.facts, key=lambda versions: is_version(versions[languages.SOURCE])):
        mistakes += _take_in_fact(versions, matters, report, by=by)
    if mistakes:
        raise FolderError(mistakes)
    return report


def _take_in_topics(topics: Mapping[str, Any], report: Report, *, by: User) -> Iterator[UnreadableError]:
    """Those that are not here yet; a topic that is here keeps its names."""
    for key in sorted(topics.keys() - set(Topic.objects.values_list("key", flat=True))):
        if KEY.fullmatch(key) and _are_names(topics[key]):
            actions.name_topic(key=key, names=topics[key], by=by)
            report.topics.append(key)
        else:
            why = f"{_shown(key)}: A topic has a short key, and names of at most 80 letters by language, sv among them."
            yield UnreadableError(TOPICS, 1, why)


def _are_names(names: Any) -> bool:
    return (
        isinstance(names, dict)
        and languages.SOURCE in names
        and names.keys() <= languages.CATALOG.keys()
        and all(isinstance(name, str) and 0 < len(name.strip()) <= 80 for name in names.values())
    )


@dataclass(slots=True)
class _Matters:
    """Which facts of a folder share their matter."""

    found: Folder
    said: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """By matter: the fact whose file was the first to say something of it, and what."""

    def first_of(self, file: File, fact: Fact | None) -> Fact | None:
        """The fact that a file calls itself a version of. Raises FolderError, with no mistake in it while that one
        cannot be taken in: what is wrong with it is said there."""
        if not is_version(file):
            return None
        wanted = file.meta[VERSION_OF]
        first: Fact | None = Fact.objects.filter(slug=wanted).select_related("matter").first()
        why = ""
        if wanted == file.key:
            why = pgettext("staff", "A fact is no version of itself. Name another one, or take the line away.")
        elif any(is_version(row[languages.SOURCE]) for row in self.found.facts if row[languages.SOURCE].key == wanted):
            why = pgettext(
                "staff", "“%(slug)s” is itself a version of another fact. Name the one that has the dates and sources."
            )
        elif first is None and wanted not in self.found.addresses:
            why = pgettext("staff", "There is no fact “%(slug)s”, neither here nor in this folder.")
        elif first and fact and first.matter_id != fact.matter_id:
            why = pgettext(
                "staff",
                "This fact is here already, of another matter than “%(slug)s”, and is not moved. Take the line away, "
                "and write checked and sources.",
            )
        if why:
            why = f"{VERSION_OF}: {why % {'slug': _shown(wanted)}}"
            raise FolderError([UnreadableError(file.place, file.line(VERSION_OF), why)])
        if first is None:
            raise FolderError([])
        return first

    def said_of(self, first: Fact) -> dict[str, Any]:
        _, said = self.said.setdefault(first.matter_id, (first.slug, _of(first.matter)))
        return said

    def hear(self, file: File, matter: Matter, shared: dict[str, Any]) -> None:
        """What a file says of its matter has to be what the others say. Raises FolderError."""
        slug, said = self.said.setdefault(matter.pk, (file.key, shared))
        why = pgettext(
            "staff",
            "Not the same as in “%(slug)s”, which is of the same matter. Write it there alone, and here only %(line)s.",
        ) % {"slug": slug, "line": front_matter.line(VERSION_OF, slug)}
        differing = [key for key in OF_THE_MATTER if shared[key] != said[key]]
        if differing:
            raise FolderError([UnreadableError(file.place, file.line(key), f"{key}: {why}") for key in differing])


def _take_in_fact(
    versions: Mapping[str, File], matters: _Matters, report: Report, *, by: User
) -> list[UnreadableError]:
    swedish = versions[languages.SOURCE]
    fact = Fact.objects.filter(slug=swedish.key).select_related("matter").first()
    before = settings_of(fact, is_version=is_version(swedish)) if fact else None
    texts = {name: _text(file) for name, file in versions.items()}
    mistakes = [mistake for name, form in texts.items() for mistake in _complaints(versions[name], form)]
    try:
        first = matters.first_of(swedish, fact)
        sister = first or fact
        matter = sister.matter if sister else None
        said = matters.said_of(first) if first else None
        values, shared = settled(swedish, fact, matter=matter, said=said, by=by)
        if matter:
            matters.hear(swedish, matter, shared)
    except FolderError as error:
        return [*error.mistakes, *mistakes]
    if mistakes:
        return mistakes
    if fact is None or before is None:
        fact = actions.create(by=by, matter=matter, **values)
        audit.record("import", fact, by=by)
        report.facts.append(fact.slug)
        if first:
            report.joined.append(f"{first.slug}: {fact.slug}")
    else:
        _Settings(before, values).take_in(fact, swedish, report, by=by)
    arriving = _Arriving(fact, versions, texts, report, by)
    arriving.take_in()
    return arriving.mistakes


@dataclass(frozen=True, slots=True)
class _Settings:
    """What is no text, of a fact that is here already."""

    before: Mapping[str, Any]
    values: Mapping[str, Any]

    def take_in(self, fact: Fact, file: File, report: Report, *, by: User) -> None:
        after = _as_written(self.values)
        changed = [key for key in after if after[key] != self.before[key]]
        if not changed:
            return
        names = ", ".join(changed)
        if file.meta.get("settings") == _digest(self.before) or self._were_imported(fact, changed):
            actions.edit(fact, by=by, **self.values)
            audit.record("import", fact, by=by)
            report.settings.append(f"{fact.slug}: {names}")
        else:
            report.left.append(f"{file.place}: {names}: other values were chosen here")

    def _were_imported(self, fact: Fact, changed: Collection[str]) -> bool:
        """Nobody has chosen others since: what a matter has may have been changed on the page of any of its facts, or
        by calling it still right."""
        things: list[Model] = [fact]
        if set(OF_THE_MATTER) & set(changed):
            things += [fact.matter, *fact.matter.facts.exclude(pk=fact.pk)]
        last = [AuditEvent.objects.about(thing).filter(language="").first() for thing in things]
        return {event.verb for event in last if event} == {"import"}


@dataclass(slots=True)
class _Arriving:
    """The texts of one fact on their way in."""

    fact: Fact
    versions: Mapping[str, File]
    forms: Mapping[str, TextForm]
    report: Report
    by: User
    mistakes: list[UnreadableError] = field(default_factory=list)

    def take_in(self) -> None:
        swedish = self._put(languages.SOURCE)
        for name, file in self.versions.items():
            if old := OLD.fullmatch(name):
                if not self._digest(name).startswith(old[1]):
                    self._wrong(file, "title", "It is named after a text that it does not hold.")
            elif name != languages.SOURCE:
                self._put(name, swedish)

    def _put(self, name: str, swedish: Revision | None = None) -> Revision | None:
        """The revision with this text: one that is here, or a new draft; None when the text is left alone."""
        file, digest = self.versions[name], self._digest(name)
        here = Revision.objects.of(self.fact).filter(language=name)
        newest: Revision | None = here.first()
        same: Revision | None = here.filter(digest=digest).first()
        if newest and newest.digest == digest:
            self.report.same += 1
            return newest
        if newest and not self._may_follow(newest, file):
            self._leave(file, "there is a newer text here" if same else "the text here has gone its own way")
            return same
        if name == languages.SOURCE:
            for old in sorted(filter(OLD.fullmatch, self.versions)):
                if not self._known(self._digest(old)):
                    self._draft(old)
            return self._draft(name)
        base = self._base(file, swedish)
        return self._draft(name, based_on=base) if base else None

    def _may_follow(self, newest: Revision, file: File) -> bool:
        """Nothing that people have done here is hidden behind a draft that did not know of it."""
        imported = AuditEvent.objects.about(self.fact).filter(verb="import", note=f"r{newest.pk}")
        return newest.is_example or newest.digest == file.meta.get("edition") or imported.exists()

    def _base(self, file: File, swedish: Revision | None) -> Revision | None:
        wanted = file.meta.get("based_on")
        base = self._known(wanted) if wanted else swedish
        if base is None and wanted and wanted not in map(self._digest, self.versions):
            why = f"No such Swedish text is here or in this folder. Without this line {languages.SOURCE}.md is meant."
            self._wrong(file, "based_on", why)
        elif base is None:
            self._leave(file, "it renders a Swedish text that is not here")
        return base

    def _known(self, digest: str) -> Revision | None:
        found: Revision | None = Revision.objects.of(self.fact).filter(language=languages.SOURCE, digest=digest).first()
        return found

    def _text(self, name: str) -> dict[str, str]:
        return revisions.cleaned(Fact, self.forms[name].text())

    def _digest(self, name: str) -> str:
        return text_hash(self._text(name))

    def _draft(self, name: str, **about: Any) -> Revision | None:
        file, text = self.versions[name], self._text(name)
        about |= self.forms[name].circumstances()
        try:
            made = revisions.draft(self.fact, language=_language(name), fields=text, by=self.by, **about)
        except ValidationError as error:
            self._wrong(
                file,
                next(filter(lambda key: contacts.mistaken(text.get(key, "")), text), "significance"),
                " ".join(error.messages),
            )
            return None
        audit.record("import", self.fact, by=self.by, language=made.language, note=f"r{made.pk}")
        self.report.drafts.setdefault(self.fact.slug, []).append(name)
        return made

    def _leave(self, file: File, why: str) -> None:
        self.report.left.append(f"{file.place}: {why}")

    def _wrong(self, file: File, key: str, sentence: str) -> None:
        line = file.line(key)
        if key == "body" and (found := contacts.mistaken(file.body)):
            line += file.body.count("\n", 0, file.body.index(found))
        self.mistakes.append(UnreadableError(file.place, line, f"{key}: {sentence}"))

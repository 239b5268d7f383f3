"""XLIFF 1.2, written and read. No entities, no DTD, no network: a file that declares a document type is refused.

One `<file>` for each text: `original` names it (`fact/12`), `product-version` is the id of the Swedish revision and
`build-num` its digest. These are attributes of the standard, which translation tools hand back as they got them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import get_language, pgettext
from lxml import etree

from portal import contacts, languages
from portal.languages import Language
from portal.revisions.exchange.rules import Unit

NAMESPACE: Final = "urn:oasis:names:tc:xliff:document:1.2"
CONTENT_TYPE: Final = "application/xliff+xml"
MAX_BYTES: Final = 5 * 1024 * 1024
MAX_TEXTS: Final = 200
_NO_XML: Final = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_ORIGINAL: Final = re.compile(r"([a-z_-]{1,30})/(\d{1,18})", re.ASCII)
_ID: Final = re.compile(r"\d{1,18}", re.ASCII)
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    kind: str
    object_id: int
    revision_id: int
    digest: str
    units: Sequence[Unit]
    limits: Mapping[str, int]
    """The most characters that a field holds, by its name."""
    state: str
    """Of the targets there are, in the words of XLIFF."""
    qualifier: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    original: str
    kind: str
    object_id: int
    revision_id: int
    digest: str
    language: Language
    targets: dict[str, str]
    """By the ids of the units, all that the file holds."""
    title: str
    """What the file says first of the Swedish text; to tell people which one is meant."""


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def write(texts: Iterable[Outgoing], *, language: Language) -> bytes:
    root = etree.Element(_tag("xliff"), {"version": "1.2"}, nsmap={None: NAMESPACE})
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for text in texts:
        file = etree.SubElement(
            root,
            _tag("file"),
            {
                "original": f"{text.kind}/{text.object_id}",
                "source-language": languages.SOURCE,
                "target-language": language.tag,
                "datatype": "plaintext",
                "date": now,
                "product-name": "Klarlagt",
                "product-version": str(text.revision_id),
                "build-num": text.digest,
                "tool-id": "klarlagt",
            },
        )
        header = etree.SubElement(file, _tag("header"))
        etree.SubElement(header, _tag("tool"), {"tool-id": "klarlagt", "tool-name": "Klarlagt"})
        note = etree.SubElement(header, _tag("note"), {f"{_XML}lang": get_language() or "en"})
        note.text = pgettext(
            "staff",
            "Keep what stands in double braces: it becomes a number to call. Keep the marks of Markdown, too: ## for a "
            "heading, - for a list, **bold**, [words](link).",
        )
        body = etree.SubElement(file, _tag("body"))
        for unit in text.units:
            _write_unit(body, unit, text).tail = "\n"
        file.tail = "\n"
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _write_unit(body: Any, unit: Unit, text: Outgoing) -> Any:
    attributes = {"id": unit.id, f"{_XML}space": "preserve"}
    if limit := text.limits.get(unit.id):
        attributes |= {"maxwidth": str(limit), "size-unit": "char"}
    element = etree.SubElement(body, _tag("trans-unit"), attributes)
    codes: dict[str, str] = {}
    _fill(etree.SubElement(element, _tag("source")), unit.source, codes)
    state = {"state": text.state if unit.target else "needs-translation"}
    if unit.target and text.qualifier:
        state["state-qualifier"] = text.qualifier
    _fill(etree.SubElement(element, _tag("target"), state), unit.target, codes)
    return element


def _fill(element: Any, text: str, codes: dict[str, str]) -> None:
    """Text with its numbers to call as codes that a tool does not let be changed; the same one has the same id."""
    last, read = None, 0
    for match in contacts.TOKEN.finditer(text):
        _append(element, last, text[read : match.start()])
        its_id = codes.setdefault(match[0], str(len(codes) + 1))
        last = etree.SubElement(element, _tag("ph"), {"id": its_id, "ctype": "x-phone"})
        last.text = _NO_XML.sub("\ufffd", match[0])
        read = match.end()
    _append(element, last, text[read:])


def _append(element: Any, last: Any, text: str) -> None:
    text = _NO_XML.sub("\ufffd", text)
    if last is None:
        element.text = text or None
    else:
        last.tail = text


# Reading ---------------------------------------------------------------------------------------------------------


def read(content: bytes) -> list[Incoming]:
    """What a file brings, checked as far as the file alone tells. Raises ValidationError with a sentence for each
    fault."""
    files = list(_parse(content).iterchildren(_tag("file")))
    if not files:
        raise ValidationError(pgettext("staff", "There is no text in this file."))
    if len(files) > MAX_TEXTS:
        raise ValidationError(pgettext("staff", "A file may hold %(number)d texts at most.") % {"number": MAX_TEXTS})
    found, faults = [], []
    for file in files:
        try:
            found.append(_incoming(file))
        except ValidationError as error:
            faults += error.messages
    seen = [(incoming.original, incoming.language) for incoming in found]
    faults += [
        _fault(original, pgettext("staff", "it stands in the file more than once."))
        for original, language in dict.fromkeys(seen)
        if seen.count((original, language)) > 1
    ]
    if faults:
        raise ValidationError(faults)
    return found


def _fault(original: str, sentence: str) -> str:
    return f"{original[:40]}: {sentence}"


def _parse(content: bytes) -> Any:
    if len(content) > MAX_BYTES:
        raise ValidationError(
            pgettext("staff", "The file is too large: %(number)d MB is the most.") % {"number": MAX_BYTES // 1024**2}
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError(pgettext("staff", "The file is not in UTF-8: save it so in your tool.")) from None
    if "<!DOCTYPE" in text:
        raise ValidationError(
            pgettext("staff", "The file declares a document type, which is not read here: save it as plain XLIFF 1.2.")
        )
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValidationError(
            pgettext("staff", "This is no XLIFF file, or it is damaged (line %(line)d).")
            % {"line": getattr(error, "lineno", 0) or 1}
        ) from None
    if root.tag != _tag("xliff") or root.get("version") != "1.2":
        raise ValidationError(pgettext("staff", "This is no XLIFF 1.2 file: save it as that in your tool."))
    return root


def _incoming(file: Any) -> Incoming:
    original = file.get("original", "")
    name = _ORIGINAL.fullmatch(original)
    if name is None:
        raise ValidationError(
            _fault(original, pgettext("staff", "unknown text. Only files that were downloaded here can be imported."))
        )
    if file.get("source-language", "").lower() != languages.SOURCE:
        raise ValidationError(_fault(original, pgettext("staff", "it is not translated from Swedish.")))
    tag = file.get("target-language", "")
    language = next((known for known in languages.ACTIVE if known.tag.lower() == tag.lower()), None)
    if language is None or language.code == languages.SOURCE:
        raise ValidationError(
            _fault(
                original, pgettext("staff", "“%(tag)s” is none of the languages we translate into.") % {"tag": tag[:20]}
            )
        )
    revision_id, digest = file.get("product-version", ""), file.get("build-num", "")
    if not _ID.fullmatch(revision_id) or not digest:
        raise ValidationError(
            _fault(
                original, pgettext("staff", "the file no longer says which Swedish text it renders. Download it anew.")
            )
        )
    targets = _targets(file, original)
    first = next(file.iter(_tag("source")), None)
    title = "" if first is None else " ".join("".join(first.itertext()).split())
    return Incoming(original, name[1], int(name[2]), int(revision_id), digest, language, targets, title)


def _targets(file: Any, original: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for unit in file.iter(_tag("trans-unit")):
        its_id = unit.get("id", "")
        if its_id in found:
            raise ValidationError(
                _fault(original, pgettext("staff", "the paragraph “%(id)s” stands in it twice.") % {"id": its_id[:40]})
            )
        source, target = unit.find(_tag("source")), unit.find(_tag("target"))
        codes = {} if source is None else {code.get("id"): code.text or "" for code in source.iter(_tag("ph"))}
        found[its_id] = "" if target is None else "".join(_words(target, codes)).strip()
    return found


def _words(element: Any, codes: Mapping[str, str]) -> Iterator[str]:
    """The text of a target; a code that a tool hands back empty is what it was in the source."""
    if element.tag in {_tag("ph"), _tag("x")} and not element.text:
        yield codes.get(element.get("id"), "")
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str) and child.tag.startswith(f"{{{NAMESPACE}}}"):
            yield from _words(child, codes)
        yield child.tail or ""

"""A pack as files: one PDF, and a ZIP with the PDF and, for each language, a web page and a plain text."""

import io
import re
import zipfile
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from portal import contacts, languages, markup
from portal.facts.documents import Part, Sheet, labels_for, printed
from portal.facts.models import Source
from portal.facts.packs.models import Pack, PackItem
from portal.facts.rules import short_url
from portal.languages import Language
from portal.public import absolute
from portal.revisions.models import Provenance
from portal.revisions.rules import Text

_HEADING: Final = re.compile(r"^#+ +", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^]\n]+)\]\(([^)\s]+)\)")
_STRESS: Final = re.compile(r"(\*\*?)(?=\S)(.+?)(?<=\S)\1")


def pdf(pack: Pack) -> bytes:
    """Raises UnavailableError."""
    first = labels_for(languages.get(pack.languages[0]))
    with translation.override(first.code):
        context = _about(pack, first) | {"sections": _sections(pack), "numbers_are_in_front": True}
    return printed("packs/document.html", context, first)


def archive(pack: Pack) -> bytes:
    """The same bytes for the same version and the same numbers to call. Raises UnavailableError."""
    sections = _sections(pack)
    files = {f"pack-{pack.number}.pdf": pdf(pack)}
    first = labels_for(languages.get(pack.languages[0]))
    with translation.override(first.code):
        context = _about(pack, first) | {"languages": [language for language, _ in sections]}
        files["README.txt"] = render_to_string("packs/readme.txt", context).encode()
    for language, sheets in sections:
        with translation.override(language.code):
            context = _about(pack, language) | {"sheets": sheets, "contacts": contacts.numbers()}
            files[f"{language.code}.html"] = render_to_string("packs/page.html", context).encode()
            context["texts"] = [(sheet, _plain(sheet.parts[0].text)) for sheet in sheets]
            files[f"{language.code}.txt"] = render_to_string("packs/page.txt", context).encode()
    return _zipped(files, pack)


def _about(pack: Pack, language: Language) -> dict[str, object]:
    """Called with the language active, for the addresses."""
    return {
        "pack": pack,
        "labels": language,
        "pack_url": absolute(pack.get_absolute_url()),
        "packs_url": absolute(reverse("packs")),
        "site_name": settings.SITE_NAME,
        "municipality": settings.MUNICIPALITY,
    }


def _sections(pack: Pack) -> list[tuple[Language, list[Sheet]]]:
    """The facts of each language, in the pack's order."""
    found: dict[str, list[Sheet]] = {code: [] for code in pack.languages}
    for item in pack.items.with_texts():
        found[item.language].append(_sheet(item))
    return [(languages.get(code), sheets) for code, sheets in found.items()]


def _sheet(item: PackItem) -> Sheet:
    """The text as it was cited: whatever was published or changed later does not show."""
    revision, wanted = item.revision, languages.get(item.language)
    provenance = Provenance(
        language=revision.language,
        published_at=item.published_at,
        method=revision.method,
        is_example=revision.is_example,
        is_approved=revision.decided_by_id is not None,
        is_outdated=False,
    )
    text = Text(revision.fields, languages.get(revision.language), wanted)
    return Sheet(
        parts=[Part(text, provenance, labels_for(wanted), is_unprintable=False)],
        sources=[Source(**row) for row in item.sources],
        reviewed_on=item.reviewed_on,
        url=short_url(item.fact),
        is_guarded=False,
    )


def _plain(text: Text) -> dict[str, str]:
    """Markdown is nearly plain text: only its marks go, and links show where they lead."""
    body = _LINK.sub(r"\1 (\2)", _HEADING.sub("", text["body"]))
    fields = {
        "title": contacts.expand(text["title"]),
        "summary": contacts.expand(text["summary"]),
        "body": contacts.expand(_STRESS.sub(r"\2", body)),
    }
    if text.language.direction == "rtl":
        fields = {name: markup.isolate_plain(value) for name, value in fields.items()}
    return fields


def _zipped(files: dict[str, bytes], pack: Pack) -> bytes:
    """With the day of the pack on every file: the clock of today would make another file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"pack-{pack.number}/{name}", (*pack.as_of.timetuple()[:3], 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return made.getvalue()

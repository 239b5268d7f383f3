"""XLIFF files for tests: downloaded as in the site, then filled in as a tool would."""

from lxml import etree

from portal import languages
from portal.revisions import actions as revisions
from portal.revisions.exchange import actions
from portal.revisions.exchange.documents import NAMESPACE

N = {"x": NAMESPACE}


def download(*things, language: str = "ar") -> bytes:
    return actions.export([revisions.current(thing) for thing in things], language=languages.get(language))


def units(content: bytes) -> dict[str, dict[str, str]]:
    """By original and id: the text of source and target, and the target's state."""
    found = {}
    for file in etree.fromstring(content).iterfind("x:file", N):
        for unit in file.iterfind(".//x:trans-unit", N):
            source, target = unit.find("x:source", N), unit.find("x:target", N)
            found.setdefault(file.get("original"), {})[unit.get("id")] = (
                "".join(source.itertext()),
                "".join(target.itertext()),
                target.get("state"),
            )
    return found


def filled(content: bytes, **targets: str) -> bytes:
    """The file with these targets, by id (`body_2` for `body.2`); the others say `x` and their id."""
    root = etree.fromstring(content)
    for unit in root.iterfind(".//x:trans-unit", N):
        target = unit.find("x:target", N)
        key = unit.get("id").replace(".", "_")
        if key in targets or not "".join(target.itertext()):
            for child in list(target):
                target.remove(child)
            target.text = targets.get(key, f"x {unit.get('id')}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

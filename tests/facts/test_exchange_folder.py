"""Facts go out as a folder of Markdown files and come back in: nothing is lost, nothing is published, and nothing that
people wrote here is hidden."""

import hashlib
import io
import os
import re
import zipfile
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given, settings, strategies
from hypothesis.extra.django import TestCase

from portal import front_matter, languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.facts import actions, folder
from portal.facts.models import Audience, Fact, Source, Topic
from portal.pages import starter
from portal.revisions import actions as revisions
from portal.revisions.models import Edition, Method, Provenance, Revision, State
from tests import factories
from tests.accounts.people import person, sign_in

pytestmark = pytest.mark.django_db

SWEDISH = """+++
audience = "parents"
topic = "care"
order = 3
title = "Får de ta barnet?"
summary = "Nej. En domstol beslutar."
checked = "2026-11-03"
sources = [
  { law = "LVU", sfs = "1990:52", sections = "1–4 §§" },
]
asked_often = true
+++

## Så går det till

Ring {{phone:social}} om du undrar.
"""
ARABIC = """+++
title = "هل يأخذون الطفل؟"
summary = "لا. المحكمة تقرر."
method = "human"
+++

## كيف يحدث ذلك

اتصلوا على {{phone:social}}.
"""
CHILDREN = """+++
audience = "children"
topic = "care"
version_of = "barnet"
title = "Får de ta mig?"
summary = "Nej. En domstol bestämmer."
+++

Ring {{phone:bris}}.
"""
SV, AR = "facts/barnet/sv.md", "facts/barnet/ar.md"
TOPICS = '[care]\nsv = "Vård"\nar = "الرعاية"\n'


@pytest.fixture
def editor(db):
    return person(Role.EDITOR, email="alva@example.org")


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder as a person would make it: one fact in two languages."""
    root = tmp_path / "folder"
    put(root, "topics.toml", TOPICS)
    put(root, "facts/barnet/sv.md", SWEDISH)
    put(root, "facts/barnet/ar.md", ARABIC)
    return root


@pytest.fixture
def pair(place) -> Path:
    """And a second fact, for children, of the same matter; its folder comes first in the alphabet."""
    put(place, "facts/barn/sv.md", CHILDREN)
    return place


def put(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def take_in(root: Path, *options: str) -> str:
    told = io.StringIO()
    call_command("import_facts", str(root), "--by", "alva@example.org", *options, stdout=told)
    return told.getvalue()


def refused(root: Path) -> list[str]:
    with pytest.raises(CommandError) as refusal:
        take_in(root)
    *mistakes, last = str(refusal.value).splitlines()
    assert last == f"Nothing was changed. Mend these {len(mistakes)} and try again."
    return mistakes


def write_out(root: Path, *options: str) -> dict[str, bytes]:
    call_command("export_facts", str(root), *options, stdout=io.StringIO())
    return contents(root)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def database() -> dict[str, tuple[int, str]]:
    """How many rows every table has, and a checksum of them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t ORDER BY 1')
            rows = [row[0] for row in cursor.fetchall()]
            found[table] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def publish_all() -> None:
    """What people do after an import: a second person reads and approves, Swedish first."""
    approver = person(Role.APPROVER)
    for revision in Revision.objects.filter(state=State.DRAFT).order_by("id"):
        newest = Revision.objects.of(revision.thing).filter(language=revision.language).first()
        if revision == newest:
            factories.send(revision)
            revisions.approve(revision, by=approver)
            revisions.publish(revision, by=approver)


def texts() -> dict[tuple[str, str], dict[str, str]]:
    """The newest text of every fact and language."""
    found = {}
    for revision in Revision.objects.order_by("id"):
        found[revision.thing.slug, revision.language] = revision.fields
    return found


def matters() -> set[frozenset[str]]:
    """Which facts share a matter."""
    found: dict[int, set[str]] = {}
    for slug, matter in Fact.objects.values_list("slug", "matter"):
        found.setdefault(matter, set()).add(slug)
    return {frozenset(slugs) for slugs in found.values()}


def a_library() -> None:
    """Facts with everything that a file has to carry."""
    whole = factories.published_fact("ar", "ti", slug="hela", order=7, is_asked_often=True)
    actions.edit(whole, by=factories.user(), sources=[
        {"title": "LVU", "sfs": "1990:52", "sections": "1–4 §§"},
        {"title": 'En "rapport"', "url": "https://example.org/a?b=1&c=2"},
    ])  # fmt: skip
    # Its sisters: one that comes before it in the alphabet, and one of another topic.
    told = {"matter": whole.matter, "reviewed_on": date(2026, 1, 2), "review_due": date(2026, 6, 7)}
    factories.published_fact("so", slug="barnens", audience=Audience.CHILDREN, **told)
    factories.published_fact(slug="ambassad-2", audience=Audience.EMBASSIES, topic=factories.topic("court"), **told)
    # A matter whose text for parents is not published.
    other = factories.published_fact("en", slug="ambassad", audience=Audience.EMBASSIES, topic=factories.topic("court"))
    factories.published_fact(slug="unga", audience=Audience.CHILDREN, matter=other.matter)
    factories.fact(slug="utan-text", matter=other.matter)
    factories.published_fact(slug="valdsfraga", is_about_violence=True, order=0)
    # Two translations that a change has made outdated, each in its own way, and one that only a comma has passed by.
    old = factories.published_fact("ar", slug="inaktuell")
    factories.publish(old, title="Fråga 2?", summary="Svar sv.", body="Ny text 2 §.", change_note="Ny lag")
    factories.publish(
        old, "so", title="Su'aal?", summary="Jawaab.", body="Qoraal.", method=Method.MACHINE_EDITED, pivot="en"
    )
    factories.publish(old, title="Fråga 3?", summary="Svar sv.", body="Ny text 3 §.", significance="major",
                      change_note='"Ny" lag igen')  # fmt: skip
    factories.publish(old, "ti", title="ሕቶ?", summary="መልሲ።", body="ጽሑፍ።", method=Method.MACHINE)
    factories.publish(old, title="Fråga 3?", summary="Svar, sv.", body="Ny text 3 §.", significance="typo")


def outdated() -> set[tuple[str, str]]:
    slugs = dict(Fact.objects.values_list("pk", "slug"))
    return {(slugs[row.object_id], row.language) for row in Provenance.objects.filter(is_outdated=True)}


# There and back ---------------------------------------------------------------------------------------------------


def test_what_is_exported_comes_back_as_drafts_and_once_published_is_exported_the_same_byte_for_byte(tmp_path, editor):
    with transaction.atomic():
        a_library()
        first, told, late, together = write_out(tmp_path / "first"), texts(), outdated(), matters()
        transaction.set_rollback(True)
    assert {"facts/hela/ti.md", "facts/ambassad/en.md", "facts/valdsfraga/sv.md", "topics.toml"} <= first.keys()
    assert late == {("inaktuell", "ar"), ("inaktuell", "so")}
    assert not Fact.objects.exists()

    take_in(tmp_path / "first")
    assert texts() == told
    unpublished = frozenset({"utan-text"})
    assert matters() == {facts - unpublished for facts in together}
    assert frozenset({"hela", "barnens", "ambassad-2"}) in matters()
    assert {state for (state,) in Revision.objects.values_list("state")} == {State.DRAFT}
    assert {name for (name,) in Revision.objects.values_list("author__email")} == {editor.email}
    assert not Edition.objects.exists()
    assert not Fact.objects.published().exists()

    publish_all()
    assert outdated() == late
    assert write_out(tmp_path / "second") == first


def test_the_texts_that_come_with_the_portal_have_the_same_form(editor):
    told = take_in(starter.FOLDER)
    slugs = {path.name for path in (starter.FOLDER / "facts").iterdir()}
    assert {fact.slug for fact in Fact.objects.all()} == slugs
    assert f"New facts ({len(slugs)}):" in told
    assert not Revision.objects.filter(is_example=True).exists()
    # Their translations do not say how they were made, and nobody vouches for that.
    assert set(Revision.objects.exclude(language="sv").values_list("method", flat=True)) == {Method.MACHINE}
    assert Fact.objects.get(slug="dina-rattigheter").sources.first().title == "LVU"


def test_a_second_run_makes_nothing(place, editor):
    assert "New drafts (1):\n  barnet: sv ar\n" in take_in(place)
    before = database()
    assert take_in(place) == "Here already, word for word: 2 texts.\n"
    publish_all()
    after = database()
    assert after != before
    take_in(place)
    assert database() == after


def test_a_dry_run_says_the_same_and_changes_nothing(place, editor):
    before = database()
    told = take_in(place, "--dry-run")
    assert database() == before
    assert told.endswith("This was a dry run: nothing was changed.\n")
    assert take_in(place) == told.replace("This was a dry run: nothing was changed.\n", "")
    assert told.splitlines()[:6] == [
        "New topics (1):", "  care", "New facts (1):", "  barnet", "New drafts (1):", "  barnet: sv ar",
    ]  # fmt: skip


def test_everything_that_is_no_text_comes_along(place, editor):
    take_in(place)
    fact = Fact.objects.get(slug="barnet")
    assert (fact.audience, fact.topic.key, fact.order) == ("parents", "care", 3)
    assert (fact.is_asked_often, fact.is_about_violence) == (True, False)
    assert (str(fact.matter.reviewed_on), str(fact.matter.review_due)) == ("2026-11-03", "2027-11-03")
    source = fact.sources.get()
    assert (source.title, source.sfs, source.sections, source.url) == ("LVU", "1990:52", "1–4 §§", "")
    assert getattr(Topic.objects.get(key="care"), languages.suffixed("name", "ar")) == "الرعاية"
    arabic = Revision.objects.get(language="ar")
    assert (arabic.method, arabic.based_on.language) == (Method.HUMAN, "sv")
    verbs = AuditEvent.objects.about(fact).values_list("verb", "language", "by__email")
    assert ("import", "ar", editor.email) in verbs


def test_only_some_languages_can_be_exported_and_swedish_always_is(tmp_path):
    factories.published_fact("ar", "ti", slug="hela")
    assert write_out(tmp_path / "out", "--languages", "ti").keys() == {
        "topics.toml", "facts/hela/sv.md", "facts/hela/ti.md",
    }  # fmt: skip


def test_what_is_not_published_is_not_exported(tmp_path):
    fact = factories.published_fact("ar", slug="hela")
    revisions.draft(fact, language="so", fields={"title": "UTKAST"}, by=factories.user())
    factories.fact(slug="utan-text")
    gone = factories.published_fact(slug="borttagen")
    revisions.withdraw(gone, language="sv", by=factories.user(), reason="Fel")
    found = write_out(tmp_path / "out")
    assert found.keys() == {"topics.toml", "facts/hela/sv.md", "facts/hela/ar.md"}


def test_what_is_held_back_from_readers_is_not_exported_as_if_it_were_up_to_date(tmp_path):
    fact = factories.published_fact("ar")
    factories.publish(fact, title="Ny?", summary="Nytt svar.", body="Ny text.", is_dangerous_if_old=True)
    assert [name for name, _ in folder.files()] == ["topics.toml", f"facts/{fact.slug}/sv.md"]


def test_an_export_goes_into_an_empty_folder_only(tmp_path):
    factories.published_fact()
    note = put(tmp_path, "note.txt", "Mine")
    with pytest.raises(CommandError, match="is not empty"):
        write_out(tmp_path)
    assert contents(tmp_path) == {"note.txt": note.read_bytes()}


def test_editors_get_the_same_export_as_one_file(tmp_path, editor):
    factories.published_fact("ar", slug="hela")
    response = sign_in(editor).get("/staff/facts/export.zip")
    assert re.fullmatch(r'attachment; filename="facts-\d{4}-\d\d-\d\d\.zip"', response["Content-Disposition"])
    packed = zipfile.ZipFile(io.BytesIO(response.content))
    assert packed.testzip() is None
    assert {name: packed.read(name) for name in packed.namelist()} == write_out(tmp_path / "out")


# Nothing that people wrote is lost --------------------------------------------------------------------------------


def test_a_text_that_somebody_went_on_with_here_is_left_alone(place, editor):
    take_in(place)
    publish_all()
    fact = Fact.objects.get(slug="barnet")
    mine = revisions.draft(fact, language="ar", fields={"title": "نصي"}, by=factories.user())
    before = database()
    assert "Left alone (1):\n  facts/barnet/ar.md: there is a newer text here" in take_in(place)
    change(place / "facts/barnet/ar.md", "هل يأخذون الطفل؟", "سؤال آخر؟")
    assert "facts/barnet/ar.md: the text here has gone its own way" in take_in(place)
    assert Revision.objects.of(fact).filter(language="ar").first() == mine
    assert database() == before


def test_a_file_that_changed_since_the_last_import_makes_a_new_draft(place, editor):
    take_in(place)
    publish_all()
    change(place / "facts/barnet/ar.md", "هل يأخذون الطفل؟", "سؤال آخر؟")
    assert take_in(place).startswith("New drafts (1):\n  barnet: ar\n")
    fact = Fact.objects.get(slug="barnet")
    # Readers see no change, and the version they read is kept.
    assert getattr(fact, languages.suffixed("title", "ar")) == "هل يأخذون الطفل؟"
    assert [r.state for r in Revision.objects.of(fact).filter(language="ar")] == [State.DRAFT, State.PUBLISHED]


def test_a_file_that_was_exported_and_then_changed_makes_a_draft_unless_the_text_changed_here_too(tmp_path, editor):
    fact = factories.published_fact("ar", "so", slug="hela")
    write_out(tmp_path)
    for code in ("ar", "so"):
        change(tmp_path / f"facts/hela/{code}.md", f"Svar {code}.", f"Bättre {code}.")
    factories.publish(fact, "so", title="Annat?", summary="Svar.", body="Text.")
    told = take_in(tmp_path)
    assert "New drafts (1):\n  hela: ar\n" in told
    assert "Left alone (1):\n  facts/hela/so.md: the text here has gone its own way" in told
    assert texts()["hela", "ar"]["summary"] == "Bättre ar."
    assert texts()["hela", "so"]["title"] == "Annat?"


def test_a_new_swedish_text_and_its_translation_belong_together_and_an_old_translation_stays_outdated(tmp_path, editor):
    factories.published_fact("ar", "so", slug="hela")
    write_out(tmp_path)
    change(tmp_path / "facts/hela/sv.md", "Svar sv.", "Nytt svar.")
    change(tmp_path / "facts/hela/ar.md", "Svar ar.", "Nytt ar.")
    change(
        tmp_path / "facts/hela/ar.md", re.search(r"based_on = .*\n", (tmp_path / "facts/hela/ar.md").read_text())[0], ""
    )
    take_in(tmp_path)
    publish_all()
    assert outdated() == {("hela", "so")}


def test_settings_that_somebody_changed_here_are_left_alone_and_others_are_changed(place, tmp_path, editor):
    take_in(place)
    fact = Fact.objects.get(slug="barnet")
    change(place / "facts/barnet/sv.md", "order = 3", "order = 4")
    assert "Settings changed (1):\n  barnet: order\n" in take_in(place)
    fact.refresh_from_db()
    assert fact.order == 4
    actions.edit(fact, by=editor, order=9)
    before = database()
    assert "facts/barnet/sv.md: order: other values were chosen here" in take_in(place)
    assert database() == before

    publish_all()
    write_out(tmp_path / "out")
    change(tmp_path / "out/facts/barnet/sv.md", "order = 9", "order = 10")
    assert "barnet: order" in take_in(tmp_path / "out")
    fact.refresh_from_db()
    assert fact.order == 10


def test_topics_that_are_here_keep_their_names(place, editor):
    factories.topic("care")
    actions.name_topic(key="care", names={"sv": "Vår vård"}, by=editor)
    assert "New topics" not in take_in(place)
    assert getattr(Topic.objects.get(key="care"), languages.suffixed("name", "sv")) == "Vår vård"


def test_an_import_is_by_somebody_who_may_write_facts(place):
    person(Role.REPORTER, email="rapport@example.org")
    gone = person(Role.EDITOR, email="borta@example.org")
    gone.is_active = False
    gone.save()
    before = database()
    for email in ("rapport@example.org", "borta@example.org", "ingen@example.org"):
        with pytest.raises(CommandError, match="the account of an editor"):
            call_command("import_facts", str(place), "--by", email)
    assert database() == before


# Facts that share a matter ------------------------------------------------------------------------------------------


def test_versions_of_one_matter_share_what_the_first_file_says_and_a_second_run_makes_nothing(pair, editor):
    assert "Joined to the matter of (1):\n  barnet: barn\n" in take_in(pair)
    first, version = Fact.objects.get(slug="barnet"), Fact.objects.get(slug="barn")
    assert version.matter == first.matter
    assert [str(source) for source in version.sources.all()] == ["LVU 1–4 §§"]
    before = database()
    assert take_in(pair) == "Here already, word for word: 3 texts.\n"
    publish_all()
    after = database()
    take_in(pair)
    assert database() == after != before


def test_a_dry_run_says_which_facts_would_be_joined(pair, editor):
    before = database()
    told = take_in(pair, "--dry-run")
    assert "New facts (2):\n  barnet\n  barn\nJoined to the matter of (1):\n  barnet: barn\n" in told
    assert database() == before


def test_what_a_matter_has_is_written_once(tmp_path):
    a_library()
    found = {name: content.decode() for name, content in write_out(tmp_path / "out").items()}
    for slug, first in [("barnens", "hela"), ("ambassad-2", "hela"), ("ambassad", "unga")]:
        assert f'version_of = "{first}"\n' in found[f"facts/{slug}/sv.md"]
        assert not re.search(r"^(checked|check_again|sources) ", found[f"facts/{slug}/sv.md"], re.MULTILINE)
    for slug in ("hela", "unga", "valdsfraga"):
        assert "version_of" not in found[f"facts/{slug}/sv.md"]
        assert re.search(r"^checked = .*\ncheck_again = .*\nsources = \[", found[f"facts/{slug}/sv.md"], re.MULTILINE)
    assert "checked" not in found["facts/barnens/so.md"]


def test_a_version_may_name_a_fact_that_is_here_and_not_in_the_folder(pair, tmp_path, editor):
    take_in(pair)
    put(tmp_path, "one/facts/ambassad/sv.md", CHILDREN.replace('"children"', '"embassies"'))
    assert "  barnet: ambassad\n" in take_in(tmp_path / "one")
    assert matters() == {frozenset({"barnet", "barn", "ambassad"})}
    # And any of its versions: what is here has no first.
    change(tmp_path / "one/facts/ambassad/sv.md", "barnet", "barn")
    assert take_in(tmp_path / "one") == "Here already, word for word: 1 texts.\n"


def test_a_version_may_repeat_what_the_first_file_says(pair, editor):
    said = SWEDISH[SWEDISH.index("checked") : SWEDISH.index("asked_often")]
    change(pair / "facts/barn/sv.md", "title =", f"{said}title =")
    take_in(pair)
    before = database()
    assert take_in(pair) == "Here already, word for word: 3 texts.\n"
    assert matters() == {frozenset({"barnet", "barn"})}
    assert database() == before


def test_folders_from_before_there_was_the_key_say_nothing_of_it_and_change_nothing_of_it(pair, editor):
    take_in(pair)
    before = database()
    said = SWEDISH[SWEDISH.index("checked") : SWEDISH.index("asked_often")]
    change(pair / "facts/barn/sv.md", 'version_of = "barnet"\n', said)
    assert take_in(pair) == "Here already, word for word: 3 texts.\n"
    assert database() == before
    change(pair / "facts/barn/sv.md", "1–4 §§", "5 §")
    (mistake,) = refused(pair)
    assert mistake.startswith("facts/barnet/sv.md:8: sources: Not the same as in “barn”")
    assert mistake.endswith('here only version_of = "barn".')
    assert database() == before


def test_a_change_of_the_first_file_holds_for_all_and_each_version_keeps_settings_of_its_own(tmp_path, editor):
    a_library()
    write_out(tmp_path / "out")
    change(tmp_path / "out/facts/hela/sv.md", '"1–4 §§"', '"5 §"')
    change(tmp_path / "out/facts/barnens/sv.md", "order = 100", "order = 5")
    told = take_in(tmp_path / "out")
    assert "Settings changed (2):\n  hela: sources\n  barnens: order\n" in told
    assert "Left alone" not in told
    fact = Fact.objects.get(slug="barnens")
    assert (fact.order, fact.sources.first().sections) == (5, "5 §")
    assert "Settings changed" not in take_in(tmp_path / "out")


def test_what_somebody_changed_on_the_page_of_one_version_is_not_undone_by_the_file_of_another(pair, editor):
    take_in(pair)
    actions.edit(Fact.objects.get(slug="barn"), by=editor, sources=[{"title": "Ny rapport"}])
    before = database()
    assert "facts/barnet/sv.md: sources: other values were chosen here" in take_in(pair)
    assert database() == before


def test_what_was_called_still_right_here_is_not_taken_back(pair, editor):
    take_in(pair)
    matter = Fact.objects.get(slug="barnet").matter
    actions.confirm(matter, by=editor, on=date(2027, 2, 1), seen=matter.version)
    before = database()
    assert "facts/barnet/sv.md: checked, check_again: other values were chosen here" in take_in(pair)
    assert database() == before


CHILD = "facts/barn/sv.md"
WRONG_VERSIONS = {
    "unknown": ({CHILD: ('"barnet"', '"ingen"')}, [f"{CHILD}:4: version_of: There is no fact “ingen”, neither here"]),
    "itself": ({CHILD: ('"barnet"', '"barn"')}, [f"{CHILD}:4: version_of: A fact is no version of itself."]),
    "chain": (
        {"facts/ambassad/sv.md": ('version_of = "barnet"', 'version_of = "barn"')},
        ["facts/ambassad/sv.md:4: version_of: “barn” is itself a version of another fact."],
    ),
    "ring": (
        {SV: ('checked = "2026-11-03"\n', 'version_of = "barn"\nchecked = "2026-11-03"\n')},
        [
            f"{SV}:7: version_of: “barn” is itself a version of another fact.",
            f"{CHILD}:4: version_of: “barnet” is itself a version of another fact.",
            "facts/ambassad/sv.md:4: version_of: “barnet” is itself a version of another fact.",
        ],
    ),
    "one audience": (
        {"facts/ambassad/sv.md": ('"embassies"', '"children"')},
        [f"{CHILD}:2: audience: There is a text of this matter for them already: ambassad."],
    ),
    "the audience of the first": (
        {CHILD: ('"children"', '"parents"')},
        [f"{CHILD}:2: audience: There is a text of this matter for them already: barnet."],
    ),
    "other sources": (
        {CHILD: ('version_of = "barnet"', 'version_of = "barnet"\nsources = [{ law = "SoL", sfs = "2025:400" }]')},
        [f"{CHILD}:5: sources: Not the same as in “barnet”, which is of the same matter."],
    ),
    "no sources": (
        {CHILD: ('version_of = "barnet"', 'version_of = "barnet"\nsources = []')},
        [f"{CHILD}:5: sources: Not the same as in “barnet”"],
    ),
    "another date": (
        {CHILD: ('version_of = "barnet"', 'version_of = "barnet"\nchecked = "2026-11-04"')},
        [f"{CHILD}:5: checked: Not the same as in “barnet”"],
    ),
    "no text": ({CHILD: ('"barnet"', "3")}, [f"{CHILD}:4: version_of has to be a text in quotation marks."]),
    "NUL": ({CHILD: ('"barnet"', '"a\\u0000"')}, [f"{CHILD}:4: version_of holds a NUL"]),
    "of a translation": (
        {AR: ('method = "human"', 'version_of = "barn"')},
        [f"{AR}:4: “version_of” is no key of this file."],
    ),
    # What is wrong with the first is said once, and of the versions only what is wrong with themselves.
    "a first that is wrong": ({SV: ("= 3", "= -3")}, [f"{SV}:4: order: "]),
    "a first that cannot be read": ({SV: ("+++\n\n", "\n")}, [f"{SV}:1: The second line"]),
}


@pytest.mark.parametrize("case", WRONG_VERSIONS)
def test_what_is_wrong_with_a_version_is_said_with_file_and_line_and_nothing_is_changed(case, pair, editor):
    spoilt, wanted = WRONG_VERSIONS[case]
    put(pair, "facts/ambassad/sv.md", CHILDREN.replace('"children"', '"embassies"'))
    for name, (old, new) in spoilt.items():
        change(pair / name, old, new)
    before = database()
    mistakes = refused(pair)
    assert len(mistakes) == len(wanted), mistakes
    for sentence in wanted:
        assert [mistake for mistake in mistakes if mistake.startswith(sentence)], mistakes
    assert database() == before


def test_a_fact_that_is_here_is_not_moved_to_another_matter(pair, editor):
    change(pair / CHILD, 'version_of = "barnet"', 'checked = "2026-11-03"')
    take_in(pair)
    assert matters() == {frozenset({"barnet"}), frozenset({"barn"})}
    change(pair / CHILD, 'checked = "2026-11-03"', 'version_of = "barnet"')
    before = database()
    (mistake,) = refused(pair)
    assert mistake.startswith(f"{CHILD}:4: version_of: This fact is here already, of another matter than “barnet”")
    assert database() == before


def test_staff_pages_would_say_it_in_swedish(pair, editor):
    change(pair / CHILD, '"barnet"', '"ingen"')
    with pytest.raises(folder.FolderError) as refusal:
        folder.take_in(pair, by=editor)
    assert str(refusal.value) == f"{CHILD}:4: version_of: Det finns ingen faktatext ”ingen”, varken här eller i mappen."


# Folders that cannot be taken in ------------------------------------------------------------------------------------

WRONG = {
    "no toml": (SV, lambda t: t.replace('audience = "parents"', "audience = parents"), f"{SV}:2: This is not TOML"),
    "toml is torn": (SV, lambda t: t.replace('"1–4 §§" },\n]', '"1–4 §§" },\n'), f"{SV}:11: This is not TOML"),
    "yaml": (SV, lambda t: t.replace("+++", "---"), f"{SV}:1: .*YAML"),
    "no front matter": (SV, lambda _: "# Rubrik", rf"{SV}:1: The first line has to be \+\+\+"),
    "no end": (SV, lambda t: t.replace("+++\n\n", "\n"), f"{SV}:1: The second line"),
    "empty": (SV, lambda _: "", f"{SV}:1: The first line"),
    "no title": (SV, lambda t: re.sub("title = .*\n", "", t), f"{SV}:1: title is missing"),
    "no topic": (SV, lambda t: re.sub("topic = .*\n", "", t), f"{SV}:1: topic is missing"),
    "no date": (SV, lambda t: re.sub("checked = .*\n", "", t), f"{SV}:1: checked is missing"),
    "no summary": (AR, lambda t: re.sub("summary = .*\n", "", t), f"{AR}:1: summary is missing"),
    "no body": (AR, lambda t: t[: t.rindex("+++") + 4], f"{AR}:6: body: This field is required"),
    "a key misspelled": (SV, lambda t: t.replace("order =", "ordr ="), f"{SV}:4: “ordr” is no key"),
    "a key of others": (AR, lambda t: t.replace("method =", "order = 1\nmethod ="), f"{AR}:4: “order” is no key"),
    "order no number": (SV, lambda t: t.replace("= 3", '= "3"'), f"{SV}:4: order has to be a number"),
    "order too small": (SV, lambda t: t.replace("= 3", "= -3"), f"{SV}:4: order: "),
    "flag no flag": (SV, lambda t: t.replace("= true", '= "nej"'), f"{SV}:11: asked_often has to be true or false"),
    "no such topic": (SV, lambda t: t.replace('"care"', '"nothing"'), f"{SV}:3: There is no topic “nothing”"),
    "no such audience": (SV, lambda t: t.replace('"parents"', '"all"'), f"{SV}:2: audience: "),
    "no such date": (SV, lambda t: t.replace("2026-11-03", "2026-13-03"), f"{SV}:7: checked: Enter a valid date"),
    "due before": (SV, lambda t: t.replace("order = 3", 'check_again = "2026-11-02"'), f"{SV}:4: check_again: "),
    "sources no list": (SV, lambda t: re.sub(r"sources = \[[^]]*\]", 'sources = "LVU"', t), f"{SV}:8: sources has to"),
    "source unnamed": (SV, lambda t: t.replace('law = "LVU", ', ""), f"{SV}:8: sources has to be a list"),
    "source too long": (SV, lambda t: t.replace('"1990:52"', f'"{"9" * 99}"'), f"{SV}:8: sources: "),
    "source no link": (SV, lambda t: t.replace("sfs =", 'url = "javascript:1", sfs ='), f"{SV}:8: sources: Enter"),
    "title too long": (AR, lambda t: t.replace("هل", "ه" * 161), f"{AR}:2: title: Ensure this value has at most 160"),
    "no such method": (AR, lambda t: t.replace('"human"', '"magic"'), f"{AR}:4: method: "),
    "base unknown": (AR, lambda t: t.replace("method", f'based_on = "{"0" * 64}"\nmethod'), f"{AR}:4: based_on: No"),
    "a personal number": (AR, lambda t: t.replace("كيف", "19811218-9876"), f"{AR}:7: body: .*personal identity"),
    "one in the title": (SV, lambda t: t.replace("Får", "8112189876"), f"{SV}:5: title: .*personal identity"),
    "no number to call": (SV, lambda t: t.replace("phone:social", "phone:x"), rf"{SV}:16: body: \{{\{{phone:x"),
    "braces in the answer": (AR, lambda t: t.replace("لا.", "{{"), rf"{AR}:3: summary: \{{\{{"),
    "typo": (SV, lambda t: t.replace("order = 3", 'significance = "small"'), f"{SV}:4: significance: "),
    "NUL": (SV, lambda t: t.replace("undrar", "und\0rar"), f"{SV}:14: body: Null characters"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_file_and_line_and_nothing_is_changed(case, place, editor):
    name, spoil, wanted = WRONG[case]
    put(place, "facts/ok/sv.md", SWEDISH)
    path = place / name
    spoilt = spoil(path.read_text("utf-8"))
    assert spoilt != path.read_text("utf-8")
    path.write_text(spoilt, "utf-8")
    before = database()
    mistakes = refused(place)
    assert [mistake for mistake in mistakes if re.match(wanted, mistake)], mistakes
    assert len(mistakes) == 1
    assert "9811218" not in mistakes[0]
    assert database() == before


def test_all_mistakes_of_all_files_are_named_at_once(place, editor):
    put(place, "facts/ett/sv.md", SWEDISH.replace('"care"', '"x"').replace("= 3", "= -1"))
    put(place, "facts/ett/ar.md", ARABIC.replace("لا.", "ا" * 21_000))
    put(place, "facts/tva/sv.md", "Ingenting")
    mistakes = refused(place)
    assert sorted(mistake.split(": ")[0] for mistake in mistakes) == [
        "facts/ett/ar.md:3", "facts/ett/sv.md:3", "facts/ett/sv.md:4", "facts/tva/sv.md:1",
    ]  # fmt: skip


def hostile(root: Path, secret: Path) -> dict[str, str]:
    """Things that lie in a folder, and what is said of each."""
    facts = root / "facts"
    (facts / "barnet" / "so.md").symlink_to(secret)
    (facts / "utanfor").symlink_to(secret.parent)
    os.mkfifo(facts / "barnet" / "ti.md")
    (facts / "barnet" / "pl.md").mkdir()
    put(root, "facts/barnet/en.md", b"+++\n" + b"x" * 2_000_000)
    put(root, "facts/barnet/fi.md", SWEDISH.encode("latin-1", "ignore"))
    put(root, "facts/barnet/xx.md", ARABIC)
    put(root, "facts/barnet/ar.markdown", ARABIC)
    put(root, "facts/Dubbel/sv.md", SWEDISH)
    put(root, "facts/dubbel/sv.md", SWEDISH)
    put(root, "facts/utan-svenska/ar.md", ARABIC)
    put(root, "facts/lös.md", SWEDISH)
    put(root, "facts/ett namn/sv.md", SWEDISH)
    put(root, "facts/rad\nbrott/sv.md", SWEDISH)
    put(root, "facts/" + "a" * 61 + "/sv.md", SWEDISH)
    return {
        "facts/barnet/so.md:1": "This is a link",
        "facts/utanfor:1": "This is no folder",
        "facts/barnet/ti.md:1": "This is no file",
        "facts/barnet/pl.md:1": "This is no file",
        "facts/barnet/en.md:1": "It is larger than 256 KB",
        "facts/barnet/fi.md:5": "It is not UTF-8",
        "facts/barnet/xx.md:1": "No language is called that",
        "facts/barnet/ar.markdown:1": "No language is called that",
        "facts/dubbel:1": "Another folder has the same address",
        "facts/utan-svenska:1": "The Swedish text, sv.md, is missing",
        "facts/lös.md:1": "This is no folder",
        "facts/ett namn/sv.md:1": "slug: ",
        "facts/'rad\\nbrott'/sv.md:1": "slug: ",
        f"facts/{'a' * 61}/sv.md:1": "slug: ",
    }


def test_a_hostile_folder_is_refused_in_sentences(place, tmp_path, editor):
    secret = put(tmp_path, "elsewhere/secret.md", ARABIC.replace("لا.", "HEMLIGT"))
    wanted = hostile(place, secret)
    before = database()
    told = refused(place)
    found = dict(mistake.split(": ", 1) for mistake in told)
    assert found.keys() == wanted.keys()
    assert len(told) == len(wanted)
    for where, sentence in wanted.items():
        assert found[where].startswith(sentence), where
    assert "HEMLIGT" not in str(found)
    assert database() == before


def test_a_large_file_is_not_read_to_its_end(place, editor):
    with open(place / AR, "wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert refused(place) == [f"{AR}:1: It is larger than 256 KB: no text of ours is."]


@pytest.mark.parametrize("root", ["nowhere", "file", "empty"])
def test_a_folder_that_is_none_is_said_to_be_none(root, tmp_path, editor):
    put(tmp_path, "file", "x")
    (tmp_path / "empty").mkdir()
    assert re.search(r"There (is no such folder|has to be a folder here)", refused(tmp_path / root)[0])


def test_topics_that_cannot_be_read_are_refused(place, editor):
    for content, line in [("[care", 1), ("care = 1", 1), ('[care]\nxx = "Vård"', 1), ('["a b"]\nsv = "Vård"', 1)]:
        put(place, "topics.toml", content)
        assert refused(place)[0].startswith(f"topics.toml:{line}: ")


def test_files_from_other_systems_are_read_as_if_they_were_ours(place, editor):
    take_in(place)
    told = texts()
    for name in (SV, AR):
        path = place / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    put(place, "facts/.DS_Store", b"\0")
    put(place, "facts/barnet/.sv.md.swp", b"\0")
    put(place, "README.md", "Om mappen")
    assert take_in(place) == "Here already, word for word: 2 texts.\n"
    assert texts() == told


def test_a_number_that_changed_cannot_come_in_as_a_correction_of_the_spelling(tmp_path, editor):
    factories.published_fact(slug="hela")
    write_out(tmp_path)
    change(tmp_path / "facts/hela/sv.md", "1–4 §§", "1–5 §§")
    change(tmp_path / "facts/hela/sv.md", 'significance = "content"', 'significance = "typo"')
    assert "facts/hela/sv.md:" in refused(tmp_path)[0]
    assert "That is a change of content" in refused(tmp_path)[0]


def test_an_older_text_has_to_be_the_one_it_is_named_after(tmp_path, editor):
    with transaction.atomic():
        a_library()
        found = write_out(tmp_path)
        transaction.set_rollback(True)
    old = next(name for name in found if folder.OLD.search(name))
    change(tmp_path / old, "title = ", 'title = "Ny" # ')
    assert any(mistake.startswith(f"{old}:") for mistake in refused(tmp_path))


# Property ---------------------------------------------------------------------------------------------------------

line = strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=60)


@given(
    meta=strategies.dictionaries(
        strategies.from_regex(r"[a-z_]{1,9}", fullmatch=True),
        line | strategies.integers(0, 999) | strategies.booleans(),
    ),
    body=line,
)
def test_every_file_is_read_as_it_was_written(meta, body):
    body = body.replace("\r", "\n").strip()
    read = front_matter.parse(front_matter.written(meta, body), "facts/x/sv.md")
    assert (read.meta, read.body, read.key, read.language) == (meta, body, "x", "sv")


class TestRoundTrip(TestCase):
    """Every text that can be published goes out and comes back as it was."""

    @settings(max_examples=25)
    @given(title=line, summary=line, body=line)
    def test_every_text_comes_back_as_it_was(self, title, summary, body):
        import tempfile

        person(Role.EDITOR, email="alva@example.org")
        text = revisions.cleaned(Fact, {"title": f"T {title}", "summary": f"S {summary}", "body": f"B {body}"})
        with tempfile.TemporaryDirectory() as root:
            with transaction.atomic():
                fact = factories.fact(slug="ett")
                try:
                    factories.publish(fact, **text)
                except Exception:  # noqa: BLE001 - what cannot be published is no example
                    transaction.set_rollback(True)
                    return
                write_out(Path(root))
                transaction.set_rollback(True)
            take_in(Path(root))
        assert texts() == {("ett", "sv"): text}
        assert Source.objects.count() == 0

"""What is in a file, and what is not, for each level and each role."""

import json
import re
from datetime import UTC, date, datetime

import pytest

from portal import guard
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors import actions as rumors
from rumors.exports.models import Export
from rumors.exports.words import COLUMNS, RUMOR, SIGHTING
from rumors.models import Narrative, Rumor
from rumors.pairs import actions as pairs
from tests import factories
from tests.accounts.people import person
from tests.exports.conftest import CLAIM, Exporter, log, named, work

MARK = "HEMLIGT MÄRKE"
PHONE = "070-123 45 67"
NUMBER = next(f"19850101-{n:04}" for n in range(1000, 9999) if guard.find(f"19850101-{n:04}"))
OTHER = "Det sägs att kommunen tjänar pengar på varje barn."


def full() -> Rumor:
    """Something in every column."""
    rumor = log(
        original="قالوا إنهم يأخذون الأطفال",
        original_language="ar",
        area="Norrby",
        url="https://example.org/inlägg",
        archive_url="https://archive.example.org/1",
        country="Tyskland",
        audience="parents",
        spreader="media",
        reached=1200,
    )
    editor = named("Cilla Handläggare")
    narrative = Narrative.objects.create(name="Staten vill ha våra barn")
    rumors.edit(rumor, by=editor, narratives=[narrative], review_on=date(2026, 12, 24))
    rumors.rate(rumor, verdict="false", basis="LVU 1 §", by=editor)
    rumors.assign(rumor, to=editor, by=editor)
    return Rumor.objects.get(pk=rumor.pk)


def test_everything_is_in_the_file_of_who_may_have_everything(editor):
    rumor = full()
    (row,) = editor.rows(what="sightings", level="3")
    assert set(row) == set(COLUMNS)
    assert row | {
        "number": str(rumor), "claim": CLAIM, "status": "Nytt", "verdict": "Falskt", "verdict_basis": "LVU 1 §",
        "original": "قالوا إنهم يأخذون الأطفال", "original_language": "العربية", "language": "العربية",
        "area": "Norrby",
        "assignee": "Cilla Handläggare", "sighting_logged_by": "Bo Loggare", "reached": "1200",
        "narratives": "Staten vill ha våra barn", "seen_on": "2026-11-01", "review_on": "2026-12-24",
        "sightings_count": "1", "url": rumor.sightings.get().url, "is_threat": "nej",
    } == row  # fmt: skip


def test_colleagues_get_no_names_of_staff(manager):
    full()
    (row,) = manager.rows(what="sightings", level="2")
    assert set(COLUMNS) - set(row) == {"assignee", "logged_by", "sighting_logged_by"}
    assert "Handläggare" not in str(row)
    assert "Loggare" not in str(row)


def test_others_get_no_words_links_names_days_or_small_districts(manager):
    full()
    for number in range(5):
        log(f"Det sägs att {number} är sant.", area="Hulta")
    log(OTHER, area="hulta")
    log(f"{OTHER} Igen.", area="Sjöbo", is_threat=False)
    rows = manager.rows(what="sightings", level="1")
    kept_back = {"original", "sighting_original", "url", "archive_url", "assignee", "logged_by", "sighting_logged_by"}
    assert set(COLUMNS) - set(rows[0]) == kept_back | {"verdict_basis", "status_reason"}
    assert [row["area"] for row in rows] == ["", *["Hulta"] * 5, "hulta", ""]
    assert {row["seen_on"] for row in rows} == {"2026-11"}
    assert rows[0]["review_on"] == "2026-12"
    assert not re.search(r"\d{4}-\d\d-\d\d", str(rows).replace("R-2026", ""))
    told = json.dumps(manager.objects(level="1"), ensure_ascii=False)
    assert not re.search(r"\d{4}-\d\d-\d\d|قالوا|example|Norrby|Loggare|LVU", told.replace("R-2026", ""))


def test_what_the_guard_finds_is_taken_out_and_counted(manager):
    log(f"{CLAIM} Ring {PHONE}.", original="anna@example.se sade det", url="https://example.org/?q=070-123%2045")
    (row,) = manager.rows(what="sightings")
    assert row["claim"] == f"{CLAIM} Ring […]."
    assert row["original"] == row["sighting_original"] == "[…] sade det"
    assert "På 3 ställen stod" in " ".join(manager.page().split())
    assert PHONE not in json.dumps(manager.objects())


@pytest.mark.parametrize("level", ["1", "2", "3"])
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_personal_number_leaves_in_no_file(editor, level, kind):
    """It came in before the guard knew its spelling."""
    Rumor.objects.filter(pk=log().pk).update(claim=f"Det sägs att {NUMBER} ringer {PHONE}.")
    content = editor.content(level=level, kind=kind).decode()
    assert NUMBER not in content
    assert "Det sägs att […] ringer" in content
    assert (PHONE in content) == (level == "3")
    said = "andra nummer och adresser finns kvar i den" if level == "3" else "I filen står det"
    assert said in " ".join(editor.page().split())


def test_everything_means_phone_numbers_too_and_says_so(editor):
    log(f"{CLAIM} Ring {PHONE}.")
    (row,) = editor.rows(level="3")
    assert PHONE in row["claim"]
    assert "På 1 ställe stod" in " ".join(editor.page().split())


def test_a_cell_that_runs_is_neutralized_in_csv_and_excel_but_not_in_json(editor):
    log("=HYPERLINK(1)", original="\t＝1+1", area="@Norrby")
    (row,) = editor.rows(what="sightings", level="3")
    assert (row["claim"], row["original"], row["area"]) == ("'=HYPERLINK(1)", "'\t＝1+1", "'@Norrby")
    sheet = editor.sheet(what="sightings", level="3")
    assert "'=HYPERLINK(1)" in sheet[1]
    assert 1.0 in sheet[1]
    assert editor.objects(level="3")[0]["claim"] == "=HYPERLINK(1)"


def test_excel_has_real_days_and_numbers(editor):
    rumor = full()
    header, row = editor.sheet(what="sightings", level="3")
    found = dict(zip(header, row, strict=True))
    assert found["Hördes"] == date(2026, 11, 1)
    assert found["Ungefär hur många det har nått"] == 1200
    logged = found["När det antecknades"]
    assert isinstance(logged, datetime)
    assert abs((logged.astimezone(UTC) - rumor.logged_at).total_seconds()) < 2 * 3600 + 60


def test_json_speaks_in_codes_and_in_utc(editor):
    rumor = full()
    rumors.sight(rumor, channel="tiktok", seen_on=date(2026, 11, 2), by=person(Role.EDITOR))
    (found,) = editor.objects(level="3")
    assert set(found) == set(RUMOR) | {"sightings"}
    assert found["status"] == "new"
    assert found["original_language"] == "ar"
    assert found["is_answered"] is False
    assert found["sightings_count"] == 2
    assert found["topic"] is None
    assert found["narratives"] == ["Staten vill ha våra barn"]
    assert found["logged_at"] == f"{rumor.logged_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    names = {name.removeprefix("sighting_") for name in SIGHTING}
    assert [set(sighting) for sighting in found["sightings"]] == [names, names]
    assert [sighting["channel"] for sighting in found["sightings"]] == ["web", "tiktok"]


def test_csv_with_commas_is_csv_with_commas(editor):
    log()
    content = editor.content(kind="csv_comma", rumor_columns=["number", "claim"]).decode()
    assert content.startswith("\ufeffRyktets nummer,Påstående\r\n")


def test_the_filters_of_the_list_and_the_chosen_columns_hold(editor):
    log(channel="tiktok")
    log(OTHER)
    page = editor.client.get("/staff/rumors/export/?channel=tiktok&status=").content.decode()
    assert "TikTok" in page
    assert 'value="channel=tiktok"' in page
    rows = editor.rows({"channel": "tiktok"}, rumor_columns=["claim", "number"])
    assert [list(row) for row in rows] == [["number", "claim"]]
    assert rows[0]["claim"] == CLAIM
    assert "TikTok" in editor.page()


def test_nothing_chosen_is_no_file(editor):
    assert editor.order(rumor_columns=[]).status_code == 422
    assert editor.order(rumor_columns=["assignee"], level="2").status_code == 422
    assert editor.order(level="9").status_code == 422


def test_an_empty_register_makes_an_empty_file(editor):
    assert editor.rows() == []
    assert editor.objects() == []
    assert len(editor.sheet()) == 1


# Secret ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def secrets(db) -> list[Rumor]:
    """A secret rumor, an open one with a threat, one that is a threat, and one whose repetition is secret no more."""
    open_one = log(OTHER)
    rumors.sight(
        open_one, channel="phone", seen_on=date(2026, 11, 1), by=person(Role.EDITOR), original=MARK, is_threat=True
    )
    return [log(f"{MARK} ett", sensitivity="secret", area=MARK), open_one, log(f"{MARK} två", is_threat=True)]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.MANAGER, Role.AUDITOR, Role.SECURITY])
def test_what_is_secret_is_in_nobodys_file_who_has_not_asked_for_it(role, secrets):
    exporter = Exporter(role)
    level = "3" if role in {Role.EDITOR, Role.SECURITY} else "2"
    for what in ("rumors", "sightings"):
        for kind in ("csv", "json"):
            content = exporter.content(what=what, kind=kind, level=level).decode()
            assert MARK not in content
            assert OTHER in content
        assert MARK not in str(exporter.sheet(what=what, level=level))
    # Nor does a filter tell whether it is there.
    assert exporter.rows({"words": MARK}) == []
    if role != Role.SECURITY:
        assert exporter.order(with_secret="on", level=level).status_code == 302
        assert not exporter.export().with_secret
    assert not AuditEvent.objects.filter(by=exporter.user, verb="read").exists()


def test_who_may_read_secret_ones_gets_them_when_they_ask_and_each_is_logged_as_read(security, secrets):
    rows = security.rows(what="sightings", with_secret="on", level="3")
    assert len(rows) == 4
    assert {row["claim"] for row in rows} == {f"{MARK} ett", OTHER, f"{MARK} två"}
    read = AuditEvent.objects.filter(by=security.user, verb="read").order_by("object_id")
    assert {event.object_id for event in read} == {str(rumor.pk) for rumor in secrets}
    # Rows of rumors show nothing of a threat against an open one.
    AuditEvent.objects.filter(verb="read")
    security.rows(what="rumors", with_secret="on", level="3")
    assert AuditEvent.objects.filter(by=security.user, verb="read").count() == 5


def test_a_repeated_rumor_is_told_by_number(editor):
    one, other = log(), log(OTHER)
    pairs.merge(other, into=one, by=person(Role.EDITOR))
    rows = editor.rows(rumor_columns=["number", "same_as", "sightings_count"])
    assert [(row["same_as"], row["sightings_count"]) for row in rows] == [("", "2"), (str(one), "1")]


@pytest.mark.parametrize("name", ["words", "area"])
def test_an_export_is_not_ordered_by_a_personal_number_and_nothing_chosen_is_lost(editor, name):
    answer = editor.order({name: NUMBER, "priority": "high"}, kind="json", level="3")
    assert answer.status_code == 422
    form = answer.context["form"]
    assert "personnummer" in str(form.non_field_errors())
    assert (form["kind"].value(), form["level"].value()) == ("json", "3")
    assert not Export.objects.exists()
    assert editor.order({"priority": "high"}).status_code == 302


def test_a_phone_number_in_a_filter_is_not_told_to_the_log(editor):
    editor.rows({"words": PHONE})
    (note,) = AuditEvent.objects.filter(verb="export").values_list("note", flat=True)
    assert PHONE not in note
    assert "[…]" in note


def test_a_filter_that_is_none_any_more_makes_no_file_of_everything(editor):
    log()
    gone = factories.topic()
    editor.order({"topic": str(gone.pk)})
    gone.delete()
    work()
    assert editor.export().rows_count == 0

"""A list comes in: in three steps, whole or not at all, and once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import guard, spoken
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors import actions as rumors
from rumors.imports import actions, rules
from rumors.imports.models import Batch, Habit, Line, State
from rumors.models import Numbering, Rumor, Sighting
from rumors.pairs import actions as pairs
from tests.accounts.people import person, sign_in
from tests.imports.conftest import CLAIM, Importer, csv_of, excel_of, row
from tests.overtaken import closing, is_waited_for

OTHER = "Det sägs att kommunen tjänar pengar på varje barn."


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def log(claim=CLAIM, **values) -> Rumor:
    values = {"channel": "web", "seen_on": date(2026, 11, 1), "by": person(Role.EDITOR)} | values
    return rumors.log(claim=claim, **values)


def outcomes(batch: Batch) -> list[str]:
    return list(batch.lines.values_list("outcome", flat=True))


def test_a_list_becomes_rumors_and_sightings(reporter):
    known = log(OTHER)
    batch = reporter.check(csv_of(row(), row(day="2026-11-04"), row(OTHER.upper()), row(f"{known}", day="5/11 2026")))
    assert batch.columns == {"seen_on": 0, "claim": 1, "channel": 2, "original_language": 3}
    assert outcomes(batch) == ["new", "sighting", "sighting", "new"]
    assert Rumor.objects.count() == 1
    page = words(reporter.page())
    assert f"En iakttagelse {known}" in page
    assert "av ryktet i rad 2" in page
    assert reporter.do().status_code == 302
    assert Batch.objects.get().state == State.DONE
    made = Rumor.objects.get(claim=CLAIM)
    assert made.logged_by == reporter.user
    assert [(s.seen_on, s.channel, s.language) for s in made.sightings.all()] == [
        (date(2026, 11, 4), "home_visit", "so"),
        (date(2026, 11, 3), "home_visit", "so"),
    ]
    assert known.sightings.count() == 2
    verbs = AuditEvent.objects.filter(by=reporter.user).order_by("pk").values_list("verb", flat=True)
    assert sorted(verbs) == ["import", "log", "log", "sight", "sight"]
    assert not Line.objects.exclude(cells=[], values={}).exists()


def test_a_rumor_is_named_by_its_number(reporter):
    known, merged = log(OTHER), log("Det sägs något annat.")
    pairs.merge(merged, into=known, by=person(Role.EDITOR))
    header = ["Datum", "Nummer", "Kanal"]
    batch = reporter.check(
        csv_of(
            ["2026-11-03", str(known), "tiktok"],
            ["2026-11-04", str(merged).lower(), "TikTok"],
            ["2026-11-05", "R-1999-0001", "x"],
            ["2026-11-05", "ett rykte", "x"],
            header=header,
        )
    )
    assert [line.rumor for line in batch.lines.all()] == [known, known, None, None]
    assert [line.faults for line in batch.lines.refused()] == [
        ["Det finns inget rykte med det numret."],
        ["Ryktets nummer: Det är inget nummer på ett rykte, som R-2026-0042."],
    ]
    reporter.do(skips_refused="on")
    assert known.sightings.filter(channel="tiktok").count() == 2


@pytest.mark.parametrize("make", [csv_of, excel_of])
def test_the_same_list_again_doubles_nothing_whoever_sends_it(reporter, make):
    rows = [row(), row(OTHER, day="2026-11-05"), row()]
    batch = reporter.check(make(*rows))
    assert outcomes(batch) == ["new", "new", "there"]
    assert batch.lines.get(number=4).faults == ["Den säger samma sak som rad 2."]
    reporter.do()
    before = Sighting.objects.count()
    colleague = Importer(person(Role.REPORTER))
    for someone, again in ((reporter, csv_of(*rows)), (colleague, excel_of(*rows))):
        assert outcomes(someone.check(again)) == ["there"] * 3
        assert "Det finns inget att importera" in words(someone.page())
        assert someone.do().status_code == 422
    assert Sighting.objects.count() == before == 2


def test_a_double_click_and_a_second_tab_import_once(reporter):
    reporter.check(csv_of(row()))
    for _ in range(3):
        assert reporter.do().status_code == 302
    assert Sighting.objects.count() == 1
    assert actions.work() == 0


def test_all_or_nothing_unless_the_faulty_rows_are_left_out_on_purpose(reporter):
    batch = reporter.check(csv_of(row(), row(OTHER, day="i förrgår"), row(OTHER, where="månen", day="2026-11-31")))
    assert outcomes(batch) == ["new", "refused", "refused"]
    page = words(reporter.page("?show=refused"))
    assert "När: Den dagen går inte att förstå" in page
    assert "Var: Ordet är inte känt här: ”månen”." in page
    assert CLAIM not in page
    assert reporter.do().status_code == 422
    assert not Rumor.objects.exists()
    file = reporter.client.get(f"/staff/rumors/import/{batch.pk}/faults.csv")
    lines = file.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Datum;Påstående;Var;Språk;Vad som är fel"
    assert len(lines) == 3
    assert lines[1].startswith("i förrgår;")
    assert reporter.do(skips_refused="on").status_code == 302
    assert Rumor.objects.get().claim == CLAIM
    # What is to be mended can still be had; the rest is gone.
    assert Line.objects.exclude(cells=[]).count() == 2


def test_a_list_is_its_senders_alone(reporter):
    batch = reporter.check(csv_of(row()))
    others = sign_in(person(*Role))
    for place in ("", "check/", "faults.csv"):
        answer = others.get(f"/staff/rumors/import/{batch.pk}/{place}", follow=True)
        assert CLAIM not in answer.content.decode()
        assert answer.redirect_chain == [("/staff/rumors/import/", 302)]
    for place in ("", "check/", "drop/"):
        others.post(f"/staff/rumors/import/{batch.pk}/{place}", reporter.columns())
    assert Batch.objects.get().state == State.CHECKED
    assert not Rumor.objects.exists()
    assert str(batch.pk) not in re.findall(r"/import/(\d+)/", others.get("/staff/rumors/import/").content.decode())


def test_a_list_can_be_thrown_away_and_is_purged_after_a_week(reporter):
    batch = reporter.check(csv_of(row()))
    reporter.client.post(f"/staff/rumors/import/{batch.pk}/drop/")
    assert not Line.objects.exists()
    reporter.check(csv_of(row()))
    assert actions.purge(now=timezone.now() + timedelta(days=6)) == 0
    later = timezone.now() + timedelta(days=7, minutes=1)
    assert not Batch.objects.fresh(later).exists()
    assert actions.purge(now=later) == 1
    assert not Line.objects.exists()


def test_what_the_columns_were_is_remembered_for_this_person_alone(reporter):
    header = ["Tillfälle", "Mening", "Kanal"]
    content = csv_of(["2026-11-03", CLAIM, ""], header=header)
    reporter.send(content)
    assert reporter.batch().columns == {"channel": 2}
    assert reporter.map().status_code == 422
    said = {
        "column_seen_on": "0",
        "column_claim": "1",
        "fixed_channel": "school_preschool",
        "fixed_seen_on": "2026-11-01",
    }
    assert reporter.map(**said).status_code == 302
    assert reporter.batch().lines.get().values["channel"] == "school_preschool"
    reporter.send(content)
    assert reporter.batch().columns == {"seen_on": 0, "claim": 1, "channel": 2}
    assert reporter.batch().fixed == {"channel": "school_preschool"}
    somebody = Importer(person(Role.REPORTER))
    somebody.send(content)
    assert somebody.batch().columns == {"channel": 2}
    assert Habit.objects.count() == 1


def test_one_column_is_one_field_and_a_claim_is_needed(reporter):
    reporter.send(csv_of(row()))
    answer = words(reporter.map(column_area="1").content.decode())
    assert "Den kolumnen är redan tagen för: Påståendet" in answer
    answer = words(reporter.map(column_claim="", column_seen_on="").content.decode())
    assert "Säg vilken kolumn som har påståendet" in answer
    assert "Välj en kolumn, eller vad som gäller för alla rader" in answer
    assert "Listan har ingen sådan kolumn" in words(reporter.map(column_claim="99").content.decode())
    assert reporter.batch().state == State.SENT


# Languages -------------------------------------------------------------------------------------------------------

SOMALI = "Waxay yiraahdeen in bulshada adeeggeedu ay carruurta ka qaadanayaan waalidkood sabab la'aan"
HEADER = ["Datum", "Påstående", "Var", "Språk", "Citat"]


@pytest.mark.skipif(not spoken.is_installed(), reason="the guessers are an extra")
def test_the_language_is_guessed_from_the_words_where_the_list_does_not_say_it(reporter):
    content = csv_of(
        ["2026-11-03", CLAIM, "web", "", SOMALI],
        ["2026-11-03", CLAIM, "web", "Arabiska", SOMALI],
        ["2026-11-03", CLAIM, "web", "", "Hej hej"],
        ["2026-11-03", CLAIM, "web", "", ""],
        header=HEADER,
    )
    batch = reporter.check(content)
    assert [(line.values["original_language"], line.tongue) for line in batch.lines.all()] == [
        ("so", "guessed"),
        ("ar", "told"),
        ("sv", "unsure"),
        ("sv", "told"),
    ]
    page = words(reporter.page())
    assert "Soomaali – somaliska, gissat av orden" in page
    assert "Svenska det framgår inte av orden" in page
    reporter.do()
    assert Rumor.objects.get().original_language == "so"
    assert sorted(Sighting.objects.values_list("language", flat=True)) == ["ar", "so", "sv", "sv"]


@pytest.mark.skipif(not spoken.is_installed(), reason="the guessers are an extra")
def test_what_holds_for_all_rows_holds_where_the_words_do_not_tell(reporter):
    content = csv_of(
        ["2026-11-03", CLAIM, "web", "", SOMALI], ["2026-11-04", CLAIM, "web", "", "Hej hej"], header=HEADER
    )
    batch = reporter.check(content, fixed_original_language="ti")
    assert [line.values["original_language"] for line in batch.lines.all()] == ["so", "ti"]


@pytest.mark.skipif(not spoken.is_installed(), reason="the guessers are an extra")
def test_a_row_is_the_same_whatever_is_guessed_of_it(reporter):
    line = reporter.check(csv_of(["2026-11-03", CLAIM, "web", "", SOMALI], header=HEADER)).lines.get()
    assert line.values["original_language"] == "so"
    assert line.digest == rules.digest(line.values | {"original_language": "sv"})


# Secret ----------------------------------------------------------------------------------------------------------


def test_a_secret_rumor_does_not_exist_for_who_may_not_read_it(reporter, security):
    secret = log(sensitivity="secret")
    content = csv_of(row(), ["2026-11-04", "", "web", "sv"], header=["Datum", "Påstående", "Var", "Språk"])
    assert outcomes(reporter.check(content)) == ["new", "refused"]
    header = ["Datum", "Nummer", "Var"]
    batch = reporter.check(csv_of(["2026-11-03", str(secret), "web"], header=header))
    assert batch.lines.get().faults == ["Det finns inget rykte med det numret."]
    assert outcomes(security.check(content)) == ["sighting", "refused"]
    batch = security.check(csv_of(["2026-11-03", str(secret), "web"], header=header))
    assert batch.lines.get().rumor == secret


def test_a_row_whose_rumor_has_become_secret_is_as_if_nobody_had_imported_it(reporter):
    content, colleague = csv_of(row()), Importer(person(Role.REPORTER))
    reporter.check(content)
    reporter.do()
    rumors.edit(Rumor.objects.get(), sensitivity="secret", by=person(Role.EDITOR))
    for _ in range(2):  # and theirs is not doubled
        if outcomes(colleague.check(content)) == ["new"]:
            assert colleague.do().status_code == 302
    assert outcomes(colleague.batch()) == ["there"]
    assert Rumor.objects.count() == Sighting.objects.count() == 2
    # Who has imported it knows anyway, but not where it went.
    assert outcomes(reporter.check(content)) == ["there"]
    assert str(Rumor.objects.get(sensitivity="secret")) not in reporter.page()


def test_a_threat_that_a_colleague_has_imported_is_told_to_nobody(reporter, security):
    log(OTHER)
    header = ["Datum", "Påstående", "Var", "Hot"]
    content = csv_of(["2026-11-03", OTHER, "web", "ja"], header=header)
    reporter.check(content)
    reporter.do()
    assert outcomes(Importer(person(Role.REPORTER)).check(content)) == ["sighting"]
    assert outcomes(security.check(content)) == ["there"]


def test_a_row_with_a_threat_is_kept_as_one(reporter, security):
    known = log(OTHER)
    header = ["Datum", "Påstående", "Var", "Hot"]
    content = csv_of(
        ["2026-11-03", CLAIM, "web", "ja"], ["2026-11-04", OTHER, "web", "Ja"], ["2026-11-04", OTHER, "web", "kanske"],
        header=header,
    )  # fmt: skip
    batch = reporter.check(content)
    assert outcomes(batch) == ["new", "sighting", "refused"]
    reporter.do(skips_refused="on")
    made = Rumor.objects.get(claim=CLAIM)
    assert made.is_secret
    assert Sighting.objects.filter(is_threat=True).count() == 2
    assert not Sighting.objects.visible_to(reporter.user).filter(rumor=known, channel="web", is_threat=True).exists()
    assert str(made) not in reporter.page()
    assert str(known) in reporter.page()


def test_a_secret_row_makes_a_secret_rumor_and_never_joins_an_open_one(reporter):
    log(OTHER)
    header = ["Datum", "Påstående", "Var", "Sekretess"]
    batch = reporter.check(
        csv_of(
            ["2026-11-03", CLAIM, "web", "secret"],
            ["2026-11-04", CLAIM, "web", ""],
            ["2026-11-05", CLAIM, "web", "SECRET"],
            ["2026-11-04", OTHER, "web", "Secret"],
            header=header,
        )
    )
    assert outcomes(batch) == ["new", "new", "sighting", "refused"]
    reporter.do(skips_refused="on")
    secret = Rumor.objects.get(claim=CLAIM, sensitivity="secret")
    assert secret.sightings.count() == 2
    assert Rumor.objects.get(claim=CLAIM, sensitivity="internal").sightings.count() == 1


# The guard -------------------------------------------------------------------------------------------------------

NUMBER = "19850101-1236"


def test_a_personal_number_is_never_kept_and_refuses_its_row(reporter):
    number = next(f"19850101-{n:04}" for n in range(1000, 9999) if guard.find(f"19850101-{n:04}"))
    header = [*["Datum", "Påstående", "Var", "Ord"], "Personnummer"]
    content = csv_of(
        ["2026-11-03", CLAIM, "web", f"Ring {number}", ""],
        ["2026-11-03", OTHER, "web", "", number],
        header=header,
    )
    batch = reporter.check(content, column_original="3")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM imports_line WHERE cells::text LIKE %s", [f"%{number[-4:]}%"])
        assert cursor.fetchone() == (0,)
    # A column that nothing is taken from does no harm.
    assert outcomes(batch) == ["refused", "new"]
    assert "personnummer" in batch.lines.first().faults[0]
    file = reporter.client.get(f"/staff/rumors/import/{batch.pk}/faults.csv").content.decode()
    assert "Ring […]" in file
    assert number not in file + reporter.page()


def test_what_may_point_at_a_person_needs_one_reason_for_the_list(reporter):
    header = ["Datum", "Påstående", "Var", "Länk"]
    content = csv_of(
        ["2026-11-03", f"{CLAIM} Ring 070-123 45 67.", "web", ""],
        ["2026-11-03", OTHER, "web", ""],
        ["2026-11-03", f"{OTHER} Ring 08-123 45 67", "web", ""],
        header=header,
    )
    batch = reporter.check(content)
    assert [line.kinds for line in batch.lines.all()] == [["phone"], [], ["phone"]]
    assert "I 2 rader står" in words(reporter.page())
    assert reporter.do().status_code == 422
    assert reporter.do(ground="public", ground_words=f"Ring {NUMBER}").status_code == 422
    assert reporter.do(ground="public", ground_words="070-123 45 67").status_code == 422
    assert not Rumor.objects.exists()
    assert reporter.do(ground="organization", ground_words="Växeln").status_code == 302
    excuses = AuditEvent.objects.filter(verb="log").order_by("pk").values_list("excuse", flat=True)
    said = {"kinds": ["phone"], "ground": "organization", "words": "Växeln"}
    assert list(excuses) == [said, None, said]


def test_a_district_is_never_an_address(reporter):
    header = ["Datum", "Påstående", "Var", "Område"]
    batch = reporter.check(csv_of(["2026-11-03", CLAIM, "web", "Storgatan 5"], header=header))
    assert batch.lines.get().faults == ["Stadsdel: Ange stadsdelen, aldrig en adress."] or outcomes(batch) == [
        "refused"
    ]
    reporter.send(csv_of(["2026-11-03", CLAIM, "web", ""], header=header))
    assert reporter.map(fixed_area="Storgatan 5", column_area="").status_code == 422


# A worker --------------------------------------------------------------------------------------------------------


@pytest.fixture
def long_list(reporter, monkeypatch) -> Batch:
    """Too long to wait for."""
    monkeypatch.setattr("rumors.imports.rules.AT_ONCE", 1)
    batch = reporter.check(csv_of(row(), row(OTHER)))
    assert reporter.do().status_code == 302
    batch.refresh_from_db()
    assert batch.state == State.PROMISED
    return batch


def test_a_long_list_is_a_promise_that_a_worker_keeps(reporter, long_list):
    assert not Rumor.objects.exists()
    page = words(reporter.page())
    assert "Listan importeras" in page
    assert actions.work() == 1
    assert Rumor.objects.count() == 2
    assert "Vad som importerades" in words(reporter.page())
    assert actions.work() == 0


def test_while_it_is_imported_it_cannot_be_changed_or_deleted(reporter, long_list):
    assert reporter.map(column_claim="0").status_code == 302
    reporter.client.post(f"/staff/rumors/import/{long_list.pk}/drop/")
    assert Batch.objects.get().state == State.PROMISED
    assert actions.work() == 1


def test_a_worker_that_dies_in_the_middle_has_done_nothing(reporter, long_list, monkeypatch):
    real, made = rumors.log, []

    def dies(**values):
        if made:
            raise KeyboardInterrupt
        made.append(real(**values))
        return made[0]

    monkeypatch.setattr("rumors.imports.actions.rumors.log", dies)
    with pytest.raises(KeyboardInterrupt):
        actions.work()
    assert not Rumor.objects.exists()
    assert Batch.objects.get().state == State.PROMISED
    monkeypatch.setattr("rumors.imports.actions.rumors.log", real)
    assert actions.work() == 1
    assert Rumor.objects.count() == 2


def test_what_kills_every_worker_is_given_up_and_says_so(reporter, long_list, monkeypatch):
    def dies(**values):
        raise RuntimeError

    monkeypatch.setattr("rumors.imports.actions.rumors.log", dies)
    for _ in range(Batch.MOST_ATTEMPTS):
        with pytest.raises(RuntimeError):
            actions.work()
    assert actions.work() == 0
    assert Batch.objects.get().state == State.FAILED
    assert "Listan importerades inte" in words(reporter.page())
    assert not Rumor.objects.exists()


def test_who_may_not_log_any_more_imports_nothing(reporter, long_list):
    reporter.user.groups.clear()
    assert actions.work() == 0
    assert Batch.objects.get().state == State.FORBIDDEN
    reporter.user.groups.add(*person(Role.REPORTER).groups.all())
    page = words(Importer(reporter.user).page())
    assert "fick du inte längre registrera" in page
    assert "tre gånger" not in page
    assert not Rumor.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_long_list_of_somebody_else(monkeypatch):
    reporter = Importer(person(Role.REPORTER))
    batch = reporter.check(csv_of(row()))
    with ThreadPoolExecutor(1) as pool, actions._alone() as is_alone:
        assert is_alone
        answer = pool.submit(closing, reporter.do).result(30)
    assert answer.status_code == 302
    assert "Det börjar snart" in words(reporter.page())
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == (State.PROMISED, 0)
    assert not Numbering.objects.exists()
    assert actions.work() == 1
    assert Rumor.objects.get().number == 1


def test_what_somebody_else_did_meanwhile_is_seen(reporter, long_list):
    """The claim was logged by hand: the row becomes a sighting of it, and no second rumor."""
    by_hand = log(OTHER)
    assert actions.work() == 1
    assert by_hand.sightings.count() == 2
    assert Rumor.objects.count() == 2


def test_a_rumor_that_has_become_secret_meanwhile_hands_the_list_back(reporter, monkeypatch):
    known = log(OTHER)
    header = ["Datum", "Nummer", "Var"]
    batch = reporter.check(csv_of(["2026-11-03", str(known), "web"], header=header))
    rumors.edit(known, sensitivity="secret", by=person(Role.EDITOR))
    reporter.do()
    batch.refresh_from_db()
    assert (batch.state, batch.is_overtaken) == (State.CHECKED, True)
    assert "Något i registret har ändrats" in words(reporter.page())
    assert outcomes(batch) == ["refused"]
    assert known.sightings.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_a_list_once(monkeypatch):
    reporter = Importer(person(Role.REPORTER))
    monkeypatch.setattr("rumors.imports.rules.AT_ONCE", 1)
    batch = reporter.check(csv_of(*(row(f"Det sägs att nummer {number} är sant.") for number in range(20))))
    reporter.do()

    def one() -> bool:
        try:
            return actions.carry_out(batch.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        done = [future.result() for future in [pool.submit(one) for _ in range(3)]]
    assert done.count(True) == 1
    assert Rumor.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_two_people_with_the_same_list_import_it_once(monkeypatch):
    monkeypatch.setattr("rumors.imports.rules.AT_ONCE", 0)
    content = csv_of(*(row(f"Det sägs att nummer {number} är sant.") for number in range(20)))
    batches = []
    for _ in range(2):
        someone = Importer(person(Role.REPORTER))
        batches.append(someone.check(content))
        someone.do()

    def one(batch) -> bool:
        try:
            return actions.carry_out(batch.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        done = [future.result() for future in [pool.submit(one, batch) for batch in batches]]
    # Who finds another list under way leaves it to the next tick.
    assert sum(done) + actions.work() == 2
    assert not Batch.objects.exclude(state=State.DONE).exists()
    assert Rumor.objects.count() == Sighting.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_others_number_rumors_while_a_list_is_being_imported(monkeypatch):
    monkeypatch.setattr("rumors.imports.rules.AT_ONCE", 0)
    known, reporter = log(OTHER), Importer(person(Role.REPORTER))
    batch = reporter.check(csv_of(row("Det sägs att ett är sant."), row(OTHER), row("Det sägs att två är sant.")))
    reporter.do()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            rumors.locked(known)
            importing = pool.submit(closing, actions.carry_out, batch.pk)
            while not is_waited_for():
                assert not importing.done()
            meanwhile = pool.submit(closing, log, "Det sägs att någon ringer.").result(30)
            assert not importing.done()
        assert importing.result(30)
    numbers = dict(Rumor.objects.values_list("claim", "number"))
    assert numbers == {
        OTHER: 1,
        "Det sägs att ett är sant.": 2,
        "Det sägs att två är sant.": 3,
        meanwhile.claim: 4,
    }


def test_placing_rows_takes_the_same_queries_for_any_number_of_them(reporter):
    counts = []
    for many in (5, 60):
        reporter.send(csv_of(*(row(f"Det sägs att nummer {number} av {many} är sant.") for number in range(many))))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            reporter.map()
        counts.append(len(queries))
    assert counts[1] - counts[0] <= 2


def test_lists_beyond_one_page_stand_on_the_next(reporter, monkeypatch):
    monkeypatch.setattr("rumors.imports.views.SHOWN", 2)
    for _ in range(3):
        reporter.send(csv_of(row()))
    pages = [reporter.client.get(f"/staff/rumors/import/?page={number}") for number in (1, 2)]
    assert 'href="?page=2"' in pages[0].content.decode()
    assert len({batch.pk for page in pages for batch in page.context["page"]}) == 3

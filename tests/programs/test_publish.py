"""Versions of the program, what readers see of them, and who is told."""

from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from zoneinfo import ZoneInfo

import html5lib
import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from events import actions as events
from events.programs import actions, rules
from events.programs.models import ProgramVersion
from events.registrations import actions as registrations
from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.mail.rules import compose
from portal.revisions.actions import ChangedMeanwhileError
from tests import factories
from tests.programs.conftest import clock, line, named, person, put_off, rewrite, rows_of, write

STOCKHOLM = ZoneInfo("Europe/Stockholm")
JURIST = person("Nils Fjällvind", "jurist", "kommunen")


def words(element) -> str:
    return " ".join("".join(element.itertext()).split())


def parsed(response):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.content.decode())


def program_of(client, event, code="sv"):
    """The cells of the public program, row by row."""
    cache.clear()
    page = parsed(client.get(f"/{code}/events/{event.slug}/"))
    table = page.find(".//table")
    return [] if table is None else [[words(cell) for cell in row] for row in table.find("tbody")]


def deeds(before, after, code="sv"):
    return [(change.deed.value, (change.title or {"title": "–"})["title"]) for change in rules.changes(before, after)]


@pytest.fixture
def event(make_event):
    return make_event(
        "sv", are_speakers_public=True, program=[line("08:30-09:00", "Välkommen"), line("09:00-10:00", "Lagen", JURIST)]
    )


def test_readers_see_the_newest_version_and_nothing_of_the_draft(client, event):
    write(event, *rows_of(event), line("10:00-10:15"))
    assert [row[1] for row in program_of(client, event)] == ["Välkommen", "Lagen"]
    actions.publish(event, by=factories.user())
    assert [row[1] for row in program_of(client, event)] == ["Välkommen", "Lagen", "Paus"]
    assert "10:00" in program_of(client, event)[2][0]
    assert list(event.program_versions.values_list("number", flat=True)) == [2, 1]


def test_a_version_does_not_change_with_the_lines_that_it_was_made_of(event):
    newest = event.program_versions.newest()
    event.program.all().delete()
    newest.refresh_from_db()
    assert [each.text["title"] for each in newest.read("sv")] == ["Välkommen", "Lagen"]


def test_versions_are_numbered_one_by_one_and_nothing_new_is_no_version(event):
    with pytest.raises(ValidationError):
        actions.publish(event, by=factories.user())
    with pytest.raises(IntegrityError, match="program_versions_of_an_event_are_numbered"), transaction.atomic():
        ProgramVersion.objects.create(event=event, number=1, lines=[], texts={})
    assert event.program_versions.count() == 1


def test_whoever_publishes_has_seen_what_is_published(event):
    seen = event.program.version()
    write(event, line("08:30-09:00", "Annat"))
    with pytest.raises(ChangedMeanwhileError):
        actions.publish(event, by=factories.user(), seen=seen)
    assert event.program_versions.count() == 1


def test_readers_are_told_no_times_of_a_program_that_has_not_moved_with_its_event(client, event):
    put_off(event, hours=1)
    assert program_of(client, event) == [["Välkommen", ""], ["Lagen", "Nils Fjällvind, jurist, kommunen"]]
    actions.move(event, by=factories.user())
    actions.publish(event, by=factories.user())
    assert [row[0].replace("\u2060", "") for row in program_of(client, event)] == ["09:30–10:00", "10:00–11:00"]


def test_a_program_that_is_taken_away_is_gone_for_readers(client, event):
    write(event)
    actions.publish(event, by=factories.user())
    assert program_of(client, event) == []


def test_each_line_is_read_whole_in_the_language_of_the_reader_or_the_next_one(client, make_event):
    texts = {"titles": {"sv": "Inledning", "ar": "مقدمة"}, "abstracts": {"sv": "Vi hälsar.", "ar": "نرحب."}}
    half = {"titles": {"sv": "Frågor"}, "abstracts": {"sv": "Fråga på.", "ar": "اسأل."}}
    persian = {"titles": {"sv": "Slut", "fa": "پایان"}}
    event = make_event(
        "sv",
        program=[
            line("08:00-08:10", "x", **texts),
            line("08:10-08:20", "x", **half),
            line("08:20-08:30", "x", **persian),
        ],
    )
    assert [row[1] for row in program_of(client, event, "ar")] == ["مقدمة نرحب.", "Frågor Fråga på.", "Slut"]
    # Dari reads Persian before Swedish.
    assert [row[1] for row in program_of(client, event, "prs")] == ["Inledning Vi hälsar.", "Frågor Fråga på.", "پایان"]
    page = parsed(client.get(f"/ar/events/{event.slug}/"))
    marks = {words(span): span.get("data-fallback") for span in page.find(".//table").iter("span")}
    assert marks == {"مقدمة": None, "Frågor": "sv", "Slut": "sv"}


def test_a_page_asks_for_the_program_once_and_for_the_languages_of_its_reader_alone(client, event):
    rewrite(event, lambda rows: rows[0].update(titles={"sv": "Hej", "so": "Salaan hoose"}))
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/ar/events/{event.slug}/")
    asked = [query["sql"] for query in queries if "programs_programversion" in query["sql"]]
    assert len(asked) == 1
    version = event.program_versions.read_in("ar").newest()
    assert set(version.snapshot.texts) == {"sv"}
    assert "texts" in version.get_deferred_fields()
    assert not any('"events_programitem"' in query["sql"] for query in queries)


def test_days_of_an_event_of_several_have_their_dates(client, make_event):
    starts = datetime(2027, 4, 22, 9, tzinfo=STOCKHOLM)
    event = make_event(
        "sv",
        starts_at=starts,
        lasts=timedelta(days=1),
        program=[line("09:00-10:00", "Ett"), line("09:00-10:00", "Två", day=2)],
    )
    assert [row[0] for row in program_of(client, event) if len(row) == 1] == [
        "Torsdag 22 april 2027",
        "Fredag 23 april 2027",
    ]


# What changes --------------------------------------------------------------------------------------------------


def test_what_changes_is_found_line_by_line(event):
    before = event.program_versions.newest().read("sv")

    def changed(rows):
        rows[0] |= {"titles": {"sv": "Hej och välkommen"}, "abstracts": {"sv": "Vi hälsar."}}
        rows[1] |= {"starts": clock("09:15"), "speakers": [*rows[1]["speakers"], person("Mira Sandhav")]}
        rows.append(line("10:00-11:00", "Frågor"))

    after = rewrite(event, changed).read("sv")
    assert deeds(before, after) == [
        ("renamed", "Hej och välkommen"),
        ("described", "Hej och välkommen"),
        ("moved", "Lagen"),
        ("cast", "Lagen"),
        ("added", "Frågor"),
    ]
    assert deeds(after, before) == [
        ("renamed", "Välkommen"),
        ("described", "Välkommen"),
        ("moved", "Lagen"),
        ("cast", "Lagen"),
        ("removed", "Frågor"),
    ]
    assert "cast" not in [change.deed for change in rules.changes(before, after, with_speakers=False)]


def test_a_translation_that_has_not_followed_is_no_news_and_the_swedish_title_says_what_is(event):
    texts = {f"{item.pk}-title": f"عنوان {item.pk}" for item in event.program.all()}
    actions.name_program(event, language="ar", texts=texts, by=factories.user())
    before = actions.publish(event, by=factories.user())
    assert deeds(event.program_versions.get(number=1).read("ar"), before.read("ar")) == []
    assert rules.translated(event.program_versions.get(number=1).snapshot, before.snapshot) == ["ar"]
    after = rewrite(event, lambda rows: rows[0].update(titles={"sv": "Hej"}))
    (change,) = rules.changes(before.read("ar"), after.read("ar"))
    assert (change.old_title["title"], change.title["title"]) == ("Välkommen", "Hej")
    assert change.title.is_fallback


def test_staff_see_what_changes_before_they_publish_it_and_that_it_waits(staff, event):
    office = staff(Role.EVENTS)
    base = f"/staff/events/{event.pk}/"
    waits = f"{base}program/publish/"
    assert waits not in office.get(base).content.decode()
    write(event, *rows_of(event)[:1], line("10:00-11:00", "Frågor", person("Mira Sandhav")))
    assert waits in office.get(base).content.decode()
    page = parsed(office.get(waits))
    items = [words(item) for item in page.find(".//main").iter("li")]
    assert any("Frågor" in item and "10:00" in item for item in items)
    assert any("Lagen" in item for item in items)
    assert "Mira Sandhav" in words(page.find(".//main"))  # has not agreed to be named
    seen = next(field.get("value") for field in page.iter("input") if field.get("name") == "seen")
    response = office.post(waits, {"seen": seen, "note": "Nils är sjuk"})
    assert response.url == base
    version = event.program_versions.newest()
    assert (version.number, version.note, version.is_to_be_told) == (2, "Nils är sjuk", False)
    earlier = office.get(f"{base}program/versions/2/").content.decode()
    assert "Nils är sjuk" in earlier
    assert "Lagen" in earlier
    assert office.get(f"{base}program/versions/3/").status_code == 404


def test_a_note_with_a_personal_number_is_refused_and_nothing_is_published(staff, event):
    write(event, line("08:30-09:00", "Annat"))
    sent = {"seen": event.program.version(), "note": "19121212-1212"}
    response = staff(Role.EVENTS).post(f"/staff/events/{event.pk}/program/publish/", sent)
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["note"])
    assert event.program_versions.count() == 1


def test_others_than_the_events_role_publish_nothing(staff, event):
    write(event, line("08:30-09:00", "Annat"))
    for role in (Role.TRANSLATOR, Role.EDITOR, Role.APPROVER):
        office = staff(role)
        assert office.post(f"/staff/events/{event.pk}/program/publish/").status_code == 403, role
        assert office.get(f"/staff/events/{event.pk}/program/publish/").status_code == 403, role
    assert event.program_versions.count() == 1


# Telling -------------------------------------------------------------------------------------------------------


@pytest.fixture
def now(event):
    """The clock, to be moved; everything above happened an hour ago."""
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False) as moved:
        yield moved


def told() -> list[str]:
    return sorted(Delivery.objects.filter(kind=actions.PROGRAM).values_list("recipient", flat=True))


def sit(event, name, **more):
    return registrations.register(event, name=name, email=f"{name}@example.org", language="sv", **more)


def add_line(title="Frågor", when="10:00-11:00"):
    return lambda rows: rows.append(line(when, title))


def test_who_has_registered_is_told_once_by_the_clock_when_it_has_settled(event, now):
    first = sit(event, "bo")
    now.shift(60)
    registrations.cancel(sit(event, "gone"))
    now.shift(60)
    rewrite(event, add_line(), is_to_be_told=True)
    now.shift(60)
    sit(event, "late")
    actions.keep(timezone.now())
    assert told() == []
    now.shift(61)
    for _worker in range(2):
        actions.keep(timezone.now())
    assert told() == ["bo@example.org"]
    delivery = Delivery.objects.get(kind=actions.PROGRAM)
    assert delivery.key == f"{first.key}program:2"
    assert delivery.expires_at == event.ends_at
    assert not delivery.is_necessary
    assert event.program_versions.newest().told_at == timezone.now()


def test_nobody_is_told_of_what_was_not_to_be_told_or_of_an_event_that_is_not_held(event, make_event, now):
    sit(event, "bo")
    now.shift(60)
    rewrite(event, add_line())
    now.shift(600)
    actions.keep(timezone.now())
    rewrite(event, add_line("Slut", "11:00-11:10"), is_to_be_told=True)
    events.cancel(event, by=factories.user(), reason="Sjuk")
    now.shift(600)
    actions.keep(timezone.now())
    assert told() == []


def test_what_is_mended_within_two_minutes_is_one_message_and_what_is_taken_back_none(event, inbox, now):
    sit(event, "bo")
    now.shift(60)
    rewrite(event, add_line("Fel titel"), is_to_be_told=True)
    now.shift(60)
    rewrite(event, lambda rows: rows[-1].update(titles={"sv": "Rätt titel"}), is_to_be_told=True)
    now.shift(121)
    mail.deliver()
    (letter,) = [one for one in inbox if "List-Unsubscribe" in one]
    text = letter.get_body(("plain",)).get_content()
    assert "Rätt titel" in text
    assert "Fel titel" not in text
    assert event.program_versions.filter(told_at=None).count() == 1  # the first one
    rewrite(event, add_line("Hastverk", "11:00-11:10"), is_to_be_told=True)
    now.shift(60)
    rewrite(event, lambda rows: rows.pop(), is_to_be_told=True)
    now.shift(121)
    mail.deliver()
    assert len([one for one in inbox if "List-Unsubscribe" in one]) == 1
    assert Delivery.objects.filter(kind=actions.PROGRAM).latest("pk").state == "canceled"


def test_a_mail_tells_the_program_that_readers_see_also_when_it_was_mended_in_silence(event, inbox, now):
    sit(event, "bo")
    now.shift(60)
    rewrite(event, add_line("Fel titel"), is_to_be_told=True)
    now.shift(60)
    rewrite(event, lambda rows: rows[-1].update(titles={"sv": "Rätt titel"}))
    now.shift(121)
    mail.deliver()
    (letter,) = [one for one in inbox if "List-Unsubscribe" in one]
    assert "Rätt titel" in letter.get_body(("plain",)).get_content()


def test_who_registers_between_two_versions_is_told_of_the_second_alone(event, now):
    rewrite(event, add_line(), is_to_be_told=True)
    now.shift(60)
    between = sit(event, "between")
    now.shift(30)
    rewrite(event, add_line("Slut", "11:00-11:10"), is_to_be_told=True)
    now.shift(30)
    sit(event, "late")
    now.shift(121)
    actions.keep(timezone.now())
    assert told() == ["between@example.org"]
    text = letter_to(between, 3).get_body(("plain",)).get_content()
    assert "Slut" in text
    assert "Frågor" not in text


def letter_to(registration, version):
    """As it is composed, without being sent."""
    delivery = Delivery.objects.get(key=f"{registration.key}program:{version}")
    with translation.override(delivery.language):
        message = rules.program(delivery)
        return message_from_bytes(compose(delivery, message, now=timezone.now()).as_bytes(), policy=default)


def test_the_mail_says_in_words_what_is_new_in_the_language_of_who_gets_it(event, now):
    registration = sit(event, "bo")
    type(registration).objects.filter(pk=registration.pk).update(language="ar")
    texts = {f"{item.pk}-title": "القانون" for item in event.program.all() if item.title_sv == "Lagen"}
    actions.name_program(event, language="ar", texts=texts, by=factories.user())
    now.shift(60)

    def changed(rows):
        rows[1] |= {
            "starts": clock("09:10"),
            "ends": clock("09:55"),
            "speakers": [person("Mira Sandhav", "kommunikatör")],
        }

    actions.agree(named("Nils Fjällvind"), by=factories.user())
    rewrite(event, changed, is_to_be_told=True)
    now.shift(121)
    actions.keep(timezone.now())
    letter = letter_to(registration, 2)
    text, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "القانون" in text
    assert "09:10–09:55" in text
    assert "09:00–10:00" in text
    assert "kommunikatör" in text
    assert "Mira" not in text + html  # has not agreed to be named
    assert f"/ar/events/{event.slug}/#program" in text
    assert 'dir="rtl"' in html
    assert letter["Content-Language"] == "ar"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_mail_tells_no_times_of_a_program_that_has_not_moved_with_its_event(event, now):
    bo = sit(event, "bo")
    now.shift(60)
    rewrite(event, lambda rows: rows[0].update(titles={"sv": "Hej"}, starts=clock("08:40")), is_to_be_told=True)
    now.shift(121)
    actions.keep(timezone.now())
    before = letter_to(bo, 2).get_body(("plain",)).get_content()
    assert ("08:40–09:00" in before, "08:30–09:00" in before) == (True, True)
    put_off(event, hours=2)
    after = "".join(letter_to(bo, 2).get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Hej" in after
    assert not [time for time in ("08:40", "08:30–09:00", "09:00") if time in after]


def test_who_speaks_is_not_told_in_the_mail_when_the_event_does_not_tell_everybody(make_event):
    with time_machine.travel(timezone.now() - timedelta(hours=2)):
        event = make_event("sv", program=[line("09:00-10:00", "Lagen", JURIST)])
        registration = sit(event, "bo")
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        rewrite(event, lambda rows: rows[0].update(speakers=[], ends=clock("10:30")), is_to_be_told=True)
    actions.keep(timezone.now())
    letter = letter_to(registration, 2)
    assert "Fjällvind" not in letter.as_string()
    assert "jurist" not in letter.get_body(("plain",)).get_content()


def test_the_clock_of_mail_runs_it(event, now, inbox):
    """Through the door through which mail leaves, without any other clock."""
    sit(event, "bo")
    now.shift(60)
    rewrite(event, add_line(), is_to_be_told=True)
    now.shift(121)
    mail.deliver()
    assert [one["To"] for one in inbox if "List-Unsubscribe" in one] == ["bo@example.org"]

"""The program as it is being written: by form, for colleagues until it is published."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import html5lib
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from events import actions as events
from events.programs import actions
from events.programs.forms import MOST_LINES
from events.programs.models import Appearance, ProgramItem, Speaker
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.revisions.actions import ChangedMeanwhileError
from tests import factories
from tests.programs.conftest import clock, line, named, person, put_off, rows_of, write

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MORNING = datetime(2027, 4, 22, 8, 30, tzinfo=STOCKHOLM)


def sent(event, *lines, **more):
    """What a browser sends whose form was empty."""
    seen = event.program.version()
    data = {"program-TOTAL_FORMS": str(len(lines)), "program-INITIAL_FORMS": "0", "seen": seen} | more
    for number, fields in enumerate(lines):
        data |= {f"program-{number}-{name}": value for name, value in fields.items()}
    return data


def line_from(starts, ends):
    return {"starts": starts, "ends": ends, "title": f"Från {starts}"}


def as_it_stands(page) -> dict[str, str]:
    """What the browser would send if nobody typed anything."""
    found = {"seen": page.context["seen"]["seen"].value()}
    for form in [*page.context["program"], page.context["program"].management_form]:
        for field in form:
            value = field.value()
            if value not in (None, False, ""):
                found[field.html_name] = "on" if value is True else field.field.widget.format_value(value)
    return found


def at(event) -> str:
    return f"/staff/events/{event.pk}/program/"


@pytest.fixture
def event(make_event):
    return make_event("sv", starts_at=MORNING, lasts=timedelta(hours=3))


LINES = (
    {"ends": "08:45", "title": "Välkommen", "moderators": "Alva Tallgren, utvecklingsledare, socialtjänsten"},
    {"ends": "09:00", "is_break": "on"},
    {"ends": "10:00", "title": "Lagen", "speakers": "Nils Fjällvind, jurist\n\nMira Sandhav", "abstract": "Om LVU."},
    {},
)


def test_a_morning_is_typed_with_ends_alone_and_each_line_begins_when_the_one_before_ends(staff, event):
    response = staff(Role.EVENTS).post(at(event), sent(event, *LINES))
    assert response.url == f"/staff/events/{event.pk}/"
    assert [(i.title_sv, i.is_break, i.starts, i.ends) for i in event.program.all()] == [
        ("Välkommen", False, time(8, 30), time(8, 45)),
        ("", True, time(8, 45), time(9)),
        ("Lagen", False, time(9), time(10)),
    ]
    assert event.program.last().abstract_sv == "Om LVU."
    assert {speaker.terms for speaker in Speaker.objects.all()} == {
        ("Alva Tallgren", "utvecklingsledare", "socialtjänsten"),
        ("Nils Fjällvind", "jurist", ""),
        ("Mira Sandhav", "", ""),
    }
    assert [each.speaker.name for each in Appearance.objects.filter(is_moderator=True)] == ["Alva Tallgren"]


def test_nobody_reads_what_is_not_published_yet(client, staff, event):
    staff(Role.EVENTS).post(at(event), sent(event, *LINES))
    assert "Välkommen" not in client.get(f"/sv/events/{event.slug}/").content.decode()


def test_the_form_opens_as_it_was_saved_and_saving_it_again_changes_nothing(staff, event):
    office = staff(Role.EVENTS)
    office.post(at(event), sent(event, *LINES))
    item = event.program.first()
    texts = {f"{item.pk}-title": "مرحبا"}
    actions.name_program(event, language="ar", texts=texts, by=factories.user())
    before = list(Appearance.objects.values_list("pk", flat=True)), event.program.snapshot()
    page = office.get(at(event))
    assert 'value="08:30"' in page.content.decode()
    assert office.post(at(event), as_it_stands(page)).status_code == 302
    assert (list(Appearance.objects.values_list("pk", flat=True)), event.program.snapshot()) == before
    assert AuditEvent.objects.filter(verb="write_program").count() == 1
    item.refresh_from_db()
    assert (item.title_sv, item.title_ar) == ("Välkommen", "مرحبا")


def test_a_line_moves_by_typing_another_time_and_one_goes_by_its_box(staff, event):
    write(event, line("08:30-09:00", "Ett"), line("09:00-09:30", "Två"), line("09:30-10:00", "Tre"))
    office = staff(Role.EVENTS)
    form = as_it_stands(office.get(at(event)))
    form |= {"program-0-starts": "10:00", "program-0-ends": "10:30", "program-1-DELETE": "on"}
    office.post(at(event), form)
    assert [str(item) for item in event.program.all()] == ["1, 09:30–10:00 Tre", "1, 10:00–10:30 Ett"]


def test_two_lines_change_places(event):
    write(event, line("08:30-09:00", "Ett"), line("09:00-09:30", "Två"))
    first, second = rows_of(event)
    for name in ("starts", "ends"):
        first[name], second[name] = second[name], first[name]
    write(event, first, second)
    assert [item.title_sv for item in event.program.all()] == ["Två", "Ett"]
    assert {item.pk for item in event.program.all()} == {first["id"], second["id"]}


def test_more_lines_are_had_without_saving_and_nothing_typed_is_lost(staff, event):
    office = staff(Role.EVENTS)
    wrong = {"starts": "11:00", "ends": "08:45", "title": "Baklänges", "speakers": "Nils Fjällvind"}
    page = office.post(at(event), sent(event, *LINES, wrong, more=""))
    assert page.status_code == 200
    assert len(page.context["program"].forms) == 9
    text = page.content.decode()
    for typed in ("Välkommen", "Mira Sandhav", "Om LVU.", "Baklänges", 'value="11:00"'):
        assert typed in text
    # Nobody is told what is wrong while they still write.
    assert "aria-invalid" not in text
    assert office.post(at(event), sent(event, *LINES, wrong)).content.decode().count("aria-invalid") == 1
    assert not event.program.exists()
    assert len(office.post(at(event), sent(event, *[{}] * MOST_LINES, more="")).context["program"].forms) == MOST_LINES


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([{"starts": "09:00", "ends": "08:45", "title": "Baklänges"}], "ends"),
        ([{"starts": "09:00", "ends": "09:00", "title": "Ingen tid"}], "ends"),
        ([{"starts": "09:00", "ends": "09:30"}], "title"),
        ([{"starts": "09:00", "title": "Utan slut"}], "ends"),
        ([{"starts": "09:00", "ends": "09:30", "title": "x", "speakers": "N" * 121}], "speakers"),
        ([{"starts": "09:00", "ends": "09:30", "title": "x", "moderators": "191212121212"}], "moderators"),
        ([{"starts": "09:00", "ends": "09:30", "title": "x", "abstract": "19121212-1212"}], "abstract"),
        ([{"day": "2", "ends": "09:30", "title": "Utan början"}], "starts"),
        ([{"day": "31", "starts": "09:00", "ends": "09:30", "title": "x"}], "day"),
        ([line_from("08:30", "09:30"), line_from("09:29", "10:00")], "starts"),
        # Whichever was typed first, and across the whole of the other.
        ([line_from("09:00", "09:10"), line_from("08:30", "10:00")], "starts"),
        ([line_from("08:30", "10:00"), line_from("08:40", "08:50"), line_from("10:00", "11:00")], "starts"),
        ([line_from("08:30", "09:30")] * 2, "starts"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_held_is_refused_and_nothing_typed_is_lost(staff, event, lines, wrong):
    response = staff(Role.EVENTS).post(at(event), sent(event, *lines))
    assert response.status_code == 422
    assert [name for form in response.context["program"] for name in form.errors] == [wrong]
    assert all(fields.get("title", "") in response.content.decode() for fields in lines)
    assert not event.program.exists()


def test_the_same_hour_of_another_day_overlaps_with_nothing(staff, event):
    lines = [{"day": day, "starts": "09:00", "ends": "10:00", "title": f"Dag {day}"} for day in ("2", "1")]
    assert staff(Role.EVENTS).post(at(event), sent(event, *lines)).status_code == 302
    assert [(item.day, item.title_sv) for item in event.program.all()] == [(1, "Dag 1"), (2, "Dag 2")]


def test_the_database_refuses_lines_that_overlap_or_end_before_they_start(make_event):
    event, other = make_event(), make_event()
    write(event, line("09:00-10:00", "Ett"))

    def add(to, when, day=1):
        starts, ends = map(clock, when.split("-"))
        with transaction.atomic():
            ProgramItem.objects.create(event=to, day=day, starts=starts, ends=ends)

    for when in ("09:30-09:40", "08:00-09:01", "09:59-11:00", "09:00-10:00"):
        with pytest.raises(IntegrityError, match="program_lines_of_a_day_do_not_overlap"):
            add(event, when)
    with pytest.raises(IntegrityError, match="program_line_ends_after_it_starts"):
        add(event, "11:00-11:00")
    with pytest.raises(IntegrityError, match="program_line_is_of_one_of_thirty_days"):
        add(event, "11:00-12:00", day=31)
    add(event, "10:00-11:00")
    add(event, "09:00-10:00", day=2)
    add(other, "09:00-10:00")


def test_an_event_that_moves_to_another_day_keeps_its_program_to_the_minute(event):
    write(event, line("08:30-09:00", "Ett"))
    # Over the night in which the clocks change.
    starts = datetime(2027, 10, 31, 8, 30, tzinfo=STOCKHOLM)
    events.edit(event, by=factories.user(), starts_at=starts, ends_at=starts + timedelta(hours=3))
    event.refresh_from_db()
    item = event.program.get()
    assert (item.starts, item.ends, item.on.isoformat()) == (time(8, 30), time(9), "2027-10-31")
    assert not item.is_outside


def test_a_line_outside_the_hours_of_the_event_is_a_warning_and_no_refusal(staff, event):
    office = staff(Role.EVENTS)
    assert office.post(at(event), sent(event, {"starts": "07:00", "ends": "08:30", "title": "Före"})).status_code == 302
    more = [line("11:00-11:30", "Sist"), line("11:30-11:31", "Efter"), line("09:00-10:00", "Dag 2", day=2)]
    write(event, *rows_of(event), *more)
    assert [item.title_sv for item in office.get(at(event)).context["outside"]] == ["Före", "Efter", "Dag 2"]
    page = office.get(f"/staff/events/{event.pk}/")
    assert [item.title_sv for item in page.context["program_outside"]] == ["Före", "Efter", "Dag 2"]
    assert page.content.decode().count('<span class="state warn">') == 3


def test_a_day_is_asked_for_only_where_there_are_several(staff, make_event):
    office = staff(Role.EVENTS)
    short, long = make_event(starts_at=MORNING), make_event(starts_at=MORNING, lasts=timedelta(days=1))
    visible = [
        [field.name for field in office.get(at(one)).context["program"].forms[0].visible_fields()]
        for one in (short, long)
    ]
    assert ["day" in names for names in visible] == [False, True]


def test_who_saves_what_somebody_else_has_changed_meanwhile_sees_both_and_loses_neither(staff, event):
    office = staff(Role.EVENTS)
    write(event, line("08:30-09:00", "Ett"))
    form = as_it_stands(office.get(at(event)))
    write(event, *rows_of(event), line("09:00-09:30", "Kollegans"))
    mine = form | {"program-0-title": "Mitt"}
    page = office.post(at(event), mine)
    assert page.status_code == 422
    assert "Kollegans" in page.content.decode()
    assert 'value="Mitt"' in page.content.decode()
    assert [item.title_sv for item in event.program.all()] == ["Ett", "Kollegans"]
    # Sent once more, having seen it.
    office.post(at(event), mine | {"seen": page.context["seen"]["seen"].value()})
    assert [item.title_sv for item in event.program.all()] == ["Mitt"]


def test_whoever_comes_second_sees_on_which_day_the_lines_of_the_other_are(make_event, staff):
    event = make_event("sv", starts_at=MORNING, lasts=timedelta(days=1, hours=3))
    mine = sent(event, line_from("08:30", "09:00"))
    write(event, line("09:00-10:00", "Kollegans", day=2))
    page = staff(Role.EVENTS).post(at(event), mine)
    theirs = page.content.decode().split('id="theirs"')[1].split("</section>")[0]
    assert "23 april 2027" in theirs


def test_what_was_seen_is_compared_under_the_lock(event):
    seen = event.program.version()
    write(event, line("08:30-09:00", "Ett"), seen=seen)
    with pytest.raises(ChangedMeanwhileError):
        write(event, seen=seen)
    assert event.program.exists()


def test_a_line_of_another_event_cannot_be_changed(make_event):
    other, event = make_event(), make_event()
    write(other, line("08:30-09:00", "Kvar"))
    theirs = other.program.get()
    write(event, line("08:30-09:00", "Tagen", id=theirs.pk))
    texts = {f"{theirs.pk}-title": "Tagen"}
    actions.name_program(event, language="sv", texts=texts, by=factories.user())
    theirs.refresh_from_db()
    assert (theirs.title_sv, event.program.get().title_sv) == ("Kvar", "Tagen")


# Who is who ----------------------------------------------------------------------------------------------------


def test_somebody_who_stands_in_the_program_stays_the_same_person_under_another_title(event):
    write(event, line("08:30-09:00", "Ett", person("Nils Fjällvind", "jurist", "kommunen")))
    speaker = named("Nils Fjällvind")
    actions.agree(speaker, by=factories.user())
    write(event, line("08:30-09:00", "Ett", person("Nils Fjällvind", "chefsjurist", "kommunen")))
    speaker.refresh_from_db()
    assert (speaker.title, speaker.consent_to_be_named_at is not None) == ("chefsjurist", True)
    assert Speaker.objects.count() == 1


def test_the_name_alone_means_the_same_person_the_second_time(event):
    write(
        event,
        line("08:30-09:00", "Ett", person("Mira Sandhav")),
        line("09:00-09:30", "Två", person("Mira Sandhav", "kommunikatör", "kommunen")),
    )
    speaker = Speaker.objects.get()
    assert speaker.terms == ("Mira Sandhav", "kommunikatör", "kommunen")
    write(event, line("08:30-09:00", "Ett", person("Mira Sandhav")))
    assert Speaker.objects.get().terms == speaker.terms


def test_two_people_of_the_same_name_are_two(event):
    write(
        event,
        line("08:30-09:00", "Ett", person("Kim Berg", "jurist")),
        line("09:00-09:30", "Två", person("Kim Berg", "kurator")),
    )
    assert Speaker.objects.count() == 2


def test_somebody_else_of_the_same_name_at_another_event_is_not_renamed(make_event):
    first, second = make_event(), make_event()
    write(first, line("08:30-09:00", "Ett", person("Kim Berg", "jurist")))
    write(second, line("08:30-09:00", "Ett", person("Kim Berg", "kurator")))
    assert {speaker.title for speaker in Speaker.objects.all()} == {"jurist", "kurator"}


@pytest.mark.parametrize(("who", "is_the_same"), [(("Kim Berg", "jurist", "kommunen"), True), (("Kim Berg",), False)])
def test_what_somebody_agreed_to_holds_for_who_is_certainly_the_same_at_another_event(make_event, who, is_the_same):
    first, second = make_event(), make_event()
    write(first, line("08:30-09:00", "Ett", person(*who)))
    actions.agree(Speaker.objects.get(), by=factories.user())
    write(second, line("08:30-09:00", "Ett", person(*who)))
    (row,) = second.program.snapshot().lines[0]["speakers"]
    assert (row["name"] == "Kim Berg") == is_the_same


def test_who_speaks_and_moderates_stands_there_once_as_moderator_in_the_order_typed(event):
    write(event, line("08:30-09:00", "Ett", person("Åsa", is_moderator=True), person("Bo"), person("Åsa")))
    assert [(each.speaker.name, each.is_moderator) for each in Appearance.objects.all()] == [
        ("Åsa", True),
        ("Bo", False),
    ]


# In other languages --------------------------------------------------------------------------------------------


def texts_form(item, title, abstract=""):
    return {f"{item.pk}-title": title, f"{item.pk}-abstract": abstract}


def test_texts_of_the_program_are_written_one_language_at_a_time(staff, event):
    write(event, line("08:30-09:00", "Frågor", titles={"sv": "Frågor", "ar": "أسئلة"}, abstracts={"sv": "Fråga på."}))
    item = event.program.get()
    office = staff(Role.TRANSLATOR)
    page = office.get(f"{at(event)}so/").content.decode()
    assert "Frågor" in page
    assert "Fråga på." in page
    office.post(f"{at(event)}so/", texts_form(item, "Su'aalo", "Weydii.") | {"999999-title": "x"})
    texts = {f"{item.pk}-title": "ሕቶታት"}
    actions.name_program(event, language="ti", texts=texts, by=factories.user())
    item.refresh_from_db()
    assert (item.title_sv, item.title_ar, item.title_so, item.title_ti) == ("Frågor", "أسئلة", "Su'aalo", "ሕቶታት")
    assert (item.abstract_sv, item.abstract_so) == ("Fråga på.", "Weydii.")
    assert office.get(f"{at(event)}xx/").status_code == 404
    assert AuditEvent.objects.about(event).filter(verb="name_program", language="so").count() == 1


def test_a_text_without_a_title_would_never_be_read_and_is_refused(staff, event):
    write(event, line("08:30-09:00", "Frågor"))
    item = event.program.get()
    response = staff(Role.TRANSLATOR).post(f"{at(event)}so/", texts_form(item, "", "Weydii."))
    assert (response.status_code, list(response.context["form"].errors)) == (422, [f"{item.pk}-title"])
    assert "Weydii." in response.content.decode()


def test_a_translator_changes_no_swedish_text(staff, event):
    write(event, line("08:30-09:00", "Frågor"))
    item, translator = event.program.get(), staff(Role.TRANSLATOR)
    for language, status in (("sv", 403), ("ar", 302)):
        assert translator.post(f"{at(event)}{language}/", texts_form(item, "أسئلة")).status_code == status
    item.refresh_from_db()
    assert (item.title_sv, item.title_ar) == ("Frågor", "أسئلة")


def test_the_log_says_what_the_program_was_and_is_and_names_nobody(event):
    write(event, line("08:30-09:00", "Ett", person("Nils Fjällvind")))
    changes = AuditEvent.objects.about(event).get(verb="write_program").changes
    assert changes == {"program": [[], ["1, 08:30–09:00 Ett"]]}


def test_pages_of_staff_parse_strictly(staff, event):
    write(event, line("08:30-09:00", "Ett", person("Nils", is_moderator=True)), line("09:00-09:30", day=2))
    office, parser = staff(Role.EVENTS), html5lib.HTMLParser(strict=True)
    for path in ("", "so/", "sv/", "publish/"):
        parser.parse(office.get(f"{at(event)}{path}").content.decode())
    parser.parse(office.post(at(event), sent(event, {"ends": "09:00"})).content.decode())


def test_without_a_row_there_is_nothing_to_refuse(event):
    with pytest.raises(ValidationError):
        actions.publish(event, by=factories.user())


def test_two_translators_of_one_language_lose_nothing_of_each_other(staff, event):
    about = {"abstracts": {"sv": "Om det."}}
    write(event, line("08:30-09:00", "Ett", **about), line("09:00-10:00", "Två", **about))
    first, second = event.program.all()
    mira, kim = staff(Role.TRANSLATOR), staff(Role.TRANSLATOR)
    page = mira.get(f"{at(event)}so/")
    opened = {field.html_initial_name: field.value() or "" for field in page.context["form"]}
    assert all(f'name="{name}"' in page.content.decode() for name in opened)
    empty = texts_form(first, "") | texts_form(second, "") | opened
    kim.post(f"{at(event)}so/", empty | texts_form(first, "Kow", "Hal."))
    assert mira.post(f"{at(event)}so/", empty | texts_form(second, "Labo")).status_code == 302
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.title_so, first.abstract_so, second.title_so) == ("Kow", "Hal.", "Labo")
    response = mira.post(f"{at(event)}so/", empty | texts_form(first, "Mid"))
    assert response.status_code == 422
    assert "Kow" in str(response.context["form"].errors)
    assert response.context["form"][f"{first.pk}-title"].value() == "Mid"
    first.refresh_from_db()
    assert first.title_so == "Kow"
    again = {field.html_initial_name: field.as_hidden(only_initial=True) for field in response.context["form"]}
    assert "Kow" in again[f"initial-{first.pk}-title"]


def test_lines_that_end_in_another_way_than_in_a_browser_are_no_change(staff, event):
    write(event, line("08:30-09:00", "Ett", abstracts={"sv": "Ett.\nTvå."}, titles={"sv": "Ett", "so": "Kow"}))
    item = event.program.get()
    actions.name_program(event, language="so", texts={f"{item.pk}-abstract": "Kow.\nLabo."}, by=factories.user())
    opened = {f"initial-{item.pk}-title": "Kow", f"initial-{item.pk}-abstract": "Kow.\r\nLabo."}
    fields = opened | texts_form(item, "Kow", "Kow.\r\nLaba.")
    assert staff(Role.TRANSLATOR).post(f"{at(event)}so/", fields).status_code == 302
    item.refresh_from_db()
    assert item.abstract_so == "Kow.\r\nLaba."


# An event that moves --------------------------------------------------------------------------------------------


@pytest.fixture
def two_days(make_event):
    rows = [line("08:30-09:00", "Välkommen"), line("09:00-10:00", "Lagen"), line("21:00-22:00", "Svar", day=2)]
    return make_event(starts_at=MORNING, lasts=timedelta(days=1, hours=14), program=rows)


def test_a_program_follows_its_event_with_all_lines_as_far_apart(two_days):
    event = put_off(two_days, minutes=30)
    written = AuditEvent.objects.filter(verb="write_program").count()
    actions.move(event, by=factories.user())
    assert [str(item) for item in event.program.all()] == [
        "1, 09:00–09:30 Välkommen",
        "1, 09:30–10:30 Lagen",
        "2, 21:30–22:30 Svar",
    ]
    actions.move(event, by=factories.user())
    assert AuditEvent.objects.filter(verb="write_program").count() == written + 1


def test_a_program_that_would_run_past_midnight_is_left_where_it_was(two_days):
    event = put_off(two_days, hours=2, minutes=30)
    before = [str(item) for item in event.program.all()]
    with pytest.raises(ValidationError):
        actions.move(event, by=factories.user())
    assert [str(item) for item in event.program.all()] == before


def test_staff_move_the_program_with_a_button_and_see_what_changes(two_days, staff):
    browser = staff(Role.EVENTS)
    pages = [f"/staff/events/{two_days.pk}/{page}" for page in ("", "program/", "program/publish/")]
    deed = f"/staff/events/{two_days.pk}/program/move/"
    assert not [page for page in pages if deed in browser.get(page).content.decode()]
    put_off(two_days, minutes=30)
    assert [page for page in pages if deed in browser.get(page).content.decode()] == pages
    answer = browser.post(deed, follow=True)
    assert answer.redirect_chain == [(f"/staff/events/{two_days.pk}/program/publish/", 302)]
    assert [change.line.starts for change in answer.context["changes"]] == ["09:00", "09:30", "21:30"]
    assert not [page for page in pages if deed in browser.get(page).content.decode()]


def test_staff_read_why_a_program_cannot_be_moved(two_days, staff):
    browser = staff(Role.EVENTS)
    put_off(two_days, hours=2, minutes=30)
    answer = browser.post(f"/staff/events/{two_days.pk}/program/move/", follow=True)
    assert answer.redirect_chain == [(f"/staff/events/{two_days.pk}/program/", 302)]
    assert [str(message) for message in answer.context["messages"]] == [
        "En rad skulle gå över midnatt. Skriv tiderna själv."
    ]

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import html5lib
import pytest
from django.utils import timezone

from events import actions
from events.models import Event
from events.programs import actions as programs
from events.programs.models import ProgramItem, Speaker
from events.registrations import actions as registrations
from portal import languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from tests import factories
from tests.events.conftest import SECRET_LINK

STOCKHOLM = ZoneInfo("Europe/Stockholm")
ROLES = [role for role in Role if role not in {Role.EVENTS, Role.ADMIN}]


def program_form(*lines, initial=0):
    data = {"program-TOTAL_FORMS": str(len(lines)), "program-INITIAL_FORMS": str(initial)}
    for number, line in enumerate(lines):
        data |= {f"program-{number}-{name}": value for name, value in line.items()}
    return data


def event_form(**fields):
    return {
        "kind": "seminar",
        "slug": "seminarium",
        "starts_at": "2027-04-22T08:30",
        "ends_at": "2027-04-22T10:00",
        "is_online": "on",
        "join_url": SECRET_LINK,
        "capacity": "50",
        "registration_ends_at": "2027-04-21T12:00",
        "spoken": ["sv", "ar"],
    } | fields


LINES = (
    {"starts": "08:30", "ends": "08:45", "title": "Välkommen", "speakers": "Alva Tallgren, moderator, socialtjänsten"},
    {"starts": "08:45", "ends": "09:00", "is_break": "on"},
    {"starts": "09:00", "ends": "10:00", "title": "Lagen", "speakers": "Nils Fjällvind, jurist\n\nMira Sandhav"},
    {},
)


def test_a_seminar_is_made_with_times_as_stockholm_has_them(staff):
    response = staff(Role.EVENTS).post("/staff/events/new/", event_form() | program_form(*LINES))
    event = Event.objects.get()
    assert response.url == f"/staff/texts/event/{event.pk}/sv/"
    assert event.starts_at == datetime(2027, 4, 22, 8, 30, tzinfo=STOCKHOLM)
    assert event.spoken == ["sv", "ar"]
    items = list(event.program.all())
    assert [(i.title_sv, i.is_break, timezone.localtime(i.starts_at).hour) for i in items] == [
        ("Välkommen", False, 8),
        ("", True, 8),
        ("Lagen", False, 9),
    ]
    assert {(s.name, s.title, s.organization) for s in Speaker.objects.all()} == {
        ("Alva Tallgren", "moderator", "socialtjänsten"),
        ("Nils Fjällvind", "jurist", ""),
        ("Mira Sandhav", "", ""),
    }


def test_the_form_opens_as_it_was_saved_and_saving_it_again_changes_nothing(staff):
    office = staff(Role.EVENTS)
    office.post("/staff/events/new/", event_form() | program_form(*LINES))
    event = Event.objects.get()
    item = event.program.first()
    programs.name_program(event, language="ar", titles={item.pk: "مرحبا"}, by=factories.user())
    page = office.get(f"/staff/events/{event.pk}/edit/")
    assert page.context["form"].initial["starts_at"] == event.starts_at
    assert 'value="2027-04-22T08:30"' in page.content.decode()
    shown = page.context["program"]
    sent = {}
    for form in [page.context["form"], *shown, shown.management_form]:
        for field in form:
            value = field.value()
            if value not in (None, False, ""):
                sent[field.html_name] = "on" if value is True else field.field.widget.format_value(value)
    office.post(f"/staff/events/{event.pk}/edit/", sent)
    assert not AuditEvent.objects.filter(verb="edit").exists()
    item.refresh_from_db()
    assert (item.title_sv, item.title_ar) == ("Välkommen", "مرحبا")
    assert [s.name for s in event.program.last().speakers.all()] == ["Mira Sandhav", "Nils Fjällvind"]


def test_moving_the_event_in_the_form_moves_the_program_and_the_reminders(staff):
    office = staff(Role.EVENTS)
    office.post("/staff/events/new/", event_form() | program_form(*LINES))
    event = Event.objects.get()
    registrations.register(event, name="Bo", email="bo@example.org", language="sv")
    lines = [{"id": str(i.pk), **line} for i, line in zip(event.program.all(), LINES, strict=False)]
    lines[1]["DELETE"] = "on"
    moved = event_form(starts_at="2027-10-31T08:30", ends_at="2027-10-31T10:00")
    response = office.post(f"/staff/events/{event.pk}/edit/", moved | program_form(*lines, initial=3))
    assert response.url == f"/staff/events/{event.pk}/"
    event.refresh_from_db()
    assert [i.starts_at for i in event.program.all()] == [
        datetime(2027, 10, 31, 8, 30, tzinfo=STOCKHOLM),
        datetime(2027, 10, 31, 9, 0, tzinfo=STOCKHOLM),
    ]
    due = set(Delivery.objects.filter(kind=actions.REMINDER).waiting().values_list("due_at", flat=True))
    assert due == set(rules.reminders(event.starts_at).values())


@pytest.mark.parametrize(
    ("fields", "lines", "wrong"),
    [
        ({"ends_at": "2027-04-22T08:30"}, (), "ends_at"),
        ({"starts_at": "2027-03-28T02:30"}, (), "starts_at"),  # skipped by the clock
        ({"registration_ends_at": "2027-04-22T08:00"}, (), "registration_ends_at"),
        ({"recording_url": "https://video.example.org/r"}, (), "recording_until"),
        ({"slug": "Å ä"}, (), "slug"),
        ({"join_url": "javascript:alert(1)"}, (), "join_url"),
        ({}, ({"starts": "07:00", "ends": "08:00", "title": "För tidigt"},), "__all__"),
        ({}, ({"starts": "09:00", "ends": "09:30", "title": "x", "day": "2"},), "__all__"),
    ],
)
def test_what_cannot_be_held_is_refused_and_nothing_typed_is_lost(staff, fields, lines, wrong):
    response = staff(Role.EVENTS).post("/staff/events/new/", event_form(**fields) | program_form(*lines))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [wrong]
    assert SECRET_LINK in response.content.decode() or "join_url" in fields
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "line",
    [
        {"starts": "09:00", "ends": "08:45", "title": "Baklänges"},
        {"starts": "09:00", "ends": "09:30"},
        {"starts": "09:00", "title": "Utan slut"},
        {"starts": "09:00", "ends": "09:30", "title": "x", "speakers": "N" * 121},
    ],
)
def test_a_line_of_the_program_that_makes_no_sense_is_refused(staff, line):
    response = staff(Role.EVENTS).post("/staff/events/new/", event_form() | program_form(line))
    assert response.status_code == 422
    assert response.context["program"][0].errors
    assert not Event.objects.exists()


def test_titles_of_the_program_are_written_one_language_at_a_time(staff, make_event):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=3)
    row = {"starts_at": starts, "ends_at": starts + timedelta(minutes=5), "is_break": False, "speakers": []}
    event = make_event("sv", starts_at=starts, program=[row | {"titles": {"sv": "Frågor", "ar": "أسئلة"}}])
    item = event.program.get()
    stale = ProgramItem.objects.get(pk=item.pk)
    office = staff(Role.TRANSLATOR)
    page = office.get(f"/staff/events/{event.pk}/program/so/")
    assert "Frågor" in page.content.decode()
    office.post(f"/staff/events/{event.pk}/program/so/", {str(item.pk): "Su'aalo", "999999": "x"})
    programs.name_program(event, language="ti", titles={stale.pk: "ሕቶታት"}, by=factories.user())
    item.refresh_from_db()
    assert (item.title_sv, item.title_ar, item.title_so, item.title_ti) == ("Frågor", "أسئلة", "Su'aalo", "ሕቶታት")
    assert office.get(f"/staff/events/{event.pk}/program/xx/").status_code == 404


def test_a_line_of_another_event_cannot_be_changed(make_event):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=3)
    row = {"starts_at": starts, "ends_at": starts + timedelta(minutes=5), "is_break": False, "speakers": []}
    other = make_event(starts_at=starts, program=[row | {"titles": {"sv": "Kvar"}}]).program.get()
    event = make_event(starts_at=starts)
    actions.edit(event, by=factories.user(), program=[row | {"titles": {"sv": "Tagen"}, "id": other.pk}])
    programs.name_program(event, language="sv", titles={other.pk: "Tagen"}, by=factories.user())
    other.refresh_from_db()
    assert other.title_sv == "Kvar"


def test_the_meeting_link_is_not_written_to_the_log(make_event):
    event = make_event()
    actions.edit(event, by=factories.user(), join_url="https://meeting.example.org/new-secret")
    changes = AuditEvent.objects.about(event).get(verb="edit").changes
    assert list(changes) == ["join_url"]
    assert "meeting.example.org" not in str(changes)


def test_the_list_is_filtered_by_kind_and_says_what_to_do_when_empty(staff, make_event):
    office = staff(Role.EVENTS)
    seminar = make_event("sv")
    visit = make_event("sv", kind="outreach", starts_in=-timedelta(days=2))
    everything = office.get("/staff/events/").content.decode()
    assert everything.index(seminar.title_sv) < everything.index(visit.title_sv)
    visits = office.get("/staff/events/?kind=outreach").content.decode()
    assert visit.title_sv in visits
    assert seminar.title_sv not in visits
    empty = office.get("/staff/events/?kind=conference").content.decode()
    assert not any(event.title_sv in empty for event in (seminar, visit))
    assert "/staff/events/new/" in empty
    assert seminar.title_sv in office.get("/staff/events/?kind=nonsense&page=999999999999").content.decode()


def test_only_the_events_role_sees_who_is_registered(staff, make_event):
    event = make_event("sv")
    registrations.register(event, name="Marker Namn", email="marker@example.org", language="so")
    canceled = registrations.register(event, name="Inte Hon", email="inte@example.org", language="sv")
    registrations.cancel(canceled)
    page = staff(Role.EVENTS).get(f"/staff/events/{event.pk}/registrations/").content.decode()
    assert "Marker Namn" in page
    assert "marker@example.org" in page
    assert "Inte Hon" not in page
    for role in ROLES:
        office = staff(role)
        assert office.get(f"/staff/events/{event.pk}/registrations/").status_code == 403, role
        for path in ("/staff/events/", f"/staff/events/{event.pk}/"):
            seen = office.get(path)
            assert seen.status_code == 200, (role, path)
            assert "arker" not in seen.content.decode()
            assert SECRET_LINK not in seen.content.decode()
        for path in ("/staff/events/new/", f"/staff/events/{event.pk}/edit/"):
            assert office.post(path, event_form(slug="annan") | program_form()).status_code == 403, role
    assert Event.objects.count() == 1


def test_strangers_are_sent_to_sign_in(client, make_event):
    event = make_event("sv")
    for path in (
        "",
        "new/",
        f"{event.pk}/",
        f"{event.pk}/edit/",
        f"{event.pk}/program/so/",
        f"{event.pk}/registrations/",
    ):
        response = client.get(f"/staff/events/{path}")
        assert response.status_code == 302
        assert response.url.startswith("/staff/login/")


def test_staff_pages_parse_strictly(staff, make_event):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=3)
    row = {
        "starts_at": starts,
        "ends_at": starts + timedelta(minutes=5),
        "is_break": True,
        "titles": {},
        "speakers": [],
    }
    event = make_event("sv", starts_at=starts, program=[row], join_url="", capacity=3)
    registrations.register(event, name="Bo", email="bo@example.org", language="sv")
    office = staff(Role.EVENTS)
    parser = html5lib.HTMLParser(strict=True)
    for path in (
        "",
        "new/",
        f"{event.pk}/",
        f"{event.pk}/edit/",
        f"{event.pk}/program/so/",
        f"{event.pk}/registrations/",
    ):
        response = office.get(f"/staff/events/{path}")
        assert response.status_code == 200, path
        parser.parse(response.content.decode())


def test_an_event_comes_to_readers_through_the_approval_of_a_second_person(client, make_event):
    event = make_event()
    assert client.get(f"/sv/events/{event.slug}/").status_code == 404
    factories.publish(event, title="Träff om lagen", summary="Kort.", body="Text.")
    page = client.get(f"/sv/events/{event.slug}/").content.decode()
    assert "Träff om lagen" in page
    assert Event.objects.published().filter(**{languages.suffixed("title", "sv"): "Träff om lagen"}).exists()


def test_a_translator_changes_no_swedish_title(staff, make_event):
    """It would be out at once; the other languages of the program are the translator's."""
    starts = timezone.now() + timedelta(days=9)
    row = {"starts_at": starts, "ends_at": starts + timedelta(minutes=9), "is_break": False, "speakers": []}
    event = make_event("sv", starts_at=starts, program=[row | {"titles": {"sv": "Frågor"}}])
    item, translator = event.program.get(), staff(Role.TRANSLATOR)
    for language, status in (("sv", 403), ("ar", 302)):
        answer = translator.post(f"/staff/events/{event.pk}/program/{language}/", {str(item.pk): "أسئلة"})
        assert answer.status_code == status
    item.refresh_from_db()
    assert (item.title_sv, item.title_ar) == ("Frågor", "أسئلة")

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import html5lib
import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from events import actions
from events.models import Event, Status
from events.registrations import actions as registrations
from portal import languages
from portal.accounts.models import Role, User
from portal.audit.models import AuditEvent
from portal.revisions.models import Revision
from portal.search.models import IndexRow
from tests import factories
from tests.accounts.people import person
from tests.events.conftest import SECRET_LINK
from tests.shown import as_shown

STOCKHOLM = ZoneInfo("Europe/Stockholm")
ROLES = [role for role in Role if role not in {Role.EVENTS, Role.ADMIN}]


def event_form(**fields):
    return {
        "kind": "seminar",
        "title": "Nätföreläsning om orosanmälan",
        "summary": "Vi berättar vad som händer.",
        "groups": ["parents"],
        "starts_at": "2027-04-22T08:30",
        "ends_at": "2027-04-22T10:00",
        "is_online": "on",
        "join_url": SECRET_LINK,
        "capacity": "50",
        "registration_ends_at": "2027-04-21T12:00",
        "spoken": ["sv"],
        "interpreted": ["ar"],
    } | fields


def test_a_seminar_is_made_with_times_as_stockholm_has_them_and_a_first_draft_of_its_text(staff):
    response = staff(Role.EVENTS).post("/staff/events/new/", event_form())
    event = Event.objects.get()
    assert response.url == f"/staff/events/{event.pk}/"
    assert (event.slug, event.status) == ("natforelasning-om-orosanmalan", Status.DRAFT)
    assert event.starts_at == datetime(2027, 4, 22, 8, 30, tzinfo=STOCKHOLM)
    assert (event.spoken, event.interpreted, event.groups) == (["sv"], ["ar"], ["parents"])
    draft = Revision.objects.of(event).get()
    assert (draft.fields["title"], draft.state) == ("Nätföreläsning om orosanmälan", "draft")


def test_two_events_with_the_same_title_have_two_addresses(staff):
    office = staff(Role.EVENTS)
    for _again in range(3):
        office.post("/staff/events/new/", event_form())
    base = "natforelasning-om-orosanmalan"
    assert set(Event.objects.values_list("slug", flat=True)) == {base, f"{base}-2", f"{base}-3"}


def test_the_form_opens_as_it_was_saved_and_saving_it_again_changes_nothing(staff):
    office = staff(Role.EVENTS)
    office.post("/staff/events/new/", event_form(team=[]))
    event = Event.objects.get()
    page = office.get(f"/staff/events/{event.pk}/edit/")
    assert 'value="2027-04-22T08:30"' in page.content.decode()
    sent = {}
    for field in page.context["form"]:
        value = field.value()
        if value not in (None, False, "", []):
            sent[field.html_name] = "on" if value is True else field.field.widget.format_value(value)
    assert office.post(f"/staff/events/{event.pk}/edit/", sent).status_code == 302
    assert not AuditEvent.objects.filter(verb="edit").exists()
    event.refresh_from_db()
    assert event.sequence == 0


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"ends_at": "2027-04-22T08:30"}, "ends_at"),
        ({"starts_at": "2027-03-28T02:30"}, "starts_at"),  # skipped by the clock
        ({"registration_ends_at": "2027-04-22T09:00"}, "registration_ends_at"),
        ({"answers_due_at": "2027-04-22T09:00"}, "answers_due_at"),
        ({"slug": "Å ä"}, "slug"),
        ({"title": ""}, "title"),
        ({"summary": "Ring 19121212-1212"}, "summary"),
        ({"join_url": "javascript:alert(1)"}, "join_url"),
        ({"groups": ["nobody"]}, "groups"),
        ({"starts_at": "0001-01-01T08:30"}, "starts_at"),
    ],
)
def test_what_cannot_be_held_is_refused_and_nothing_typed_is_lost(staff, fields, wrong):
    response = staff(Role.EVENTS).post("/staff/events/new/", event_form(**fields))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [wrong]
    assert SECRET_LINK in response.content.decode() or "join_url" in fields
    assert not Event.objects.exists()


# The way to the public -----------------------------------------------------------------------------------------


def test_an_event_comes_to_readers_through_the_approval_of_a_second_person(client, staff, make_event):
    event = make_event(place="Biblioteket")
    author, other = staff(Role.EVENTS), staff(Role.EVENTS)
    base = f"/staff/events/{event.pk}"
    author.post(f"{base}/hand-in/")
    other.post(f"{base}/publish/")
    event.refresh_from_db()
    assert event.status == Status.REVIEW  # it has no approved Swedish text
    factories.publish(event, title="Träff om lagen", summary="Kort.", body="Text.")
    assert client.get(f"/sv/events/{event.slug}/").status_code == 404
    assert not IndexRow.objects.filter(kind="event").exists()
    opened = as_shown(other.get(f"{base}/"))
    author.post(f"{base}/publish/", opened)
    assert client.get(f"/sv/events/{event.slug}/").status_code == 404
    other.post(f"{base}/publish/", opened)
    page = client.get(f"/sv/events/{event.slug}/").content.decode()
    assert "Träff om lagen" in page
    assert "Biblioteket" not in page
    assert IndexRow.objects.filter(kind="event", object_id=event.pk).exists()


def test_a_place_is_public_only_after_a_risk_assessment_that_another_person_approved(client, staff, make_event):
    event = make_event("sv", place="Biblioteket", is_online=False)
    author, other, desk = staff(Role.EVENTS), staff(Role.EVENTS), staff(Role.EDITOR)
    base = f"/staff/events/{event.pk}"
    sent = as_opened(author.get(f"{base}/edit/")) | {"is_place_public": "on"}
    assert author.post(f"{base}/edit/", sent).status_code == 422
    with pytest.raises(IntegrityError, match="after_a_risk_assessment"), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(is_place_public=True)
    risks = {"risks": "Någon filmar.", "measures": "Vakt vid dörren.", "responsible": "Enhetschef"}
    assert desk.post(f"{base}/risks/", risks).status_code == 403
    author.post(f"{base}/risks/", risks)
    opened = as_shown(other.get(f"{base}/"))
    for office in (author, desk):
        office.post(f"{base}/risks/approve/", opened)
    event.refresh_from_db()
    assert event.risk_approved_at is None
    other.post(f"{base}/risks/approve/", opened)
    assert author.post(f"{base}/edit/", sent).status_code == 302
    cache.clear()
    page = client.get(f"/sv/events/{event.slug}/").content.decode()
    assert "Biblioteket" in page
    assert "Någon filmar" not in page
    assert "Någon filmar" not in desk.get(f"{base}/").content.decode()


def test_nobody_approves_or_publishes_what_somebody_has_changed_since_they_read_it(client, staff, make_event):
    event = make_event(place="Folkets hus")
    factories.publish(event, title="Träff om lagen", summary="Kort.", body="Text.")
    author, other = staff(Role.EVENTS), staff(Role.EVENTS)
    base = f"/staff/events/{event.pk}"
    risks = {"risks": "Någon filmar.", "measures": "Två vakter.", "responsible": "Enhetschef"}
    author.post(f"{base}/risks/", risks)
    opened = as_shown(other.get(f"{base}/"))
    author.post(f"{base}/risks/", risks | {"measures": "Inga."})
    refused = other.post(f"{base}/risks/approve/", opened, follow=True).content.decode()
    assert "har ändrats under tiden" in refused
    event.refresh_from_db()
    assert event.risk_approved_at is None
    other.post(f"{base}/risks/approve/", as_shown(other.get(f"{base}/")))

    author.post(f"{base}/hand-in/")
    opened = as_shown(other.get(f"{base}/"))
    secret = {"place": "Hemliga gatan 5", "is_place_public": "on"}
    assert author.post(f"{base}/edit/", as_opened(author.get(f"{base}/edit/")) | secret).status_code == 302
    refused = other.post(f"{base}/publish/", opened, follow=True).content.decode()
    assert "har ändrats under tiden" in refused
    assert client.get(f"/sv/events/{event.slug}/").status_code == 404
    other.post(f"{base}/publish/", as_shown(other.get(f"{base}/")))
    assert "Hemliga gatan 5" in client.get(f"/sv/events/{event.slug}/").content.decode()


@pytest.mark.parametrize("seen", ["", "x", "²", "9" * 18, "9" * 5000])
def test_an_approval_of_what_is_no_risk_assessment_is_refused(staff, make_event, seen):
    event = make_event()
    actions.assess(event, risks="Hot", measures="Vakt", responsible="Säkerhet", by=factories.user())
    answer = staff(Role.EVENTS).post(f"/staff/events/{event.pk}/risks/approve/", {"seen": seen})
    assert answer.status_code == 302
    event.refresh_from_db()
    assert event.risk_approved_at is None


def test_what_is_canceled_tells_its_place_only_after_a_risk_assessment_too(client, staff, make_event):
    event = make_event("sv", place="Hemliga gatan 5", is_online=False)
    office = staff(Role.EVENTS)
    office.post(f"/staff/events/{event.pk}/cancel/", {"reason": "Snö"})
    page = f"/staff/events/{event.pk}/edit/"
    answer = office.post(page, as_opened(office.get(page)) | {"is_place_public": "on"})
    assert answer.status_code == 422
    assert "Hemliga gatan 5" not in client.get(f"/sv/events/{event.slug}/").content.decode()
    with pytest.raises(IntegrityError, match="after_a_risk_assessment"), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(is_place_public=True)


def test_a_language_that_the_portal_has_left_out_is_still_spoken_after_a_change_of_something_else(staff, make_event):
    (left_out,) = {code for code, _name in languages.CHOICES[-1:]} - {each.code for each in languages.ACTIVE}
    event = make_event("sv", spoken=["sv", left_out], interpreted=[left_out])
    office, page = staff(Role.EVENTS), f"/staff/events/{event.pk}/edit/"
    assert office.post(page, as_opened(office.get(page)) | {"place": "Folkets hus"}).status_code == 302
    event.refresh_from_db()
    assert (event.place, set(event.spoken), event.interpreted) == ("Folkets hus", {"sv", left_out}, [left_out])


@pytest.mark.parametrize("leaves", ["role", "portal"])
def test_an_event_can_be_changed_after_one_of_its_colleagues_has_left(staff, make_event, leaves):
    gone = person(Role.EVENTS)
    event = make_event("sv", team=[gone])
    if leaves == "role":
        gone.groups.clear()
    else:
        User.objects.filter(pk=gone.pk).update(is_active=False)
    office, page = staff(Role.EVENTS), f"/staff/events/{event.pk}/edit/"
    assert office.post(page, as_opened(office.get(page)) | {"place": "Folkets hus"}).status_code == 302
    event.refresh_from_db()
    assert (event.place, list(event.team.all())) == ("Folkets hus", [gone])


def test_a_canceled_event_stays_and_says_so_in_every_language_and_can_be_held_after_all(client, staff, make_event):
    event = make_event("sv")
    office = staff(Role.EVENTS)
    base = f"/staff/events/{event.pk}"
    assert office.post(f"{base}/cancel/", {"reason": ""}).status_code == 422
    office.post(f"{base}/cancel/", {"reason": "Föreläsaren är sjuk"})
    for code, said in (("en", "This event is canceled."), ("sv", "inställt")):
        page = client.get(f"/{code}/events/{event.slug}/").content.decode()
        assert said in page
        assert "sjuk" not in page
        assert f"/{code}/events/{event.slug}/register/" not in page
    assert client.get(f"/sv/events/{event.slug}.ics").content.count(b"STATUS:CANCELLED") == 1
    office.post(f"{base}/restore/")
    cache.clear()
    assert "This event is canceled." not in client.get(f"/en/events/{event.slug}/").content.decode()
    event.refresh_from_db()
    assert (event.status, event.sequence) == (Status.PUBLISHED, 2)


def test_what_is_sent_back_is_a_draft_again_with_the_reason_in_the_log(staff, make_event):
    event = make_event()
    staff(Role.EVENTS).post(f"/staff/events/{event.pk}/hand-in/")
    staff(Role.APPROVER).post(f"/staff/events/{event.pk}/send-back/", {"reason": "Fel tid"})
    event.refresh_from_db()
    assert (event.status, event.asked_by) == (Status.DRAFT, None)
    assert AuditEvent.objects.about(event).filter(verb="set_status", note="Fel tid").exists()


def test_handing_in_hands_in_ones_own_draft_of_the_text(staff):
    office = staff(Role.EVENTS)
    office.post("/staff/events/new/", event_form())
    event = Event.objects.get()
    office.post(f"/staff/events/{event.pk}/hand-in/")
    assert Revision.objects.of(event).get().state == "submitted"


def test_a_copy_keeps_its_distance_on_the_clock_and_decides_nothing(staff, make_event):
    starts = datetime(2027, 3, 20, 8, 30, tzinfo=STOCKHOLM)
    event = make_event(
        "sv", starts_at=starts, registration_ends_at=starts - timedelta(days=1), are_speakers_public=True, spoken=["so"]
    )
    office = staff(Role.EVENTS)
    assert office.post(f"/staff/events/{event.pk}/copy/", {"starts_at": "2020-01-01T08:00"}).status_code == 422
    response = office.post(f"/staff/events/{event.pk}/copy/", {"starts_at": "2027-03-28T08:30"})
    copied = Event.objects.exclude(pk=event.pk).get()
    assert response.url == f"/staff/events/{copied.pk}/"
    assert copied.registration_ends_at == datetime(2027, 3, 27, 8, 30, tzinfo=STOCKHOLM)
    assert copied.ends_at - copied.starts_at == event.ends_at - event.starts_at
    assert (copied.status, copied.join_url, copied.are_speakers_public, copied.spoken) == ("draft", "", False, ["so"])
    assert Revision.objects.of(copied).get().fields["title"] == event.title_sv
    assert office.post(f"/staff/events/{event.pk}/copy/", {"starts_at": "2027-03-28T08:30"}).status_code == 422


@pytest.mark.parametrize("starts", ["9999-12-31T23:30", "2101-01-01T08:00"])
def test_a_copy_lies_in_this_century(staff, make_event, starts):
    event = make_event()
    response = staff(Role.EVENTS).post(f"/staff/events/{event.pk}/copy/", {"starts_at": starts})
    assert "2000 och 2100" in response.content.decode()
    assert Event.objects.count() == 1


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
            assert office.post(path, event_form(slug="annan")).status_code == 403, role
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
    row = {"day": 1, "starts": time(8), "ends": time(9), "is_break": True, "titles": {}, "speakers": []}
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


def as_opened(page) -> dict[str, list[str]]:
    """What a browser sends when nothing is typed."""
    sent: dict[str, list[str]] = {}
    root = html5lib.parse(page.content.decode(), namespaceHTMLElements=False)
    for element in [each for form in root.iter("form") for each in form.iter()]:
        name, kind = element.get("name"), element.get("type")
        if not name or (kind in {"checkbox", "radio"} and element.get("checked") is None):
            continue
        if element.tag == "select":
            sent[name] = [each.get("value") for each in element.iter("option") if each.get("selected") is not None]
        elif element.tag in {"input", "textarea"}:
            sent.setdefault(name, []).append(element.get("value", element.text or ""))
    return sent


def test_two_who_change_one_event_at_once_overwrite_nothing_that_they_have_not_seen(staff, make_event):
    event = make_event("sv", place="Biblioteket", spoken=["sv"], groups=["parents"], capacity=None)
    one, other, path = staff(Role.EVENTS), staff(Role.EVENTS), f"/staff/events/{event.pk}/edit/"
    first, second = as_opened(one.get(path)), as_opened(other.get(path))
    assert one.post(path, first | {"place": "Kommunhuset", "spoken": ["sv", "ar"]}).status_code == 302
    # Other fields stand beside each other, and nobody is told a second time of a place.
    assert other.post(path, second | {"capacity": "7", "groups": ["young", "parents"]}).status_code == 302
    event.refresh_from_db()
    assert (event.place, event.capacity, event.sequence) == ("Kommunhuset", 7, 1)
    assert (event.spoken, event.groups) == (["sv", "ar"], ["parents", "young"])
    # The same field is shown as it is now, beside what was typed; once more, and it is put there.
    refused = other.post(path, second | {"place": "Skolan"})
    assert refused.status_code == 422
    assert "Kommunhuset" in refused.content.decode()
    assert "Skolan" in refused.content.decode()
    assert other.post(path, as_opened(refused)).status_code == 302
    event.refresh_from_db()
    assert (event.place, event.capacity) == ("Skolan", 7)


def test_times_that_no_longer_go_together_are_refused_and_nothing_typed_is_lost(staff, make_event):
    starts = datetime(2027, 4, 22, 8, 0, tzinfo=STOCKHOLM)
    event = make_event("sv", starts_at=starts, lasts=timedelta(hours=8), registration_ends_at=None)
    one, other, path = staff(Role.EVENTS), staff(Role.EVENTS), f"/staff/events/{event.pk}/edit/"
    first, second = as_opened(one.get(path)), as_opened(other.get(path))
    assert one.post(path, first | {"ends_at": "2027-04-22T10:00"}).status_code == 302
    refused = other.post(path, second | {"starts_at": "2027-04-22T12:00"})
    assert refused.status_code == 422
    assert 'value="2027-04-22T12:00"' in refused.content.decode()
    event.refresh_from_db()
    assert event.starts_at == starts

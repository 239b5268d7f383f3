"""A recording: captions or why not, who agrees, and what is left of it after its last day."""

from datetime import timedelta

import html5lib
import pytest
import time_machine
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.programs import actions as programs
from events.recordings import actions
from events.recordings.models import Recording, RecordingConsent
from portal import languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pages import actions as pages
from tests import factories
from tests.programs.conftest import line, named, person, rewrite
from tests.shown import as_shown

FILM = "https://video.example.org/film"


def today():
    return timezone.localdate()


@pytest.fixture
def event(make_event):
    """Two days ago, with two who spoke."""
    speakers = [person("Nils Fjällvind", "jurist"), person("Mira Sandhav", "kommunikatör")]
    return make_event(
        "sv",
        starts_in=-timedelta(days=2),
        topic=factories.topic(),
        program=[line("09:00-10:00", "Lagen", *speakers)],
    )


def kept(event, **more) -> Recording:
    values = {"url": FILM, "until": today() + timedelta(days=30), "captions": ["sv"], "no_captions_reason": ""} | more
    return actions.keep(event, by=factories.user(), **values)


def agree(recording, *names) -> Recording:
    return actions.note_consents(recording, given=[named(name) for name in names], by=factories.user())


def shown(event, **more) -> Recording:
    recording = agree(kept(event, **more), "Nils Fjällvind", "Mira Sandhav")
    return actions.show(recording, by=factories.user())


def page_of(client, event, code="en") -> str:
    cache.clear()
    return client.get(f"/{code}/events/{event.slug}/").content.decode()


def test_it_has_captions_or_says_why_not(event):
    with pytest.raises(IntegrityError, match="recording_has_captions_or_says_why_not"), transaction.atomic():
        kept(event, captions=[])
    assert kept(event, captions=[], no_captions_reason="Bara bilder, inget tal.").pk


def test_it_is_shown_only_when_everybody_of_the_published_program_has_agreed(event, client):
    recording = agree(kept(event), "Nils Fjällvind")
    with pytest.raises(ValidationError, match="Mira Sandhav") as refusal:
        actions.show(recording, by=factories.user())
    assert "Nils" not in str(refusal.value)
    assert FILM not in page_of(client, event)
    agree(recording, "Mira Sandhav")
    assert FILM not in page_of(client, event)
    actions.show(recording, by=factories.user())
    assert FILM in page_of(client, event)


def test_who_speaks_in_a_draft_alone_is_not_asked_and_who_was_left_out_is_neither(event):
    rewrite(event, lambda rows: rows[0].update(speakers=[person("Nils Fjällvind", "jurist")]))
    programs.write(event, [line("09:00-10:00", "Lagen", person("Ny Talare"))], by=factories.user())
    assert [speaker.name for speaker in kept(event).lacking] == ["Nils Fjällvind"]


def test_without_a_program_nobody_has_to_agree(make_event):
    event = make_event("sv", starts_in=-timedelta(days=2))
    assert actions.show(kept(event), by=factories.user()).is_available


def test_who_does_not_agree_any_more_is_shown_no_longer(event, client):
    recording = shown(event)
    actions.note_consents(recording, taken_back=[named("Nils Fjällvind")], by=factories.user())
    assert FILM not in page_of(client, event)
    recording.refresh_from_db()
    assert recording.shown_at is None
    assert [consent.speaker.name for consent in recording.consents.all()] == ["Mira Sandhav"]


def test_another_link_is_another_film_and_other_captions_are_not(event):
    recording = shown(event)
    assert kept(event, captions=["sv", "ar"]).shown_at == recording.shown_at
    assert kept(event, url=f"{FILM}-2").shown_at is None
    assert Recording.objects.count() == 1


@pytest.mark.parametrize(
    ("starts_in", "until", "is_linked", "is_gone"),
    [
        (-timedelta(days=2), timedelta(), True, False),
        (-timedelta(days=2), -timedelta(days=1), False, True),
        (timedelta(days=2), timedelta(days=9), False, False),  # the event has not been held
    ],
)
def test_readers_find_it_after_the_event_until_its_last_day(client, make_event, starts_in, until, is_linked, is_gone):
    event = make_event("sv", starts_in=starts_in)
    actions.show(kept(event, until=today() + until), by=factories.user())
    page = page_of(client, event)
    assert (FILM in page, "The recording is no longer available." in page) == (is_linked, is_gone)


def test_readers_are_told_the_captions_or_why_there_are_none(event, client):
    recording = shown(event, captions=["sv", "ar"])
    page = page_of(client, event)
    assert "Captions:" in page
    assert '<bdi lang="ar">العربية</bdi>' in page
    kept(event, captions=[], no_captions_reason="Bara bilder, inget tal.")
    assert recording.pk
    assert "Bara bilder, inget tal." in page_of(client, event)


def test_when_it_is_gone_the_page_still_says_what_it_was_about_and_leads_to_the_facts(event, client):
    fact = factories.published_fact("ar", topic=event.topic)
    elsewhere = factories.published_fact(topic=factories.topic("school"))
    recording = shown(event)
    assert fact.slug not in page_of(client, event, "ar")
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            response = client.get(f"/ar/events/{event.slug}/")
    assert len([query for query in queries if 'FROM "facts_fact"' in query["sql"]]) == 1
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.content.decode())
    links = {a.get("href"): "".join(a.itertext()) for a in page.find(".//article").iter("a")}
    assert links[f"/ar/facts/{fact.slug}/"] == "Fråga ar?"
    assert f"/ar/facts/{elsewhere.slug}/" not in links
    assert event.summary_sv in response.content.decode()
    assert recording.url not in response.content.decode()


def test_a_recording_that_was_never_shown_is_not_said_to_be_gone(event, client):
    kept(event, until=today() - timedelta(days=1))
    assert "no longer available" not in page_of(client, event)


def test_an_event_that_has_passed_leaves_the_list_of_what_is_to_come_in_every_language(client, make_event, settings):
    passed, coming = make_event("sv", starts_in=-timedelta(days=2)), make_event("sv", starts_in=timedelta(days=2))
    for code in ("sv", "ar", "so"):
        page = html5lib.HTMLParser(namespaceHTMLElements=False).parse(client.get(f"/{code}/").content.decode())
        links = [a.get("href") for a in page.iter("a")]
        assert f"/{code}/events/{coming.slug}/" in links
        assert f"/{code}/events/{passed.slug}/" not in links
    said = {code: page_of(client, passed, code) for code in ("sv", "en", "ar")}
    assert "This event has passed." in said["en"]
    assert "This event has passed." not in said["sv"] + said["ar"]


# Staff ---------------------------------------------------------------------------------------------------------


def at(event, more="") -> str:
    return f"/staff/events/{event.pk}/recording/{more}"


def sent(**fields):
    return {"url": FILM, "until": str(today() + timedelta(days=30)), "captions": ["sv"]} | fields


def test_staff_write_it_down_note_who_agrees_and_show_it(staff, client, event):
    office = staff(Role.EVENTS)
    assert office.get(at(event)).status_code == 200
    assert office.post(at(event), sent()).url == at(event)
    nils, mira = named("Nils Fjällvind"), named("Mira Sandhav")
    office.post(at(event, "consents/"), {"speakers": [nils.pk]})
    page = office.get(at(event)).content.decode()
    assert at(event, "show/") not in page
    office.post(at(event, "show/"))
    assert Recording.objects.get().shown_at is None
    office.post(at(event, "consents/"), {"speakers": [nils.pk, mira.pk]})
    assert at(event, "show/") in office.get(at(event)).content.decode()
    office.post(at(event, "show/"))
    assert FILM in page_of(client, event)
    office.post(at(event, "hide/"))
    assert FILM not in page_of(client, event)
    office.post(at(event, "remove/"))
    assert not Recording.objects.exists()
    verbs = list(AuditEvent.objects.filter(kind="recordings.recording").order_by("pk").values_list("verb", flat=True))
    assert verbs == [
        "keep_recording", "note_consents", "note_consents", "show_recording", "hide_recording", "remove_recording",
    ]  # fmt: skip


@pytest.fixture
def two(staff, event):
    """Colleagues, with what the page of the recording says to each when they look at it, and with what they send."""
    kept(event)
    clients = [staff(Role.EVENTS), staff(Role.EVENTS)]

    def opened(number):
        return as_shown(clients[number].get(at(event)))

    def send(number, form, *names):
        return clients[number].post(at(event, "consents/"), form | {"speakers": [named(name).pk for name in names]})

    return opened, send


def agreed() -> set[str]:
    return {consent.speaker.name for consent in RecordingConsent.objects.all()}


def test_a_consent_that_was_taken_back_does_not_come_back_by_a_form_opened_before(event, two):
    opened, send = two
    agree(Recording.objects.get(), "Nils Fjällvind")
    form = opened(0)
    send(1, opened(1))  # Nils has taken it back
    send(0, form, "Nils Fjällvind", "Mira Sandhav")
    assert agreed() == {"Mira Sandhav"}


def test_a_consent_that_was_noted_does_not_go_by_a_form_opened_before(event, two):
    opened, send = two
    agree(Recording.objects.get(), "Nils Fjällvind")
    form = opened(0)
    send(1, opened(1), "Nils Fjällvind", "Mira Sandhav")
    send(0, form)  # Nils has taken it back
    assert agreed() == {"Mira Sandhav"}


def test_a_form_opened_before_somebody_left_the_program_is_to_be_looked_at_once_more(event, two):
    opened, send = two
    agree(Recording.objects.get(), "Nils Fjällvind", "Mira Sandhav")
    form = opened(0)
    send(1, opened(1), "Nils Fjällvind")  # Mira has taken it back
    rewrite(event, lambda rows: rows[0].update(speakers=[person("Mira Sandhav", "kommunikatör")]))
    answer = send(0, form, "Mira Sandhav")
    assert [str(each) for each in get_messages(answer.wsgi_request)] == [
        "Programmet har ändrats under tiden. Se en gång till vilka som talar."
    ]
    assert agreed() == {"Nils Fjällvind"}
    send(0, opened(0), "Mira Sandhav")
    assert agreed() == {"Nils Fjällvind", "Mira Sandhav"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"captions": []}, "captions"),
        ({"until": "2020-01-01"}, "until"),
        ({"until": "9999-01-01"}, "until"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"captions": ["xx"]}, "captions"),
        ({"captions": [], "no_captions_reason": "Ring 19121212-1212"}, "no_captions_reason"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_typed_is_lost(staff, event, fields, wrong):
    response = staff(Role.EVENTS).post(at(event), sent(**fields))
    assert (response.status_code, list(response.context["form"].errors)) == (422, [wrong])
    assert fields.get("url", FILM) in response.content.decode()
    assert not Recording.objects.exists()


def test_captions_in_a_language_that_the_portal_has_left_out_stay_after_a_change_of_something_else(staff, event):
    (left_out,) = {code for code, _name in languages.CHOICES[-1:]} - {each.code for each in languages.ACTIVE}
    kept(event, captions={"sv", left_out})
    client = staff(Role.EVENTS)
    client.post(at(event), as_shown(client.get(at(event))) | {"url": f"{FILM}/2"})
    found = Recording.objects.get()
    assert (found.url, set(found.captions)) == (f"{FILM}/2", {"sv", left_out})


def test_a_reason_goes_when_there_are_captions(staff, event):
    staff(Role.EVENTS).post(at(event), sent(no_captions_reason="Hann inte."))
    assert Recording.objects.get().no_captions_reason == ""


def test_nobody_of_another_program_can_agree_here(staff, event, make_event):
    make_event(program=[line("09:00-10:00", "Annat", person("Någon Annan"))])
    kept(event)
    staff(Role.EVENTS).post(at(event, "consents/"), {"speakers": [named("Någon Annan").pk]})
    assert not RecordingConsent.objects.exists()


def test_staff_are_warned_when_readers_are_led_to_what_somebody_has_not_agreed_to(staff, event):
    recording = shown(event)
    RecordingConsent.objects.filter(speaker=named("Mira Sandhav")).delete()  # as after a new version
    page = staff(Role.EVENTS).get(at(event)).content.decode().partition("<main")[2]
    assert page.index("Mira Sandhav") < page.index(at(event, "consents/"))
    assert recording.shown_at


def test_only_the_events_role_opens_it(staff, event):
    kept(event)
    for role in (Role.EDITOR, Role.TRANSLATOR, Role.APPROVER):
        assert staff(role).get(at(event)).status_code == 403, role
        assert staff(role).post(at(event, "remove/")).status_code == 403, role
    assert Recording.objects.exists()


def test_pages_of_staff_parse_strictly(staff, event):
    office, parser = staff(Role.EVENTS), html5lib.HTMLParser(strict=True)
    parser.parse(office.get(at(event)).content.decode())
    shown(event)
    parser.parse(office.get(at(event)).content.decode())
    parser.parse(office.get(f"/staff/events/{event.pk}/").content.decode())


def test_who_agreed_is_forgotten_a_year_after_the_last_day(event):
    recording = shown(event)
    end = timezone.now() + timedelta(days=30)
    assert pages.purge(now=end + timedelta(days=365)).counts["consents to recordings"] == 0
    assert pages.purge(now=end + timedelta(days=366)).counts["consents to recordings"] == 2
    assert Recording.objects.get() == recording


def test_who_mends_what_is_known_of_it_holds_it_so_that_nobody_hides_it_meanwhile(event):
    """Else it would be shown again, after somebody has taken their consent back."""
    shown(event)
    with CaptureQueriesContext(connection) as queries:
        kept(event, captions=["sv", "ar"])
    asked = [query["sql"] for query in queries if 'FROM "recordings_recording"' in query["sql"]]
    assert "FOR UPDATE" in asked[0]

"""Who speaks: what they have agreed to, and what is forgotten."""

import io
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from events.models import Event
from events.programs import actions
from events.programs.forms import program_initial
from events.programs.models import Speaker
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pages import actions as pages
from portal.pictures import actions as pictures
from portal.pictures.models import Picture
from tests import factories
from tests.overtaken import overtaken
from tests.programs.conftest import line, named, person, rows_of, write
from tests.shown import as_shown

JURIST = person("Nils Fjällvind", "jurist", "kommunen")


@pytest.fixture
def event(make_event):
    return make_event("sv", are_speakers_public=True, program=[line("09:00-10:00", "Lagen", JURIST)])


@pytest.fixture
def nils(event):
    return named("Nils Fjällvind")


def page_of(client, event) -> str:
    cache.clear()
    return client.get(f"/sv/events/{event.slug}/").content.decode()


def at(event, speaker, more="") -> str:
    return f"/staff/events/{event.pk}/speakers/{speaker.pk}/{more}"


def described(**fields):
    return {"name": "Nils Fjällvind", "title": "jurist", "organization": "kommunen", "email": ""} | fields


def test_without_consent_readers_see_title_and_organization_only(client, staff, event, nils):
    office = staff(Role.EVENTS)
    assert "Nils Fjällvind, jurist, kommunen" in page_of(client, event)
    office.post(at(event, nils, "take-back/"))
    page = page_of(client, event)
    assert "Nils" not in page
    assert "jurist, kommunen" in page
    assert "Nils" not in str(event.program_versions.newest().lines)
    office.post(at(event, nils, "agree/"))
    assert "Nils" not in page_of(client, event)  # not before somebody publishes it
    actions.publish(event, by=factories.user())
    assert "Nils Fjällvind, jurist, kommunen" in page_of(client, event)
    verbs = AuditEvent.objects.filter(object_id=str(nils.pk), kind="programs.speaker").values_list("verb", flat=True)
    assert {"take_name_back", "agree_to_be_named"} <= set(verbs)


def test_who_takes_their_name_back_is_gone_from_every_version_and_others_stay(event, nils):
    write(event, *rows_of(event), line("10:00-11:00", "Frågor", JURIST, person("Mira Sandhav")))
    actions.agree(named("Mira Sandhav"), by=factories.user())
    actions.publish(event, by=factories.user())
    actions.take_back(nils, by=factories.user())
    kept = [str(version.lines) for version in event.program_versions.all()]
    assert not any("Nils" in lines for lines in kept)
    assert "Mira Sandhav" in kept[0]


def test_nobody_is_shown_who_speaks_when_the_event_does_not_tell_everybody(client, make_event):
    event = make_event("sv", program=[line("09:00-10:00", "Lagen", JURIST)])
    page = page_of(client, event)
    assert "Lagen" in page
    assert "Nils" not in page
    assert "jurist" not in page


def test_an_address_is_on_no_page_of_readers_and_not_in_the_log(client, staff, event, nils):
    office, path = staff(Role.EVENTS), at(event, nils)
    office.post(path, as_shown(office.get(path)) | {"email": "nils@example.org", "title": "chefsjurist"})
    nils.refresh_from_db()
    assert (nils.email, nils.title) == ("nils@example.org", "chefsjurist")
    actions.publish(event, by=factories.user())
    assert "chefsjurist" in page_of(client, event)
    assert "nils@example.org" not in page_of(client, event)
    assert "nils@example.org" not in str(event.program_versions.newest().lines)
    assert "nils@" not in str(AuditEvent.objects.get(verb="describe_speaker").changes)


def test_a_speaker_of_another_event_cannot_be_changed_here(staff, make_event, event, nils):
    other = make_event()
    office = staff(Role.EVENTS)
    assert office.post(at(other, nils), described(name="Annan")).status_code == 404
    for step in ("agree/", "take-back/", "photo/remove/"):
        assert office.post(at(other, nils, step)).status_code == 404
    nils.refresh_from_db()
    assert nils.name == "Nils Fjällvind"
    assert nils.consent_to_be_named_at


# Photos --------------------------------------------------------------------------------------------------------


def test_a_photo_needs_consent_and_is_kept_only_as_new_pixels(staff, event, nils, photo):
    office = staff(Role.EVENTS)
    refused = office.post(at(event, nils), described(picture=photo()))
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["has_agreed", "picture"])
    assert not Picture.objects.exists()
    picture = pictures.keep(photo(), by=factories.user())
    with pytest.raises(IntegrityError, match="photo_is_kept_with_consent"), transaction.atomic():
        Speaker.objects.filter(pk=nils.pk).update(photo=picture)
    office.post(at(event, nils), described(picture=photo(), has_agreed="on"))
    nils.refresh_from_db()
    assert nils.photo.kind == "jpeg"
    assert nils.consent_photo_at is not None


def photo_url(event, speaker) -> str:
    return f"/sv/events/{event.slug}/speakers/{speaker.pk}/"


def show_photo(staff, event, speaker, photo) -> None:
    staff(Role.EVENTS).post(at(event, speaker), described(picture=photo(), has_agreed="on"))
    actions.publish(event, by=factories.user())


def test_a_photo_shows_to_readers_with_the_next_version_and_is_deleted_for_good_when_consent_is_taken_back(
    client, staff, event, nils, photo, settings
):
    staff(Role.EVENTS).post(at(event, nils), described(picture=photo(), has_agreed="on"))
    assert client.get(photo_url(event, nils)).status_code == 404
    actions.publish(event, by=factories.user())
    assert photo_url(event, nils) in page_of(client, event)
    response = client.get(photo_url(event, nils))
    image = Image.open(io.BytesIO(b"".join(response.streaming_content)))
    assert max(image.size) <= 480
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    files = Path(settings.MEDIA_ROOT) / "pictures"
    assert any(path.is_file() for path in files.rglob("*"))
    staff(Role.EVENTS).post(at(event, nils, "photo/remove/"))
    assert client.get(photo_url(event, nils)).status_code == 404
    assert photo_url(event, nils) not in page_of(client, event)
    nils.refresh_from_db()
    assert (nils.photo, nils.consent_photo_at) == (None, None)
    assert not Picture.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_file_of_a_photo_goes_when_that_is_certain(staff, event, nils, photo, settings):
    show_photo(staff, event, nils, photo)
    files = Path(settings.MEDIA_ROOT) / "pictures"
    assert any(path.is_file() for path in files.rglob("*"))
    actions.remove_photo(nils, by=factories.user())
    assert not any(path.is_file() for path in files.rglob("*"))


@pytest.mark.parametrize("hidden", ["name taken back", "speakers not public", "event withdrawn", "left out"])
def test_a_photo_is_not_served_to_readers_who_may_not_see_it(client, staff, event, nils, photo, hidden):
    show_photo(staff, event, nils, photo)
    assert b"".join(client.get(photo_url(event, nils)).streaming_content)
    match hidden:
        case "name taken back":
            actions.take_back(nils, by=factories.user())
        case "speakers not public":
            Event.objects.filter(pk=event.pk).update(are_speakers_public=False)
        case "event withdrawn":
            Event.objects.filter(pk=event.pk).update(title_sv="")
        case "left out":
            write(event, line("09:00-10:00", "Lagen"))
            actions.publish(event, by=factories.user())
    assert client.get(photo_url(event, nils)).status_code == 404


def test_a_new_photo_takes_the_place_of_the_old_one(staff, event, nils, photo):
    office = staff(Role.EVENTS)
    for _again in range(2):
        office.post(at(event, nils), described(picture=photo(), has_agreed="on"))
    nils.refresh_from_db()
    assert Picture.objects.get() == nils.photo


# Forgotten -----------------------------------------------------------------------------------------------------


def test_an_address_is_forgotten_thirty_days_after_the_last_event(make_event, event, nils):
    other = make_event(starts_in=timedelta(days=20), program=[line("09:00-10:00", "Mer", JURIST)])
    actions.describe(nils, by=factories.user(), email="nils@example.org")
    for when, address in (
        (event.ends_at + timedelta(days=31), "nils@example.org"),
        (other.ends_at + timedelta(days=29), "nils@example.org"),
        (other.ends_at + timedelta(days=31), ""),
    ):
        actions.purge(now=when)
        nils.refresh_from_db()
        assert nils.email == address, when
    assert nils.name == "Nils Fjällvind"


def test_who_was_only_ever_in_a_draft_is_forgotten_and_who_was_published_is_not(event, nils):
    write(event, line("09:00-10:00", "Lagen", person("Mira Sandhav")))
    write(event, line("09:00-10:00", "Lagen"))
    assert pages.purge(now=timezone.now()).counts["speakers"] == 1
    assert [speaker.name for speaker in Speaker.objects.all()] == ["Nils Fjällvind"]


def test_the_list_of_speakers_says_what_to_do_when_it_is_empty(staff, make_event):
    event = make_event()
    page = staff(Role.EVENTS).get(f"/staff/events/{event.pk}/speakers/").content.decode()
    assert f"/staff/events/{event.pk}/program/" in page.partition("<main")[2]


@pytest.mark.parametrize("path", ["speakers/", "program/", "program/publish/", "program/so/"])
def test_three_people_cost_no_more_queries_than_one(staff, make_event, path):
    office, counts = staff(Role.EVENTS), []
    for number in (1, 3):
        rows = [line(f"{8 + place:02}:00-{9 + place:02}:00", "Ett", person(f"Nr {place}")) for place in range(number)]
        event = make_event("sv", program=rows)
        write(event, *rows_of(event)[1:], line("20:00-21:00", "Nytt", person("Ny")))
        office.get(f"/staff/events/{event.pk}/{path}")
        with CaptureQueriesContext(connection) as queries:
            assert office.get(f"/staff/events/{event.pk}/{path}").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("wrong", [{"name": "Fjällvind, Nils"}, {"title": "jurist, enhetschef"}])
def test_a_comma_parts_who_stands_in_a_line_and_so_stands_in_no_name_and_no_title(staff, event, nils, wrong):
    """In the form of the program it would turn one person into another, without their consent and address."""
    office = staff(Role.EVENTS)
    shown = as_shown(office.get(at(event, nils)))
    response = office.post(at(event, nils), shown | wrong)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == list(wrong)
    assert office.post(at(event, nils), shown | {"organization": "kommunen, socialtjänsten"}).status_code == 302
    assert [rows["speakers"] for rows in program_initial(event)] == ["Nils Fjällvind, jurist, kommunen, socialtjänsten"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [actions.take_back, actions.remove_photo])
def test_a_consent_that_is_taken_back_while_somebody_publishes_is_gone_from_what_is_published(event, nils, photo, act):
    actions.describe(nils, by=factories.user(), photo=pictures.keep(photo(), by=factories.user()))
    by = factories.user()

    def publish():
        with suppress(ValidationError):  # without the photo there may be nothing new to publish
            actions.publish(event, by=by)

    overtaken(lambda: act(nils, by=by), publish)
    (row,) = event.program_versions.newest().lines[0]["speakers"]
    assert row["photo"] is None
    assert bool(row["name"]) == (act == actions.remove_photo)

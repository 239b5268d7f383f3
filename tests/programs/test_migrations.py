"""What stood in the old columns comes through the migrations as readers knew it."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import factories

STOCKHOLM = ZoneInfo("Europe/Stockholm")
BEFORE = [("programs", "0001_initial"), ("recordings", None), ("events", "0006_nouns_move_out")]
AFTER = [("programs", "0005_times_on_the_clock"), ("events", "0007_recordings_move_out")]


def migrate(targets):
    with connection.cursor() as cursor:
        # All of it is one transaction here, which the site's migrations are not.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    there = [target for target in targets if target[1]]
    return MigrationExecutor(connection).loader.project_state(there).apps


def at(day, clock):
    return datetime.combine(datetime(2027, 3, day).date(), time.fromisoformat(clock), tzinfo=STOCKHOLM)  # noqa: DTZ001


@pytest.mark.django_db
def test_programs_and_recordings_come_through_as_readers_knew_them():
    somebody = factories.user()
    old = migrate(BEFORE)
    event = old.get_model("events", "Event").objects.create(
        kind="conference",
        slug="gammal",
        starts_at=at(27, "22:00"),
        ends_at=at(28, "12:00"),
        created_by_id=somebody.pk,
        recording_url="https://video.example.org/r",
        recording_until="2027-12-24",
        title_sv="Gammal",
    )
    speaker = old.get_model("programs", "Speaker").objects.create(name="Nils Fjällvind", title="jurist")
    line = old.get_model("programs", "ProgramItem").objects.create
    first = line(event=event, starts_at=at(27, "22:00"), ends_at=at(27, "23:00"), title_sv="Ett", title_ar="واحد")
    first.speakers.add(speaker)
    # Nobody refused what overlaps, lasts over midnight, or begins at the same time.
    for title, starts_at, ends_at in (
        ("Två", at(27, "22:30"), at(28, "00:30")),
        # The clocks had gone forward in between.
        ("Tre", at(28, "09:00"), at(28, "10:00")),
        ("Fyra", at(28, "09:00"), at(28, "10:00")),
    ):
        line(event=event, starts_at=starts_at, ends_at=ends_at, title_sv=title)
    old.get_model("events", "Event").objects.create(
        kind="seminar", slug="tom", starts_at=at(1, "08:00"), ends_at=at(1, "09:00"), created_by_id=somebody.pk
    )
    new = migrate(AFTER)
    version = new.get_model("programs", "ProgramVersion").objects.get()
    assert (version.event_id, version.number, version.published_by) == (event.pk, 1, None)
    assert [(each["day"], each["starts"], each["ends"]) for each in version.lines] == [
        (1, "22:00", "23:00"),
        (1, "22:30", "00:30"),
        (2, "09:00", "10:00"),
        (2, "09:00", "10:00"),
    ]
    assert version.texts["ar"] == {str(first.pk): {"title": "واحد", "abstract": ""}}
    assert version.lines[0]["speakers"][0]["name"] == "Nils Fjällvind"
    assert [each.name for each in version.speakers.all()] == ["Nils Fjällvind"]
    items = new.get_model("programs", "ProgramItem").objects.order_by("day", "starts")
    assert [(item.title_sv, item.day, f"{item.starts:%H:%M}", f"{item.ends:%H:%M}") for item in items] == [
        ("Ett", 1, "22:00", "23:00"),
        ("Två", 1, "23:00", "23:59"),
        ("Tre", 2, "09:00", "10:00"),
        ("Fyra", 2, "10:00", "10:01"),
    ]
    recording = new.get_model("recordings", "Recording").objects.get()
    assert (recording.event_id, recording.url, str(recording.until)) == (event.pk, event.recording_url, "2027-12-24")
    assert recording.shown_at
    assert recording.no_captions_reason

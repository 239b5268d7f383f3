"""What stands in the tables comes through the migrations, and back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events.reminders.models import Dispatch, Rule
from portal.mail.models import Delivery, State
from tests import factories
from tests.programs.test_migrations import migrate

pytestmark = pytest.mark.django_db

BEFORE = [
    ("events", "0007_recordings_move_out"),
    ("reminders", "0005_who_has_not_answered"),
    ("mail", "0007_pause_has_a_name"),
]
AFTER = [
    ("events", "0011_public_since"),
    ("reminders", "0006_rules_as_set"),
    ("mail", "0008_forgotten_on_its_way"),
]


def test_events_of_every_status_come_through_with_what_speakers_know():
    now, by, old = timezone.now(), factories.user(), migrate(BEFORE)

    def made(slug, **fields):
        times = {"starts_at": now + timedelta(days=1), "ends_at": now + timedelta(days=2)}
        values = {"kind": "seminar", "slug": slug, "title_sv": "Träff", "created_by_id": by.pk}
        return old.get_model("events", "Event").objects.create(**values, **times, **fields)

    made("canceled", status="canceled", is_place_public=True, are_speakers_public=True)
    made("review", status="review", asked_by_id=by.pk, is_place_public=True, risk_approved_at=now)
    made("draft")
    held = made("held", status="published", join_url="https://meeting.example.org/3", join_version=3)
    rule = old.get_model("reminders", "Rule").objects.create(event=held, audience="speakers", anchor="start", days=1)
    old.get_model("reminders", "Dispatch").objects.create(rule=rule, event=held, anchor_at=held.starts_at, due_at=now)
    for _once_more in range(2):
        new = migrate(AFTER).get_model("events", "Event").objects.all()
        assert {
            each.slug: (each.is_place_public, bool(each.public_since), each.speakers_told_join) for each in new
        } == {
            "canceled": (False, True, 0),
            "review": (True, False, 0),
            "draft": (False, False, 0),
            "held": (False, True, 3),
        }
        migrate(BEFORE)


def test_what_a_rule_has_sent_as_it_was_set_first_and_then_is_one_reminder_when_it_is_taken_back(make_event):
    event, now = make_event("sv"), timezone.now()
    rule = Rule.objects.create(event=event, audience="registered", anchor="start", days=1, version=2)
    for version in (1, 2):
        values = {"rule_version": version, "number": version, "due_at": now}
        Dispatch.objects.create(rule=rule, event=event, anchor_at=event.starts_at, **values)
    old = migrate(BEFORE)
    assert old.get_model("reminders", "Dispatch").objects.get().number == 2


def test_who_was_forgotten_on_the_way_of_their_mail_stays_forgotten_when_it_is_taken_back():
    now = timezone.now()
    values = {"kind": "x", "key": "x", "message_id": "<x>", "language": "sv", "recipient_hash": "x"}
    moments = {"due_at": now, "fenced_at": now, "lease_until": now}
    Delivery.objects.create(**values, **moments, state=State.SENDING, recipient="")
    migrate(BEFORE)
    assert Delivery.objects.get().state == State.UNCERTAIN

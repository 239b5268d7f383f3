"""What people think of an event, without a name."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from events import actions as events
from events.attendance import actions
from events.attendance.models import Feedback
from events.registrations import rules as registrations
from events.reminders import rules as reminders
from events.reminders.models import Anchor, Audience, Rule
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.public import FAST_SECONDS, form_token
from tests import factories
from tests.registrations.test_register import register

pytestmark = pytest.mark.django_db


@pytest.fixture
def passed(make_event):
    """It ended an hour ago."""
    with time_machine.travel(timezone.now() - timedelta(days=10)):
        event = make_event("sv", "ar", starts_in=timedelta(days=9, hours=21), lasts=timedelta(hours=2))
        register(event, "mira")
    return event


def filled(**fields):
    with time_machine.travel(timezone.now() - timedelta(seconds=FAST_SECONDS + 1)):
        token = form_token("feedback")
    marks = {"learned": "4", "understood": "3", "welcome": "4"}
    return {"token": token, **marks, "text": "Bra, men för kort.", "website": ""} | fields


def url_of(event, code="sv") -> str:
    return f"/{code}/events/{event.slug}/feedback/"


def test_an_answer_is_kept_without_who_or_when(passed, public):
    before = AuditEvent.objects.count()
    response = public.post(url_of(passed, "ar"), filled(text="كان جيدا"), follow=True)
    assert response.redirect_chain == [(f"/ar/events/{passed.slug}/feedback/thanks/", 302)]
    assert not response.cookies
    given = Feedback.objects.get()
    assert (given.learned, given.understood, given.welcome, given.text) == (4, 3, 4, "كان جيدا")
    assert given.day == timezone.localdate()
    columns = {
        column.name
        for column in connection.introspection.get_table_description(connection.cursor(), Feedback._meta.db_table)
    }
    assert columns == {"id", "event_id", "day", "learned", "understood", "welcome", "text", "form_id"}
    assert AuditEvent.objects.count() == before


def test_a_form_sent_twice_is_one_answer(passed, public):
    sent = filled()
    for _again in range(2):
        public.post(url_of(passed), sent)
    assert Feedback.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"website": "x"},
        {"token": "x"},
        {"learned": ""},
        {"welcome": "5"},
        {"text": "Ring 070-174 06 05"},
        {"text": "19811228-9874"},
    ],
)
def test_what_is_not_kept_is_shown_again_with_what_was_typed(passed, public, fields):
    response = public.post(url_of(passed), filled(**fields))
    assert response.status_code == 422
    assert filled(**fields)["text"] in response.content.decode()
    assert not Feedback.objects.exists()


def test_a_machine_is_too_fast(passed, public):
    assert public.post(url_of(passed), filled(token=form_token("feedback"))).status_code == 422
    assert not Feedback.objects.exists()


def test_another_site_cannot_send_the_form(passed, public):
    assert public.post(url_of(passed), filled(), headers={"origin": "https://evil.example"}).status_code == 403


def test_the_form_is_there_from_the_end_for_two_weeks(make_event, public):
    event = make_event("sv")
    for moment, is_open in (
        (event.ends_at - timedelta(minutes=1), False),
        (event.ends_at + timedelta(minutes=1), True),
        (event.ends_at + timedelta(days=14, minutes=-1), True),
        (event.ends_at + timedelta(days=14, minutes=1), False),
    ):
        with time_machine.travel(moment):
            sent = filled()
            assert ('name="learned"' in public.get(url_of(event)).content.decode()) == is_open
            public.post(url_of(event), sent)
            assert Feedback.objects.exists() == is_open
            Feedback.objects.all().delete()


def test_nobody_answers_about_what_is_canceled_or_not_published(make_event, public):
    canceled, draft = make_event("sv"), make_event()
    events.cancel(canceled, by=factories.user(), reason="Sjukdom")
    for event in (canceled, draft):
        with time_machine.travel(event.ends_at + timedelta(hours=1)):
            assert public.post(url_of(event), filled()).status_code == 404
    assert not Feedback.objects.exists()


def give(event, number):
    for place in range(number):
        actions.give_feedback(event, learned=4, understood=1, welcome=3, text=f"Tanke {place}", form_id=uuid4())


def test_words_are_shown_when_nobody_can_tell_whose_they_are(passed, staff):
    client, url = staff(Role.MANAGER), reverse("event_feedback", args=[passed.pk])
    give(passed, 4)
    assert "Tanke" not in client.get(url).content.decode()
    give(passed, 1)
    assert client.get(url).content.decode().count("Tanke") == 5
    assert passed.feedback.marks("understood")[0][1] == 5


def test_words_go_after_a_year_and_marks_stay(passed):
    give(passed, 5)
    late = timezone.now() + Feedback.KEEP
    assert actions.purge(now=late) == 0
    assert actions.purge(now=late + timedelta(days=2)) == 5
    assert passed.feedback.marks("learned")[3][1] == 5
    assert passed.feedback.words() == []


def test_the_mail_after_the_event_leads_to_the_form(passed):
    rule = Rule(anchor=Anchor.END, audience=Audience.REGISTERED, days=1)
    letter = reminders.to_participant(rule, passed.registrations.with_needs().get())
    assert url_of(passed) in letter.text
    assert url_of(passed) in letter.html
    with time_machine.travel(passed.ends_at + timedelta(days=15)):
        assert url_of(passed) not in reminders.to_participant(rule, passed.registrations.with_needs().get()).text


def test_the_page_of_the_event_leads_to_the_form(passed, public):
    assert url_of(passed) in public.get(f"/sv/events/{passed.slug}/").content.decode()
    own = registrations.private_token(passed.registrations.with_needs().get())
    assert url_of(passed) in public.get(f"/sv/events/{passed.slug}/registration/{own}/").content.decode()

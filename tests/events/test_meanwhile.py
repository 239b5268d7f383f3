"""Two colleagues who have the same form open: whoever comes second sees what the first one wrote, and loses nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events.outreach.models import Session
from events.programs.models import Speaker
from events.recordings import actions as recordings
from events.recordings.models import Recording
from events.reminders import actions as reminders
from events.reminders.models import Rule
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pictures.models import Picture
from tests import factories
from tests.outreach.conftest import visit
from tests.programs.conftest import line, person, photo
from tests.shown import as_shown

__all__ = ["photo"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(make_event):
    speakers = [person("Nils Fjällvind", "jurist")]
    return make_event("sv", starts_in=-timedelta(days=2), program=[line("09:00-10:00", "Lagen", *speakers)])


def speaker(event):
    return f"/staff/events/{event.pk}/speakers/{Speaker.objects.get().pk}/", Speaker.objects


def recording(event):
    day = timezone.localdate() + timedelta(days=30)
    recordings.keep(event, by=factories.user(), url="https://film.example.org/1", until=day, captions={"sv"})
    return f"/staff/events/{event.pk}/recording/", Recording.objects


def session(event):
    return f"{visit().get_absolute_url()}edit/", Session.objects


def reminder(event):
    Rule.objects.all().delete()
    rule = reminders.add(by=factories.user(), event=event, audience="registered", anchor="start", days=1)
    return f"/staff/events/reminders/{rule.pk}/ar/", Rule.objects


PAGES = [
    (speaker, "title", "advokat", "domare"),
    (recording, "url", "https://film.example.org/2", "https://film.example.org/3"),
    (session, "follow_up", "Skicka häftet", "Ring på måndag"),
    (reminder, "text", "أهلًا", "مرحبًا"),
]


@pytest.mark.parametrize(("page", "field", "mine", "theirs"), PAGES)
def test_who_saves_what_somebody_else_has_changed_meanwhile_sees_both_and_loses_neither(
    staff, event, page, field, mine, theirs
):
    path, rows = page(event)
    column = "text_ar" if field == "text" else field
    me, colleague = staff(Role.EVENTS), staff(Role.EVENTS)
    opened = as_shown(me.get(path))
    assert colleague.post(path, as_shown(colleague.get(path)) | {field: theirs}).status_code == 302
    answer = me.post(path, opened | {field: mine})
    assert answer.status_code == 422
    assert theirs in str(answer.context["form"].errors[field])
    assert getattr(rows.get(), column) == theirs
    again = as_shown(answer)
    assert again[field] == [mine]
    assert me.post(path, again).status_code == 302
    assert getattr(rows.get(), column) == mine


@pytest.mark.parametrize("page", [page for page, *_values in PAGES])
def test_saving_what_nobody_has_changed_is_no_change(staff, event, page):
    path, rows = page(event)
    me = staff(Role.EVENTS)
    opened = as_shown(me.get(path))
    before, logged = rows.values().get(), AuditEvent.objects.count()
    assert me.post(path, opened).status_code == 302
    assert rows.values().get() == before
    assert AuditEvent.objects.count() == logged


@pytest.mark.parametrize(
    ("page", "mine", "theirs"),
    [
        (speaker, ("title", "advokat"), ("organization", "Byrån")),
        (recording, ("url", "https://film.example.org/2"), ("captions", ["ar", "sv"])),
        (session, ("follow_up", "Skicka häftet"), ("mood", "mixed")),
    ],
)
def test_what_somebody_else_has_changed_in_another_field_stays(staff, event, page, mine, theirs):
    path, rows = page(event)
    me, colleague = staff(Role.EVENTS), staff(Role.EVENTS)
    opened = as_shown(me.get(path))
    assert colleague.post(path, as_shown(colleague.get(path)) | dict([theirs])).status_code == 302
    assert me.post(path, opened | dict([mine])).status_code == 302
    kept = rows.get()
    assert {name: getattr(kept, name) for name in dict([mine, theirs])} == dict([mine, theirs])


def test_a_photo_that_comes_with_a_clash_is_asked_for_again_and_not_kept(staff, event, photo):
    path, _rows = speaker(event)
    me, colleague = staff(Role.EVENTS), staff(Role.EVENTS)
    opened = as_shown(me.get(path))
    colleague.post(path, as_shown(colleague.get(path)) | {"title": "domare"})
    answer = me.post(path, opened | {"title": "advokat", "picture": photo(), "has_agreed": "on"})
    assert list(answer.context["form"].errors) == ["title", "picture"]
    assert not Picture.objects.exists()


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [({"at": "08:00"}, {"number": "3"}), ({"number": "5"}, {"number": "6", "unit": "hours"})],
)
def test_who_changes_the_time_of_a_reminder_that_somebody_else_has_changed_sees_theirs_before_it_goes(
    staff, event, mine, theirs
):
    Rule.objects.all().delete()
    rule = reminders.add(by=factories.user(), event=event, audience="registered", anchor="start", days=1)
    path = f"/staff/events/reminders/{rule.pk}/"
    me, colleague = staff(Role.EVENTS), staff(Role.EVENTS)
    opened = as_shown(me.get(path))
    assert colleague.post(path, as_shown(colleague.get(path)) | theirs).status_code == 302
    saved = Rule.objects.values().get()
    answer = me.post(path, opened | mine)
    assert answer.status_code == 422
    assert f"sparade: {theirs['number']}" in answer.content.decode()
    assert Rule.objects.values().get() == saved
    assert me.post(path, as_shown(answer)).status_code == 302
    now = Rule.objects.get()
    assert (now.days, now.at and f"{now.at:%H:%M}") == (int(mine.get("number", 1)), mine.get("at"))


def test_what_a_reminder_says_and_when_it_leaves_may_change_at_the_same_time(staff, event):
    Rule.objects.all().delete()
    rule = reminders.add(by=factories.user(), event=event, audience="registered", anchor="start", days=1)
    path = f"/staff/events/reminders/{rule.pk}/"
    me, colleague = staff(Role.EVENTS), staff(Role.EVENTS)
    opened = as_shown(me.get(path))
    assert colleague.post(path, as_shown(colleague.get(path)) | {"number": "3"}).status_code == 302
    assert me.post(path, opened | {"text": "Välkommen!"}).status_code == 302
    now = Rule.objects.get()
    assert (now.days, now.swedish) == (3, "Välkommen!")


def test_nobody_but_who_had_a_seat_is_reminded_afterwards_because_two_have_changed_a_reminder_at_once(staff, event):
    Rule.objects.all().delete()
    rule = reminders.add(by=factories.user(), event=event, audience="registered", anchor="start", days=1)
    path = f"/staff/events/reminders/{rule.pk}/"
    me, colleague = staff(Role.EVENTS), staff(Role.EVENTS)
    opened = as_shown(me.get(path))
    assert colleague.post(path, as_shown(colleague.get(path)) | {"audience": "staff"}).status_code == 302
    answer = me.post(path, opened | {"anchor": "end"})
    assert set(answer.context["form"].errors) == {"audience"}
    now = Rule.objects.get()
    assert (now.audience, now.anchor) == ("staff", "start")

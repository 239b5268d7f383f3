"""A field worker writes down a visit, with what people asked, from a phone."""

from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from events import actions as events
from events.attendance.models import Count
from events.models import Event, Status
from events.outreach.models import Asked, Draft, SafetyNote, Session
from events.programs import actions as programs
from events.reminders.models import Audience, Rule
from events.series import actions as series
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.facts.models import Fact
from portal.meanwhile import ChangedMeanwhileError
from portal.questions.models import Door, Question
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.actors.conftest import actor
from tests.attachments.conftest import attach
from tests.outreach.conftest import visit
from tests.overtaken import overtaken
from tests.programs.conftest import line
from tests.shown import as_shown

pytestmark = pytest.mark.django_db
LOG = "/staff/events/outreach/log/"
KEEP = "/staff/events/outreach/log/keep/"
SOMALI = "Ma run baa in adeegga bulshadu carruurta ka qaado waalidka Muslimiinta ah?"


def test_a_visit_is_an_event_that_nobody_but_staff_sees_with_a_count_and_questions(staff, sent):
    response = staff(Role.REPORTER).post(LOG, sent(questions_1=f"Får jag säga nej?\n\n{SOMALI}\n"))
    session = Session.objects.get()
    assert response.headers["Location"] == reverse("outreach_session", args=[session.pk])
    event = session.event
    assert (event.kind, event.status, event.spoken) == ("outreach", Status.DRAFT, ["sv", "so"])
    assert browser().get(f"/sv/events/{event.slug}/").status_code == 404
    assert [(c.method, c.number) for c in event.counts.all()] == [("band", 25)]
    asked = [(a.question.text, a.question.language, a.question.door) for a in session.asked.in_order()]
    assert asked == [("Får jag säga nej?", "sv", Door.OUTREACH), (SOMALI, "so", Door.OUTREACH)]


@pytest.mark.parametrize("field", ["questions_1", "place", "spoken"])
def test_a_character_that_the_database_refuses_is_kept_in_no_draft(staff, sent, field):
    response = staff(Role.REPORTER).post(KEEP, sent(**{field: "a\x00b"}))
    assert response.status_code == 200
    assert not Draft.objects.exists()


def test_each_box_has_a_language_of_its_own(staff, sent):
    boxes = {"questions_1": "Varför?", "language_1": "so", "questions_2": "لماذا؟", "language_2": "ar"}
    staff(Role.EVENTS).post(LOG, sent(**boxes))
    assert sorted(Question.objects.values_list("text", "language")) == [("Varför?", "so"), ("لماذا؟", "ar")]


def test_who_counted_need_not_say_about_how_many(staff, sent):
    staff(Role.EVENTS).post(LOG, sent(band="", number="37"))
    assert [(c.method, c.number) for c in Count.objects.all()] == [("heads", 37)]


def test_without_any_number_it_is_not_saved_and_nothing_typed_is_lost(staff, sent):
    response = staff(Role.EVENTS).post(LOG, sent(band="", questions_1="Får jag säga nej?"))
    assert response.status_code == 422
    assert "Får jag säga nej?" in response.content.decode()
    assert not Event.objects.exists()


def test_a_form_sent_twice_is_one_visit(staff, sent):
    client, form = staff(Role.REPORTER), sent(questions_1="Får jag säga nej?")
    assert len({client.post(LOG, form).headers["Location"] for _again in range(2)}) == 1
    assert (Session.objects.count(), Event.objects.count(), Question.objects.count(), Count.objects.count()) == (
        1,
        1,
        1,
        1,
    )


@pytest.mark.django_db
def test_a_form_that_a_colleague_sends_after_one_from_the_same_device_is_a_visit_of_theirs():
    form_id, colleague = uuid4(), person(Role.REPORTER)
    first = visit("SFI Centrum", form_id=form_id, by=person(Role.REPORTER))
    made = [visit("Föreningen Bron", form_id=form_id, by=colleague).pk for _ in range(2)]
    assert len({first.pk, *made}) == 2
    assert Session.objects.get(pk=made[0]).host == "Föreningen Bron"


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_from_two_taps_at_the_same_moment_is_one_visit():
    by, form_id, start = person(Role.REPORTER), uuid4(), Barrier(2)
    made = []

    def tap():
        start.wait(10)
        made.append(visit(form_id=form_id, by=by).pk)
        connection.close()

    threads = [Thread(target=tap) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 2
    assert len(set(made)) == 1


def test_the_guard_asks_before_a_question_with_a_number_is_kept(staff, sent):
    client = staff(Role.REPORTER)
    form = sent(questions_1="Ring mig på 070-174 06 05?")
    assert client.post(LOG, form).status_code == 422
    assert not Question.objects.exists()
    client.post(LOG, form | {"guard_reason": "public"})
    assert Question.objects.count() == 1
    assert client.post(LOG, sent(questions_1="Vad hände 19811228-9874?")).status_code == 422


def test_a_host_that_stands_in_the_register_is_linked_and_outlives_it(staff, sent):
    found = actor("SFI Centrum")
    staff(Role.EVENTS).post(LOG, sent(host="sfi centrum"))
    session = Session.objects.get()
    assert session.actor == found
    found.delete()
    session.refresh_from_db()
    assert (session.actor, session.host) == (None, "sfi centrum")


def test_a_day_that_has_not_come_is_no_visit(staff, sent):
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert staff(Role.EVENTS).post(LOG, sent(on=str(tomorrow))).status_code == 422
    assert not Session.objects.exists()


def test_what_is_typed_is_kept_and_opened_again_but_not_the_safety_note(staff, sent):
    client = staff(Role.REPORTER)
    typed = sent(questions_1="Får jag säga nej?", safety_note="Hotfull stämning i trappan")
    assert "data-status" in client.post(KEEP, typed).content.decode()
    assert "trappan" not in str(Draft.objects.get().data)
    assert "SFI Centrum" in client.get(LOG).content.decode()
    form = client.get(f"{LOG}?draft={typed['form_id']}").context["form"]
    assert form["questions_1"].value() == "Får jag säga nej?"
    assert (form["spoken"].value(), form["form_id"].value()) == (["sv", "so"], typed["form_id"])
    client.post(LOG, typed)
    assert not Draft.objects.exists()
    # A script that is late does not bring it back.
    client.post(KEEP, typed)
    assert not Draft.objects.exists()


def test_what_the_guard_asks_about_is_no_draft(staff, sent):
    response = staff(Role.REPORTER).post(KEEP, sent(questions_1="Ring 070-174 06 05"))
    assert not Draft.objects.exists()
    assert "data-status" in response.content.decode()


def test_a_draft_is_its_writers_alone(staff, sent):
    typed = sent(host="Föreningen Bron")
    staff(Role.REPORTER).post(KEEP, typed)
    other = staff(Role.REPORTER)
    assert "Föreningen Bron" not in other.get(f"{LOG}?draft={typed['form_id']}").content.decode()
    other.post("/staff/events/outreach/log/throw-away/", {"draft": typed["form_id"]})
    assert Draft.objects.count() == 1


def test_more_questions_come_after_those_there_are_and_none_twice(staff):
    session = visit()
    client = staff(Role.EVENTS)
    url = reverse("ask_session", args=[session.pk])
    for _again in range(2):
        client.post(url, {"questions_1": "Vem bestämmer?\nFår jag en tolk?", "language_1": "sv"})
    assert [(a.order, a.question.text) for a in session.asked.in_order()] == [
        (1, "Vem bestämmer?"),
        (2, "Får jag en tolk?"),
    ]


def test_handed_out_facts_and_what_is_next_can_be_changed(staff):
    fact, session = factories.published_fact(), visit()
    client = staff(Role.EVENTS)
    path = reverse("edit_session", args=[session.pk])
    fields = {"host": "Annan", "mood": "worried", "handed_out": [fact.pk], "follow_up": "Ta med tolk."}
    client.post(path, as_shown(client.get(path)) | fields)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "Fråga sv?" in page
    assert "Ta med tolk." in page
    session.refresh_from_db()
    assert (session.host, session.mood) == ("Annan", "worried")


def test_the_log_is_not_told_who_was_visited_nor_what_is_to_be_done_there(staff):
    session, client = visit("Kvinnojouren Tuva"), staff(Role.EVENTS)
    actor("Kvinnojouren Frida")
    path = reverse("edit_session", args=[session.pk])
    fields = {"host": "Kvinnojouren Frida", "mood": "worried", "follow_up": "Ring Mira på måndag."}
    client.post(path, as_shown(client.get(path)) | fields)
    told = AuditEvent.objects.get(verb="edit", kind="outreach.session").changes
    assert told["mood"] == ["", "worried"]
    assert {"host", "follow_up"} <= told.keys()
    events.edit(session.event, by=factories.user(), place="Hemliga gatan 7", starts_at=session.event.starts_at)
    told = [told, AuditEvent.objects.get(verb="edit", kind="events.event").changes]
    assert "place" in told[1]
    assert not [word for word in ("Tuva", "Frida", "Mira", "Hemliga") if word in str(told)]


def test_the_log_is_not_told_where_a_visit_was_or_is_to_be_of_whatever_kind_it_is_said_to_be():
    by, now = factories.user(), timezone.now()
    planned = {"kind": "outreach", "slug": "kvinnojouren-tuva", "starts_at": now, "ends_at": now + timedelta(hours=1)}
    for event in (events.create(by=by, **planned), visit("Kvinnojouren Tuva").event):
        events.edit(event, by=by, kind="seminar", place="Hemliga gatan 7")
    events.edit(event, by=by, place="Hemliga gatan 8")
    assert AuditEvent.objects.filter(verb="edit", changes__has_key="place").count() == 3
    told = str(list(AuditEvent.objects.values_list("changes", "note")))
    assert not [word for word in ("tuva", "Tuva", "Hemliga") if word in told]


# What was not safe -------------------------------------------------------------------------------------------------


def test_only_who_may_reads_the_safety_note_and_every_reading_is_logged(staff, sent):
    reporter = staff(Role.REPORTER)
    reporter.post(LOG, sent(safety_note="Hotfull stämning i trappan"))
    session = Session.objects.get()
    url = reverse("session_safety", args=[session.pk])
    assert reporter.get(url).status_code == 403
    for client in (reporter, staff(Role.SECURITY)):
        assert "trappan" not in client.get(session.get_absolute_url()).content.decode()
        assert "trappan" not in client.get("/staff/events/outreach/").content.decode()
    read = AuditEvent.objects.filter(verb="read", kind="outreach.safetynote")
    assert not read.exists()
    assert "trappan" in staff(Role.SECURITY).get(url).content.decode()
    assert read.count() == 1
    assert not AuditEvent.objects.filter(note__contains="trappan").exists()


def test_two_who_write_the_safety_note_see_each_other_and_the_log_is_told_nothing(staff):
    session = visit()
    url = reverse("session_safety", args=[session.pk])
    first, second = staff(Role.SECURITY), staff(Role.EVENTS)
    opened = as_shown(second.get(url))
    first.post(url, as_shown(first.get(url)) | {"text": "Någon hade en kniv."})
    answer = second.post(url, opened | {"text": "Det var mörkt."})
    page = answer.content.decode()
    assert "Någon hade en kniv." in page
    assert "Det var mörkt." in page
    assert SafetyNote.objects.get().text == "Någon hade en kniv."
    assert AuditEvent.objects.filter(verb="read", kind="outreach.safetynote").count() == 1
    second.post(url, as_shown(answer) | {"text": "Någon hade en kniv. Det var mörkt."})
    assert SafetyNote.objects.get().text == "Någon hade en kniv. Det var mörkt."
    assert "kniv" not in str(list(AuditEvent.objects.values()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("was", ["", "Hotfull stämning."])
def test_two_who_write_the_safety_note_in_the_same_moment_lose_nothing(was):
    from events.outreach import actions

    session, by, seen = visit(safety_note=was), factories.user(), {"text": was}
    with pytest.raises(ChangedMeanwhileError):
        overtaken(
            lambda: actions.note_safety(session, text="Någon hade en kniv.", was=seen, by=by),
            lambda: actions.note_safety(session, text="Det var mörkt.", was=seen, by=by),
        )
    assert SafetyNote.objects.get().text == "Någon hade en kniv."


def test_a_safety_note_that_is_saved_as_it_was_opened_is_as_old_as_it_was(staff):
    url = reverse("session_safety", args=[visit(safety_note="Hotfull stämning.").pk])
    before, client = SafetyNote.objects.values().get(), staff(Role.SECURITY)
    client.post(url, as_shown(client.get(url)))
    assert SafetyNote.objects.values().get() == before


def test_a_safety_note_goes_after_two_years_and_the_visit_stays():
    from events.outreach import actions

    session = visit(safety_note="Hotfull stämning")
    late = timezone.now() + SafetyNote.KEEP
    actions.purge(now=late - timedelta(minutes=5))
    assert SafetyNote.objects.count() == 1
    actions.purge(now=late + timedelta(minutes=5))
    assert not SafetyNote.objects.exists()
    assert Session.objects.get() == session


def test_a_question_that_is_deleted_leaves_its_number():
    from events.outreach.actions import Said

    session = visit(asked=[Said("Får jag säga nej?", "sv")])
    Question.objects.all().delete()
    assert [each.question for each in Asked.objects.filter(session=session)] == [None]


def test_a_reader_of_a_visit_without_the_note_is_told_nothing_of_it():
    session = visit()
    client = sign_in(person(Role.EVENTS))
    client.get(reverse("session_safety", args=[session.pk]))
    assert not AuditEvent.objects.filter(verb="read").exists()


def test_among_all_events_a_visit_goes_by_who_was_visited():
    visit("Kvinnoföreningen Exempel")
    page = sign_in(person(Role.EVENTS)).get("/staff/events/").content.decode()
    assert ">Kvinnoföreningen Exempel</a>" in page
    assert "Internt" in page
    assert "Utkast" not in page
    assert ">besok-" not in page


def test_what_was_handed_out_stays_when_it_has_been_withdrawn_since(staff):
    kept, withdrawn, wrong = (factories.published_fact() for _ in range(3))
    session = visit(handed_out=[kept, withdrawn, wrong])
    Fact.objects.filter(pk=withdrawn.pk).update(title_sv="")
    at = f"{session.get_absolute_url()}edit/"
    reporter = staff(Role.REPORTER)
    reporter.post(at, as_shown(reporter.get(at)) | {"handed_out": [kept.pk]})
    assert set(session.handed_out.all()) == {kept, withdrawn}


def pages_of(session: Session) -> list[str]:
    """All that staff may read of an event, and a visit is one."""
    event = session.event
    rule = Rule.objects.default().filter(audience=Audience.REGISTERED).first()
    programs.write(event, [line("09:00-10:00", "Vi berättar")], by=factories.user())
    programs.publish(event, by=factories.user())
    paper = attach(event, "Blad")
    return [
        reverse("staff_event", args=[event.pk]),
        reverse("event_reminders", args=[event.pk]),
        reverse("preview_reminder", args=[event.pk, rule.pk, "sv"]),
        reverse("attachments", args=[event.pk]),
        reverse("staff_attachment", args=[event.pk, paper.pk]),
        reverse("program_version", args=[event.pk, 1]),
    ]


@pytest.mark.parametrize("role", [Role.TRANSLATOR, Role.APPROVER, Role.ADMIN, Role.AUDITOR])
def test_who_may_not_see_visits_learns_of_none_among_the_events(role):
    session = visit("Kvinnoföreningen Exempel", place="Föreningens lokal")
    pages = pages_of(session)
    browser = sign_in(person(role))
    assert {page: browser.get(page).status_code for page in pages} == dict.fromkeys(pages, 404)
    listed = browser.get("/staff/events/").content.decode()
    assert not [word for word in ("Kvinnoföreningen", "Föreningens lokal", session.event.slug) if word in listed]
    reporter = sign_in(person(Role.REPORTER))
    assert {page: reporter.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_who_may_not_see_visits_learns_of_none_that_is_planned_until_it_is_handed_in(make_event):
    event = make_event(slug="planerat-besok", kind="outreach")
    factories.publish(event, "sv", title="Besök", summary="Om", body="Text")
    event.refresh_from_db()
    page, browser = f"/staff/events/{event.pk}/", sign_in(person(Role.APPROVER))
    assert browser.get(page).status_code == 404
    assert event.slug not in browser.get("/staff/events/").content.decode()
    assert sign_in(person(Role.REPORTER)).get(page).status_code == 200
    events.hand_in(event, by=factories.user())
    assert browser.get(page).status_code == 200
    sent_back = browser.post(f"{page}send-back/", {"reason": "Vänta"}, follow=True)
    assert "Skickat tillbaka." in sent_back.content.decode()


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (Role.APPROVER, "send_back_event"),
        (Role.APPROVER, "publish_event"),
        (Role.APPROVER, "approve_risks"),
        (Role.ADMIN, "pause_event"),
    ],
)
def test_who_may_not_see_visits_decides_nothing_about_one_either(role, name):
    page = reverse(name, args=[visit().event_id])
    assert sign_in(person(role)).post(page, {"reason": "Så"}).status_code == 404


@pytest.mark.parametrize("role", [Role.TRANSLATOR, Role.APPROVER, Role.ADMIN, Role.AUDITOR])
def test_who_may_not_see_visits_learns_of_none_at_home_nor_in_a_series(role):
    now, circle = timezone.now(), series.create(name="Kretsen", by=factories.user())
    times = {"starts_at": now - timedelta(minutes=10), "ends_at": now + timedelta(minutes=50)}
    under_way, in_review = visit(**times).event, visit(**times).event
    events.edit(under_way, series=circle, by=factories.user())
    factories.publish(in_review, "sv", title="Besök", summary="Om", body="Text")
    in_review.refresh_from_db()
    events.hand_in(in_review, by=factories.user())
    pages = ("/staff/", f"/staff/events/series/{circle.pk}/")

    def told(reader) -> list[set[str]]:
        shown = [sign_in(person(reader)).get(page).content.decode() for page in pages]
        return [{pk for pk in (under_way.pk, in_review.pk) if f"/staff/events/{pk}/" in page} for page in shown]

    assert told(role) == [set(), set()]
    assert told(Role.REPORTER) == [{under_way.pk, in_review.pk}, {under_way.pk}]


def test_the_address_of_a_visit_does_not_say_who_was_visited():
    assert "kvinnoforeningen" not in visit("Kvinnoföreningen Exempel").event.slug

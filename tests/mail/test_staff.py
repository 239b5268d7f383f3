"""What staff see of mail: how it goes, what waits, what they have to decide, and what one person was sent."""

import logging
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail import actions
from portal.mail.models import Decision, Delivery, Pause, State
from portal.mail.rules import Message
from tests.accounts.people import person, sign_in
from tests.shown import as_shown

pytestmark = pytest.mark.django_db

PAGE = "/staff/mail/"
LIST = "/staff/mail/deliveries/"
HISTORY = "/staff/mail/history/"
UNCERTAIN = "/staff/mail/uncertain/notice/"


@pytest.fixture
def user():
    return person(Role.EVENTS, language="en")


@pytest.fixture
def staff(user):
    return sign_in(user)


def words(response):
    text = unescape(response.content.decode()).partition("<main")[2].partition("</main>")[0]
    return " ".join(text.split())


@pytest.fixture
def lost(plan):
    """Messages of which nobody knows whether they arrived."""

    def lose(number=1, **values):
        delivery = plan(number, **values)
        now = timezone.now()
        Delivery.objects.filter(pk=delivery.pk).update(
            state=State.UNCERTAIN, attempts=1, fenced_at=now - timedelta(minutes=5), ended_at=now
        )
        delivery.refresh_from_db()
        return delivery

    return lose


# Overview -----------------------------------------------------------------------------------------------------------


def test_an_empty_site_says_what_will_be_here(staff):
    page = words(staff.get(PAGE))
    assert "Everything that is due has left." in page
    assert "No mail yet." in page
    assert "Did they arrive?" not in page
    assert "No mail yet." in words(staff.get(LIST))


def test_the_page_counts_by_state_and_says_how_late_the_oldest_is(staff, plan, lost):
    plan(1, due_at=timezone.now() - timedelta(minutes=40))
    plan(2, due_at=timezone.now() + timedelta(days=1))
    lost(3)
    plan(4)
    Delivery.objects.filter(key="notice:4").update(state=State.FAILED, ended_at=timezone.now() - timedelta(days=31))
    page = words(staff.get(PAGE))
    assert "was due 40 minutes ago. That is too long" in page
    assert '<a href="/staff/mail/deliveries/?state=planned">Planned</a> </dt> <dd> 2 </dd>' in page
    assert "Uncertain: it may have been sent</a> </dt> <dd> 1 </dd>" in page
    assert "state=failed" not in page
    assert "example.org" not in page
    plan(5, key="late", due_at=timezone.now() - timedelta(minutes=5))
    Delivery.objects.filter(key="notice:1").delete()
    assert "That is too long" not in words(staff.get(PAGE))


def test_the_list_is_filtered_by_state_and_kind_and_names_no_address(staff, plan, lost):
    plan(1, key="event:1:reminder")
    plan(2, key="event:2:news", kind="news")
    lost(3, key="event:3:reminder")
    page = words(staff.get(LIST))
    assert [f"event:{number}:" in page for number in (1, 2, 3)] == [True] * 3
    assert "example.org" not in page
    page = words(staff.get(f"{LIST}?kind=news"))
    assert [f"event:{number}:" in page for number in (1, 2, 3)] == [False, True, False]
    page = words(staff.get(f"{LIST}?kind=notice&state=uncertain"))
    assert [f"event:{number}:" in page for number in (1, 2, 3)] == [False, False, True]
    assert "There is none of this kind." in words(staff.get(f"{LIST}?state=sent"))


def test_a_long_list_has_pages_that_keep_the_filter(staff, plan):
    for number in range(51):
        plan(number)
    assert "?state=planned&kind=&page=2" in words(staff.get(f"{LIST}?state=planned"))
    assert words(staff.get(f"{LIST}?state=planned&page=2")).count("notice:") == 1


def test_our_own_reasons_are_told_in_words_and_servers_as_they_spoke(staff, plan, lost):
    lost(1)
    Delivery.objects.update(last_answer="timed out after the fence")
    plan(2)
    actions.claim(limit=1, now=timezone.now())
    actions.recover(now=timezone.now() + actions.LEASE)
    page = words(staff.get(LIST))
    assert '<bdi lang="en">timed out after the fence</bdi>' in page
    assert "We were interrupted before it was handed over." in page


def test_a_kind_that_is_gone_is_shown_by_its_code(staff, plan):
    plan(1)
    Delivery.objects.update(kind="old_kind")
    assert "old_kind" in words(staff.get(LIST))


# Holding back -------------------------------------------------------------------------------------------------------


def test_the_page_says_what_holding_back_will_do_and_nothing_happens_before_a_reason_is_given(staff, plan):
    plan(1, due_at=timezone.now() + timedelta(hours=2), expires_at=timezone.now() + timedelta(hours=3))
    plan(2, due_at=timezone.now() + timedelta(hours=2))
    plan(3, due_at=timezone.now() + timedelta(hours=25))
    plan(4, kind="account", due_at=timezone.now())
    page = words(staff.get("/staff/mail/pause/"))
    assert "2 messages that are to leave within a day wait." in page
    assert "1 of them is too late after that day" in page
    response = staff.post("/staff/mail/pause/", {"reason": " "})
    assert response.status_code == 422
    assert "Something is missing" in words(response)
    assert not Pause.objects.exists()


def test_mail_is_held_back_until_it_is_let_go_and_the_log_says_by_whom(staff, user, plan):
    plan(1)
    page = words(staff.post("/staff/mail/pause/", {"reason": "Fel sal i texten"}, follow=True))
    assert "All mail is held back" in page
    assert "Fel sal i texten" in page
    assert "1 message that is due waits for it." in page
    assert "Hold all mail back" not in page
    assert not Delivery.objects.due(timezone.now()).exists()
    assert "Mail is held back" in words(staff.get("/staff/"))
    page = words(staff.post("/staff/mail/resume/", {"prefix": ""}, follow=True))
    assert "All mail is held back" not in page
    assert Delivery.objects.due(timezone.now()).count() == 1
    assert list(AuditEvent.objects.order_by("pk").filter(by=user).values_list("verb", "note")) == [
        ("pause", "Fel sal i texten"),
        ("resume", "Fel sal i texten"),
    ]


def test_a_pause_of_one_thing_is_shown_with_its_name_and_can_be_ended(staff, user, plan):
    actions.pause(prefix="event:12:", name="Träff om oro", reason="Inställt?", by=user)
    actions.pause(prefix="event:13:", reason="Utan namn", by=user)
    actions.pause(prefix="", reason="Allt", by=user)
    page = words(staff.get(PAGE))
    assert "Mail is held back:</strong> <bdi>Träff om oro</bdi>" in page
    assert "event:13:" in page
    assert staff.post("/staff/mail/resume/", {"prefix": "\0"}).status_code == 404
    assert Pause.objects.count() == 3
    staff.post("/staff/mail/resume/", {"prefix": "event:13:"})
    staff.post("/staff/mail/resume/", {"prefix": "event:12:"})
    assert [pause.prefix for pause in Pause.objects.all()] == [""]


def test_a_reason_with_a_personal_number_is_refused_and_kept_in_the_form(staff):
    response = staff.post("/staff/mail/pause/", {"reason": "Gäller 18900101-9802"})
    assert response.status_code == 422
    assert "Gäller 18900101-9802" in words(response)
    assert not Pause.objects.exists()


# Uncertain ----------------------------------------------------------------------------------------------------------


def test_what_is_uncertain_is_shown_by_kind_with_what_a_second_copy_costs(staff, lost, kinds):
    kinds("notice", lambda delivery: Message("s", "t"), label="Notice", if_twice="they may come twice.")
    lost(1)
    lost(2, expires_at=timezone.now() + timedelta(hours=1), due_at=timezone.now() - timedelta(hours=2))
    lost(3, kind="news")
    page = words(staff.get(PAGE))
    assert '<a href="/staff/mail/uncertain/notice/">Notice</a>' in page
    assert "3 messages of which nobody knows" in words(staff.get("/staff/"))
    page = words(staff.get(UNCERTAIN))
    assert "they may come twice." in page
    assert "r…@example.org" in page
    assert "reader1@example.org" not in page
    assert "For all 2" in page
    assert "reads the same thing again" in words(staff.get("/staff/mail/uncertain/news/"))
    assert "we know what became of it" in words(staff.get("/staff/mail/uncertain/account/"))


@pytest.mark.parametrize("decision", Decision)
def test_a_decision_for_all_of_a_kind_is_carried_out_and_logged(staff, user, lost, decision):
    fenced_at = [lost(number).fenced_at for number in (1, 2)]
    other = lost(3, kind="news")
    page = as_shown(staff.get(UNCERTAIN))
    response = staff.post(UNCERTAIN, page | {"decision": decision, "scope": "all"}, follow=True)
    assert "2 messages are decided." in words(response)
    assert response.redirect_chain[-1][0] == PAGE
    rows = list(Delivery.objects.filter(kind="notice").order_by("pk"))
    state = {"arrived": "sent", "again": "retry", "leave": "uncertain"}[decision]
    assert [row.state for row in rows] == [state] * 2
    if decision == Decision.ARRIVED:
        assert [row.sent_at for row in rows] == fenced_at
    assert [bool(row.left_at) for row in rows] == [decision == Decision.LEAVE] * 2
    assert not Delivery.objects.undecided().filter(kind="notice").exists()
    other.refresh_from_db()
    assert other.state == State.UNCERTAIN
    told = AuditEvent.objects.filter(verb="decide", by=user)
    assert [event.changes for event in told] == [{"state": ["uncertain", state]}] * 2


def test_sent_again_it_leaves_under_the_same_name_and_counts_as_an_attempt(plan, lost, user):
    delivery = lost(1)
    actions.decide(deliveries=Delivery.objects.all(), decision=Decision.AGAIN, by=user)
    again = Delivery.objects.due(timezone.now()).get()
    assert (again.message_id, again.attempts, again.fenced_at) == (delivery.message_id, 1, None)


def test_what_becomes_uncertain_after_the_page_was_drawn_is_not_decided_with_the_others(staff, lost):
    lost(1)
    lost(2)
    page = as_shown(staff.get(UNCERTAIN))
    lost(3)
    response = staff.post(UNCERTAIN, page | {"decision": "again", "scope": "all"}, follow=True)
    assert "2 messages are decided." in words(response)
    assert dict(Delivery.objects.values_list("key", "state")) == {
        "notice:1": "retry",
        "notice:2": "retry",
        "notice:3": "uncertain",
    }
    # What no page has shown is nobody's to decide.
    assert staff.post(UNCERTAIN, {"decision": "again", "scope": "all"}).status_code == 422
    assert Delivery.objects.get(key="notice:3").state == State.UNCERTAIN


def test_those_that_are_ticked_are_decided_and_the_others_stay(staff, lost):
    first, second = lost(1), lost(2)
    response = staff.post(
        UNCERTAIN,
        as_shown(staff.get(UNCERTAIN)) | {"decision": "arrived", "scope": "chosen", "chosen": [first.pk]},
        follow=True,
    )
    assert "1 message is decided." in words(response)
    assert dict(Delivery.objects.values_list("key", "state")) == {"notice:1": "sent", "notice:2": "uncertain"}
    response = staff.post(UNCERTAIN, as_shown(staff.get(UNCERTAIN)) | {"decision": "again", "scope": "chosen"})
    assert response.status_code == 422
    assert "Tick those that you know something about." in words(response)
    response = staff.post(UNCERTAIN, as_shown(staff.get(UNCERTAIN)) | {"scope": "chosen", "chosen": [second.pk]})
    assert response.status_code == 422
    assert f'value="{second.pk}" id="d{second.pk}" checked' in words(response)
    second.refresh_from_db()
    assert second.state == State.UNCERTAIN


def test_what_somebody_else_has_decided_meanwhile_is_not_decided_again(staff, user, lost):
    first, second = lost(1), lost(2)
    actions.decide(deliveries=Delivery.objects.filter(pk=first.pk), decision=Decision.ARRIVED, by=user)
    response = staff.post(
        UNCERTAIN,
        as_shown(staff.get(UNCERTAIN)) | {"decision": "again", "scope": "chosen", "chosen": [first.pk, second.pk]},
    )
    assert response.status_code == 422
    assert "One of them is no longer uncertain." in words(response)
    assert actions.decide(deliveries=Delivery.objects.all(), decision=Decision.AGAIN, by=user) == 1
    first.refresh_from_db()
    assert first.state == State.SENT


def test_what_is_too_late_or_without_an_address_is_not_sent_again(user, lost):
    late = lost(1, due_at=timezone.now() - timedelta(hours=2), expires_at=timezone.now() - timedelta(hours=1))
    forgotten = lost(2)
    Delivery.objects.filter(pk=forgotten.pk).update(recipient="")
    assert actions.decide(deliveries=Delivery.objects.all(), decision=Decision.AGAIN, by=user) == 1
    actions.expire(now=timezone.now())
    assert dict(Delivery.objects.values_list("pk", "state")) == {late.pk: "expired", forgotten.pk: "uncertain"}


def test_what_was_left_is_still_settled_by_a_late_answer(user, lost):
    delivery = lost(1)
    actions.decide(deliveries=Delivery.objects.all(), decision=Decision.LEAVE, by=user)
    actions._end(delivery, State.SENT, "250 late", sent_at=timezone.now())
    delivery.refresh_from_db()
    assert (delivery.state, delivery.left_at) == (State.SENT, None)


# One person ---------------------------------------------------------------------------------------------------------


def test_the_history_of_an_address_is_found_also_after_it_has_been_forgotten(staff, user, plan, lost, caplog):
    lost(1, to="anna.ek@example.org")
    plan(2, kind="news", to="Anna.Ek@example.org")
    plan(3)
    Delivery.objects.filter(key="notice:1").update(recipient="", last_answer="timed out after the fence")
    with caplog.at_level(logging.DEBUG):
        page = words(staff.post(HISTORY, {"address": "ANNA.EK@example.org"}))
    assert page.count("<tr>") == 3
    assert "timed out after the fence" in page
    assert "Uncertain: it may have been sent" in page
    assert page.index("News") < page.index("timed out")
    assert "anna.ek" not in caplog.text.lower()
    told = AuditEvent.objects.get(verb="read_history")
    assert (told.verb, told.by, told.kind, told.note) == ("read_history", user, "mail.delivery", "")
    assert "anna" not in str(told.changes).lower()


def test_asking_for_an_address_that_got_nothing_is_logged_too(staff, user):
    page = words(staff.post(HISTORY, {"address": "nobody@example.org"}))
    assert "No mail has been planned or sent." in page
    assert AuditEvent.objects.get(verb="read_history").object_id == str(user.pk)


def test_no_address_stands_in_the_address_of_a_page(staff, plan):
    plan(1)
    page = words(staff.get(f"{HISTORY}?address=reader1@example.org"))
    assert "<tr>" not in page
    assert not AuditEvent.objects.filter(verb="read_history").exists()
    response = staff.post(HISTORY, {"address": "no address"})
    assert response.status_code == 422
    assert 'value="no address"' in words(response)


def test_the_fragment_shows_the_messages_of_a_registration(plan, rf):
    from django.template.loader import render_to_string

    plan(1, key="event:1:registration:7:reminder")
    plan(2, key="event:1:registration:70:reminder")
    found = Delivery.objects.named(prefix="event:1:registration:7:")
    html = render_to_string("mail/history.html", {"deliveries": found})
    assert html.count("<tr>") == 2
    assert "Notice" in html

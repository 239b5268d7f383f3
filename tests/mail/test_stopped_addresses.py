import logging
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail import actions
from portal.mail.models import Reason, Suppression, address_hash
from tests.accounts.people import person, sign_in

pytestmark = pytest.mark.django_db

PAGE = "/staff/mail/stopped/"
ADDRESS = "anna.ek@example.org"


def stop(reason=Reason.UNKNOWN, address=ADDRESS, note="550 5.1.1 …: User unknown"):
    actions.suppress(address_hash=address_hash(address), reason=reason, note=note)
    return Suppression.objects.get(address_hash=address_hash(address), reason=reason)


@pytest.fixture
def staff():
    return sign_in(person(Role.EVENTS, language="en"))


def in_words(reason):
    with translation.override("en"):
        return str(reason.label)


def words(response):
    return unescape(response.content.decode()).partition("<main")[2].partition("</main>")[0]


def test_the_page_counts_the_stopped_addresses_and_names_none(staff):
    assert "No address is stopped." in words(staff.get(PAGE))
    for number in range(2):
        stop(address=f"a{number}@example.org")
    stop(Reason.UNSUBSCRIBED)
    page = " ".join(words(staff.get(PAGE)).split())
    assert f"<dt>{in_words(Reason.UNKNOWN)}</dt> <dd> 2 </dd>" in page
    assert f"<dt>{in_words(Reason.UNSUBSCRIBED)}</dt> <dd> 1 </dd>" in page
    assert in_words(Reason.REFUSED) not in page
    assert "@" not in page


def test_looking_up_an_address_tells_why_it_is_stopped_and_is_logged_without_it(staff, caplog):
    found = stop()
    stop(address="other@example.org", reason=Reason.REFUSED)
    with caplog.at_level(logging.DEBUG):
        page = words(staff.post(PAGE, {"address": "Anna.Ek@Example.org"}))
    assert in_words(Reason.UNKNOWN) in page
    assert "550 5.1.1 …: User unknown" in page
    assert reverse("lift_stop", args=[found.pk]) in page
    assert page.count("<h3>") == 1
    event = AuditEvent.objects.get(verb="look_up")
    assert (event.object_id, event.changes, event.note) == (str(found.pk), {}, "")
    assert "anna" not in caplog.text.lower()


def test_an_address_that_is_not_stopped_is_said_to_be_so(staff):
    stop()
    page = words(staff.post(PAGE, {"address": "other@example.org"}))
    assert "This address is not stopped" in page
    assert "<h3>" not in page


@pytest.mark.parametrize("address", ["", "anna", "a@b@c", "x" * 300 + "@example.org"])
def test_what_is_no_address_is_kept_in_the_form_with_a_sentence(staff, address):
    response = staff.post(PAGE, {"address": address})
    assert response.status_code == 422
    assert f'value="{address}"' in words(response) or not address
    assert "This address is not stopped" not in words(response)


def test_lifting_needs_a_reason_and_lets_mail_go_there_again(staff, post, plan):
    found = stop()
    page = reverse("lift_stop", args=[found.pk])
    assert "550 5.1.1 …: User unknown" in words(staff.get(page))
    assert staff.post(page, {"reason": " "}).status_code == 422
    assert Suppression.objects.exists()
    response = staff.post(page, {"reason": "The mailbox exists now."}, follow=True)
    assert "Mail goes to that address again." in words(response)
    event = AuditEvent.objects.get(verb="lift")
    assert (event.changes, event.note) == ({"reason": ["unknown", ""]}, "The mailbox exists now.")
    plan(1, to=ADDRESS)
    assert actions.deliver() == {"sent": 1}


def test_looking_at_the_page_lifts_nothing(staff):
    found = stop()
    for method in (staff.get, staff.head):
        method(reverse("lift_stop", args=[found.pk]))
    assert Suppression.objects.get() == found


def test_who_unsubscribed_is_not_subscribed_again_by_staff(staff):
    found = stop(Reason.UNSUBSCRIBED)
    page = words(staff.post(PAGE, {"address": ADDRESS}))
    assert in_words(Reason.UNSUBSCRIBED) in page
    assert "lift" not in page
    for method in (staff.get, staff.post):
        assert method(reverse("lift_stop", args=[found.pk]), {"reason": "Asked on the phone."}).status_code == 404
    assert Suppression.objects.get() == found


def test_refusals_are_forgotten_after_90_days_and_unknown_addresses_after_400():
    now = timezone.now()
    for reason in Reason:
        stop(reason)
    left = []
    for days in (89, 91, 399, 401):
        Suppression.objects.update(at=now - timezone.timedelta(days=days))
        actions.purge(now=now)
        left.append(set(Suppression.objects.values_list("reason", flat=True)))
    everything = set(Reason.values)
    assert left == [everything, everything - {"refused"}, everything - {"refused"}, {"unsubscribed"}]

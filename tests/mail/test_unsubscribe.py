import pytest
from django.urls import reverse

from portal.audit.models import AuditEvent
from portal.mail import rules
from portal.mail.models import Delivery, Reason, Suppression, address_hash

pytestmark = pytest.mark.django_db


def link(delivery):
    return reverse("unsubscribe", args=[rules.unsubscribe_token(delivery)])


def test_following_the_link_changes_nothing_and_shows_a_form(client, plan):
    delivery = plan(1, kind="news", language="ar")
    for method in (client.get, client.head):
        response = method(link(delivery))
        assert (response.status_code, response.headers["Content-Language"]) == (200, "ar")
    assert '<form method="post">' in client.get(link(delivery)).content.decode()
    assert 'dir="rtl"' in client.get(link(delivery)).content.decode()
    assert not Suppression.objects.exists()
    assert not AuditEvent.objects.exists()
    assert "no-store" in response.headers["Cache-Control"]
    assert not client.cookies


def test_one_click_of_a_mail_provider_stops_optional_mail_once(plan):
    from django.test import Client

    delivery = plan(1, kind="news")
    strict = Client(enforce_csrf_checks=True)
    for _ in range(2):
        response = strict.post(link(delivery), "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
        assert response.status_code == 200
        assert "<form" not in response.content.decode().partition("<main")[2].partition("</main>")[0]
    suppression = Suppression.objects.get()
    assert (suppression.address_hash, suppression.reason) == (address_hash("reader1@example.org"), Reason.UNSUBSCRIBED)
    assert AuditEvent.objects.get().verb == "suppress"
    assert not strict.cookies


def test_a_link_that_was_changed_or_belongs_to_another_message_is_not_found(client, plan):
    first, second = plan(1, kind="news"), plan(2, kind="news")
    digest = rules.unsubscribe_token(first).partition("-")[2]
    for token in (f"{second.pk}-{digest}", f"{first.pk}-{digest[:-1]}", f"{first.pk}-", "x-y", "9" * 40 + "-x", "١-x"):
        assert client.post(reverse("unsubscribe", args=[token])).status_code == 404
    assert not Suppression.objects.exists()


def test_the_link_works_when_the_address_itself_has_been_forgotten(client, plan):
    delivery = plan(1, kind="news")
    url = link(delivery)
    Delivery.objects.update(recipient="", state="failed", ended_at=delivery.due_at)
    client.post(url)
    assert Suppression.objects.get().address_hash == address_hash("reader1@example.org")


def test_what_people_need_cannot_be_turned_off_by_a_link_that_somebody_made(client, plan):
    url = link(plan(1))
    assert client.get(url).status_code == 404
    assert client.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert not Suppression.objects.exists()

"""Mail to embassies when what they cite has changed."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from portal.audit.models import AuditEvent
from portal.facts.models import Audience
from portal.facts.packs import actions, rules
from portal.facts.packs.models import Follower
from portal.mail import actions as mail
from portal.mail import rules as mail_rules
from portal.mail.models import Delivery, Suppression
from portal.public import form_token
from portal.revisions import actions as revisions
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "desk@embassy.example.org"


@pytest.fixture
def fact():
    return factories.published_fact("en", audience=Audience.EMBASSIES)


@pytest.fixture
def pack(fact):
    return actions.make(facts=[fact], codes=["en"], by=factories.user())


@pytest.fixture
def follower(pack) -> Follower:
    actions.follow(pack, email=ADDRESS, language="en")
    found = Follower.objects.get()
    actions.confirm(found)
    found.refresh_from_db()
    return found


def renew(fact, title: str = "New?"):
    return factories.publish(fact, "en", title=title, summary="New.", body="New.")


def letter(delivery: Delivery) -> EmailMessage:
    with translation.override(delivery.language):
        message = mail._kinds[delivery.kind].render(delivery)
        return mail_rules.compose(delivery, message, now=timezone.now())


def said(delivery: Delivery) -> str:
    return letter(delivery).get_body(("plain",)).get_content()


def news() -> list[Delivery]:
    return list(Delivery.objects.filter(kind=actions.CHANGED).order_by("pk"))


def ask(client, address=ADDRESS):
    return client.post("/fr/embassies/packs/1/follow/", {"email": address, "token": form_token("follow")})


def test_who_asks_gets_a_mail_and_nothing_else_until_they_say_yes(client, pack, fact):
    assert ask(client)["Location"] == "/fr/embassies/packs/1/follow/thanks/"
    follower = Follower.objects.get()
    assert (follower.email, follower.language, follower.confirmed_at) == (ADDRESS, "fr", None)
    renew(fact)
    assert actions.tell(now=timezone.now()) == 0
    asked = Delivery.objects.get()
    with translation.override("fr"):
        link = reverse("following", args=[rules.private_token(follower)])
    assert link in said(asked)
    # It is no list that one is on: nothing to unsubscribe from yet.
    assert asked.is_necessary

    # A scanner that follows the link changes nothing.
    page = client.get(link)
    assert Follower.objects.get().confirmed_at is None
    assert page["Cache-Control"] == "no-store"
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    client.post(link, {"token": form_token("following")})
    assert Follower.objects.get().confirmed_at
    client.post(link, {"token": form_token("following"), "stop": ""})
    assert not Follower.objects.exists()
    assert client.get(link).status_code == 404


def test_the_answer_is_the_same_for_an_address_that_is_known(client, follower):
    known, unknown = ask(client), ask(client, "other@embassy.example.org")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert Follower.objects.count() == 2
    # Another letter case is the same mailbox, and nobody gets a mail for each try.
    for _ in range(3):
        ask(client, ADDRESS.upper())
    assert Follower.objects.count() == 2
    assert Delivery.objects.filter(recipient=ADDRESS, kind=actions.ASKED).count() == 1


def test_a_form_from_another_site_or_without_its_token_or_from_a_machine_is_refused(client, pack):
    values = {"email": ADDRESS, "token": form_token("follow")}
    path = "/en/embassies/packs/1/follow/"
    assert client.post(path, values, headers={"origin": "https://elsewhere.example"}).status_code == 403
    assert client.post(path, values | {"token": form_token("tell-us")}).status_code == 422
    assert client.post(path, values | {"website": "x"}).status_code == 422
    assert client.post(path, values | {"email": "no address"}).status_code == 422
    assert not Follower.objects.exists()
    assert not Delivery.objects.exists()


def test_a_changed_text_is_told_once_and_not_more_than_once_a_day(follower, fact):
    now = timezone.now()
    assert actions.tell(now=now) == 0
    renew(fact)
    assert [actions.tell(now=now) for _ in range(2)] == [1, 0]
    assert "- Fråga en? (English): new text" in said(news()[0])
    assert "/en/embassies/packs/1/" in said(news()[0])
    assert news()[0].recipient == ADDRESS

    renew(fact, "Newer?")
    assert actions.tell(now=now + timedelta(hours=23)) == 0
    assert actions.tell(now=now + timedelta(hours=25)) == 1
    assert actions.tell(now=now + timedelta(hours=60)) == 0


def test_who_cites_a_translation_is_told_of_the_new_swedish_text_and_then_of_the_new_translation(follower, fact):
    now = timezone.now()
    factories.publish(fact, title="Ny?", summary="Nytt svar.", body="Ny text.")
    assert actions.tell(now=now) == 1
    assert "- Fråga en? (English): new text" in said(news()[0])
    assert actions.tell(now=now + timedelta(days=2)) == 0
    renew(fact)
    assert actions.tell(now=now + timedelta(days=2)) == 1


def test_a_withdrawn_text_is_told_and_what_changed_before_one_followed_is_not(pack, fact):
    renew(fact)
    actions.follow(pack, email=ADDRESS, language="en")
    actions.confirm(Follower.objects.get())
    assert actions.tell(now=timezone.now()) == 0
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert actions.tell(now=timezone.now()) == 1
    assert "- Fråga en? (English): taken away" in said(news()[0])


def test_a_text_that_is_not_in_the_pack_is_not_told(follower, fact):
    factories.publish(fact, "fr", title="Neuf ?", summary="Neuf.", body="Neuf.")
    renew(factories.published_fact("en", audience=Audience.EMBASSIES))
    assert actions.tell(now=timezone.now()) == 0


def test_one_click_in_the_mail_ends_it_and_who_asks_again_gets_mail_again(client, follower, fact, pack):
    renew(fact)
    actions.tell(now=timezone.now())
    delivery = news()[0]
    assert not delivery.is_necessary
    assert letter(delivery)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    strict = Client(enforce_csrf_checks=True)
    path = reverse("unsubscribe", args=[mail_rules.unsubscribe_token(delivery)])
    strict.post(path, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
    assert actions.tell(now=timezone.now() + timedelta(days=2)) == 0
    assert not Follower.objects.exists()

    actions.follow(pack, email=ADDRESS, language="en")
    # The stop of before does not take away the question.
    actions.tell(now=timezone.now())
    actions.confirm(Follower.objects.get())
    assert not Suppression.objects.exists()
    renew(fact, "Newer?")
    assert actions.tell(now=timezone.now()) == 1


def test_who_stops_gets_nothing_that_has_not_left(follower, fact):
    renew(fact)
    actions.tell(now=timezone.now())
    actions.stop(follower)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"canceled"}


@pytest.mark.parametrize("how", ["stop", "purge"])
def test_with_who_follows_the_address_is_forgotten_that_mail_went_to(follower, how):
    Delivery.objects.update(state="sent", sent_at=timezone.now(), fenced_at=timezone.now(), ended_at=timezone.now())
    if how == "stop":
        actions.stop(follower)
    else:
        actions.purge(now=timezone.now() + timedelta(days=731))
    assert list(Delivery.objects.values_list("kind", "recipient")) == [(actions.ASKED, "")]


def test_addresses_are_forgotten_and_stand_in_no_log(pack, follower):
    actions.follow(pack, email="never@embassy.example.org", language="en")
    now = timezone.now()
    assert actions.purge(now=now + timedelta(days=6)) == 0
    assert actions.purge(now=now + timedelta(days=8)) == 1
    assert Follower.objects.get() == follower
    assert actions.purge(now=now + timedelta(days=731)) == 1
    logged = str(list(AuditEvent.objects.values()))
    assert "embassy.example.org" not in logged
    assert {"ask_to_follow", "follow", "purge"} <= set(AuditEvent.objects.values_list("verb", flat=True))


def test_a_link_that_was_changed_opens_nothing(client, follower):
    token = rules.private_token(follower)
    for wrong in (token[:-1], f"{follower.pk + 1}-{token.partition('-')[2]}", "1-x"):
        assert client.get(f"/en/embassies/following/{wrong}/").status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=900)):
        assert client.get(f"/en/embassies/following/{token}/").status_code == 200

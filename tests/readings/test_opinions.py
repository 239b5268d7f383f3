"""'Was this helpful': of the version that was read, without anything about who says it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import localdate, now

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.facts.readings import actions
from portal.facts.readings.models import Opinion
from portal.mail.models import Delivery
from portal.pages.actions import purge
from portal.revisions import actions as revisions
from tests import factories
from tests.accounts.people import browser, person, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def fact():
    return factories.published_fact("ar")


def hidden(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', html))


def opened(path: str) -> dict[str, str]:
    return hidden(browser().get(path).content.decode())


def test_the_page_of_a_fact_asks_and_the_form_is_never_stored(fact):
    path = f"/ar/facts/{fact.slug}/"
    assert f'href="{path}helpful/"' in Client().get(path).content.decode()
    form = browser().get(f"{path}helpful/")
    assert form["Cache-Control"] == "no-store"
    assert not form.cookies
    assert 'href="tel:112"' in form.content.decode()


@pytest.mark.parametrize("guard", [{"audience": "children"}, {"is_about_violence": True}], ids=str)
def test_pages_for_children_and_about_violence_do_not_ask(guard):
    fact = factories.published_fact(**guard)
    path = f"/sv/facts/{fact.slug}/"
    assert "helpful" not in Client().get(path).content.decode()
    assert Client().get(f"{path}helpful/").status_code == 404


def test_an_answer_leads_to_thanks_and_is_kept_with_the_day_and_no_more(fact):
    path = f"/ar/facts/{fact.slug}/helpful/"
    answer = browser().post(path, opened(path) | {"is_helpful": "no", "comment": "الكلمات صعبة"})
    assert answer["Location"] == f"{path}thanks/"
    assert "112" in browser().get(answer["Location"]).content.decode()
    opinion = Opinion.objects.get()
    assert (opinion.fact_id, opinion.language, opinion.is_helpful) == (fact.pk, "ar", False)
    assert (opinion.comment, opinion.given_on) == ("الكلمات صعبة", localdate())
    assert opinion.revision == revisions.current(fact, "ar")
    assert not AuditEvent.objects.about(opinion).exists(), "its hour would say who it may have been"
    assert not Delivery.objects.exists()


def test_a_form_that_is_sent_twice_counts_once(fact):
    path = f"/ar/facts/{fact.slug}/helpful/"
    form = opened(path) | {"is_helpful": "yes"}
    for _ in range(2):
        assert browser().post(path, form)["Location"].endswith("thanks/")
    assert Opinion.objects.count() == 1


def test_an_answer_is_about_the_version_that_the_form_was_opened_with(fact):
    path = f"/ar/facts/{fact.slug}/helpful/"
    form, old = opened(path), revisions.current(fact, "ar")
    new = factories.publish(fact, "ar", title="سؤال جديد", summary="جواب", body="نص")
    again = browser().post(path, form)  # an answer is missing: the form comes back
    assert again.status_code == 422
    browser().post(path, hidden(again.content.decode()) | {"is_helpful": "yes"})
    assert [opinion.revision for opinion in Opinion.objects.all()] == [old]
    assert Opinion.objects.on(fact.pk).by_language() == {}
    actions.give(fact_id=fact.pk, revision_id=new.pk, language="ar", is_helpful=True, form_id="0" * 31 + "1")
    assert Opinion.objects.on(fact.pk).by_language() == {"ar": {"helped": 1, "did_not": 0}}


def test_nobody_can_answer_about_a_version_of_their_choice(fact):
    path = f"/ar/facts/{fact.slug}/helpful/"
    other = factories.published_fact()
    swedish = revisions.current(fact, "sv")
    form = opened(path) | {"is_helpful": "yes"}
    for revision in (swedish.pk, revisions.current(other, "sv").pk, "", "1 OR 1", "9" * 30):
        answer = browser().post(path, form | {"revision": revision})
        assert (answer.status_code, 'class="notice bad"' in answer.content.decode()) == (422, True)
    elsewhere = browser().post(f"/ar/facts/{other.slug}/helpful/", form)
    assert elsewhere.status_code == 422
    assert not Opinion.objects.exists()


def test_a_reader_without_a_translation_judges_the_swedish_text(fact):
    path = f"/so/facts/{fact.slug}/helpful/"
    assert 'lang="sv"' in browser().get(path).content.decode()
    browser().post(path, opened(path) | {"is_helpful": "no"})
    opinion = Opinion.objects.get()
    assert (opinion.language, opinion.revision.language) == ("so", "sv")


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("Min son 19850101-1236", "personal identity number"),
        ("Ring mig på 070-123 45 67", "Take out phone numbers"),
        ("اتصل بي ٠٧٠١٢٣٤٥٦٧", "Take out phone numbers"),
        ("Skriv till anna@example.org", "Take out phone numbers"),
        ("Vi bor på Storgatan 12", "Take out phone numbers"),
    ],
)
def test_what_may_point_at_a_person_has_to_go_before_anything_is_kept(fact, comment, said):
    path = f"/en/facts/{fact.slug}/helpful/"
    answer = browser().post(path, opened(path) | {"is_helpful": "no", "comment": comment})
    assert said in answer.content.decode()
    assert comment in answer.content.decode(), "nothing typed is lost"
    assert not Opinion.objects.exists()


def test_another_site_cannot_answer_for_a_reader_nor_can_a_robot(fact):
    path = f"/sv/facts/{fact.slug}/helpful/"
    form = opened(path) | {"is_helpful": "yes"}
    assert browser().post(path, form, headers={"origin": "https://other.example"}).status_code == 403
    assert browser().post(path, form | {"website": "x"}).status_code == 422
    assert not Opinion.objects.exists()


def test_staff_see_what_readers_say_about_the_present_text_and_can_take_a_name_away(fact):
    for number, comment in enumerate(["<b>Svårt</b>", "Anna Ek på soc är elak", ""], 1):
        actions.give(
            fact_id=fact.pk,
            revision_id=revisions.current(fact, "sv").pk,
            language="sv",
            is_helpful=number == 1,
            comment=comment,
            form_id=f"{number:032}",
        )
    editor = person(Role.EDITOR)
    client = sign_in(editor)
    page = client.get(f"/staff/facts/{fact.pk}/").content.decode()
    assert "&lt;b&gt;Svårt&lt;/b&gt;" in page
    assert page.index("Anna Ek") < page.index("Svårt"), "the newest first"
    assert re.findall(r'<td data-label="[^"]*">(\d+)</td>', page) == ["0", "1", "2"]

    named = Opinion.objects.get(comment__contains="Anna")
    assert client.post(f"/staff/facts/opinions/{named.pk}/forget/")["Location"] == f"/staff/facts/{fact.pk}/"
    named.refresh_from_db()
    assert (named.comment, named.is_helpful) == ("", False)
    event = AuditEvent.objects.about(named).get()
    assert (event.verb, event.by) == ("forget", editor)
    assert "Anna" not in f"{event.changes} {event.note}"
    assert "Anna" not in client.get(f"/staff/facts/{fact.pk}/").content.decode()


def test_opinions_are_purged_after_two_years(fact):
    about = {"fact_id": fact.pk, "revision_id": revisions.current(fact, "sv").pk, "language": "sv", "is_helpful": True}
    keep = timedelta(days=2 * 365)
    for number, days in enumerate((timedelta(), timedelta(days=1))):
        Opinion.objects.create(**about, form_id=f"{number:032}", given_on=localdate() - keep - days)
    assert purge(now=now()).counts["readings"] == 1
    assert [row.given_on for row in Opinion.objects.all()] == [localdate() - keep]

"""Matters, their variants and reviews; the matrix of languages and the page that says how the library is doing."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.accounts.models import Role, User
from portal.facts import actions, matrix, rules
from portal.facts.matrix import Cell
from portal.facts.models import Audience, Fact, FormerAddress, Matter
from portal.facts.readings.models import ReadingCount
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.revisions import actions as revisions
from tests import factories
from tests.accounts.people import browser, person, sign_in

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
ARABIC = {"title": "سؤال؟", "summary": "جواب.", "body": "## عنوان\n\nنص 1–4 §§."}


@pytest.fixture
def as_editor():
    return sign_in(person(Role.EDITOR, language="en"))


# Matters --------------------------------------------------------------------------------------------------------


def sister_of(fact, audience=Audience.CHILDREN):
    made = factories.fact(matter=fact.matter, audience=audience)
    factories.publish(made, title="För barn?", summary="Svar.", body="Text.")
    return made


def test_the_versions_for_parents_and_children_share_sources_and_review_date(as_editor):
    fact = factories.published_fact()
    page = as_editor.get(f"/staff/facts/new/?for={fact.pk}")
    sent = {
        **{name: field.value() for name, field in zip(page.context["form"].fields, page.context["form"], strict=True)},
        "audience": "children",
        "slug": "for-barn",
        "review_due": f"{TODAY + timedelta(days=90)}",
        "reviewed_on": f"{TODAY}",
        "is_asked_often": "",
        "is_about_violence": "",
        "source-TOTAL_FORMS": "1",
        "source-INITIAL_FORMS": "0",
        "source-0-title": "LVU",
        "source-0-sfs": "1990:52",
    }
    as_editor.post(f"/staff/facts/new/?for={fact.pk}", sent)
    made = Fact.objects.get(slug="for-barn")
    assert made.matter == fact.matter
    fact.matter.refresh_from_db()
    assert fact.matter.review_due == TODAY + timedelta(days=90)
    assert [str(source) for source in fact.sources.all()] == [str(source) for source in made.sources.all()] == ["LVU"]
    again = as_editor.post(f"/staff/facts/new/?for={fact.pk}", sent | {"slug": "for-barn-igen"})
    assert list(again.context["form"].errors) == ["audience"]


def test_there_is_one_version_for_each_audience():
    fact = factories.published_fact()
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.fact(matter=fact.matter, audience=fact.audience)


def test_a_major_change_flags_the_others_until_they_are_published_again_or_confirmed():
    fact = factories.published_fact()
    sister, stranger = sister_of(fact), factories.published_fact()
    assert not Fact.objects.overtaken().exists()
    factories.publish(fact, title="Ny?", summary="Ny.", body="Ny 1–4 §§.", significance="content")
    assert not Fact.objects.overtaken().exists()
    factories.publish(fact, title="Nyare?", summary="Ny.", body="Ny 1–4 §§.", significance="major")
    assert [found.pk for found in Fact.objects.overtaken()] == [sister.pk]
    assert stranger.pk
    actions.confirm(fact.matter, by=factories.user(), on=TODAY, seen=fact.matter.version)
    assert not Fact.objects.overtaken().exists()
    factories.publish(sister, title="Nya barn?", summary="Svar.", body="Text.", significance="major")
    assert [found.pk for found in Fact.objects.overtaken()] == [fact.pk]
    factories.publish(fact, title="Sist?", summary="Ny.", body="Ny 1–4 §§.")
    assert not Fact.objects.overtaken().exists()


def test_still_right_is_one_press_for_all_texts_of_the_matter(as_editor):
    fact = factories.published_fact()
    Matter.objects.update(reviewed_on=TODAY - timedelta(days=400), review_due=TODAY - timedelta(days=35))
    page = as_editor.get(f"/staff/facts/{fact.pk}/").content.decode()
    as_editor.post(f"/staff/facts/{fact.pk}/confirm/", {"seen": re.search(r'name="seen" value="([^"]+)"', page)[1]})
    fact.matter.refresh_from_db()
    assert (fact.matter.reviewed_on, fact.matter.review_due) == (TODAY, TODAY + Matter.REVIEW)
    assert fact.matter.confirmed_by is not None


def test_nobody_says_of_a_text_that_they_have_not_seen_that_it_is_still_right(as_editor):
    fact = factories.published_fact()
    sister = sister_of(fact)
    Matter.objects.update(reviewed_on=TODAY - timedelta(days=400), review_due=TODAY - timedelta(days=35))
    seen = fact.matter.version
    factories.publish(sister, title="Nytt?", summary="Nytt.", body="Nytt.")
    for sent in ({"seen": seen}, {}):
        answer = as_editor.post(f"/staff/facts/{fact.pk}/confirm/", sent, follow=True)
        assert "notice bad" in answer.content.decode()
        assert Matter.objects.get().reviewed_on < TODAY


def test_readers_of_an_outdated_translation_are_not_told_that_it_was_checked_today():
    fact = factories.published_fact("en")
    factories.publish(fact, title="Ny?", summary="Ny.", body="Ny 1–4 §§.")
    pages = {code: browser().get(f"/{code}/facts/{fact.slug}/").content.decode() for code in ("sv", "en")}
    assert "Granskad" in pages["sv"] or "Kontrollerad" in pages["sv"]
    assert "Checked on" not in pages["en"]


def test_an_owner_who_has_left_gets_no_mail():
    owner = person(Role.EDITOR)
    fact = factories.fact(owner=owner, reviewed_on=TODAY - timedelta(days=9), review_due=TODAY)
    factories.publish(fact, title="Stämmer det?", summary="Ja.", body="Ja.")
    actions.remind_of_reviews(today=TODAY)
    promised = Delivery.objects.get(recipient=owner.email)
    assert rules.review(promised)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert rules.review(promised) is None
    Delivery.objects.all().delete()
    actions.remind_of_reviews(today=TODAY)
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_owner_gets_one_mail_when_the_day_comes_and_none_once_it_is_confirmed(inbox):
    owner = person(Role.EDITOR, language="en")
    fact = factories.fact(owner=owner, reviewed_on=TODAY - timedelta(days=9), review_due=TODAY)
    assert actions.remind_of_reviews(today=TODAY) == 0, "nobody reads it yet"
    factories.publish(fact, title="Stämmer det?", summary="Ja.", body="Text.")
    for _ in range(2):
        actions.remind_of_reviews(today=TODAY)
    mail.deliver()
    assert [(letter["To"], letter["Subject"]) for letter in inbox] == [(owner.email, "Is it still right? Stämmer det?")]
    assert f"/staff/facts/{fact.pk}/" in inbox[0].get_body(("plain",)).get_content()

    Matter.objects.update(review_due=TODAY - timedelta(days=1))
    actions.remind_of_reviews(today=TODAY)
    actions.confirm(fact.matter, by=owner, on=TODAY, seen=fact.matter.version)
    mail.deliver()
    assert len(inbox) == 1
    assert Delivery.objects.filter(state="canceled").count() == 1


# Addresses ------------------------------------------------------------------------------------------------------


def test_a_former_address_leads_to_the_fact_and_is_never_given_away(as_editor):
    fact = factories.published_fact("ar", slug="gammal")
    actions.edit(fact, by=factories.user(), slug="ny")
    moved = browser().get("/ar/facts/gammal/")
    assert (moved.status_code, moved["Location"]) == (301, "/ar/facts/ny/")
    assert browser().get("/ar/facts/gammal/handout.pdf")["Location"] == "/ar/facts/ny/handout.pdf"
    other = factories.fact(slug="annan")
    page = as_editor.get(f"/staff/facts/{other.pk}/edit/")
    values = {bound.name: bound.value() or "" for bound in page.context["form"]}
    taken = as_editor.post(
        f"/staff/facts/{other.pk}/edit/",
        values | {"slug": "gammal", "source-TOTAL_FORMS": "0", "source-INITIAL_FORMS": "0"},
    )
    assert list(taken.context["form"].errors) == ["slug"]
    actions.edit(fact, by=factories.user(), slug="gammal")
    assert not FormerAddress.objects.filter(slug="gammal").exists()
    assert browser().get("/sv/facts/ny/")["Location"] == "/sv/facts/gammal/"


def test_the_former_address_of_a_withdrawn_fact_is_not_found():
    fact = factories.published_fact(slug="gammal")
    actions.edit(fact, by=factories.user(), slug="ny")
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert browser().get("/sv/facts/gammal/").status_code == 404


# The matrix -----------------------------------------------------------------------------------------------------


def states(*codes) -> dict[str, Cell]:
    from portal import languages

    facts = Fact.objects.published().read_in("sv").select_related("topic")
    rows = matrix.rows(facts, [languages.get(code) for code in codes])
    return {text.language.code: text.state for text in rows[0].texts}


def test_a_cell_says_what_readers_get_and_what_is_under_way():
    fact = factories.published_fact("ar", "so", "fa")
    assert states("ar", "en") == {"ar": Cell.UP_TO_DATE, "en": Cell.MISSING}
    factories.publish(fact, title="Ny?", summary="Ny.", body="## Rubrik\n\nNy 1–4 §§.", is_dangerous_if_old=True)
    made = revisions.draft(fact, language="ar", fields=ARABIC, by=factories.user())
    revisions.draft(fact, language="en", fields=ARABIC, by=factories.user())
    assert states("ar", "so", "en") == {"ar": Cell.HELD, "so": Cell.HELD, "en": Cell.DRAFT}
    revisions.submit(made, by=made.author, override_reason="Prov")
    assert states("ar") == {"ar": Cell.WAITING}
    revisions.withdraw(fact, language="so", by=factories.user(), reason="Fel")
    assert states("so") == {"so": Cell.MISSING}


def test_words_to_translate_are_those_of_changed_paragraphs_only():
    from portal import languages

    fact = factories.published_fact("ar")
    factories.publish(
        fact, title="Fråga sv?", summary="Svar sv.", body="## Rubrik\n\nText sv 1–4 §§.\n\nFyra nya ord här."
    )
    rows = matrix.rows(Fact.objects.published().read_in("sv"), [languages.get("ar"), languages.get("en")])
    arabic, english = rows[0].texts
    assert (arabic.state, arabic.words) == (Cell.OUTDATED, 4)
    assert english.words == 13


def test_what_most_readers_wait_for_comes_first(as_editor):
    facts = [factories.published_fact() for _ in range(3)]
    ReadingCount.objects.create(fact_id=facts[2].pk, language="ti", day=TODAY, count=7)
    ReadingCount.objects.create(fact_id=facts[1].pk, language="ti", day=TODAY - timedelta(days=40), count=99)
    page = as_editor.get("/staff/facts/matrix/?language=ti").context["page"]
    assert next((text.fact.pk, text.readers) for text in page) == (facts[2].pk, 7)


@pytest.mark.parametrize(
    "query", ["?language=xx", "?state=x&topic=y", "?page=99", "?audience=children", "?topic=9" * 9]
)
def test_a_filter_that_makes_no_sense_shows_a_page_all_the_same(as_editor, query):
    factories.published_fact()
    assert "<h1>" in as_editor.get(f"/staff/facts/matrix/{query}").content.decode()


def queries_of(client, url) -> int:
    with CaptureQueriesContext(connection) as found:
        client.get(url)
    return len([query for query in found if "facts_" in query["sql"] or "revisions_" in query["sql"]])


def test_the_matrix_takes_as_many_queries_for_three_facts_as_for_one(as_editor):
    factories.published_fact("ar")
    as_editor.get("/staff/facts/matrix/")
    one = queries_of(as_editor, "/staff/facts/matrix/")
    for _ in range(2):
        factories.published_fact("ar", "so")
    assert queries_of(as_editor, "/staff/facts/matrix/") == one < 6


def test_the_library_page_shows_what_waits_what_is_old_and_what_is_missing(as_editor):
    fact = factories.published_fact("ar", "so")
    factories.publish(fact, title="Ny fråga?", summary="Ny.", body="## Rubrik\n\nNy 1–4 §§.")
    ReadingCount.objects.create(fact_id=fact.pk, language="so", day=TODAY, count=5)
    Matter.objects.update(review_due=TODAY + timedelta(days=3))
    context = as_editor.get("/staff/facts/library/").context
    assert [(language.code, [text.readers for text in texts]) for language, texts in context["outdated"]] == [
        ("so", [5]),
        ("ar", [0]),
    ]
    assert [found.pk for found in context["due"]] == [fact.pk]
    arabic = next(one for one in context["coverage"] if one.language.code == "ar")
    assert (arabic.total, arabic.published, arabic.up_to_date) == (1, 1, 0)

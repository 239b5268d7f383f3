"""Pages for children and on violence: help first, a way out, and no trace in the browser or with us."""

import re
from html import unescape

import pytest
from django.apps import apps
from django.core.cache import cache

from portal.facts.models import Audience
from portal.facts.templatetags.reading import icon
from portal.revisions import actions as revisions
from rumors import actions as rumors
from tests import factories
from tests.accounts.people import browser

pytestmark = pytest.mark.django_db

GUARDED = [{"audience": Audience.CHILDREN}, {"is_about_violence": True}]
either = pytest.mark.parametrize("about", GUARDED, ids=["children", "violence"])


def html_of(path, client=None):
    return unescape((client or browser()).get(path).content.decode())


def numbers_in(html):
    return re.findall(r'href="tel:(\d+)"', html)


def rebuttal_of(fact, slug="sant"):
    author = factories.user()
    rumor = rumors.log(claim="Påståendet", channel="tiktok", seen_on=fact.matter.reviewed_on, by=author)
    made = rumors.link(rumor=rumor, fact=fact, strength="refutes", slug=slug, by=author)
    factories.publish(made, title="Så är det", answer="Svar.", claim="Du har kanske hört.", explanation="Därför.")
    return f"/sv/rumors/{slug}/"


def assert_is_guarded(html):
    assert "<title>Information</title>" in html
    assert re.search(r'data-exit>.*?<a [^>]*rel="nofollow noreferrer"', html, re.DOTALL)
    assert 'class="for-children"' in html
    for trace in ("og:", 'name="description"', "card.png", "handout.pdf", "/f/"):
        assert trace not in html, trace


@either
def test_a_guarded_page_has_a_neutral_head_a_way_out_and_nothing_to_share(about):
    fact = factories.published_fact(**about)
    html = html_of(f"/sv/facts/{fact.slug}/")
    assert_is_guarded(html)
    assert icon("neutral") in html
    assert "historik" in html


def test_a_page_for_parents_is_not_guarded():
    html = html_of(f"/sv/facts/{factories.published_fact().slug}/")
    assert "data-exit" not in html
    assert icon("neutral") not in html
    assert icon("icon") in html
    assert "handout.pdf" in html


@pytest.mark.parametrize(
    ("about", "first"),
    [(GUARDED[0], ["112", "116111"]), (GUARDED[1], ["112", "020505050"])],
    ids=["children", "violence"],
)
def test_the_numbers_that_help_come_before_the_text(about, first):
    fact = factories.published_fact(**about)
    before, text, _after = html_of(f"/sv/facts/{fact.slug}/").partition("<h1>")
    assert text
    assert numbers_in(before) == first


def test_on_the_childrens_page_the_numbers_come_before_the_texts():
    fact = factories.published_fact(audience=Audience.CHILDREN)
    html = html_of("/sv/children/")
    assert numbers_in(html.partition(f"/facts/{fact.slug}/")[0]) == ["112", "116111"]
    assert_is_guarded(html)


@either
def test_a_guarded_page_is_kept_nowhere(about):
    fact = factories.published_fact(**about)
    path = f"/sv/facts/{fact.slug}/"
    first = browser().get(path)
    assert first["Cache-Control"] == "no-store"
    assert "ETag" not in first
    factories.publish(fact, title="Ny fråga?", summary="Nytt.", body="Text.", significance="content")
    # Not even for the fifteen seconds that others are stored.
    assert "Ny fråga?" in html_of(path)


@either
def test_the_answer_to_a_rumor_is_guarded_like_the_fact_it_rests_on(about):
    path = rebuttal_of(factories.published_fact(**about))
    assert_is_guarded(html_of(path))
    assert browser().get(path)["Cache-Control"] == "no-store"
    assert "data-exit" not in html_of(rebuttal_of(factories.published_fact(), slug="annat"))


@either
def test_a_guarded_page_that_was_withdrawn_still_has_a_way_out(about):
    fact = factories.published_fact(**about)
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    answer = browser().get(f"/sv/facts/{fact.slug}/")
    assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    assert_is_guarded(unescape(answer.content.decode()))


@pytest.mark.parametrize("query", ["", "&q=hej", "&q=finnsinte", "&q=%00", "&page=x"])
def test_a_child_who_searches_keeps_the_way_out(query):
    fact = factories.published_fact(audience=Audience.CHILDREN)
    factories.publish(fact, title="Hej?", summary="Svar.", body="Text.")
    for path in ("/sv/children/", f"/sv/facts/{fact.slug}/"):
        assert 'href="/sv/search/?audience=children"' in html_of(path)
    # What pages have in common is kept, and children have other pages.
    for path in ("/sv/", f"/sv/facts/{factories.published_fact().slug}/"):
        assert 'href="/sv/search/"' in html_of(path)
    response = browser().get(f"/sv/search/?audience=children{query}")
    if query == "&q=%00":
        assert response.status_code == 400
        return
    html = unescape(response.content.decode())
    assert_is_guarded(html)
    assert numbers_in(html)[:2] == ["112", "116111"]
    assert html.index("116 111") < html.index("<h1>")
    assert response.headers["Cache-Control"] == "no-store"
    assert (f"/sv/facts/{fact.slug}/" in html) == (query == "&q=hej")


def test_who_searches_for_parents_has_no_way_out_to_take():
    assert "data-exit" not in html_of("/sv/search/?audience=parents&q=hej")
    assert 'href="/sv/search/"' in html_of("/sv/")


@either
def test_the_answer_to_a_rumor_stays_guarded_without_its_fact_and_when_it_is_withdrawn_itself(about):
    fact = factories.published_fact(**about)
    path = rebuttal_of(fact)
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert_is_guarded(html_of(path))
    assert browser().get(path)["Cache-Control"] == "no-store"
    revisions.withdraw(fact.rebuttals.get(), language="sv", by=factories.user(), reason="Fel")
    answer = browser().get(path)
    assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    assert_is_guarded(unescape(answer.content.decode()))


def test_a_page_that_is_not_there_below_the_childrens_has_a_way_out():
    assert_is_guarded(html_of("/sv/children/nowhere/"))
    assert "data-exit" not in html_of("/sv/parents/nowhere/")


def rows():
    return {model._meta.label: model._default_manager.count() for model in apps.get_models(include_auto_created=True)}


@either
def test_nothing_is_counted_or_remembered_of_who_reads_a_guarded_page(about):
    fact = factories.published_fact("ar", **about)
    rumor = rebuttal_of(fact)
    paths = ["/sv/children/", f"/sv/facts/{fact.slug}/", f"/ar/facts/{fact.slug}/", f"/f/{fact.pk}", rumor]
    cache.clear()
    before = rows()
    for path in paths:
        answer = browser().get(path)
        assert answer.status_code in {200, 302}
        assert not answer.cookies
    assert rows() == before
    assert cache._cache.get_client().dbsize() == 0

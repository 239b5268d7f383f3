"""From a linked fact to the public page, and what never gets there."""

import re
from html import unescape

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.revisions import actions as revisions
from portal.revisions.models import Revision
from portal.search.models import IndexRow
from rumors import actions
from rumors.models import Rebuttal
from rumors.vocabulary import Strength
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.rumors.conftest import TEXT, answer, log, published

pytestmark = pytest.mark.django_db


def get(path: str):
    cache.clear()
    return browser().get(path)


def test_an_editor_links_and_writes_and_an_approver_publishes(as_editor, editor):
    fact, rumor = factories.published_fact(), log()
    chosen = as_editor.get(f"/staff/rumors/{rumor.pk}/link/").content.decode()
    assert f'href="?fact={fact.slug}"' in chosen
    step = as_editor.get(f"/staff/rumors/{rumor.pk}/link/?fact={fact.slug}")
    assert f'value="{fact.slug}"' in step.content.decode()
    linked = as_editor.post(
        f"/staff/rumors/{rumor.pk}/link/",
        {"fact": fact.slug, "strength": "gives_context", "slug": "domstolen-beslutar"},
    )
    rebuttal = Rebuttal.objects.get()
    assert linked.headers["Location"] == f"/staff/texts/rebuttal/{rebuttal.pk}/sv/"
    assert rebuttal.fact_revision == revisions.current(fact)
    assert (rebuttal.strength, rebuttal.linked_by) == (Strength.GIVES_CONTEXT, editor)
    assert get("/sv/rumors/domstolen-beslutar/").status_code == 404

    as_editor.post(linked.headers["Location"], {**TEXT, "significance": "content", "change_note": "", "submit": "1"})
    revision = Revision.objects.of(rebuttal).get()
    as_editor.post(f"/staff/revisions/{revision.pk}/approve/", {"publish": "1"})
    assert get("/sv/rumors/domstolen-beslutar/").status_code == 404

    as_approver = sign_in(person(Role.APPROVER))
    as_approver.post(f"/staff/revisions/{revision.pk}/approve/", {"publish": "1"})
    page = get("/sv/rumors/domstolen-beslutar/").content.decode()
    assert TEXT["answer"] in unescape(page)
    assert 'href="/sv/rumors/domstolen-beslutar/"' in get("/sv/rumors/").content.decode()
    staff_page = as_approver.get(f"/staff/rumors/rebuttals/{rebuttal.pk}/").content.decode()
    assert TEXT["title"] in staff_page
    assert 'href="/sv/rumors/domstolen-beslutar/"' in staff_page or "/rumors/domstolen-beslutar/" in staff_page


def test_nobody_approves_their_own_answer():
    client, rebuttal = sign_in(person(Role.EDITOR, Role.APPROVER)), answer()
    client.post(f"/staff/texts/rebuttal/{rebuttal.pk}/sv/", {**TEXT, "significance": "content", "submit": "1"})
    revision = Revision.objects.of(rebuttal).get()
    client.post(f"/staff/revisions/{revision.pk}/approve/", {"publish": "1"})
    rebuttal.refresh_from_db()
    assert rebuttal not in Rebuttal.objects.published()
    assert get("/sv/rumors/domstolen-beslutar/").status_code == 404


def test_a_fact_is_found_by_its_words_when_linking(as_editor):
    fact, other = factories.published_fact(), factories.published_fact()
    factories.publish(other, title="Vem betalar för tolken?", summary="Ingen betalar.", body="Text.")
    response = as_editor.get(f"/staff/rumors/{log().pk}/link/?q=tolken")
    assert [found.pk for found in response.context["facts"]] == [other.pk]
    like_the_claim = as_editor.get(f"/staff/rumors/{log(claim='Tolken kostar pengar').pk}/link/")
    assert [found.pk for found in like_the_claim.context["facts"]] == [other.pk, fact.pk]


@pytest.mark.parametrize("query", ["?fact=finns-inte", "?q=" + "x" * 5000, "?fact=" + "x" * 5000])
def test_an_unknown_fact_leads_back_to_the_choice(as_editor, query):
    response = as_editor.get(f"/staff/rumors/{log().pk}/link/{query}")
    assert response.templates[0].name == "rumors/staff/choose_fact.html"


def test_an_answer_needs_a_published_fact_an_own_address_and_is_given_once(as_editor, editor):
    fact, rumor = factories.published_fact(), log()
    answer(rumor, fact=fact, slug="tagen")
    for slug, chosen, wrong in [
        ("tagen", factories.published_fact(), "slug"),
        ("Tagen!", factories.published_fact(), "slug"),
        ("", factories.published_fact(), "slug"),
        ("en-annan", fact, "fact"),
        ("en-annan", factories.fact(), "fact"),
    ]:
        sent = {"fact": chosen.slug, "strength": "refutes", "slug": slug}
        response = as_editor.post(f"/staff/rumors/{rumor.pk}/link/", sent)
        assert response.context["form"].errors.keys() == {wrong}, (slug, chosen)
    assert Rebuttal.objects.count() == 1
    with pytest.raises(ValidationError):
        actions.link(log(), fact=fact, slug="tagen", by=editor)
    assert (
        as_editor.get(f"/staff/rumors/{rumor.pk}/link/?fact={fact.slug}").context["form"]["slug"].value() == fact.slug
    )


@pytest.mark.parametrize("state", ["new", "answered", "nothing published"])
def test_an_empty_link_is_answered_with_what_is_missing(as_editor, state):
    rumor = answer().rumor if state == "answered" else log()
    factories.fact() if state == "nothing published" else factories.published_fact()
    response = as_editor.post(f"/staff/rumors/{rumor.pk}/link/")
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["fact", "strength", "slug"]
    assert sign_in(person(Role.REPORTER)).post(f"/staff/rumors/{rumor.pk}/link/").status_code == 403
    assert rumor.rebuttals.count() == (state == "answered")


def test_the_log_of_the_rumor_tells_of_the_link():
    rebuttal = answer()
    event = AuditEvent.objects.about(rebuttal.rumor).first()
    assert (event.verb, event.changes) == ("link", {"fact": ["", rebuttal.fact.slug], "slug": ["", rebuttal.slug]})


# The public page --------------------------------------------------------------------------------------------------


def test_the_page_says_fact_claim_why_fact():
    rebuttal = published()
    page = unescape(re.sub(r"</?bdi[^>]*>", "", get("/sv/rumors/domstolen-beslutar/").content.decode()))
    body = page[page.index("<main") : page.index("<footer")]
    order = [
        "<h1>" + TEXT["title"],
        TEXT["answer"],
        TEXT["claim"],
        "Varför det vilseleder",
        f'href="/sv/facts/{rebuttal.fact.slug}/"',
        'href="tel:112"',
    ]
    places = [body.index(words) for words in order]
    assert places == sorted(places)
    assert "Svar sv." in body


def test_title_heading_card_address_and_search_state_the_truth_and_never_the_claim():
    rumor = log(claim="RYKTET internt", original="RYKTET ord")
    published(rumor=rumor)
    page = unescape(get("/sv/rumors/domstolen-beslutar/").content.decode())
    head = page[: page.index("</head>")]
    assert f'<meta property="og:title" content="{TEXT["title"]}">' in head
    assert TEXT["title"] in re.search(r"<title>(.*?)</title>", head, re.DOTALL)[1]
    claim = TEXT["claim"]
    assert page.count(claim) == 1
    assert claim not in head
    for heading in re.findall(r"<(h[1-6])[^>]*>(.*?)</\1>", page, re.DOTALL):
        assert "Ryktet" not in heading[1]
    assert "ryktet" not in re.search(r'rel="canonical" href="([^"]+)"', page)[1]
    row = IndexRow.objects.get(kind="rebuttal")
    assert row.title == TEXT["title"]
    assert row.url == "/sv/rumors/domstolen-beslutar/"
    assert claim not in get("/sv/rumors/").content.decode()


def test_nothing_internal_is_on_any_public_page():
    marks = {"claim": "MARKÖR-A", "original": "MARKÖR-B", "area": "MARKÖR-C", "url": "https://marker-d.example.org/"}
    rumor = log(**marks)
    editor = person(Role.EDITOR)
    actions.rate(rumor, verdict="false", basis="MARKÖR-E", by=editor)
    actions.move(rumor, status="out_of_scope", reason="MARKÖR-F", by=editor)
    rebuttal = published("ar", rumor=rumor)
    assert AuditEvent.objects.about(rumor).exists()
    paths = [f"/{code}/rumors/{tail}" for code in ("sv", "ar", "so") for tail in ("", "domstolen-beslutar/")]
    paths += [f"/sv/facts/{rebuttal.fact.slug}/", "/sv/", "/sv/feed.xml", "/sitemap.xml", "/sv/search/?q=domstolen"]
    paths += ["/api/v1/rebuttals", "/sv/search/?q=MARKÖR"]
    for path in paths:
        response = get(path)
        assert response.status_code == 200, path
        text = response.content.decode().replace("MARKÖR", "", 2 if "q=MARK" in path else 0)
        assert "MARKÖR" not in text, path
        assert "marker-d" not in text, path
        assert rumor.public_id not in text, path
        assert rumor.logged_by.name not in text, path
    for row in IndexRow.objects.all():
        assert "MARKÖR" not in f"{row.title}{row.text}{row.url}".upper()


def test_a_missing_translation_falls_back_as_a_whole_and_says_so():
    published("ar")
    page = get("/so/rumors/domstolen-beslutar/").content.decode()
    assert re.search(r'<article class="text"\s+lang="sv"\s+dir="ltr"\s+data-fallback="sv">', page)
    assert get("/so/rumors/domstolen-beslutar/").headers["Content-Language"] == "so"
    arabic = get("/ar/rumors/domstolen-beslutar/").content.decode()
    assert re.search(r'<article class="text"\s+lang="ar"\s+dir="rtl">', arabic)
    assert "title ar" in arabic
    assert TEXT["title"] not in arabic
    alternates = set(re.findall(r'hreflang="([\w-]+)"\s+href="http[^"]*/rumors/', arabic))
    assert alternates == {"sv", "ar", "x-default"}


def test_the_list_names_truths_newest_first():
    first, second = published(slug="forst"), published("ar", slug="sedan")
    factories.publish(first, **TEXT | {"answer": "En nyare text."})
    page = get("/ar/rumors/").content.decode()
    assert page.index("/ar/rumors/forst/") < page.index("/ar/rumors/sedan/")
    assert "title ar" in page
    assert 'data-fallback="sv"' in page
    assert second.slug in page


def test_an_empty_list_says_so_and_asks_what_people_have_heard():
    page = get("/sv/rumors/").content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    assert 'class="answer"' in main
    assert 'href="/sv/tell-us/"' in main


def test_a_withdrawn_answer_is_gone_everywhere_and_can_come_back():
    rebuttal = published("ar")
    revisions.withdraw(rebuttal, language="sv", by=person(Role.APPROVER), reason="Fel")
    assert get("/sv/rumors/domstolen-beslutar/").status_code == 410
    assert get("/ar/rumors/domstolen-beslutar/").status_code == 410
    assert "domstolen-beslutar" not in get("/sv/rumors/").content.decode()
    assert not IndexRow.objects.filter(kind="rebuttal", language="sv").exists()
    assert get("/sv/rumors/aldrig-funnits/").status_code == 404
    factories.publish(rebuttal, **TEXT)
    assert TEXT["answer"] in get("/sv/rumors/domstolen-beslutar/").content.decode()


def test_a_translation_withdrawn_alone_falls_back():
    rebuttal = published("ar")
    revisions.withdraw(rebuttal, language="ar", by=person(Role.APPROVER), reason="Fel")
    page = get("/ar/rumors/domstolen-beslutar/").content.decode()
    assert 'data-fallback="sv"' in page
    assert not IndexRow.objects.filter(kind="rebuttal", language="ar").exists()


def test_the_page_stands_when_its_fact_is_withdrawn():
    rebuttal = published()
    revisions.withdraw(rebuttal.fact, language="sv", by=person(Role.APPROVER), reason="Fel")
    page = get("/sv/rumors/domstolen-beslutar/").content.decode()
    assert TEXT["answer"] in page
    assert f"/facts/{rebuttal.fact.slug}/" not in page


def test_an_outdated_translation_says_what_changed():
    rebuttal = published("ar")
    factories.publish(rebuttal, **TEXT | {"answer": "Ny lag (5 §)."}, significance="major", change_note="Lagen är ny.")
    page = get("/ar/rumors/domstolen-beslutar/").content.decode()
    assert "Lagen är ny." in page
    assert 'href="/sv/rumors/domstolen-beslutar/"' in page


def test_an_example_says_that_it_is_one(example_content):
    swedish = get("/sv/rumors/domstolen-beslutar/").content.decode()
    provenance = swedish[swedish.index('class="provenance"') :]
    assert "LVU" in provenance[: provenance.index("</div>")]
    real = published(slug="ett-riktigt-svar")
    example_line = re.search(r"<p>\s*([^<]+?)\s*</p>", provenance)[1]
    assert example_line not in get(f"/sv/rumors/{real.slug}/").content.decode()


@pytest.mark.parametrize("path", ["/sv/rumors/?page=999999999999999999999", "/sv/rumors/?page=x", "/sv/rumors/?page=0"])
def test_absurd_pages_of_the_public_list_show_a_list(path):
    published()
    assert "domstolen-beslutar" in get(path).content.decode()


def test_nul_and_foreign_methods_are_refused():
    published()
    assert get("/sv/rumors/?page=%00").status_code == 400
    assert browser().post("/sv/rumors/domstolen-beslutar/").status_code == 405


def test_the_answer_to_a_secret_rumor_has_no_staff_page_for_others(as_editor):
    rebuttal = answer()
    type(rebuttal.rumor).objects.filter(pk=rebuttal.rumor_id).update(sensitivity="secret")
    assert as_editor.get(f"/staff/rumors/rebuttals/{rebuttal.pk}/").status_code == 404

"""Answers: what must not stand in them, the card, ClaimReview, and what follows when their fact changes."""

import io
import json
import re

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from PIL import Image

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.revisions import actions as revisions
from portal.revisions.models import Significance
from rumors import actions, rules
from rumors.models import Rebuttal, Rumor
from rumors.pairs import actions as pairs
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.rumors.conftest import TEXT, answer, log, published

pytestmark = pytest.mark.django_db
PAGE = "/sv/rumors/domstolen-beslutar/"


def sent_for_approval(rebuttal: Rebuttal, language="sv", **fields):
    by = person(Role.EDITOR)
    revision = revisions.draft(rebuttal, language=language, fields=TEXT | fields, by=by)
    return revisions.submit(revision, by=by)


# What must not stand in them ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        "https://www.tiktok.example/@x/video/7",
        "http://tiktok.example/@x/video/7/",
        "https://m.tiktok.example/@X/video/7#top",
        "https://archive.example/7",
    ],
)
def test_a_link_to_the_post_is_refused_wherever_it_was_seen(editor, link):
    rumor = log(url="https://www.tiktok.example/@x/video/7", archive_url="https://archive.example/7")
    other = log(claim="Samma sak", by=editor)
    rebuttal = answer(other)
    pairs.merge(rumor, into=other, by=editor)
    with pytest.raises(ValidationError, match=r"inlägg|post"):
        sent_for_approval(rebuttal, explanation=f"## Så är det\n\nSe [filmen]({link}).")
    sent_for_approval(rebuttal, explanation="## Så är det\n\nSe [lagen](https://lagen.example/).")


@pytest.mark.parametrize(
    "title", ["Barn tas utan att en domstol prövar det", "barn tas, utan att en domstol prövar det!"]
)
def test_a_title_that_repeats_the_claim_is_refused(title):
    with pytest.raises(ValidationError, match=r"upprepar|repeats"):
        sent_for_approval(answer(log()), title=title)


def test_a_title_that_states_the_truth_goes_on():
    assert sent_for_approval(answer(log()), title="En domstol prövar alltid vård utan samtycke").pk


def test_so_is_one_in_another_language_and_an_address():
    rebuttal = published("en")
    with pytest.raises(ValidationError, match=r"upprepar|repeats"):
        sent_for_approval(
            rebuttal,
            "en",
            title="Children are taken without a court",
            claim="They say children are taken without a court.",
        )
    with pytest.raises(ValidationError) as refused:
        answer(log(claim="Det sägs att socialen kidnappar barn."), slug="socialen-kidnappar-barn")
    assert refused.value.message_dict.keys() == {"slug"}
    assert answer(log(claim="Det sägs att socialen kidnappar barn."), slug="en-domstol-beslutar").pk


def test_what_is_refused_stays_in_the_form(as_editor):
    rebuttal = answer(log(url="https://video.example/7"))
    fields = TEXT | {"explanation": "Se [filmen](https://video.example/7)."}
    response = as_editor.post(
        f"/staff/texts/rebuttal/{rebuttal.pk}/sv/", {**fields, "significance": "content", "submit": "1"}, follow=True
    )
    assert "Se [filmen](https://video.example/7)." in response.content.decode()
    assert not rebuttal.published_languages


# Card and ClaimReview ---------------------------------------------------------------------------------------------


def test_the_card_states_the_truth_in_the_language_of_the_page():
    published("ar")
    client = browser()
    pictures = {}
    for code in ("sv", "ar", "so"):
        response = client.get(f"/{code}/rumors/domstolen-beslutar/card.png")
        pictures[code] = response.content
        assert Image.open(io.BytesIO(response.content)).size == (1200, 630)
    assert pictures["ar"] != pictures["sv"]
    assert pictures["so"] == pictures["sv"]  # there is no Somali text
    page = client.get(PAGE).content.decode()
    assert re.search(r'property="og:image" content="http[^"]+/sv/rumors/domstolen-beslutar/card.png"', page)
    assert client.get("/sv/rumors/finns-inte/card.png").status_code == 404


def linked(client):
    cache.clear()
    page = client.get(PAGE).content.decode()
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]) if found else None


def test_claim_review_is_off_unless_it_is_wanted(settings):
    rebuttal = published(rumor=log(url="https://video.example/7"))
    Rumor.objects.filter(pk=rebuttal.rumor_id).update(verdict="mostly_false", verdict_basis="LVU 4 §")
    assert linked(browser()) is None
    settings.CLAIM_REVIEW = True
    found = linked(browser())
    assert found["@type"] == "ClaimReview"
    assert found["claimReviewed"] == TEXT["claim"]
    assert found["reviewRating"]["ratingValue"] == 2
    assert found["reviewRating"]["alternateName"] == TEXT["title"]
    assert "video.example" not in json.dumps(found)
    assert "LVU 4" not in json.dumps(found)


@pytest.mark.parametrize("verdict", ["", "opinion", "unverifiable"])
def test_without_a_verdict_that_has_a_number_nothing_is_told(settings, verdict):
    settings.CLAIM_REVIEW = True
    rebuttal = published()
    Rumor.objects.filter(pk=rebuttal.rumor_id).update(verdict=verdict)
    assert linked(browser()) is None


def test_every_verdict_has_a_number_or_has_none_for_a_reason():
    assert set(rules.RATINGS) | {"unverifiable", "opinion"} == set(rules.Verdict.values)


# When the fact changes --------------------------------------------------------------------------------------------


def change(fact, significance, body):
    by, approver = person(Role.EDITOR), person(Role.APPROVER)
    fields = {"title": fact.title_sv, "summary": fact.summary_sv, "body": body}
    revision = revisions.draft(fact, language="sv", fields=fields, by=by, significance=significance)
    revisions.submit(revision, by=by, override_reason="Rätt så")
    revisions.approve(revision, by=approver)
    revisions.publish(revision, by=approver)
    fact.refresh_from_db()


def overtaken():
    return set(Rebuttal.objects.overtaken().values_list("slug", flat=True))


def test_a_major_change_of_the_fact_sends_the_answer_back_to_review_until_somebody_confirms_it(as_editor, editor):
    fact = factories.published_fact()
    rebuttal = published(fact=fact)
    answer(log(), slug="utan-text", fact=fact)
    change(fact, Significance.CONTENT, "Ny formulering.")
    assert overtaken() == set()
    change(fact, Significance.MAJOR, "Lagen är en annan.")
    assert overtaken() == {rebuttal.slug}
    assert rebuttal.slug in browser().get(PAGE).content.decode() or browser().get(PAGE).status_code == 200
    assert f"/staff/rumors/rebuttals/{rebuttal.pk}/" in as_editor.get("/staff/").content.decode()
    page = as_editor.get(f"/staff/rumors/rebuttals/{rebuttal.pk}/")
    now = revisions.current(fact)
    assert f'name="revision" value="{now.pk}"' in " ".join(page.content.decode().split())

    confirm = f"/staff/rumors/rebuttals/{rebuttal.pk}/confirm/"
    as_editor.post(confirm, {"revision": rebuttal.fact_revision_id})  # what was read is not what stands
    assert overtaken() == {rebuttal.slug}
    for _twice in range(2):
        as_editor.post(confirm, {"revision": now.pk})
    assert overtaken() == set()
    assert AuditEvent.objects.about(rebuttal).filter(verb="confirm_answer", by=editor).count() == 1
    change(fact, Significance.MAJOR, "Lagen är en tredje.")
    assert overtaken() == {rebuttal.slug}


def test_a_new_text_of_the_answer_is_a_review_too():
    fact = factories.published_fact()
    rebuttal = published(fact=fact)
    change(fact, Significance.MAJOR, "Lagen är en annan.")
    assert overtaken() == {rebuttal.slug}
    factories.publish(rebuttal, **TEXT | {"answer": "En domstol beslutar, enligt den nya lagen."})
    assert overtaken() == set()
    rebuttal.refresh_from_db()
    assert rebuttal.fact_revision == revisions.current(fact)


def test_only_editors_confirm():
    rebuttal = published()
    assert actions.confirm(rebuttal, revision=revisions.current(rebuttal.fact).pk, by=person(Role.EDITOR)) == rebuttal
    client = sign_in(person(Role.REPORTER))
    assert client.post(f"/staff/rumors/rebuttals/{rebuttal.pk}/confirm/", {"revision": "1"}).status_code == 403

"""What the matcher is told of the register, and of the library."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.accounts.models import Role
from portal.revisions import actions as revisions
from rumors import actions
from rumors.matching import actions as matching
from rumors.matching import rules as matcher
from rumors.matching.models import Document
from rumors.models import Rumor, Sighting
from rumors.pairs import actions as pairs
from rumors.vocabulary import Sensitivity
from tests import factories
from tests.accounts.people import person
from tests.rumors.conftest import log

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_meaning")]


@pytest.fixture
def without_meaning(settings):
    settings.MATCH_MEANING = False


def told(rumor):
    rows = Document.objects.filter(kind="rumor", object_id=rumor.pk).values_list("part", "language", "text")
    return {(part.split(":")[0], language, text) for part, language, text in rows}


def expected(rumor):
    """What is findable of a rumor, told by its rows."""
    family = [rumor, *rumor.duplicates.all()]
    heard = Sighting.objects.filter(rumor__in=family)
    words = {("sighting", seen.language, seen.original) for seen in heard if seen.original}
    words |= {("claim", "sv", one.claim) for one in family}
    for one in family:
        if one.original and one.original not in set(one.sightings.values_list("original", flat=True)):
            words.add(("original", one.original_language, one.original))
    return words


def test_a_rumor_is_found_by_its_claim_and_by_every_sighting_in_its_language(reporter):
    rumor = log(original="Mahkeme yok", original_language="tr")
    actions.sight(
        rumor, channel="phone", seen_on=timezone.localdate(), by=reporter, original="Ma jiro maxkamad", language="so"
    )
    assert told(rumor) == {
        ("claim", "sv", rumor.claim),
        ("sighting", "tr", "Mahkeme yok"),
        ("sighting", "so", "Ma jiro maxkamad"),
    }
    assert [(match.kind, match.object_id) for match in matcher.match("mahkeme yok mu")] == [("rumor", rumor.pk)]


def test_a_changed_rumor_is_found_by_its_new_words_only(editor):
    rumor = log(original="Mahkeme yok", original_language="tr")
    actions.edit(rumor, by=editor, claim="Det sägs att prästen bestämmer", original="Kadı yok")
    rumor.refresh_from_db()
    assert told(rumor) == expected(rumor)
    assert not matcher.match("domstol prövar")
    assert matcher.match("prästen bestämmer")


def test_a_secret_rumor_and_a_threat_are_found_with_secret_ones_only(editor, reporter):
    rumor = log(claim="Det sägs att huset ska stängas")
    actions.sight(
        rumor, channel="phone", seen_on=timezone.localdate(), by=reporter, original="Vi bränner allt", is_threat=True
    )
    assert not matcher.match("bränner allt")
    assert matcher.match("bränner allt", with_secret=True)
    actions.edit(rumor, by=editor, sensitivity=Sensitivity.SECRET)
    assert not matcher.match("huset ska stängas")
    assert matcher.match("huset ska stängas", with_secret=True)
    actions.edit(rumor, by=editor, sensitivity=Sensitivity.INTERNAL)
    assert matcher.match("huset ska stängas")
    assert not matcher.match("bränner allt")


def test_purged_words_are_forgotten(editor):
    rumor = log(original="Mahkeme yok", original_language="tr")
    long_ago = timezone.now() - timedelta(days=800)
    Rumor.objects.filter(pk=rumor.pk).update(status="out_of_scope", ended_at=long_ago)
    actions.purge(now=timezone.now())
    assert told(rumor) == {("claim", "sv", rumor.claim)}


def test_the_day_is_that_of_the_latest_sighting_of_the_family(reporter, editor):
    today = timezone.localdate()
    old = log(seen_on=today - timedelta(days=900))
    new = log(claim="Samma sak", seen_on=today - timedelta(days=2))

    def day(rumor):
        return set(Document.objects.filter(object_id=rumor.pk, kind="rumor").values_list("seen_on", flat=True))

    assert day(old) == {today - timedelta(days=900)}
    merge = pairs.merge(new, into=old, by=editor)
    assert day(old) == {today - timedelta(days=2)}
    pairs.undo(merge, by=editor)
    assert day(old) == {today - timedelta(days=900)}
    assert day(new) == {today - timedelta(days=2)}
    actions.sight(old, channel="phone", seen_on=today, by=reporter)
    assert day(old) == {today}


def test_what_the_matcher_was_never_told_is_told_by_the_clock():
    one, other = log(original="Mahkeme yok", original_language="tr"), log(claim="Något annat")
    Document.objects.all().delete()
    assert actions.tell_the_matcher(limit=1) == 1
    assert actions.tell_the_matcher(limit=10) == 1
    assert actions.tell_the_matcher(limit=10) == 0
    assert told(one) == expected(one)
    assert told(other) == expected(other)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sight"), st.integers(0, 4), st.sampled_from(["", "bara ord", "yok", "maxkamad"])),
        st.tuples(st.just("edit"), st.integers(0, 4), st.sampled_from(["En mening", "Två meningar"])),
        st.tuples(st.just("merge"), st.integers(0, 4), st.integers(0, 4)),
        st.tuples(st.just("undo"), st.integers(0, 9), st.just(0)),
    ),
    max_size=10,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_after_any_history_everything_is_found_where_it_belongs(db, steps):
    by = person(Role.EDITOR)
    rumors = [log(claim=f"Påstående {number}", original=f"ord {number}", by=by) for number in range(5)]
    merges = []
    for verb, one, other in steps:
        match verb:
            case "sight" if Rumor.objects.get(pk=rumors[one].pk).same_as_id is None:
                actions.sight(rumors[one], channel="web", seen_on=timezone.localdate(), by=by, original=other)
            case "edit":
                actions.edit(rumors[one], by=by, claim=other)
            case "merge" if one != other and not Rumor.objects.filter(
                pk__in=[rumors[one].pk, rumors[other].pk], same_as__isnull=False
            ):
                merges.append(pairs.merge(rumors[one], into=rumors[other], by=by))
            case "undo" if merges:
                pairs.undo(merges[one % len(merges)], by=by)
    for rumor in Rumor.objects.filter(pk__in=[one.pk for one in rumors]):
        assert told(rumor) == (set() if rumor.same_as_id else expected(rumor))


# The library ---------------------------------------------------------------------------------------------------


def facts(fact):
    return set(Document.objects.filter(kind="fact", object_id=fact.pk).values_list("part", "language"))


def test_a_published_fact_is_found_in_each_of_its_languages_until_it_is_withdrawn():
    fact = factories.published_fact("ar")
    assert matching.follow_library(limit=10) == 2
    assert matching.follow_library(limit=10) == 0
    assert facts(fact) == {(part, code) for part in ("title", "lead", "whole") for code in ("sv", "ar")}
    factories.publish(fact, title="Domstolen ensam avgör", summary="Kort.", body="Lång text.")
    assert matching.follow_library(limit=10) == 1
    assert [(m.kind, m.object_id) for m in matcher.match("domstolen ensam avgör")] == [("fact", fact.pk)]
    revisions.withdraw(fact, language="ar", by=person(Role.APPROVER), reason="Fel")
    matching.follow_library(limit=10)
    assert {code for _part, code in facts(fact)} == {"sv"}

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from portal.facts.models import Fact
from portal.revisions.models import Provenance, Significance
from portal.revisions.rules import read
from tests import factories

STEPS = st.lists(
    st.tuples(
        st.sampled_from("typo content major dangerous resave revert translate".split()),
        st.text("abc åäö", max_size=8),
    ),
    max_size=7,
)


class Staleness(TestCase):
    """Over any history of edits a translation is outdated only when the Swedish text says something else, and held back
    only when that is dangerous."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(STEPS)
    def test_no_false_alarm_and_none_missed(self, steps):
        fact = factories.fact()
        texts = ["Början."]
        factories.publish(fact, title="T", summary="S", body=texts[0])
        factories.publish(fact, "ar", title="T", summary="S", body="ar")
        base, serious, dangerous = texts[0], False, False
        for number, (step, words) in enumerate(steps):
            if step == "translate":
                factories.publish(fact, "ar", title="T", summary="S", body=f"ar {'x' * number}")
                base, serious, dangerous = texts[-1], False, False
                continue
            body = {"resave": texts[-1], "revert": texts[0]}.get(step, f"{words} {'o' * (number + 1)}".strip())
            significance = step if step in Significance.values else Significance.CONTENT
            about = {"significance": significance, "is_dangerous_if_old": step == "dangerous"}
            factories.publish(fact, title="T", summary="S", body=body, **about)
            texts.append(body)
            serious = serious or significance != Significance.TYPO
            dangerous = dangerous or step == "dangerous"
        fact.refresh_from_db()
        arabic = Provenance.objects.of(fact).filter(language="ar").first()
        if dangerous and texts[-1] != base:
            assert arabic is None
            assert fact.body_ar == ""
        else:
            assert fact.body_ar.startswith("ar")
            assert arabic.is_outdated == (serious and texts[-1] != base)


def test_a_reader_gets_one_whole_text_never_a_mixture(db):
    fact = factories.fact()
    factories.publish(fact, title="Fråga?", summary="Svar.", body="Text.")
    Fact.objects.filter(pk=fact.pk).update(title_fa="سؤال؟", body_fa="متن")
    fact.refresh_from_db()
    dari = read(fact, "prs")
    assert (dari.language.code, dari.is_fallback, dari["title"], dari["summary"]) == ("fa", True, "سؤال؟", "")
    assert read(fact, "ckb").language.code == "sv"
    assert read(fact, "kmr").language.code == "sv"
    assert not read(fact, "fa").is_fallback


def test_embassies_read_english_before_swedish(db):
    fact = factories.published_fact("en", audience="embassies")
    assert read(fact, "fr", audience="embassies").language.code == "en"
    assert read(fact, "fr", audience="parents").language.code == "sv"

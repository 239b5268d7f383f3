"""Rumors that belong together: said by people, suggested, merged, and undone without loss."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors import actions as rumors
from rumors.models import Rumor, Sighting, named
from rumors.pairs import actions
from rumors.pairs.models import Merge, Pair
from rumors.vocabulary import PairKind, PairState, Sensitivity, Status
from tests.accounts.people import person, sign_in
from tests.rumors.conftest import log, published

pytestmark = pytest.mark.django_db


# Pairs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("R-2026-0042", (2026, 42)),
        (" r2026-42 ", (2026, 42)),
        ("2026-0042", (2026, 42)),
        ("42", None),
        ("R-٢٠٢٦-٤٢", None),
    ],
)
def test_the_number_of_a_rumor_is_read_however_it_is_typed(typed, meant):
    assert named(typed) == (meant and {"year": meant[0], "number": meant[1]})


def test_somebody_says_that_two_belong_together_and_the_last_word_stands(as_editor, editor):
    rumor, other = log(), log(claim="Det sägs att barn hämtas i skolan.")
    page = f"/staff/rumors/{rumor.pk}/relate/"
    missing = as_editor.post(page, {"other": "R-2026-9999", "kind": "same"})
    assert "other" in missing.context["form"].errors
    itself = as_editor.post(page, {"other": rumor.public_id, "kind": "same"})
    assert "other" in itself.context["form"].errors
    as_editor.post(page, {"other": other.public_id, "kind": "same"})
    pair = Pair.objects.get()
    assert (pair.one, pair.other, pair.kind, pair.state) == (rumor, other, PairKind.SAME, PairState.CONFIRMED)
    for one, two in ((rumor, other), (other, rumor)):
        shown = as_editor.get(one.get_absolute_url()).content.decode()
        assert two.public_id in shown
        assert two.claim in shown
    as_editor.post(f"/staff/rumors/{other.pk}/pairs/{pair.pk}/", {"state": "rejected"})
    assert other.public_id not in as_editor.get(rumor.get_absolute_url()).content.decode()
    assert actions.suggest(rumor, other=other, kind="same", method="lexical", score=9) is None
    assert Pair.objects.get().state == PairState.REJECTED
    assert AuditEvent.objects.about(other).filter(verb="relate").count() == 2


def test_a_suggestion_says_why_and_does_nothing_by_itself(as_editor):
    rumor, other = log(), log()
    for score in (1.5, 2.5):
        actions.suggest(other, other=rumor, kind="same", method="lexical", score=score, terms={"domstol", "barn"})
    pair = Pair.objects.get()
    assert (pair.state, pair.score, pair.terms) == (PairState.SUGGESTED, 2.5, ["barn", "domstol"])
    shown = as_editor.get(rumor.get_absolute_url()).content.decode()
    assert "barn, domstol" in shown
    rumor.refresh_from_db()
    assert rumor.same_as is None
    as_editor.post(f"/staff/rumors/{rumor.pk}/pairs/{pair.pk}/", {"state": "confirmed"})
    assert Pair.objects.get().state == PairState.CONFIRMED


def test_a_secret_rumor_stands_with_secret_ones_only(editor, security):
    rumor, secret = log(), log(sensitivity=Sensitivity.SECRET)
    with pytest.raises(ValidationError):
        actions.relate(rumor, other=secret, kind="same", by=security)
    assert actions.suggest(rumor, other=secret, kind="same", method="lexical", score=1) is None
    with pytest.raises(ValidationError):
        actions.merge(rumor, into=secret, by=security)
    other = log()
    actions.relate(rumor, other=other, kind="same", by=editor)
    rumors.edit(other, by=security, sensitivity=Sensitivity.SECRET)
    assert other.public_id not in sign_in(editor).get(rumor.get_absolute_url()).content.decode()
    assert Pair.objects.visible_to(editor).count() == 0


def test_the_database_keeps_pairs_in_order(editor):
    rumor, other = log(), log()
    with pytest.raises(IntegrityError, match="older_rumor_first"), transaction.atomic():
        Pair.objects.create(one=other, other=rumor, kind="same", state="suggested")
    with pytest.raises(IntegrityError, match="until_somebody_settles_it"), transaction.atomic():
        Pair.objects.create(one=rumor, other=other, kind="same", state="confirmed")


# Merging --------------------------------------------------------------------------------------------------------------


def test_an_analyst_merges_and_undoes(as_editor, editor):
    rumor, into = log(), log()
    rumors.move(rumor, status=Status.SCREENED, by=editor)
    answer = published(rumor=rumor)
    as_editor.post(f"/staff/rumors/{rumor.pk}/merge/", {"into": into.pk})
    rumor.refresh_from_db()
    assert (rumor.status, rumor.same_as) == (Status.DUPLICATE, into)
    page = as_editor.get(into.get_absolute_url()).content.decode()
    assert rumor.public_id in page
    assert answer.title_sv in page
    assert Rumor.objects.as_rows().get(pk=into.pk).is_answered
    assert into not in Rumor.objects.unanswered()
    assert into in Rumor.objects.matching(channel="home_visit")

    merge = Merge.objects.get()
    for _ in range(2):
        as_editor.post(f"/staff/rumors/merges/{merge.pk}/undo/")
    rumor.refresh_from_db()
    assert (rumor.status, rumor.same_as, rumor.ended_at) == (Status.SCREENED, None, None)
    assert Sighting.objects.with_repeats(into).count() == 1
    assert into in Rumor.objects.unanswered()
    assert AuditEvent.objects.about(rumor).filter(verb="undo").count() == 1


def state():
    fields = ("pk", "status", "same_as", "ended_at")
    return list(Rumor.objects.order_by("pk").values_list(*fields))


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 4)), max_size=25)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, order=st.randoms(use_true_random=False))
def test_whatever_is_merged_and_undone_nothing_is_lost(editor, steps, order):
    """No chains, no circles; every sighting stands with what its rumor leads to; all undone, all is as it was."""
    with transaction.atomic():
        all_of_them = [log(by=editor) for _ in range(5)]
        rumors.move(all_of_them[1], status=Status.OUT_OF_SCOPE, reason="Annan kommun.", by=editor)
        before, sightings = state(), Sighting.objects.count()
        for is_merge, one, two in steps:
            if is_merge:
                try:
                    with transaction.atomic():
                        actions.merge(all_of_them[one], into=all_of_them[two], by=editor)
                except ValidationError:
                    pass
            else:
                for merge in Merge.objects.standing().filter(rumor=all_of_them[one]):
                    actions.undo(merge, by=editor)
            repeating = Rumor.objects.filter(same_as__isnull=False)
            assert not repeating.filter(same_as__same_as__isnull=False).exists()
            assert set(repeating.values_list("pk", flat=True)) == set(
                Merge.objects.standing().values_list("rumor", flat=True)
            )
            roots = Rumor.objects.filter(same_as=None).as_rows()
            assert sum(root.sightings_count for root in roots) == sightings
        left = list(Merge.objects.standing())
        order.shuffle(left)
        for merge in left:
            actions.undo(merge, by=editor)
        assert state() == before
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_two_analysts_who_merge_crosswise_make_one_merge():
    one, two = log(), log()
    people = [person(Role.EDITOR), person(Role.EDITOR)]
    both_ready, refused = threading.Barrier(2), []

    def run(by, rumor, into):
        try:
            both_ready.wait(10)
            actions.merge(rumor, into=into, by=by)
        except ValidationError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(people[0], one, two)),
        threading.Thread(target=run, args=(people[1], two, one)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (Merge.objects.count(), len(refused)) == (1, 1)
    assert Rumor.objects.filter(status=Status.DUPLICATE).count() == 1


def test_the_words_of_what_repeats_another_are_kept_as_long_as_that_one(editor):
    now = timezone.now()
    rumor, into = log(original="Orden"), log()
    actions.merge(rumor, into=into, by=editor)
    Rumor.objects.filter(pk=rumor.pk).update(ended_at=now - 2 * Rumor.KEEP_WORDS)
    assert rumors.purge(now=now) == 0
    Rumor.objects.filter(pk=into.pk).update(status=Status.OUT_OF_SCOPE, ended_at=now - 2 * Rumor.KEEP_WORDS)
    rumors.purge(now=now)
    rumor.refresh_from_db()
    assert rumor.original == ""


# What the matcher suggests ------------------------------------------------------------------------------------------

ALIKE = "Det sägs att barn tas utan att någon domstol prövar det alls."


@pytest.fixture
def without_meaning(settings):
    settings.MATCH_MEANING = False


@pytest.mark.usefixtures("without_meaning")
def test_the_clock_suggests_what_shares_words_and_nothing_happens_alone(as_editor):
    one, other, far = log(), log(claim=ALIKE), log(claim="Zebror dansar")
    assert actions.compare_due(limit=10, now=timezone.now()) == 3
    assert actions.compare_due(limit=10, now=timezone.now()) == 0
    pair = Pair.objects.get()
    assert {pair.one, pair.other} == {one, other}
    assert (pair.state, pair.kind, pair.method) == (PairState.SUGGESTED, PairKind.RELATED, "words")
    assert "domstol" in pair.terms
    assert Rumor.objects.filter(same_as=None).count() == 3
    page = as_editor.get("/staff/rumors/suggestions/")
    assert [shown.pk for shown in page.context["page"]] == [pair.pk]
    assert far.public_id not in page.content.decode()
    answer = as_editor.post(f"/staff/rumors/{other.pk}/pairs/{pair.pk}/", {"state": "rejected", "next": "suggestions"})
    assert answer["Location"] == "/staff/rumors/suggestions/"
    page = as_editor.get("/staff/rumors/suggestions/").context
    assert list(page["page"]) == []
    assert page["suggested"] == [{"method": "words", "suggested": 0, "confirmed": 0, "rejected": 1}]


@pytest.mark.usefixtures("without_meaning")
def test_what_was_rejected_stays_rejected_when_the_words_change(editor):
    _one, other = log(), log(claim=ALIKE)
    actions.compare_due(limit=10, now=timezone.now())
    pair = Pair.objects.get()
    actions.relate(pair.one, other=pair.other, kind=pair.kind, is_so=False, by=editor)
    rumors.edit(other, by=editor, claim=f"{ALIKE} Så är det.")
    assert actions.compare_due(limit=10, now=timezone.now()) == 1
    assert Pair.objects.get().state == PairState.REJECTED


@pytest.mark.usefixtures("without_meaning")
def test_secret_ones_are_compared_among_themselves_and_shown_to_those_who_may(as_editor, security):
    log()
    log(sensitivity=Sensitivity.SECRET)
    log(claim=ALIKE, sensitivity=Sensitivity.SECRET)
    actions.compare_due(limit=10, now=timezone.now())
    pair = Pair.objects.get()
    assert pair.one.is_secret
    assert pair.other.is_secret
    assert list(as_editor.get("/staff/rumors/suggestions/").context["page"]) == []
    page = sign_in(security).get("/staff/rumors/suggestions/")
    assert [shown.pk for shown in page.context["page"]] == [pair.pk]
    assert ALIKE not in page.content.decode()

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import pgettext

from portal import languages
from portal.accounts.models import User
from portal.audit import actions as audit
from rumors import actions as rumors
from rumors import rules
from rumors.matching import embedding
from rumors.matching import rules as matcher
from rumors.matching.models import Document
from rumors.models import Rumor
from rumors.pairs.models import Comparison, Merge, Pair
from rumors.vocabulary import PairKind, PairState, Status

SUGGESTED: Final = 3
"""At most so many others for each rumor."""
WORTH_A_LOOK: Final = 0.6
"""Score from which a rumor is suggested as related where it is not likely the same. All rumors here are about children
and the social services: at 0.45, where one in a hundred wrong ones of our paraphrases lies, half the register is."""


def _both(rumor: Rumor, other: Rumor) -> tuple[Rumor, Rumor]:
    """Two rumors, locked in one order, so that two people who take them crosswise wait for each other."""
    held = {
        found.pk: found
        for found in Rumor.objects.select_for_update(of=("self",)).filter(pk__in=[rumor.pk, other.pk]).order_by("pk")
    }
    return held[rumor.pk], held[other.pk]


def _may_stand_together(one: Rumor, other: Rumor) -> None:
    if one.pk == other.pk:
        raise ValidationError(pgettext("staff", "That is the rumor itself."))
    if one.is_secret != other.is_secret:
        raise ValidationError(pgettext("staff", "One of the two is secret and the other is not."))


@transaction.atomic
def relate(rumor: Rumor, *, other: Rumor, kind: str, by: User, is_so: bool = True) -> Pair:
    """Somebody says how two rumors belong together, or with `is_so=False` that they do not; the last word stands."""
    one, two = _both(rumor, other)
    _may_stand_together(one, two)
    older, newer = sorted((one, two), key=lambda found: found.pk)
    state = PairState.CONFIRMED if is_so else PairState.REJECTED
    settled = {"kind": kind, "state": state, "settled_at": timezone.now(), "settled_by": by}
    pair: Pair
    pair, _ = Pair.objects.update_or_create(one=older, other=newer, defaults=settled)
    for found in (one, two):
        # Not which other one: that may become secret.
        audit.record("relate", found, by=by, changes={"state": ("", state)})
    return pair


@transaction.atomic
def suggest(
    rumor: Rumor, *, other: Rumor, kind: str, method: str, score: float, terms: Collection[str] = ()
) -> Pair | None:
    """What a matcher thinks. None when somebody has settled the two already, or when they may not stand together."""
    one, two = _both(rumor, other)
    if one.pk == two.pk or one.is_secret != two.is_secret:
        return None
    older, newer = sorted((one, two), key=lambda found: found.pk)
    found: Pair | None = Pair.objects.filter(one=older, other=newer).first()
    if found is not None and found.state != PairState.SUGGESTED:
        return None
    said = {"kind": kind, "method": method, "score": score, "terms": sorted(terms)[:20]}
    pair: Pair
    pair, _ = Pair.objects.update_or_create(one=older, other=newer, defaults=said | {"state": PairState.SUGGESTED})
    return pair


def compare_due(*, limit: int, now: datetime) -> int:
    """Suggest what rumors that are new, or were put in other words, may be the same as; returns how many were compared.

    Any number of workers may. Suggestions come of a rumor's own words alone and never of other suggestions.
    """
    embedder = embedding.configured()
    due = list(Rumor.objects.filter(_not_compared()).order_by("pk")[:limit])
    model = embedder.name if embedder else None
    waiting = Document.objects.waiting(kind="rumor", model=model, among=[rumor.pk for rumor in due])
    ready = [rumor for rumor in due if rumor.pk not in waiting]
    for rumor in ready:
        _compare(rumor, now=now)
    return len(ready)


def _not_compared() -> Q:
    is_new = Q(comparison__isnull=True) | Q(comparison__version__lt=F("version"))
    return is_new & Q(same_as__isnull=True)


def _compare(rumor: Rumor, *, now: datetime) -> None:
    matches = matcher.match(
        rules.said(rumor.claim),
        language=languages.SOURCE,
        kinds=("rumor",),
        with_secret=rumor.is_secret,
        is_secret=rumor.is_secret,
        limit=SUGGESTED,
        leave_out={("rumor", rumor.pk)},
    )
    likely = [match for match in matches if match.is_likely or match.score >= WORTH_A_LOOK]
    others = Rumor.objects.in_bulk([match.object_id for match in likely])
    with transaction.atomic():
        for match in likely:
            if match.object_id in others:
                kind = PairKind.SAME if match.is_likely else PairKind.RELATED
                suggest(
                    rumor,
                    other=others[match.object_id],
                    kind=kind,
                    method=match.method,
                    score=match.score,
                    terms=[term[:60] for term in match.terms],
                )
        values = {"version": rumor.version, "compared_at": now}
        Comparison.objects.update_or_create(rumor=rumor, defaults=values)


@transaction.atomic
def merge(rumor: Rumor, *, into: Rumor, by: User) -> Merge:
    """`rumor` repeats `into`, and so does all that repeated `rumor`. Nothing is moved, so that it can be undone.

    Whoever may log may do so with a rumor of their own that nobody else has touched.
    """
    held, target = _both(rumor, into)
    _may_stand_together(held, target)
    if held.same_as_id is not None or target.same_as_id is not None:
        raise ValidationError(pgettext("staff", "One of the two repeats another rumor already."))
    if not (by.has_perm("rumors.handle") or is_fresh(held, by)):
        raise ValidationError(
            pgettext("staff", "Only a new rumor of your own, with one sighting, can be added to an earlier one.")
        )
    made: Merge = Merge.objects.create(
        rumor=held, into=target, status_before=held.status, ended_before=held.ended_at, merged_by=by
    )
    now = timezone.now()
    for follower in held.duplicates.select_for_update(of=("self",)).order_by("pk"):
        rumors.write(follower, "merge", by=by, same_as=target)
    rumors.write(held, "merge", by=by, status=Status.DUPLICATE, same_as=target, ended_at=held.ended_at or now)
    rumors.join(held, into=target)
    audit.record("sight", target, by=by)
    return made


def is_fresh(rumor: Rumor, by: User) -> bool:
    return (
        rumor.status == Status.NEW
        and rumor.logged_by_id == by.pk
        and rumor.sightings.count() == 1
        and not rumor.rebuttals.exists()
        and not rumor.duplicates.exists()
    )


@transaction.atomic
def undo(merge: Merge, *, by: User) -> Rumor:
    """The rumor is what it was, and what had repeated it repeats it again; a second time changes nothing."""
    target = rumors.locked(merge.rumor).same_as
    if target is not None:
        held, _target = _both(merge.rumor, target)
    else:
        held = rumors.locked(merge.rumor)
    found: Merge = Merge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    if found.undone_at is not None:
        return held
    found.undone_at, found.undone_by = timezone.now(), by
    found.save(update_fields=["undone_at", "undone_by"])
    followers = Rumor.objects.select_for_update(of=("self",)).filter(pk__in=_led_to(held.pk)).order_by("pk")
    rumors.write(held, "undo", by=by, status=found.status_before, same_as=None, ended_at=found.ended_before)
    for follower in followers:
        rumors.write(follower, "undo", by=by, same_as=held)
    if target is not None:
        rumors.part(held, of=target)
    return held


def _led_to(rumor_id: int) -> set[int]:
    """The rumors whose standing merges lead to this one, over any number of steps."""
    led: set[int] = set()
    steps = {rumor_id}
    while steps:
        steps = set(Merge.objects.standing().filter(into__in=steps).values_list("rumor", flat=True)) - led
        led |= steps
    return led

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext

from portal import languages, markup
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Fact, Topic
from portal.revisions import actions as revisions
from portal.revisions.rules import translated_fields
from portal.search import actions as search
from rumors import rules
from rumors.models import (
    DEADLINES,
    ENDED,
    ClaimType,
    HeardHow,
    Priority,
    Rebuttal,
    Rumor,
    Sensitivity,
    Sighting,
    Status,
    Strength,
)

UNTOLD: Final = "…"
"""Stands in the audit log for texts, which the register alone holds."""

_TEXTS: Final = frozenset({"claim", "original", "verdict_basis", "status_reason"})
_NUMBERS_LOCK: Final = 0x52554D4F


def _locked(rumor: Rumor) -> Rumor:
    found: Rumor = Rumor.objects.select_for_update(of=("self",)).get(pk=rumor.pk)
    return found


def _write(rumor: Rumor, verb: str, *, by: User | None, **values: Any) -> None:
    """Set the fields of a locked rumor, with the audit row; without a change neither happens."""
    changes = audit.changed(rumor, values)
    if not changes:
        return
    for name in changes:
        setattr(rumor, name, values[name])
    rumor.save(update_fields=list(changes))
    told = {
        name: (UNTOLD, UNTOLD) if name in _TEXTS else (_plain(before), _plain(after))
        for name, (before, after) in changes.items()
        if name != "ended_at"
    }
    audit.record(verb, rumor, by=by, changes=told)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Model) else value


@transaction.atomic
def log(
    *,
    claim: str,
    channel: str,
    seen_on: date,
    by: User,
    original: str = "",
    original_language: str = languages.SOURCE,
    heard_how: str = HeardHow.TOLD,
    area: str = "",
    url: str = "",
    claim_type: str = ClaimType.HOW_IT_WORKS,
    priority: str = Priority.MEDIUM,
    topic: Topic | None = None,
    sensitivity: str = Sensitivity.INTERNAL,
    form_id: UUID | None = None,
) -> Rumor:
    """A new rumor with its first sighting; the one that is there already when the same form comes again."""
    year = timezone.localdate().year
    number = _next_number(year)
    sent_before: Rumor | None = Rumor.objects.filter(logged_by=by, form_id=form_id).first() if form_id else None
    if sent_before:
        return sent_before
    rumor = Rumor.objects.create(
        year=year,
        number=number,
        form_id=form_id,
        claim=claim,
        original=original,
        original_language=original_language,
        claim_type=claim_type,
        priority=priority,
        topic=topic,
        sensitivity=sensitivity,
        due_at=timezone.now() + DEADLINES[Priority(priority)],
        logged_by=by,
    )
    Sighting.objects.create(
        rumor=rumor,
        seen_on=seen_on,
        channel=channel,
        heard_how=heard_how,
        language=original_language,
        original=original,
        area=area,
        url=url,
        logged_by=by,
    )
    audit.record("log", rumor, by=by)
    return rumor


def _next_number(year: int) -> int:
    # Whoever numbers at the same time waits here until the one before has committed.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_NUMBERS_LOCK, year])
    last = Rumor.objects.filter(year=year).order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


@transaction.atomic
def sight(
    rumor: Rumor,
    *,
    channel: str,
    seen_on: date,
    by: User,
    heard_how: str = HeardHow.TOLD,
    language: str = languages.SOURCE,
    original: str = "",
    area: str = "",
    url: str = "",
    form_id: UUID | None = None,
) -> Sighting:
    """That it was heard again; what is there already when the same form comes again."""
    locked = _locked(rumor)
    sent_before: Sighting | None = locked.sightings.filter(logged_by=by, form_id=form_id).first() if form_id else None
    if sent_before:
        return sent_before
    if locked.same_as is not None:
        raise ValidationError(
            pgettext("staff", "This is the same as %(rumor)s. Add the sighting there.") % {"rumor": locked.same_as}
        )
    sighting = Sighting.objects.create(
        rumor=locked,
        form_id=form_id,
        seen_on=seen_on,
        channel=channel,
        heard_how=heard_how,
        language=language,
        original=original,
        area=area,
        url=url,
        logged_by=by,
    )
    audit.record("sight", locked, by=by)
    return sighting


@transaction.atomic
def edit(rumor: Rumor, *, by: User, **values: Any) -> Rumor:
    """Change what was logged. Another priority moves the day it is due."""
    locked = _locked(rumor)
    if values.get("sensitivity") == Sensitivity.SECRET and locked.rebuttals.exists():
        raise ValidationError(
            {"sensitivity": pgettext("staff", "It has a public answer, so the claim cannot be secret.")}
        )
    if "priority" in values and values["priority"] != locked.priority:
        values["due_at"] = locked.logged_at + DEADLINES[Priority(values["priority"])]
    _write(locked, "edit", by=by, **values)
    if "sensitivity" in values:
        # They hold the same claim.
        for duplicate in locked.duplicates.select_for_update(of=("self",)):
            _write(duplicate, "edit", by=by, sensitivity=values["sensitivity"])
    return locked


@transaction.atomic
def rate(rumor: Rumor, *, verdict: str, basis: str, by: User) -> Rumor:
    if not verdict:
        raise ValidationError({"verdict": pgettext("staff", "Choose a verdict.")})
    if not basis.strip():
        raise ValidationError({"basis": pgettext("staff", "Say what the verdict rests on.")})
    locked = _locked(rumor)
    _write(locked, "rate", by=by, verdict=verdict, verdict_basis=basis)
    return locked


@transaction.atomic
def move(rumor: Rumor, *, status: str, by: User, reason: str = "") -> Rumor:
    """Take one of the steps that `rules.STEPS` allows."""
    locked = _locked(rumor)
    if status not in rules.steps(locked):
        raise ValidationError(
            pgettext("staff", "That step cannot be taken from here. The status is now: %(status)s.")
            % {"status": locked.get_status_display()}
        )
    if status == Status.CLOSED and not (locked.verdict and locked.verdict_basis):
        raise ValidationError(pgettext("staff", "Give the verdict and what it rests on first. Then it can be closed."))
    if not reason.strip() and rules.needs_reason(locked, status):
        raise ValidationError({"reason": pgettext("staff", "Say why. It is kept with the rumor.")})
    ended_at = timezone.now() if status in ENDED else None
    _write(locked, "move", by=by, status=status, status_reason=reason, ended_at=ended_at)
    return locked


@transaction.atomic
def link(rumor: Rumor, *, fact: Fact, slug: str, by: User, strength: str = Strength.REFUTES) -> Rebuttal:
    """An answer without text, resting on the fact as it is published now. Its Swedish text is the first revision."""
    locked = _locked(rumor)
    if locked.is_secret:
        raise ValidationError(
            pgettext("staff", "A secret rumor gets no public answer. Change who may read it, or answer in another way.")
        )
    revision = revisions.current(fact)
    if revision is None:
        raise ValidationError(
            {"fact": pgettext("staff", "Publish the fact first: an answer rests on a published fact.")}
        )
    if locked.rebuttals.filter(fact=fact).exists():
        raise ValidationError({"fact": pgettext("staff", "This fact answers the rumor already.")})
    try:
        with transaction.atomic():
            rebuttal: Rebuttal = Rebuttal.objects.create(
                rumor=locked, fact=fact, fact_revision=revision, strength=strength, slug=slug, linked_by=by
            )
    except IntegrityError as error:
        raise ValidationError({"slug": pgettext("staff", "Another answer has this address already.")}) from error
    audit.record("link", locked, by=by, changes={"fact": ("", fact.slug), "slug": ("", slug)})
    return rebuttal


@transaction.atomic
def merge(rumor: Rumor, *, into: Rumor, by: User) -> Rumor:
    """Make what was logged just now a sighting of an earlier rumor; returns that one.

    Only for a new rumor that nobody but the one who logged it has touched.
    """
    both = {
        found.pk: found
        for found in Rumor.objects.select_for_update(of=("self",)).filter(pk__in=[rumor.pk, into.pk]).order_by("pk")
    }
    fresh, earlier = both[rumor.pk], both[into.pk]
    is_untouched = (
        fresh.status == Status.NEW
        and fresh.logged_by_id == by.pk
        and fresh.sightings.count() == 1
        and not fresh.rebuttals.exists()
    )
    if fresh.pk == earlier.pk or not is_untouched or earlier.status == Status.DUPLICATE:
        raise ValidationError(
            pgettext("staff", "Only a new rumor of your own, with one sighting, can be added to an earlier one.")
        )
    if fresh.is_secret != earlier.is_secret:
        raise ValidationError(pgettext("staff", "One of the two is secret and the other is not."))
    fresh.sightings.update(rumor=earlier)
    _write(fresh, "merge", by=by, status=Status.DUPLICATE, same_as=earlier, ended_at=timezone.now())
    audit.record("sight", earlier, by=by)
    return earlier


def consult(rumor: Rumor, *, by: User) -> None:
    """Log that somebody reads a secret rumor."""
    if rumor.is_secret:
        audit.record("read", rumor, by=by)


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Delete the original words and the links of rumors that ended long ago; how many rumors that were."""
    found = list(Rumor.objects.select_for_update(of=("self",)).with_words_to_forget(now))
    Sighting.objects.filter(rumor__in=found).update(original="", url="")
    for rumor in found:
        Rumor.objects.filter(pk=rumor.pk).update(original="")
        audit.record("purge", rumor, by=None)
    return len(found)


def reindex(thing: Model, language: str) -> None:
    """The search row of one rebuttal in one language, made or taken away. Nothing of the rumor is in it."""
    assert isinstance(thing, Rebuttal)
    fields = {name: getattr(thing, languages.suffixed(name, language)) for name in translated_fields(Rebuttal)}
    if not (fields["title"] and getattr(thing, languages.suffixed("title", languages.SOURCE))):
        search.remove(kind="rebuttal", object_id=thing.pk, language=language)
        return
    with translation.override(language):
        url = reverse("rumor", args=[thing.slug])
    search.index(
        kind="rebuttal",
        object_id=thing.pk,
        language=language,
        title=fields["title"],
        text=f"{fields['answer']} {markup.plain(fields['explanation'])}",
        url=url,
    )


def register() -> None:
    revisions.register(
        revisions.Kind(
            name="rebuttal",
            model=Rebuttal,
            area="rumors",
            reindex=reindex,
            staff_url=lambda rebuttal: reverse("staff_rebuttal", args=[rebuttal.pk]),
        )
    )

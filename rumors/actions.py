from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Model, Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import pgettext

from portal import languages, markup
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Fact, Topic
from portal.meanwhile import refuse_clashes
from portal.questions import actions as questions
from portal.revisions import actions as revisions
from portal.revisions.rules import translated_fields
from portal.search import actions as search
from rumors import rules
from rumors.matching import actions as matching
from rumors.models import DEADLINES, ENDED, Narrative, Rebuttal, Rumor, Sighting, SightingQuerySet
from rumors.vocabulary import (
    ClaimType,
    Confidence,
    Priority,
    Sensitivity,
    Status,
    Strength,
    Verdict,
    Verifiability,
)

UNTOLD: Final = "…"
"""Stands in the audit log for texts, which the register alone holds."""

_TEXTS: Final = frozenset({"claim", "original", "verdict_basis", "status_reason"})
_TOLD_BY_THE_ROW: Final = frozenset({"ended_at", "decided_at", "decided_by", "approved_at", "approved_by"})
"""Who and when: the row of the log has both."""


class Number(NamedTuple):
    year: int
    number: int


def locked(rumor: Rumor, *, version: int | None = None) -> Rumor:
    """The rumor as it is now; whoever else wants to change it waits for the end of this transaction.

    Raises ValidationError when it is no longer the `version` that somebody had before them.
    """
    found: Rumor = Rumor.objects.select_for_update(of=("self",)).get(pk=rumor.pk)
    if version is not None and found.version != version:
        raise ValidationError(
            pgettext("staff", "It was changed after you opened it. Look at it again, then save once more.")
        )
    return found


def write(
    rumor: Rumor, verb: str, *, by: User | None, beside: Mapping[str, tuple[Any, Any]] | None = None, **values: Any
) -> None:
    """Set the fields of a locked rumor, with the audit row; without a change neither happens. Its nouns write by
    this, too: `beside` is what they change in rows of their own, before and after."""
    changes = audit.changed(rumor, values)
    if not changes and not beside:
        return
    for name in changes:
        setattr(rumor, name, values[name])
    rumor.version += 1
    rumor.save(update_fields=[*changes, "version"])
    told = {
        name: (UNTOLD, UNTOLD) if name in _TEXTS else (_plain(before), _plain(after))
        for name, (before, after) in changes.items()
        if name not in _TOLD_BY_THE_ROW
    }
    audit.record(verb, rumor, by=by, changes=told | dict(beside or {}))


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
    claim_type: str = ClaimType.HOW_IT_WORKS,
    priority: str = Priority.MEDIUM,
    topic: Topic | None = None,
    sensitivity: str = Sensitivity.INTERNAL,
    is_threat: bool = False,
    form_id: UUID | None = None,
    number: Number | None = None,
    **seen: Any,
) -> Rumor:
    """A new rumor with its first sighting; the one that is there already when the same form comes again.

    `seen` is what else is known of the sighting, by the names of its fields; `number` one that was taken beforehand.
    With a threat the rumor is secret.
    """
    if form_id and (sent_before := _sent_before(form_id, by)):
        return sent_before
    year, place = number or take_numbers(1)[0]
    rumor = Rumor.objects.create(
        year=year,
        number=place,
        form_id=form_id,
        claim=claim,
        original=original,
        original_language=original_language,
        claim_type=claim_type,
        priority=priority,
        topic=topic,
        sensitivity=Sensitivity.SECRET if is_threat else sensitivity,
        due_at=timezone.now() + DEADLINES[Priority(priority)],
        logged_by=by,
    )
    sighting = Sighting.objects.create(
        rumor=rumor,
        seen_on=seen_on,
        channel=channel,
        language=original_language,
        original=original,
        is_threat=is_threat,
        logged_by=by,
        **seen,
    )
    audit.record("log", rumor, by=by)
    _index(rumor, [sighting])
    return rumor


def _sent_before(form_id: UUID, by: User) -> Rumor | None:
    # One that is sent twice at once waits here until the first has committed.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(form_id)])
    found: Rumor | None = Rumor.objects.filter(logged_by=by, form_id=form_id).first()
    return found


def take_numbers(count: int) -> list[Number]:
    """The next numbers of this year, which nobody else gets, whatever becomes of them."""
    year = timezone.localdate().year
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rumors_numbering AS so_far (year, last)"
            " SELECT %(year)s, COALESCE(max(number), 0) + %(count)s FROM rumors_rumor WHERE year = %(year)s"
            " ON CONFLICT (year) DO UPDATE SET last = GREATEST(so_far.last + %(count)s, EXCLUDED.last) RETURNING last",
            {"year": year, "count": count},
        )
        last = cursor.fetchone()[0]
    return [Number(year, number) for number in range(last - count + 1, last + 1)]


@transaction.atomic
def sight(
    rumor: Rumor,
    *,
    channel: str,
    seen_on: date,
    by: User,
    form_id: UUID | None = None,
    **seen: Any,
) -> Sighting:
    """That it was heard again; what is there already when the same form comes again. `seen` as in `log`."""
    held = locked(rumor)
    sent_before: Sighting | None = held.sightings.filter(logged_by=by, form_id=form_id).first() if form_id else None
    if sent_before:
        return sent_before
    if held.same_as is not None:
        raise ValidationError(
            pgettext("staff", "This is the same as %(rumor)s. Add the sighting there.") % {"rumor": held.same_as}
        )
    sighting = Sighting.objects.create(
        rumor=held,
        form_id=form_id,
        seen_on=seen_on,
        channel=channel,
        logged_by=by,
        **seen,
    )
    audit.record("sight", held, by=by)
    _index_sighting(held, sighting)
    _seen(held)
    return sighting


@transaction.atomic
def handle(sighting: Sighting, *, note: str, by: User) -> Sighting:
    """What was done about a threat; a second time changes nothing."""
    held: Sighting = Sighting.objects.select_for_update(of=("self",)).get(pk=sighting.pk)
    if not held.is_threat or held.handled_at is not None:
        return held
    held.handled_at, held.handled_by, held.handled_note = timezone.now(), by, note
    held.save(update_fields=["handled_at", "handled_by", "handled_note"])
    audit.record("handle", held.rumor, by=by)
    return held


@transaction.atomic
def edit(rumor: Rumor, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Rumor:
    """Change what was logged. Another priority moves the day it is due. `was` is what the writer had seen.

    Raises ChangedMeanwhileError, and changes nothing, when one of the fields was changed by somebody else.
    """
    held = locked(rumor)
    now = {name: _standing(held, name) for name in values}
    refuse_clashes(now, was=was or {}, values=values)
    if "sensitivity" in values and values["sensitivity"] != held.sensitivity:
        _require_that_it_can_be(values["sensitivity"], held)
    if values.get("verifiability") == Verifiability.OPINION and held.verdict not in {"", Verdict.OPINION}:
        raise ValidationError({"verifiability": pgettext("staff", "It has a verdict as if it were no opinion.")})
    if "priority" in values and values["priority"] != held.priority:
        values["due_at"] = held.logged_at + DEADLINES[Priority(values["priority"])]
    beside = {}
    if (narratives := values.pop("narratives", now.get("narratives"))) != now.get("narratives"):
        held.narratives.set(narratives)
        beside = {"narratives": (_names(now["narratives"]), _names(narratives))}
    write(held, "edit", by=by, beside=beside, **values)
    if "sensitivity" in values:
        # They hold the same claim.
        for duplicate in held.duplicates.select_for_update(of=("self",)):
            write(duplicate, "edit", by=by, sensitivity=values["sensitivity"])
            _index(duplicate, duplicate.sightings.all())
        if held.is_secret:
            questions.restrict(numbers=_numbers(held), by=by)
    if not values.keys().isdisjoint({"claim", "original", "original_language", "sensitivity"}):
        _index(held, held.sightings.all())
    return held


def _standing(held: Rumor, name: str) -> Any:
    return set(held.narratives.all()) if name == "narratives" else getattr(held, name)


def _names(narratives: Iterable[Narrative]) -> str:
    return ", ".join(sorted(narrative.name for narrative in narratives))


def _numbers(held: Rumor) -> list[str]:
    """Of a rumor and of what repeats it."""
    return [each.public_id for each in (held, *held.duplicates.all())]


def _require_that_it_can_be(sensitivity: str, held: Rumor) -> None:
    """Whoever may read a rumor may read what repeats it, and the other way round: they hold the same claim."""
    if held.same_as is not None:
        raise ValidationError(
            {
                "sensitivity": pgettext("staff", "This is the same as %(rumor)s. Say there who may read it.")
                % {"rumor": held.same_as}
            }
        )
    if sensitivity == Sensitivity.SECRET and Rebuttal.objects.with_repeats(held).exists():
        raise ValidationError(
            {"sensitivity": pgettext("staff", "It has a public answer, so the claim cannot be secret.")}
        )


@transaction.atomic
def rate(
    rumor: Rumor,
    *,
    verdict: str,
    basis: str,
    by: User,
    confidence: str = Confidence.MEDIUM,
    version: int | None = None,
) -> Rumor:
    """The verdict; `version` is the rumor's that its giver had before them."""
    if not verdict:
        raise ValidationError({"verdict": pgettext("staff", "Choose a verdict.")})
    if not basis.strip():
        raise ValidationError({"basis": pgettext("staff", "Say what the verdict rests on.")})
    held = locked(rumor, version=version)
    if held.verifiability == Verifiability.OPINION and verdict != Verdict.OPINION:
        raise ValidationError({"verdict": pgettext("staff", "It is an opinion: that is neither true nor false.")})
    write(held, "rate", by=by, verdict=verdict, verdict_basis=basis, confidence=confidence)
    return held


@transaction.atomic
def move(rumor: Rumor, *, status: str, by: User, reason: str = "") -> Rumor:
    """Take one of the steps that `rules.STEPS` allows."""
    held = locked(rumor)
    if status not in rules.steps(held):
        raise ValidationError(
            pgettext("staff", "That step cannot be taken from here. The status is now: %(status)s.")
            % {"status": held.get_status_display()}
        )
    if status == Status.CLOSED and not (held.verdict and held.verdict_basis):
        raise ValidationError(pgettext("staff", "Give the verdict and what it rests on first. Then it can be closed."))
    if status == Status.DECIDED and not held.responses.exists():
        raise ValidationError(pgettext("staff", "Say first what is to be done about it, or why nothing is."))
    if rules.needs_approval(held, status):
        raise ValidationError(pgettext("staff", "Somebody else has to approve first what was decided."))
    if not reason.strip() and rules.needs_reason(held, status):
        raise ValidationError({"reason": pgettext("staff", "Say why. It is kept with the rumor.")})
    values: dict[str, Any] = {"ended_at": timezone.now() if status in ENDED else None}
    if status == Status.DECIDED:
        values |= {"decided_at": timezone.now(), "decided_by": by, "approved_at": None, "approved_by": None}
    elif status in rules.BEFORE_A_DECISION:
        values |= _UNDECIDED
    write(held, "move", by=by, status=status, status_reason=reason, **values)
    return held


_UNDECIDED: Final = {"decided_at": None, "decided_by": None, "approved_at": None, "approved_by": None}


def undecide(held: Rumor, *, by: User) -> None:
    """What is to be done about a locked rumor changes: what was decided, and not begun, is decided anew."""
    if not held.is_open:
        raise ValidationError(pgettext("staff", "It has ended. Take it up again first."))
    if held.status == Status.DECIDED:
        write(held, "move", by=by, status=Status.ASSESSED, **_UNDECIDED)


@transaction.atomic
def approve(rumor: Rumor, *, by: User, version: int) -> Rumor:
    """That what was decided shall be done, by somebody else than who decided; `version` is the one that was read."""
    held = locked(rumor)
    if held.status != Status.DECIDED or held.decided_by_id is None:
        raise ValidationError(pgettext("staff", "There is nothing to approve."))
    if held.decided_by_id == by.pk:
        raise ValidationError(pgettext("staff", "You decided it yourself: somebody else has to approve."))
    if held.version != version:
        raise ValidationError(pgettext("staff", "It was changed after you opened it. Read it again, then approve."))
    write(held, "approve", by=by, approved_by=by, approved_at=timezone.now())
    return held


@transaction.atomic
def assign(rumor: Rumor, *, to: User | None, by: User) -> Rumor:
    """`to` takes care of it, and follows it from now on."""
    held = locked(rumor)
    if to is not None and not (
        to.has_perm("rumors.handle") and Rumor.objects.visible_to(to).filter(pk=held.pk).exists()
    ):
        raise ValidationError({"assignee": pgettext("staff", "This person may not handle it.")})
    write(held, "assign", by=by, assignee=to)
    if to is not None:
        held.watchers.add(to)
    return held


def watch(rumor: Rumor, *, by: User) -> bool:
    """Follow it, or no more when `by` does already; whether they do now."""
    is_watching = rumor.watchers.filter(pk=by.pk).exists()
    if is_watching:
        rumor.watchers.remove(by)
    else:
        rumor.watchers.add(by)
    return not is_watching


@transaction.atomic
def link(rumor: Rumor, *, fact: Fact, slug: str, by: User, strength: str = Strength.REFUTES) -> Rebuttal:
    """An answer without text, resting on the fact as it is published now. Its Swedish text is the first revision."""
    held = locked(rumor)
    if held.is_secret:
        raise ValidationError(
            pgettext("staff", "A secret rumor gets no public answer. Change who may read it, or answer in another way.")
        )
    revision = revisions.current(fact)
    if revision is None:
        raise ValidationError(
            {"fact": pgettext("staff", "Publish the fact first: an answer rests on a published fact.")}
        )
    if rules.is_alike(slug.replace("-", " "), slugify(rules.said(held.claim)).replace("-", " ")):
        raise ValidationError({"slug": pgettext("staff", "The address repeats the claim. Let it state the truth.")})
    if held.rebuttals.filter(fact=fact).exists():
        raise ValidationError({"fact": pgettext("staff", "This fact answers the rumor already.")})
    try:
        with transaction.atomic():
            rebuttal: Rebuttal = Rebuttal.objects.create(
                rumor=held, fact=fact, fact_revision=revision, strength=strength, slug=slug, linked_by=by
            )
    except IntegrityError as error:
        raise ValidationError({"slug": pgettext("staff", "Another answer has this address already.")}) from error
    audit.record("link", held, by=by, changes={"fact": ("", fact.slug), "slug": ("", slug)})
    return rebuttal


@transaction.atomic
def confirm(rebuttal: Rebuttal, *, revision: int, by: User) -> Rebuttal:
    """The answer holds still, now that the fact has changed; `revision` is that of the fact, as it was read.

    Raises ValidationError when the fact has changed once more.
    """
    held: Rebuttal = Rebuttal.objects.select_for_update(of=("self",)).get(pk=rebuttal.pk)
    now = revisions.current(held.fact)
    if now is None or now.pk != revision:
        raise ValidationError(pgettext("staff", "The fact was changed after you opened the page. Read it again."))
    if held.fact_revision_id != now.pk:
        held.fact_revision = now
        held.save(update_fields=["fact_revision"])
        audit.record("confirm_answer", held, by=by)
    return held


@transaction.atomic
def tell(narrative: Narrative, *, name: str, description: str, by: User) -> Narrative:
    """Name the story that claims belong to, or put it in other words."""
    if Narrative.objects.filter(name__iexact=name).exclude(pk=narrative.pk).exists():
        raise ValidationError(pgettext("staff", "There is a narrative of this name already."))
    narrative.name, narrative.description = name, description
    narrative.save()
    audit.record("tell", narrative, by=by)
    return narrative


def consult(rumor: Rumor, *, by: User, is_threat: bool = False) -> None:
    """Log that somebody reads a secret rumor, or a threat in one that is not."""
    if rumor.is_secret or is_threat:
        audit.record("read", rumor, by=by)


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Delete the original words, links and screenshots of rumors that ended long ago, and of threats that were
    handled long ago, whatever became of the rumor; how many of both that were."""
    found = list(Rumor.objects.select_for_update(of=("self",)).with_words_to_forget(now))
    _forget(Sighting.objects.filter(rumor__in=found))
    for rumor in found:
        Rumor.objects.filter(pk=rumor.pk).update(original="")
        rumor.original = ""
        audit.record("purge", rumor, by=None)
        _index(rumor, rumor.sightings.all())
    threats = list(Sighting.objects.select_for_update(of=("self",)).threats_to_forget(now).select_related("rumor"))
    _forget(Sighting.objects.filter(pk__in=[threat.pk for threat in threats]))
    for threat in threats:
        threat.original = ""
        audit.record("purge", threat.rumor, by=None)
        _index_sighting(threat.rumor, threat)
    return len(found) + len(threats)


def _forget(sightings: SightingQuerySet) -> None:
    sightings.update(original="", url="", archive_url="", picture=None)


# What the matcher finds them by ----------------------------------------------------------------------------------


def _index(rumor: Rumor, sightings: Iterable[Sighting]) -> None:
    """The claim, the words as they were said, and those of the sightings; of the rumor that it repeats, if it does."""
    _say(rumor, f"claim:{rumor.pk}", languages.SOURCE, rumor.claim)
    heard = list(sightings)
    # Mostly they were logged together: the same words are one text.
    is_repeated = any(sighting.original == rumor.original for sighting in heard)
    _say(rumor, f"original:{rumor.pk}", rumor.original_language, "" if is_repeated else rumor.original)
    for sighting in heard:
        _index_sighting(rumor, sighting)
    _seen(rumor)


def _index_sighting(rumor: Rumor, sighting: Sighting) -> None:
    is_secret = rumor.is_secret or sighting.is_threat
    _say(rumor, f"sighting:{sighting.pk}", sighting.language, sighting.original, is_secret=is_secret)


def _say(rumor: Rumor, part: str, language: str, text: str, *, is_secret: bool | None = None) -> None:
    matching.index(
        kind="rumor",
        object_id=rumor.same_as_id or rumor.pk,
        part=part,
        language=language,
        text=text,
        is_secret=rumor.is_secret if is_secret is None else is_secret,
    )


def _seen(rumor: Rumor) -> None:
    root = rumor.same_as_id or rumor.pk
    family = Sighting.objects.filter(Q(rumor=root) | Q(rumor__same_as=root))
    matching.seen(kind="rumor", object_id=root, on=family.aggregate(last=Max("seen_on"))["last"])


def join(rumor: Rumor, *, into: Rumor) -> None:
    """What a rumor and those that repeated it say is found as the one that they repeat now."""
    matching.move(kind="rumor", from_id=rumor.pk, to_id=into.pk)
    _seen(into)


def part(rumor: Rumor, *, of: Rumor) -> None:
    """The other way round: what it and those that repeat it say stands for itself again."""
    family = [rumor.pk, *rumor.duplicates.values_list("pk", flat=True)]
    heard = Sighting.objects.filter(rumor__in=family).values_list("pk", flat=True)
    parts = [f"{name}:{pk}" for pk in family for name in ("claim", "original")] + [f"sighting:{pk}" for pk in heard]
    matching.move(kind="rumor", parts=parts, from_id=of.pk, to_id=rumor.pk)
    _seen(rumor)
    _seen(of)


def tell_the_matcher(*, limit: int) -> int:
    """Make findable what never was, as after an upgrade; returns how many rumors that were."""
    found = list(Rumor.objects.unfindable()[:limit])
    for rumor in found:
        with transaction.atomic():
            _index(held := locked(rumor), held.sightings.all())
    return len(found)


def reindex(thing: Model, language: str) -> None:
    """The search row of one rebuttal in one language, made or taken away; nothing of the rumor is in it. A Swedish
    text that is published rests on the fact as it is then."""
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
    if language == languages.SOURCE:
        if fact := revisions.current(thing.fact):
            Rebuttal.objects.filter(pk=thing.pk).update(fact_revision=fact)
        questions.point(to=thing.fact, numbers=_numbers(thing.rumor))


def refuses(thing: Model, language: str, fields: Mapping[str, str]) -> list[str]:
    assert isinstance(thing, Rebuttal)
    return rules.refuses(thing, language, fields)


def register() -> None:
    revisions.register(
        revisions.Kind(
            name="rebuttal",
            model=Rebuttal,
            area="rumors",
            reindex=reindex,
            refuses=refuses,
            staff_url=lambda rebuttal: reverse("staff_rebuttal", args=[rebuttal.pk]),
        )
    )

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import structlog
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages, markup
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts import documents, rules
from portal.facts.models import Fact, FormerAddress, Matter, Rendering, Source, Topic
from portal.mail import actions as mail
from portal.revisions import actions as revisions
from portal.revisions.models import Edition
from portal.revisions.rules import translated_fields
from portal.search import actions as search

log = structlog.get_logger(__name__)

REVIEW: Final = "fact_review"
LEASE: Final = timedelta(minutes=5)
BACKOFF: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))


@transaction.atomic
def create(
    *, by: User, matter: Matter | None = None, sources: Sequence[Mapping[str, Any]] | None = None, **values: Any
) -> Fact:
    """A fact without text: its Swedish text is the first revision. Of a matter of its own, or for another audience of
    one that there is."""
    shared = _of_the_matter(values)
    if matter is None:
        matter = Matter.objects.create(**{"owner": by, **shared})
    elif shared:
        _edit_matter(matter, shared)
    if sources is not None:
        _put_sources(matter, sources)
    fact = Fact.objects.create(created_by=by, matter=matter, **values)
    _keep_addresses(fact, "")
    audit.record("create", fact, by=by, changes={"slug": ("", fact.slug)})
    return fact


@transaction.atomic
def edit(
    fact: Fact,
    *,
    by: User,
    sources: Sequence[Mapping[str, Any]] | None = None,
    seen: str | None = None,
    **values: Any,
) -> Fact:
    """Change what is not text: audience, topic, address; and dates, owner and sources, for all audiences at once.
    `seen` is the version that the writer knew."""
    shared = _of_the_matter(values)
    locked = Fact.objects.select_for_update(of=("self",)).get(pk=fact.pk)
    locked.matter = Matter.objects.select_for_update(of=("self",)).get(pk=locked.matter_id)
    if seen is not None and seen != locked.version:
        raise revisions.ChangedMeanwhileError(
            pgettext("staff", "Somebody else has saved this while you were writing. Both versions are shown here.")
        )
    changes = audit.changed(locked, values)
    for name, value in values.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(values))
    if "slug" in changes:
        _keep_addresses(locked, changes["slug"][0])
    changes |= _edit_matter(locked.matter, shared)
    if sources is not None:
        before = [str(source) for source in locked.matter.sources.all()]
        _put_sources(locked.matter, sources)
        after = [str(source) for source in locked.matter.sources.all()]
        if before != after:
            changes["sources"] = (before, after)
    if changes:
        audit.record("edit", locked, by=by, changes={k: (str(a), str(b)) for k, (a, b) in changes.items()})
        for code in languages.CATALOG:
            if getattr(locked, languages.suffixed("title", code)):
                reindex(locked, code)
    return locked


def _of_the_matter(values: dict[str, Any]) -> dict[str, Any]:
    """Takes out of `values` what belongs to the matter."""
    return {name: values.pop(name) for name in ("reviewed_on", "review_due", "owner") if name in values}


def _edit_matter(matter: Matter, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    locked = Matter.objects.select_for_update(of=("self",)).get(pk=matter.pk)
    changes = audit.changed(locked, values)
    if changes:
        Matter.objects.filter(pk=matter.pk).update(**values)
    return changes


def _keep_addresses(fact: Fact, former: str) -> None:
    """An address leads to whoever has it now, else to who had it last."""
    FormerAddress.objects.filter(slug__in=[fact.slug, former]).delete()
    if former and Edition.objects.of(fact).exists():
        FormerAddress.objects.create(slug=former, fact=fact)


@transaction.atomic
def confirm(matter: Matter, *, by: User, on: date, seen: str) -> Matter:
    """All published texts of a matter are still right in Swedish, and so are the translations that render them. `seen`
    is the version of them that was read."""
    list(matter.facts.select_for_update(of=("self",)).order_by("pk"))  # no text is published meanwhile
    if seen != matter.version:
        raise revisions.ChangedMeanwhileError(
            pgettext("staff", "A text has changed since you opened this page. Read it, then say so again.")
        )
    locked: Matter = Matter.objects.select_for_update(of=("self",)).get(pk=matter.pk)
    due = on + Matter.REVIEW
    audit.record("confirm", locked, by=by, changes={"review_due": (locked.review_due, due)})
    locked.reviewed_on, locked.review_due = on, due
    locked.confirmed_at, locked.confirmed_by = timezone.now(), by
    locked.save(update_fields=["reviewed_on", "review_due", "confirmed_at", "confirmed_by"])
    mail.cancel(prefix=f"{REVIEW}:{locked.pk}:")
    return locked


def remind_of_reviews(*, today: date) -> int:
    """A letter to the owner of each matter whose day has come, once for each day it was to be checked by."""
    due = Matter.objects.due_for_review(today).select_related("owner").filter(owner__is_active=True)
    due = due.exclude(owner__email__endswith=".invalid")
    for matter in due:
        mail.plan(
            kind=REVIEW,
            key=f"{REVIEW}:{matter.pk}:{matter.review_due}",
            to=matter.owner.email,
            language=matter.owner.language,
            due_at=timezone.now(),
            context={"matter": matter.pk},
        )
    return len(due)


def _put_sources(matter: Matter, sources: Sequence[Mapping[str, Any]]) -> None:
    matter.sources.all().delete()
    Source.objects.bulk_create(
        Source(matter=matter, order=order, **{key: row.get(key, "") for key in ("title", "sfs", "sections", "url")})
        for order, row in enumerate(sources)
    )


@transaction.atomic
def name_topic(*, key: str, names: Mapping[str, str], by: User) -> Topic:
    """Make or rename a topic; `names` by language code. Only the columns named here are written."""
    topic, _ = Topic.objects.get_or_create(key=key)
    values = {languages.suffixed("name", code): name for code, name in names.items()}
    changes = {k: (a or "", b) for k, (a, b) in audit.changed(topic, values).items()}
    if changes:
        Topic.objects.filter(pk=topic.pk).update(**values)
        audit.record("edit", topic, by=by, changes=changes)
        topic.refresh_from_db()
    return topic


def reindex(thing: Model, language: str) -> None:
    """What follows from a changed text: its search row, made or taken away, and the promise of new handouts."""
    assert isinstance(thing, Fact)
    _promise([(thing.pk, language)])
    title, summary, body = (getattr(thing, languages.suffixed(n, language)) for n in translated_fields(Fact))
    if not (title and getattr(thing, languages.suffixed("title", languages.SOURCE))):
        search.remove(kind="fact", object_id=thing.pk, language=language)
        return
    with translation.override(language):
        url = reverse("fact", args=[thing.slug])
    search.index(
        kind="fact",
        object_id=thing.pk,
        language=language,
        audience=thing.audience,
        title=title,
        text=f"{summary} {markup.plain(body)}",
        url=url,
    )


# Handouts --------------------------------------------------------------------------------------------------------


def promise_all() -> None:
    """Something changed that stands on every handout."""
    editions = Edition.objects.published().filter(content_type=ContentType.objects.get_for_model(Fact))
    _promise(editions.values_list("object_id", "language"))


def _promise(wanted: Iterable[tuple[int, str]]) -> None:
    """Handouts to make, by fact and language."""
    active, now = dict(languages.LANGUAGES), timezone.now()
    Rendering.objects.bulk_create(
        [Rendering(fact_id=pk, language=code, due_at=now) for pk, code in wanted if code in active],
        update_conflicts=True,
        unique_fields=["fact", "language"],
        update_fields=["due_at", "attempts"],
    )


def render(*, seconds: float) -> int:
    """Make handouts that were promised, for about `seconds`; returns how many promises were kept.

    Any number of processes may do this at once, and none makes what another one is making.
    """
    until, kept = time.monotonic() + seconds, 0
    while time.monotonic() < until and (promise := claim_rendering(now=timezone.now())):
        mine = Rendering.objects.filter(pk=promise.pk, due_at=promise.due_at)
        try:
            _render(promise)
        except Exception:
            log.exception("handout_not_rendered", fact=promise.fact_id, language=promise.language)
            mine.update(due_at=timezone.now() + BACKOFF[min(promise.attempts, len(BACKOFF)) - 1])
        else:
            mine.delete()
            kept += 1
    return kept


@transaction.atomic(durable=True)
def claim_rendering(*, now: datetime) -> Rendering | None:
    """Take the promise that has waited longest; committed before the work begins."""
    promise: Rendering | None = Rendering.objects.due(now).select_for_update(skip_locked=True, of=("self",)).first()
    if promise:
        promise.due_at, promise.attempts = now + LEASE, promise.attempts + 1
        promise.save(update_fields=["due_at", "attempts"])
    return promise


def _render(promise: Rendering) -> None:
    """The handout in this language, and beside Swedish: what the page of the fact offers."""
    fact = Fact.objects.published().read_in(promise.language, languages.SOURCE).filter(pk=promise.fact_id).first()
    if fact:
        for codes in dict.fromkeys([(promise.language,), tuple(dict.fromkeys((promise.language, languages.SOURCE)))]):
            documents.handout([documents.sheet(fact, codes)])


def register() -> None:
    mail.register(REVIEW, rules.review, label=pgettext_lazy("staff", "A matter is to be checked again"))
    revisions.register(
        revisions.Kind(
            name="fact",
            model=Fact,
            area="facts",
            reindex=reindex,
            staff_url=lambda fact: reverse("staff_fact", args=[fact.pk]),
            audience=lambda fact: fact.audience if isinstance(fact, Fact) else "",
        )
    )

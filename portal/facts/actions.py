import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone, translation

from portal import languages, markup
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts import documents
from portal.facts.models import Fact, Rendering, Source, Topic
from portal.revisions import actions as revisions
from portal.revisions.models import Edition
from portal.revisions.rules import translated_fields
from portal.search import actions as search

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=5)
BACKOFF: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))


@transaction.atomic
def create(*, by: User, sources: Sequence[Mapping[str, Any]] = (), **values: Any) -> Fact:
    """A fact without text: its Swedish text is the first revision."""
    fact = Fact.objects.create(created_by=by, **values)
    _put_sources(fact, sources)
    audit.record("create", fact, by=by, changes={"slug": ("", fact.slug)})
    return fact


@transaction.atomic
def edit(fact: Fact, *, by: User, sources: Sequence[Mapping[str, Any]] | None = None, **values: Any) -> Fact:
    """Change what is not text: audience, topic, address, dates, sources."""
    locked = Fact.objects.select_for_update(of=("self",)).get(pk=fact.pk)
    changes = audit.changed(locked, values)
    for name, value in values.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(values))
    if sources is not None:
        before = [str(source) for source in locked.sources.all()]
        locked.sources.all().delete()
        _put_sources(locked, sources)
        after = [str(source) for source in locked.sources.all()]
        if before != after:
            changes["sources"] = (before, after)
    if changes:
        audit.record("edit", locked, by=by, changes={k: (str(a), str(b)) for k, (a, b) in changes.items()})
        for code in languages.CATALOG:
            if getattr(locked, languages.suffixed("title", code)):
                reindex(locked, code)
    return locked


def _put_sources(fact: Fact, sources: Sequence[Mapping[str, Any]]) -> None:
    Source.objects.bulk_create(
        Source(fact=fact, order=order, **{key: row.get(key, "") for key in ("title", "sfs", "sections", "url")})
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

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import translation

from portal import languages, markup
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Fact, Source, Topic
from portal.revisions import actions as revisions
from portal.revisions.rules import translated_fields
from portal.search import actions as search


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
    """The search row of one fact in one language, made or taken away."""
    assert isinstance(thing, Fact)
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

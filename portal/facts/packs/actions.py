from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.documents import UnavailableError
from portal.facts.models import Fact
from portal.facts.packs import documents, rules
from portal.facts.packs.models import Follower, Pack, PackItem
from portal.fonts import unprintable
from portal.mail import actions as mail
from portal.mail.models import address_hash
from portal.revisions.models import Edition, Provenance

ASKED: Final = "pack_follow"
CHANGED: Final = "pack_changed"
NEWS_IS_OLD: Final = timedelta(days=7)


def announce() -> None:
    mail.register(ASKED, rules.asked, label=pgettext_lazy("staff", "Do you want to follow this pack?"))
    mail.register(CHANGED, rules.changed, label=pgettext_lazy("staff", "A pack has a new version"), is_necessary=False)


@transaction.atomic
def make(*, facts: Sequence[Fact], codes: Sequence[str], by: User, note: str = "") -> Pack:
    """The next version: the published texts of these facts as they are now, in these languages. The same by the same
    person on the same day is a double click."""
    # Nothing of them is published meanwhile, and versions that are made at the same time get different numbers.
    list(Fact.objects.select_for_update(of=("self",)).filter(pk__in=[fact.pk for fact in facts]).order_by("pk"))
    Pack.objects.select_for_update(of=("self",)).first()
    newest = Pack.objects.first()
    pack = Pack(
        number=newest.number + 1 if newest else 1,
        as_of=timezone.localdate(),
        languages=[code for code in languages.CATALOG if code in codes],
        note=note,
        made_by=by,
    )
    items = _items(pack, facts)
    if newest and _content(newest, newest.items.all()) == _content(pack, items):
        return newest
    pack.save()
    PackItem.objects.bulk_create(items)
    audit.record("make", pack, by=by, note=f"{len(facts)} facts, {' '.join(pack.languages)}")
    return pack


def _content(pack: Pack, items: Iterable[PackItem]) -> tuple[Any, ...]:
    texts = [(item.language, item.fact_id, item.revision_id) for item in items]
    return pack.as_of, pack.languages, pack.note, pack.made_by_id, texts


def _items(pack: Pack, facts: Sequence[Fact]) -> list[PackItem]:
    about = {"content_type": ContentType.objects.get_for_model(Fact), "object_id__in": [fact.pk for fact in facts]}
    editions: dict[int, dict[str, Edition]] = defaultdict(dict)
    for edition in Edition.objects.given().filter(**about).select_related("revision"):
        editions[edition.object_id][edition.language] = edition
    outdated: dict[int, set[str]] = defaultdict(set)
    for provenance in Provenance.objects.filter(**about, is_outdated=True):
        outdated[provenance.object_id].add(provenance.language)
    items: list[PackItem] = []
    for code in pack.languages:
        for fact in facts:
            if languages.SOURCE not in editions[fact.pk]:
                raise ValidationError(pgettext("staff", "“%(fact)s” is not published.") % {"fact": fact})
            edition = rules.cited(code, editions[fact.pk], outdated[fact.pk])
            items.append(_item(pack, len(items), code, fact, edition))
    return items


def _item(pack: Pack, order: int, code: str, fact: Fact, edition: Edition) -> PackItem:
    assert edition.revision is not None
    assert edition.published_at is not None
    if missing := unprintable("".join(edition.revision.fields.values())):
        raise ValidationError(
            pgettext("staff", "“%(fact)s” in %(language)s has characters that cannot be printed: %(missing)s")
            % {"fact": fact, "language": languages.get(edition.language).autonym, "missing": missing}
        )
    return PackItem(
        pack=pack,
        order=order,
        language=code,
        fact=fact,
        revision=edition.revision,
        published_at=edition.published_at,
        reviewed_on=fact.matter.reviewed_on,
        sources=list(fact.sources.values("title", "sfs", "sections", "url")),
    )


def render_newest() -> None:
    """Keep the newest version at hand: with many languages it takes longer than a reader waits."""
    newest = Pack.objects.first()
    if newest:
        with suppress(UnavailableError):  # a worker has it
            documents.pdf(newest)


# Who follows ---------------------------------------------------------------------------------------------------


@transaction.atomic
def follow(pack: Pack, *, email: str, language: str) -> None:
    """Ask the address whether it wants this, at most once within an hour. The same for one that is known."""
    locked = Pack.objects.select_for_update(of=("self",)).get(pk=pack.pk)
    now = timezone.now()
    follower: Follower | None = locked.followers.at(email).first()
    if follower is None:
        follower = Follower.objects.create(
            pack=locked, email=email, address_hash=address_hash(email), language=language, asked_at=now
        )
        audit.record("ask_to_follow", follower, by=None, language=language)
    hour = int((now - follower.asked_at) / timedelta(hours=1))
    mail.plan(
        kind=ASKED,
        key=f"{ASKED}:{follower.pk}:{hour}",
        to=follower.email,
        language=follower.language,
        due_at=now,
        expires_at=now + Follower.KEEP_UNCONFIRMED,
        context={"follower": follower.pk},
    )


@transaction.atomic
def confirm(follower: Follower) -> None:
    """From now on; what changed before is on the page that they come from. A second time does nothing."""
    locked: Follower = Follower.objects.select_for_update(of=("self",)).get(pk=follower.pk)
    if locked.confirmed_at:
        return
    locked.confirmed_at, locked.told = timezone.now(), rules.state_of(locked.pack.items.changed())
    locked.save(update_fields=["confirmed_at", "told"])
    audit.record("follow", locked, by=None)
    mail.resubscribe(address=locked.email)


@transaction.atomic
def stop(follower: Follower) -> None:
    """Forget the address, everywhere, and what has not left for it."""
    _forget(follower, "unfollow")


def _forget(follower: Follower, verb: str) -> None:
    audit.record(verb, follower, by=None)
    for kind in (ASKED, CHANGED):
        mail.forget(prefix=f"{kind}:{follower.pk}:")
    follower.delete()


@transaction.atomic
def tell(*, now: datetime) -> int:
    """Promise a mail to everybody who follows what has changed, at most one a day; returns how many."""
    for follower in Follower.objects.unsubscribed():
        stop(follower)
    planned = 0
    states: dict[int, str] = {}
    for follower in Follower.objects.may_be_told(now).select_for_update(skip_locked=True, of=("self",)):
        if follower.pack_id not in states:
            states[follower.pack_id] = rules.state_of(PackItem.objects.filter(pack=follower.pack_id).changed())
        state = states[follower.pack_id]
        if state == follower.told:
            continue
        if state:
            _plan_news(follower, now)
            follower.told_at = now
            planned += 1
        follower.told = state
        follower.save(update_fields=["told", "told_at"])
    return planned


def _plan_news(follower: Follower, now: datetime) -> None:
    mail.plan(
        kind=CHANGED,
        key=f"{CHANGED}:{follower.pk}:{now:%Y-%m-%d}",
        to=follower.email,
        language=follower.language,
        due_at=now,
        expires_at=now + NEWS_IS_OLD,
        context={"follower": follower.pk},
    )


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget who never confirmed, and who has heard nothing for two years; returns how many."""
    expired = list(Follower.objects.expired(now))
    for follower in expired:
        _forget(follower, "purge")
    return len(expired)

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import rules
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import pgettext

from portal import contacts, languages, secret_links
from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.facts.models import Audience
from portal.facts.packs.models import Follower, Pack
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute
from portal.revisions.models import Edition

rules.add_perm("packs.view", is_anyone_on_staff)
rules.add_perm("packs.make", has_role(Role.EDITOR, Role.APPROVER))


def cited(code: str, editions: Mapping[str, Edition], outdated: Collection[str]) -> Edition:
    """Of the published texts of one fact the one that stands for `code` in a pack: the first of its chain that renders
    the Swedish text as it is now."""
    chain = languages.chain(code, audience=Audience.EMBASSIES)
    return next(editions[each] for each in chain if each in editions and each not in outdated)


def state_of(changed: Iterable[Any]) -> str:
    """What has become of cited texts, in short; empty when all are what readers get."""
    rows = sorted(f"{item.pk}:{item.now_id}:{item.is_outdated}" for item in changed)
    return hashlib.sha256(" ".join(rows).encode()).hexdigest() if rows else ""


# Private links -------------------------------------------------------------------------------------------------


def private_token(follower: Follower) -> str:
    return secret_links.token("packs.follower", follower.pk, follower.nonce)


def token_owner(token: str) -> Follower | None:
    """The follower whose private link this is."""
    found: Follower | None = Follower.objects.filter(pk=secret_links.pk_of(token) or 0).select_related("pack").first()
    if found and secret_links.fits(token, "packs.follower", found.pk, found.nonce):
        return found
    return None


# Messages ------------------------------------------------------------------------------------------------------


def asked(delivery: Delivery) -> Message | None:
    """Goes to whatever address somebody has typed: it holds nothing that they could have written."""
    follower = _follower(delivery)
    if follower is None:
        return None
    return Message(
        subject=pgettext("mail", "Do you want to follow version %(number)s?") % {"number": follower.pack.number},
        text=render_to_string("emails/packs/asked.txt", _about(follower)),
    )


def changed(delivery: Delivery) -> Message | None:
    """Says what stands at the moment of sending."""
    follower = _follower(delivery)
    if follower is None or follower.confirmed_at is None:
        return None
    items = follower.pack.items.changed().with_texts()
    rows = [
        {
            "title": contacts.expand(item.revision.fields["title"]),
            "language": languages.get(item.revision.language).autonym,
            "is_withdrawn": item.now_id is None,  # type: ignore[attr-defined]
        }
        # A text that stands for several languages is told once.
        for item in {item.revision_id: item for item in items}.values()
    ]
    if not rows:
        return None
    newest = Pack.objects.first()
    newest_url = absolute(newest.get_absolute_url()) if newest and newest != follower.pack else ""
    return Message(
        subject=pgettext("mail", "Changed: what you cite from version %(number)s") % {"number": follower.pack.number},
        text=render_to_string("emails/packs/changed.txt", _about(follower) | {"rows": rows, "newest_url": newest_url}),
    )


def _follower(delivery: Delivery) -> Follower | None:
    found: Follower | None = Follower.objects.filter(pk=delivery.context["follower"]).select_related("pack").first()
    return found


def _about(follower: Follower) -> dict[str, object]:
    return {
        "follower": follower,
        "pack": follower.pack,
        "pack_url": absolute(follower.pack.get_absolute_url()),
        "private_url": absolute(reverse("following", args=[private_token(follower)])),
    }

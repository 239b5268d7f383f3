"""What a row of a list is about: a rumor that is there already, or a new one."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import pgettext

from portal.accounts.models import User
from rumors.imports.models import Imported, Line, Outcome
from rumors.models import Rumor, Sighting, named
from rumors.vocabulary import Sensitivity

AT_ONCE: Final = 100
"""Rows that are imported while their sender waits; a longer list is taken by a worker."""
_OF_THE_RUMOR: Final = ("claim", "original_language", "claim_type", "topic", "priority", "sensitivity")


def digest(values: Mapping[str, Any]) -> str:
    """The same for the same row, in whichever kind of file and order of columns; without the site's secret nobody can
    find out what it is of."""
    said = json.dumps(sorted((name, value) for name, value in values.items() if value), cls=DjangoJSONEncoder)
    secret = f"rumors.imports:{settings.SECRET_KEY}".encode()
    return hmac.new(secret, said.encode(), hashlib.sha256).hexdigest()


def of_the_rumor(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row is said to `rumors.actions.log`, beside the sighting."""
    return {name: values[name] for name in _OF_THE_RUMOR if name in values and name != "topic"}


def of_the_sighting(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that `log` and `sight` share."""
    seen = {name: value for name, value in values.items() if name not in {*_OF_THE_RUMOR, "rumor"}}
    return seen | {"seen_on": date.fromisoformat(str(seen["seen_on"]))}


def place(lines: Sequence[Line], *, by: User) -> None:
    """Say of rows that are understood what they do: sets `outcome`, `faults`, `rumor` and `follows`; saves nothing.

    Rumors that this person may not know of do not exist for them: the same claim makes a new one.
    """
    understood = [line for line in lines if line.values]
    targets = _Targets(understood, by)
    there = _imported(understood, by)
    known = Rumor.objects.visible_to(by).in_bulk(there.values())
    first: dict[str, int] = {}
    begun: dict[tuple[str, bool], int] = {}
    for line in understood:
        line.rumor, line.follows, line.faults = None, None, []
        if line.digest in there or line.digest in first:
            line.outcome = Outcome.THERE
            line.rumor = known.get(there.get(line.digest, 0))
            if line.digest in first:
                line.faults = [
                    pgettext("staff", "It says the same as row %(number)d.") % {"number": first[line.digest]}
                ]
            continue
        first[line.digest] = line.number
        _place(line, targets, begun)


def _place(line: Line, targets: "_Targets", begun: dict[tuple[str, bool], int]) -> None:
    said = _plain(line.values.get("claim", "")), _is_secret(line)
    found = targets.of(line)
    is_secret = line.values.get("sensitivity") == Sensitivity.SECRET
    line.outcome = Outcome.SIGHTING
    if line.values.get("rumor") and found is None:
        _refuse(line, pgettext("staff", "There is no rumor of this number."))
    elif found is not None and is_secret and not found.is_secret:
        _refuse(
            line,
            pgettext("staff", "%(rumor)s is not secret, and a sighting of it cannot be. Log it by hand.")
            % {"rumor": found},
        )
    elif found is not None:
        line.rumor = found
    elif said in begun:
        line.follows = begun[said]
    else:
        begun[said] = line.number
        line.outcome = Outcome.NEW


def _is_secret(line: Line) -> bool:
    return bool(line.values.get("sensitivity") == Sensitivity.SECRET or line.values.get("is_threat"))


def _refuse(line: Line, fault: str) -> None:
    line.outcome, line.faults = Outcome.REFUSED, [fault]


def _plain(claim: str) -> str:
    return " ".join(claim.split()).lower()


def _imported(lines: Iterable[Line], by: User) -> dict[str, int]:
    """The rumors of rows that were imported before, by whomever: of those that this person may know of, and of their
    own, of which they know anyway."""
    readable = Sighting.objects.visible_to(by).filter(rumor__in=Rumor.objects.visible_to(by))
    known = Imported.objects.filter(digest__in=[line.digest for line in lines])
    known = known.filter(Q(sighting__in=readable) | Q(sighting__logged_by=by))
    return dict(known.values_list("digest", "sighting__rumor"))


class _Targets:
    """The rumors that rows name, or whose claim they repeat: three queries for any number of rows."""

    def __init__(self, lines: Iterable[Line], by: User) -> None:
        self._visible = Rumor.objects.visible_to(by).select_related("same_as")
        names = [name for line in lines if (name := named(line.values.get("rumor") or ""))]
        numbered = self._visible.filter(
            year__in={name["year"] for name in names}, number__in={name["number"] for name in names}
        )
        self._by_number = {(rumor.year, rumor.number): rumor for rumor in numbered}
        claims = {_plain(line.values.get("claim", "")) for line in lines} - {""}
        same = self._visible.annotate(lower=Lower("claim")).filter(lower__in=claims)
        # The last one stands: the oldest, of those that are open and repeat nothing when there are any.
        ordered = sorted(same, key=lambda rumor: (rumor.same_as_id is None, rumor.is_open, -rumor.pk))
        self._by_claim = {_plain(rumor.claim): rumor for rumor in ordered}

    def of(self, line: Line) -> Rumor | None:
        """A rumor that was found to repeat another one stands for that one."""
        name = named(line.values.get("rumor") or "")
        if name:
            found = self._by_number.get((name["year"], name["number"]))
        else:
            found = self._by_claim.get(_plain(line.values.get("claim", "")))
        return (found.same_as or found) if found else None

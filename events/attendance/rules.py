from dataclasses import dataclass

import rules

from events.attendance.models import CheckIn, Count, Method
from events.models import Event
from events.registrations.models import Registration
from events.registrations.rules import CHECK_IN
from portal import secret_links
from portal.accounts.models import Role
from portal.accounts.rules import has_role

rules.add_perm("attendance.view", has_role(Role.EVENTS, Role.MANAGER))
rules.add_perm("attendance.edit", has_role(Role.EVENTS))


def scanned(token: str) -> Registration | None:
    """Whose code this is."""
    found = Registration.objects.filter(pk=secret_links.pk_of(token)).select_related("event").first()
    if found and secret_links.fits(token, CHECK_IN, found.pk, found.nonce):
        owner: Registration = found
        return owner
    return None


@dataclass(frozen=True, slots=True)
class Attendance:
    """How many were at an event, as far as anybody knows."""

    checked_in: int
    by_way: dict[str, int]
    """Of those who were checked in, by `How`."""
    counts: list[Count]
    """The newest of each method, what is more exact first."""

    @property
    def best(self) -> str:
        """The number to tell: who was checked in one by one, else what comes closest to it; empty when nobody knows."""
        if self.checked_in:
            return str(self.checked_in)
        return str(self.counts[0]) if self.counts else ""


def attendance(event: Event) -> Attendance:
    by_way = CheckIn.objects.filter(event=event).by_way()
    newest = {count.method: count for count in event.counts.newest().select_related("by")}
    counts = [newest[method] for method in Method if method in newest]
    return Attendance(sum(by_way.values()), by_way, counts)

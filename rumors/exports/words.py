"""The columns of an export, what they are called, and how much of them each level of redaction lets out."""

from collections.abc import Collection
from typing import Final

from django.db import models
from django.utils.translation import pgettext_lazy


class Level(models.IntegerChoices):
    """For whom it is."""

    OTHERS = 1, pgettext_lazy("staff", "For others")
    COLLEAGUES = 2, pgettext_lazy("staff", "For colleagues")
    ALL = 3, pgettext_lazy("staff", "Everything")


class What(models.TextChoices):
    RUMORS = "rumors", pgettext_lazy("staff", "Rumors: one row each")
    SIGHTINGS = "sightings", pgettext_lazy("staff", "Sightings: one row each, with their rumor")


class Kind(models.TextChoices):
    XLSX = "xlsx", pgettext_lazy("staff", "Excel")
    CSV = "csv", pgettext_lazy("staff", "CSV with semicolons, as Excel in Swedish reads it")
    CSV_COMMA = "csv_comma", pgettext_lazy("staff", "CSV with commas")
    JSON = "json", pgettext_lazy("staff", "JSON: for programs, each rumor with its sightings")


RUMOR: Final = {
    "number": pgettext_lazy("staff", "Number of the rumor"),
    "claim": pgettext_lazy("staff", "Claim"),
    "status": pgettext_lazy("staff", "Status"),
    "priority": pgettext_lazy("staff", "Priority"),
    "due_at": pgettext_lazy("staff", "Answer by"),
    "topic": pgettext_lazy("staff", "Topic"),
    "claim_type": pgettext_lazy("staff", "Kind of claim"),
    "reach": pgettext_lazy("staff", "Reach"),
    "verdict": pgettext_lazy("staff", "Verdict"),
    "is_answered": pgettext_lazy("staff", "Answered in public"),
    "sightings_count": pgettext_lazy("staff", "Times seen"),
    "first_seen_on": pgettext_lazy("staff", "First seen"),
    "last_seen_on": pgettext_lazy("staff", "Last seen"),
    "sensitivity": pgettext_lazy("staff", "Who may read it"),
    "original_language": pgettext_lazy("staff", "Language"),
    "original": pgettext_lazy("staff", "The words as they were said"),
    "narratives": pgettext_lazy("staff", "Narratives"),
    "verifiability": pgettext_lazy("staff", "Can it be checked?"),
    "confidence": pgettext_lazy("staff", "How sure the verdict is"),
    "verdict_basis": pgettext_lazy("staff", "What the verdict rests on"),
    "status_reason": pgettext_lazy("staff", "Why it has this status"),
    "same_as": pgettext_lazy("staff", "Same as"),
    "assignee": pgettext_lazy("staff", "Who takes care of it"),
    "review_on": pgettext_lazy("staff", "Look at it again"),
    "logged_at": pgettext_lazy("staff", "When it was logged"),
    "logged_by": pgettext_lazy("staff", "Logged by"),
    "ended_at": pgettext_lazy("staff", "Ended"),
}
SIGHTING: Final = {
    "seen_on": pgettext_lazy("staff", "Heard on"),
    "channel": pgettext_lazy("staff", "Where"),
    "language": pgettext_lazy("staff", "Heard in"),
    "area": pgettext_lazy("staff", "District"),
    "heard_how": pgettext_lazy("staff", "How it was heard"),
    "audience": pgettext_lazy("staff", "Who is addressed"),
    "country": pgettext_lazy("staff", "Country"),
    "precision": pgettext_lazy("staff", "How exactly the day is known"),
    "sighting_original": pgettext_lazy("staff", "The words of this sighting"),
    "url": pgettext_lazy("staff", "Link"),
    "archive_url": pgettext_lazy("staff", "Link to an archived copy"),
    "spreader": pgettext_lazy("staff", "What kind of sender"),
    "reached": pgettext_lazy("staff", "About how many it has reached"),
    "is_threat": pgettext_lazy("staff", "A threat"),
    "sighting_logged_at": pgettext_lazy("staff", "Sighting logged"),
    "sighting_logged_by": pgettext_lazy("staff", "Sighting logged by"),
}
COLUMNS: Final = RUMOR | SIGHTING
USUAL: Final = (*tuple(RUMOR)[:13], *tuple(SIGHTING)[:7])

_NAMES: Final = frozenset({"assignee", "logged_by", "sighting_logged_by"})
_WORDS: Final = frozenset({"original", "sighting_original", "url", "archive_url", "verdict_basis", "status_reason"})
FEWEST_IN_A_DISTRICT: Final = 5
"""Below that a district is not named to others."""


def allowed(columns: Collection[str], level: int) -> list[str]:
    """Those that this level lets out, in our order."""
    kept_back = {Level.OTHERS: _NAMES | _WORDS, Level.COLLEAGUES: _NAMES}.get(Level(level), frozenset())
    return [name for name in COLUMNS if name in columns and name not in kept_back]

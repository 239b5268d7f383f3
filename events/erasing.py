"""Deleting everything about oneself, by the secret link to one's own page.

Who presses twice is told twice that it is deleted. Their form shows that they knew the link, and nobody else learns
that there was one.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from events.models import Event
from portal import languages, public, secret_links
from portal.revisions.rules import read


def purpose(kind: str, pk: int) -> str:
    """What the form is for that deletes; only one's own page has it, when it asks whether that is meant."""
    return f"erase-{kind} {pk}"


def is_pressed(request: HttpRequest, kind: str, token: str) -> bool:
    """Whether this is that form, of whose link this claims to be."""
    if request.method != "POST":
        return False
    return public.check_public_post(request, purpose(kind, secret_links.pk_of(token))) is not None


def erased(request: HttpRequest, event: Event) -> HttpResponse:
    text = read(event, get_language() or languages.SOURCE)
    return render(request, "events/erased.html", {"event": event, "text": text})

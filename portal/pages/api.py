"""Read-only JSON over what is published; the same texts and the same fallback as the pages."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.pagination import LimitOffsetPagination, paginate

from events.models import Event
from portal import contacts, languages
from portal.facts.models import Audience, Fact
from portal.pages import errors
from portal.public import absolute
from portal.revisions.rules import Text, read
from rumors.models import Rebuttal

api = NinjaAPI(
    title="Klarlagt",
    version="1",
    description="Published facts, answers and events. Read only.",
    docs_url=None,
    docs_decorator=require_safe,
)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    return errors.page(request, 404)


class LanguageOut(Schema):
    code: str
    tag: str
    name: str
    direction: str


class SourceOut(Schema):
    title: str
    sections: str
    url: str


class TextOut(Schema):
    language: str
    """BCP 47 tag of the text; differs from the one asked for when the text is not published in that language."""
    title: str
    summary: str
    url: str


class FactOut(TextOut):
    slug: str
    audience: str
    topic: str
    reviewed_on: date
    sources: list[SourceOut]


class FactDetailOut(FactOut):
    body: str
    """Markdown."""


class EventOut(TextOut):
    kind: str
    starts_at: datetime
    ends_at: datetime
    place: str
    is_online: bool


class MissingOut(Schema):
    detail: str
    """One sentence in English."""


class MistakeOut(Schema):
    loc: list[str | int]
    """Where it stands: `query` and the name of the parameter."""
    msg: str
    """One sentence in English."""


class MistakesOut(Schema):
    detail: list[MistakeOut]


MISSING: Final = {404: MissingOut}
MISTAKES: Final = {422: MistakesOut}

View = Callable[..., Any]


def answers(path: str, name: str, response: dict[int, Any]) -> Callable[[View], View]:
    """Registers a view for GET, and for HEAD, which the description need not mention."""

    def register(view: View) -> View:
        api.api_operation(["HEAD"], path, response=response, include_in_schema=False)(view)
        return api.get(path, response=response, operation_id=name)(view)

    return register


@answers("/languages", "languages", {200: list[LanguageOut]})
def list_languages(request: HttpRequest) -> list[dict[str, str]]:
    return [
        {"code": known.code, "tag": known.tag, "name": known.autonym, "direction": known.direction}
        for known in languages.ACTIVE
    ]


def _code(language: str) -> str:
    by_tag = {known.tag.lower(): known.code for known in languages.ACTIVE}
    by_tag |= {known.code: known.code for known in languages.ACTIVE}
    if language.lower() not in by_tag:
        raise HttpError(404, "There is nothing in that language: /api/v1/languages names those that there are.")
    return by_tag[language.lower()]


def _url(name: str, slug: str, code: str) -> str:
    with translation.override(code):
        return absolute(reverse(name, args=[slug]))


def _filled(text: Text) -> dict[str, str]:
    return {name: contacts.expand(value) for name, value in text.fields.items()} | {"language": text.language.tag}


def _fact(fact: Fact, code: str) -> dict[str, object]:
    text = read(fact, code, audience=fact.audience)
    assert text is not None
    return {
        "slug": fact.slug,
        "audience": fact.audience,
        "topic": fact.topic.key,
        "reviewed_on": fact.matter.reviewed_on,
        "sources": [{"title": s.title, "sections": s.sections, "url": s.link} for s in fact.sources.all()],
        "url": _url("fact", fact.slug, code),
        **_filled(text),
    }


@answers("/facts", "facts", {200: list[FactOut], **MISSING, **MISTAKES})
@paginate(LimitOffsetPagination)
def list_facts(
    request: HttpRequest, language: str = languages.SOURCE, audience: Audience | None = None
) -> list[object]:
    """All published facts in one language; where one is not translated, its Swedish text stands in, and says so."""
    code = _code(language)
    facts = Fact.objects.published().read_in(code).select_related("topic", "matter").prefetch_related("matter__sources")
    if audience:
        facts = facts.for_audience(audience)
    return [_fact(fact, code) for fact in facts]


@answers("/facts/{slug}", "fact", {200: FactDetailOut, **MISSING})
def get_fact(request: HttpRequest, slug: str, language: str = languages.SOURCE) -> dict[str, object]:
    code = _code(language)
    fact = get_object_or_404(Fact.objects.published().read_in(code).select_related("topic", "matter"), slug=slug)
    return _fact(fact, code)


@answers("/rebuttals", "rebuttals", {200: list[TextOut], **MISSING, **MISTAKES})
@paginate(LimitOffsetPagination)
def list_rebuttals(request: HttpRequest, language: str = languages.SOURCE) -> list[dict[str, str]]:
    """Published answers to rumors. The rumors themselves are never part of the API."""
    code = _code(language)
    rows = []
    for rebuttal in Rebuttal.objects.published().read_in(code):
        text = read(rebuttal, code)
        assert text is not None
        fields = _filled(text)
        rows.append({"language": fields["language"], "title": fields["title"], "summary": fields["answer"],
                     "url": _url("rumor", rebuttal.slug, code)})  # fmt: skip
    return rows


@answers("/events", "events", {200: list[EventOut], **MISSING, **MISTAKES})
@paginate(LimitOffsetPagination)
def list_events(request: HttpRequest, language: str = languages.SOURCE) -> list[dict[str, object]]:
    """Published events that have not passed. Links to join are never part of the API."""
    code = _code(language)
    rows: list[dict[str, object]] = []
    for event in Event.objects.published().upcoming(timezone.now()).read_in(code):
        text = read(event, code)
        assert text is not None
        rows.append({**_filled(text),
                     "url": _url("event", event.slug, code), "kind": event.kind, "starts_at": event.starts_at,
                     "ends_at": event.ends_at, "place": event.place, "is_online": event.is_online})  # fmt: skip
    return rows

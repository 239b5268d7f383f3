"""Read-only JSON over what is published; the same texts and the same fallback as the pages."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe
from ninja import Field, NinjaAPI, Query, Schema
from ninja.errors import HttpError

from events.models import Event
from portal import contacts, languages
from portal.facts.models import Audience, Fact
from portal.pages import errors
from portal.public import FRESH_SECONDS, REVALIDATE_SECONDS, absolute
from portal.revisions.models import Method, Provenance
from portal.revisions.rules import Text, read
from rumors.models import Rebuttal

MOST_ROWS: Final = 100

api = NinjaAPI(
    title="Klarlagt",
    version="1",
    description=(
        "Published facts, answers and events. Read only, for everybody, without a key. An answer may be kept for "
        "fifteen seconds; ask again with the ETag as If-None-Match. Version 1 may get new fields and loses none."
    ),
    docs_url=None,
    docs_decorator=require_safe,
)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    return errors.page(request, 404)


Tag = Annotated[str, Field(examples=["ar"])]
"""A language by its BCP 47 tag."""
Url = Annotated[str, Field(examples=["https://klarlagt.example.org/ar/facts/domstolen/"])]


class LanguageOut(Schema):
    code: str = Field(examples=["zh-hans"])
    tag: str = Field(examples=["zh-Hans"])
    name: str = Field(examples=["简体中文"])
    direction: str = Field(examples=["ltr"])


class SourceOut(Schema):
    title: str = Field(examples=["LVU"])
    sections: str = Field(examples=["1–4 §§"])
    url: str = Field(examples=["https://rkrattsbaser.gov.se/sfst?bet=1990:52"])


class TextOut(Schema):
    language: Tag = Field(description="Of the text. Not the one asked for, when there is no text in that language.")
    title: str = Field(examples=["Kan socialtjänsten ta mitt barn?"])
    summary: str = Field(examples=["Bara en domstol kan besluta om vård utan samtycke."])
    url: Url


class FactOut(TextOut):
    slug: str = Field(examples=["domstolen"])
    audience: str = Field(examples=["parents"])
    topic: str = Field(examples=["court"])
    reviewed_on: date = Field(description="When somebody last checked that it holds.", examples=["2026-11-03"])
    sources: list[SourceOut]
    published_at: datetime = Field(description="Of this text.", examples=["2026-11-03T09:30:00Z"])
    method: Method = Field(description="How this text came to be.", examples=["machine_edited"])
    is_outdated: bool = Field(description="The Swedish text has changed since it was translated.", examples=[False])
    is_example: bool = Field(description="Nobody has checked it.", examples=[False])
    languages: list[Tag] = Field(description="There is a text in these.", examples=[["sv", "ar", "zh-Hans"]])


class FactDetailOut(FactOut):
    body: str = Field(description="Markdown.", examples=["## Så går det till\n\nKommunen ansöker."])


class EventOut(TextOut):
    kind: str = Field(examples=["seminar"])
    starts_at: datetime
    ends_at: datetime
    place: str = Field(description="Empty when it is told to those who have a seat.", examples=["Biblioteket"])
    is_online: bool
    status: str = Field(description="`published` or `canceled`.", examples=["published"])


class PartOut(Schema):
    count: int = Field(description="Of all rows.", examples=[24])
    next: str | None = Field(description="Where the rows after these are.", examples=[None])
    previous: str | None = Field(description="Where the rows before these are.", examples=[None])


class FactsOut(PartOut):
    items: list[FactOut]


class RebuttalsOut(PartOut):
    items: list[TextOut]


class EventsOut(PartOut):
    items: list[EventOut]


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


class Part(Schema):
    """Which rows of a list."""

    limit: int = Field(MOST_ROWS, ge=1, description=f"At most {MOST_ROWS} are told at once, also when more are wanted.")
    offset: int = Field(0, ge=0)

    def of(
        self, request: HttpRequest, rows: QuerySet[Any], tell: Callable[[list[Any]], Iterable[object]]
    ) -> dict[str, object]:
        count, limit = rows.count(), min(self.limit, MOST_ROWS)
        first = min(self.offset, count)
        return {
            "items": list(tell(list(rows[first : first + limit]))),
            "count": count,
            "next": _part(request, limit, first + limit) if first + limit < count else None,
            "previous": _part(request, min(limit, first), max(0, first - limit)) if first else None,
        }


def _part(request: HttpRequest, limit: int, offset: int) -> str:
    query = request.GET.copy()
    query["limit"], query["offset"] = str(limit), str(offset)
    return absolute(f"{request.path}?{query.urlencode()}")


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


def _facts(facts: list[Fact], code: str) -> list[dict[str, object]]:
    provenances = Provenance.objects.of_all(facts).by_object()
    return [_fact(fact, code, provenances[fact.pk]) for fact in facts]


def _fact(fact: Fact, code: str, provenances: Mapping[str, Provenance]) -> dict[str, object]:
    text = read(fact, code, audience=fact.audience)
    assert text is not None
    about = provenances[text.language.code]
    return {
        "slug": fact.slug,
        "audience": fact.audience,
        "topic": fact.topic.key,
        "reviewed_on": fact.matter.reviewed_on,
        "sources": [{"title": s.title, "sections": s.sections, "url": s.link} for s in fact.sources.all()],
        "url": _url("fact", fact.slug, code),
        "published_at": about.published_at,
        "method": about.method,
        "is_outdated": about.is_outdated,
        "is_example": about.is_example,
        "languages": [known.tag for known in languages.ACTIVE if known.code in provenances],
        **_filled(text),
    }


@answers("/facts", "facts", {200: FactsOut, **MISSING, **MISTAKES})
def list_facts(
    request: HttpRequest, part: Query[Part], language: str = languages.SOURCE, audience: Audience | None = None
) -> dict[str, object]:
    """All published facts in one language; where one is not translated, its Swedish text stands in, and says so."""
    code = _code(language)
    facts = Fact.objects.published().read_in(code).select_related("topic", "matter").prefetch_related("matter__sources")
    if audience:
        facts = facts.for_audience(audience)
    return part.of(request, facts, lambda rows: _facts(rows, code))


@answers("/facts/{slug}", "fact", {200: FactDetailOut, **MISSING})
def get_fact(request: HttpRequest, slug: str, language: str = languages.SOURCE) -> dict[str, object]:
    code = _code(language)
    fact = get_object_or_404(Fact.objects.published().read_in(code).select_related("topic", "matter"), slug=slug)
    return _fact(fact, code, Provenance.by_language(fact))


@answers("/rebuttals", "rebuttals", {200: RebuttalsOut, **MISSING, **MISTAKES})
def list_rebuttals(request: HttpRequest, part: Query[Part], language: str = languages.SOURCE) -> dict[str, object]:
    """Published answers to rumors. The rumors themselves are never part of the API."""
    code = _code(language)
    return part.of(
        request, Rebuttal.objects.published().read_in(code), lambda rows: [_rebuttal(row, code) for row in rows]
    )


def _rebuttal(rebuttal: Rebuttal, code: str) -> dict[str, str]:
    text = read(rebuttal, code)
    assert text is not None
    fields = _filled(text)
    return {
        "language": fields["language"],
        "title": fields["title"],
        "summary": fields["answer"],
        "url": _url("rumor", rebuttal.slug, code),
    }


@answers("/events", "events", {200: EventsOut, **MISSING, **MISTAKES})
def list_events(request: HttpRequest, part: Query[Part], language: str = languages.SOURCE) -> dict[str, object]:
    """Published events that have not passed. Links to join are never part of the API."""
    code = _code(language)
    upcoming = Event.objects.published().upcoming(timezone.now()).read_in(code)
    return part.of(request, upcoming, lambda rows: [_event(row, code) for row in rows])


def _event(event: Event, code: str) -> dict[str, object]:
    text = read(event, code)
    assert text is not None
    names = ("kind", "starts_at", "ends_at", "is_online", "status")
    place = event.place if event.is_place_public else ""
    url = _url("event", event.slug, code)
    return {**_filled(text), "url": url, "place": place} | {name: getattr(event, name) for name in names}


class ForPrograms:
    """What all answers of the API share: the script of any site may read them, and they may be kept as a page may."""

    OPEN: Final = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "ETag",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        if request.method == "OPTIONS":
            return HttpResponse(
                status=204,
                headers={
                    **self.OPEN,
                    "Access-Control-Allow-Methods": "GET, HEAD",
                    "Access-Control-Allow-Headers": "*",
                    "Access-Control-Max-Age": "86400",
                },
            )
        response = self.get_response(request)
        # The address alone says in which language; what a browser would rather have does not matter.
        for name in ("Content-Language", "Vary"):
            response.headers.pop(name, None)
        if response.status_code == 200 and isinstance(response, HttpResponse):
            control = f"public, max-age={FRESH_SECONDS}, stale-while-revalidate={REVALIDATE_SECONDS}"
            response.headers["Cache-Control"] = control
            set_response_etag(response)
            response = get_conditional_response(request, etag=response.headers["ETag"], response=response) or response
        for name, value in self.OPEN.items():
            response.headers[name] = value
        return response

"""What every public page shares: headers, the store of rendered pages, forms without cookies, the template context."""

import gzip
import hashlib
import logging
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django_structlog.middlewares import RequestMiddleware
from redis.exceptions import RedisError

from portal import contacts, languages
from portal.tally import transport as tally

log = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Fifteen seconds here and in a proxy together and fifteen in the browser, and each of the two may show a page for
# fifteen more while it asks again: a published or withdrawn text is seen within a minute, whatever stands between.
FRESH_SECONDS: Final = 15
REVALIDATE_SECONDS: Final = 15
STALE_IF_ERROR_SECONDS: Final = 86400

STORED_PARAMETERS: Final = frozenset({"kind", "language", "month", "page", "with"})
CACHE_DOWN: Final = (RedisError, OSError)
GZIP_LEVEL: Final = 4
"""Half the time of 6, for four bytes more in a hundred."""
SWITCHER_LINE: Final = 7
FORM_SECONDS: Final = 4 * 3600
FAST_SECONDS: Final = 3
"""Nobody reads a form, writes a sentence and sends it within these; a machine does."""


def public(
    *, stored: bool = True, stale_if_error: bool = True, parameters: Collection[str] = ("page", "with")
) -> Callable[[Callable[Concatenate[HttpRequest, P], R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Marks a view as public: the same bytes for everybody, without session and user.

    Pages with `stored=False` (forms, search) and those that are `guarded` are `no-store`, and so are those asked for
    with one of STORED_PARAMETERS that is not among the `parameters` which the view reads.
    """
    foreign = STORED_PARAMETERS.difference(parameters)

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], R],
    ) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            response = view(request, *args, **kwargs)
            is_to_keep = (
                stored and foreign.isdisjoint(request.GET) and response.headers.get("Cache-Control") != "no-store"
            )
            if not is_to_keep or response.status_code != 200 or request.method not in {"GET", "HEAD"}:
                return response
            control = f"public, max-age={FRESH_SECONDS}, stale-while-revalidate={REVALIDATE_SECONDS}"
            if stale_if_error:
                control += f", stale-if-error={STALE_IF_ERROR_SECONDS}"
            response.headers.setdefault("Cache-Control", control)
            response._stored_page = True  # type: ignore[attr-defined]
            return response

        wrapped.is_public = True  # type: ignore[attr-defined]
        return wrapped

    return decorate


def gone(because: str = "", *, title: str = "") -> HttpResponse:
    """The page was withdrawn, `because` in the reader's language. May be kept for a moment, so that it takes the
    place of the old page in a proxy, which would otherwise show that one again as soon as the site is away."""
    response = HttpResponse(status=410, headers={"Cache-Control": f"public, max-age={FRESH_SECONDS}"})
    return explained(response, because=because, title=title)


def explained(response: HttpResponse, *, because: str, title: str = "") -> HttpResponse:
    """An error whose page says something else than what is usual."""
    response.because, response.title = because, title  # type: ignore[attr-defined]
    return response


def counted(response: HttpResponse, purpose: str, *what: str | int) -> HttpResponse:
    """Marks a stored page: each time that a reader is given it, by the store as well, is counted in `portal.tally`."""
    response._counted = (purpose, *what)  # type: ignore[attr-defined]
    return response


def guarded(response: HttpResponse, *, is_guarded: bool) -> HttpResponse:
    """Nothing of a page for children or on violence is left in the browser; its error page says as little."""
    if is_guarded:
        response.headers["Cache-Control"] = "no-store"
        response._guarded_page = True  # type: ignore[attr-defined]
    return response


def stored_query(request: HttpRequest) -> str:
    """What of the query string makes another page: STORED_PARAMETERS in order, of each the value that views read."""
    query = request.META.get("QUERY_STRING", "")
    if not query:
        return ""
    given = dict(parse_qsl(query, keep_blank_values=True))
    return urlencode({name: given[name] for name in sorted(STORED_PARAMETERS & given.keys())})


class StoredPages:
    """Keeps rendered public pages in Valkey for a moment and answers 304 to who has the page already.

    The key is the path and the allowed parameters; anything else in the query string cannot make a new entry.
    """

    ACCEPTS_GZIP: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
    ROBOT: Final = re.compile("bot|crawl|spider|slurp|preview|externalhit|whatsapp|monitor", re.IGNORECASE)
    """What says of itself that it is no person, those that fetch a picture and a title for a link among them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._respond(request)
        if request.method == "HEAD" and isinstance(response, HttpResponse) and response.content:
            response.headers["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        key = self._key(request)
        if key is None:
            return self.get_response(request)
        try:
            entry = cache.get(key)
        except CACHE_DOWN:
            # A dead cache makes pages slower, never absent.
            entry = None
        is_up = True
        if entry is None:
            response = self.get_response(request)
            if not (isinstance(response, HttpResponse) and getattr(response, "_stored_page", False)):
                return response
            entry = self._entry(request, response)
            try:
                cache.set(key, entry, FRESH_SECONDS)
            except CACHE_DOWN:
                is_up = False
                log.warning("page_not_stored")
        *page, what = entry
        response = self._answer(request, *page)
        if what and is_up and response.status_code == 200 and self._is_reader(request):
            tally.add(*what)
        return response

    def _is_reader(self, request: HttpRequest) -> bool:
        """As far as it can be told, somebody reads what was asked for."""
        return (
            request.method == "GET"
            and "prefetch" not in request.headers.get("sec-purpose", "")
            and not self.ROBOT.search(request.headers.get("user-agent", ""))
        )

    @staticmethod
    def _key(request: HttpRequest) -> str | None:
        path = request.path_info
        if request.method not in {"GET", "HEAD"} or path.startswith(("/staff/", "/static/", "/admin/")):
            return None
        request.get_host()  # refuses strangers' names as it does for pages that are not stored
        what = f"{request.scheme} {path}?{stored_query(request)}"
        digest = hashlib.blake2b(what.encode(errors="replace"), digest_size=16)
        return "stored:" + digest.hexdigest()

    @staticmethod
    def _entry(request: HttpRequest, response: HttpResponse) -> tuple[Any, ...]:
        tag = hashlib.blake2b(response.content, digest_size=12).hexdigest()
        headers = dict(response.items())
        headers.pop("Content-Length", None)
        # The same for everybody: what the first reader asked for does not stay with it.
        headers["Vary"] = "Accept-Encoding"
        if not language_of(request.path_info):
            headers.pop("Content-Language", None)
        packed = gzip.compress(response.content, GZIP_LEVEL, mtime=0)
        return time.time(), f'W/"{tag}"', headers, packed, getattr(response, "_counted", None)

    def _answer(
        self, request: HttpRequest, built_at: float, tag: str, headers: dict[str, str], packed: bytes
    ) -> HttpResponse:
        response: HttpResponse
        if tag in request.headers.get("if-none-match", ""):
            response = HttpResponseNotModified()
        elif self.ACCEPTS_GZIP.search(request.headers.get("accept-encoding", "")):
            response = HttpResponse(packed)
            headers = headers | {"Content-Encoding": "gzip"}
        else:
            response = HttpResponse(gzip.decompress(packed))
        for name, value in headers.items():
            if response.status_code != 304 or name != "Content-Type":
                response.headers[name] = value
        # Downstream may keep the page only for what is left of its freshness.
        left = max(0, round(FRESH_SECONDS - (time.time() - built_at)))
        if left != FRESH_SECONDS:
            response.headers["Cache-Control"] = headers["Cache-Control"].replace(
                f"max-age={FRESH_SECONDS}", f"max-age={left}", 1
            )
        response.headers["ETag"] = tag
        return response


class Headers:
    """Headers that are the same on every answer; whatever is not marked public is not to be stored."""

    FIXED: Final = {
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in self.FIXED.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if request.path_info.startswith(("/staff/", "/admin/")):
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response


class RefuseNul:
    """No form and no address of ours holds a NUL, and PostgreSQL cannot store one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path_info:
            return HttpResponseBadRequest()
        return self.get_response(request)


class RequestLog(RequestMiddleware):
    """One line a request: the route instead of the path, which may hold a secret link; nobody's name or address."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        match = request.resolver_match
        return f"{request.method} {match.route if match else '-'}"


class HidePath(logging.Filter):
    """Django's own line for an error names the path, and with it a secret link: the route says enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        record.args = tuple(match.route if match else "-" for _ in record.args or ())
        return True


def form_token(purpose: str, *, is_again: bool = False) -> str:
    """Stands in for the CSRF cookie on public forms, which set no cookie: signed, expiring, for one purpose.

    `is_again` for one that stands in for an expired one: what was typed is there, and may be sent at once.
    """
    return signing.dumps([purpose, uuid4().hex, *(["again"] if is_again else [])], salt="public-form")


def is_from_us(request: HttpRequest) -> bool:
    """The browser says that one of our own pages sent this; no other site can make it say so."""
    return request.headers.get("origin") == f"{request.scheme}://{request.get_host()}"


def check_public_post(request: HttpRequest, purpose: str) -> UUID | None:
    """Which form it was, the same when one is sent twice. None when its token has expired: show the form again.
    Raises PermissionDenied on a foreign origin."""
    if "origin" in request.headers and not is_from_us(request):
        raise PermissionDenied("The form was sent from another site.")
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise PermissionDenied("The form was sent from another site.")
    try:
        token = signing.loads(request.POST.get("token", ""), salt="public-form", max_age=FORM_SECONDS)
    except signing.BadSignature:
        return None
    return UUID(token[1]) if token[0] == purpose else None


def is_too_fast(request: HttpRequest) -> bool:
    """Whether a form that `check_public_post` took was sent sooner than a person could."""
    try:
        token = signing.loads(request.POST.get("token", ""), salt="public-form", max_age=FAST_SECONDS)
    except signing.BadSignature:
        return False
    return "again" not in token


def absolute(path: str) -> str:
    """Absolute addresses come from the settings, never from what a request claims."""
    return f"{settings.PUBLIC_URL}{path}"


def language_of(path: str) -> str:
    """The code that an address begins with; empty when it has none."""
    first = path.lstrip("/").partition("/")[0]
    return first if first in languages.CATALOG else ""


def in_language(path: str, code: str) -> str:
    """The same page in another language; addresses without a language are returned as they are."""
    known = language_of(path)
    return f"/{code}/{path.lstrip('/')[len(known) + 1 :]}" if known else path


@dataclass(frozen=True, slots=True)
class Alternate:
    tag: str
    url: str


def alternates(path: str, codes: Collection[str] = languages.CATALOG.keys()) -> list[Alternate]:
    """hreflang for those of `codes` that are active; x-default is the Swedish page, which every language ends at."""
    found = [language for language in languages.ACTIVE if language.code in codes]
    rows = [Alternate(language.tag, absolute(in_language(path, language.code))) for language in found]
    if rows:
        rows.append(Alternate("x-default", absolute(in_language(path, languages.SOURCE))))
    return rows


def switcher(path: str, current: languages.Language) -> dict[str, list[SafeString]]:
    """Links to the same page in every language: the first ones on one line, always with the reader's own, then the
    rest. Made here, for a template takes ten times as long over eighteen of them."""
    first = list(languages.ACTIVE[:SWITCHER_LINE])
    if current not in first:
        first[-1:] = [current]
    rest = [language for language in languages.ACTIVE if language not in first]
    place = escape(in_language(path, "{}"))
    return {
        "languages_first": [_choice(language, place, current) for language in first],
        "languages_rest": [_choice(language, place, current) for language in rest],
    }


def _choice(language: languages.Language, place: str, current: languages.Language) -> SafeString:
    mark = ' aria-current="true"' if language is current else ""
    # The address is escaped; all the rest is ours.
    return mark_safe(f'<a href="{place.replace("{}", language.code, 1)}"{mark} {_named(language)}</a>')  # noqa: S308


@lru_cache
def _named(language: languages.Language) -> str:
    return f'hreflang="{language.tag}" lang="{language.tag}" dir="{language.direction}">{language.autonym}'


def site(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    language = languages.get(get_language() or languages.SOURCE)
    return {
        "site_name": settings.SITE_NAME,
        "municipality": settings.MUNICIPALITY,
        "demo": settings.DEMO,
        "has_mailbox": bool(settings.DEMO and settings.MAILBOX_DIR),
        "language": language,
        **switcher(request.path, language),
        "contacts": contacts.numbers(),
        "quick_exit_url": settings.QUICK_EXIT_URL,
        "canonical": absolute(request.path),
    }


def _address(request: HttpRequest) -> str:
    """The reader's, as far as our own proxies can vouch for it."""
    hops: list[str] = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    trusted: int = settings.TRUSTED_PROXY_COUNT
    if trusted and len(hops) >= trusted:
        return hops[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


def within_limit(request: HttpRequest, purpose: str, *, per_hour: int) -> bool:
    """Counts posts per address, kept as a keyed hash for an hour. Wide enough for a class of 85 behind one address;
    without Valkey each process counts for itself."""
    key = settings.SECRET_KEY.encode()[:64]
    digest = hashlib.blake2b(_address(request).encode(errors="replace"), key=key, digest_size=12).hexdigest()
    counter = f"limit:{purpose}:{digest}"
    cache.add(counter, 0, 3600)
    try:
        return cache.incr(counter) <= per_hour
    except ValueError:  # its hour ended between the two
        return True

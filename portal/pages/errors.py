"""Error pages: translated, with the numbers to call, and without a database."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.translation import pgettext_lazy

from portal import contacts, languages
from portal.http import kept_form
from portal.public import is_from_us

TITLES: Final = {
    400: pgettext_lazy("error", "We could not read that"),
    403: pgettext_lazy("error", "You may not see this page"),
    404: pgettext_lazy("error", "There is no such page"),
    405: pgettext_lazy("error", "This page cannot be used that way"),
    410: pgettext_lazy("error", "This page has been taken away"),
    413: pgettext_lazy("error", "That was too much at once"),
    429: pgettext_lazy("error", "Too many tries in a short time"),
    500: pgettext_lazy("error", "Something went wrong on our side"),
    503: pgettext_lazy("error", "The site is resting for a moment"),
}
ADVICE: Final = {
    400: pgettext_lazy("error", "The address or the form holds something we cannot use. Go back and try again."),
    403: pgettext_lazy("error", "Go back, or start from the front page. Forms have to be sent from the page itself."),
    404: pgettext_lazy(
        "error", "The address may be misspelled, or the page has moved. Search, or start from the front page."
    ),
    405: pgettext_lazy("error", "Go back and use the button on the page."),
    410: pgettext_lazy("error", "Search, or start from the front page."),
    413: pgettext_lazy("error", "Send a shorter text or a smaller file."),
    429: pgettext_lazy("error", "Wait a minute and try again. Nothing is wrong with your phone."),
    500: pgettext_lazy("error", "Try again in a little while. We have been told about it."),
    503: pgettext_lazy("error", "Try again in a minute."),
}


def page(
    request: HttpRequest, status: int, message: str = "", *, title: str = "", is_guarded: bool = False
) -> HttpResponse:
    """The error page for `status` in the reader's language; `title` and `message` instead of the usual ones.

    Programs that use the API get a sentence in English as JSON.
    """
    code = status if status in TITLES else (400 if status < 500 else 500)
    if _is_for_programs(request):
        with translation.override("en"):
            return JsonResponse({"detail": f"{message or TITLES[code]}"}, status=status)
    with translation.override(_language(request)):
        html = render_to_string(
            "errors/error.html",
            {
                "title": title or TITLES[code],
                "advice": message or ADVICE[code],
                "status": status,
                "language": languages.get(translation.get_language() or languages.SOURCE),
                "contacts": contacts.numbers(),
                "municipality": settings.MUNICIPALITY,
                "site_name": settings.SITE_NAME,
                "stylesheet": _stylesheet(),
                "is_guarded": is_guarded or "/children/" in request.path,
                "quick_exit_url": settings.QUICK_EXIT_URL,
            },
        )
        response = HttpResponse(html, status=status)
        response.headers["Content-Language"] = languages.get(translation.get_language() or languages.SOURCE).tag
    return response


def _is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _stylesheet() -> str:
    """A page that tells of an error must not fail for want of the list of static files."""
    try:
        return static("css/klarlagt.css")
    except ValueError:
        return f"{settings.STATIC_URL}css/klarlagt.css"


def _language(request: HttpRequest) -> str:
    first = request.path_info.lstrip("/").partition("/")[0]
    active = {language.code for language in languages.ACTIVE}
    if first in active:
        return first
    preferred = translation.get_language_from_request(request)
    return preferred if preferred in active else languages.SOURCE


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    too_large = type(exception).__name__ in {"RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent"}
    return page(request, 413 if too_large else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Signing in, in another tab, changes the token: what staff typed meanwhile is kept."""
    view = request.resolver_match.func if request.resolver_match else None
    if hasattr(view, "permission") and is_from_us(request):
        return kept_form(request)
    return page(request, 403)


class ErrorPages:
    """Gives a page to every bare error answer (wrong method, refused by a middleware), JSON and calendars excepted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if (
            response.status_code >= HTTPStatus.BAD_REQUEST
            and isinstance(response, HttpResponse)
            and self._is_bare(request, response)
        ):
            is_guarded = getattr(response, "_guarded_page", False)
            said = {"message": getattr(response, "because", ""), "title": getattr(response, "title", "")}
            framed = page(request, response.status_code, **said, is_guarded=is_guarded)
            for name in {"Allow", "Cache-Control", "Refresh", "Retry-After"} & set(response.headers):
                framed.headers[name] = response.headers[name]
            return framed
        return response

    @staticmethod
    def _is_bare(request: HttpRequest, response: HttpResponse) -> bool:
        if _is_for_programs(request):
            return not response.headers.get("Content-Type", "").startswith("application/json")
        return not response.content

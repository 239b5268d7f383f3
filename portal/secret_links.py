"""Links that are a secret: whoever holds one may see what it leads to. Nothing is stored but a nonce, so that a message
can render its link again, and a new nonce ends all old ones."""

import base64
import re
import secrets
from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

_TOKEN: Final = re.compile(r"([0-9]{1,18})-([A-Za-z0-9_-]{22})")


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


def token(purpose: str, pk: int, nonce: str) -> str:
    """What stands in the address: the id and 128 bits that fit this purpose, id and nonce only."""
    return f"{pk}-{_digest(purpose, pk, nonce)}"


def pk_of(given: str) -> int:
    """Whose link this claims to be, 0 for nobody; `fits` says whether it is."""
    match = _TOKEN.fullmatch(given)
    return int(match[1]) if match else 0


def fits(given: str, purpose: str, pk: int, nonce: str) -> bool:
    return constant_time_compare(given, token(purpose, pk, nonce))


def _digest(purpose: str, pk: int, nonce: str) -> str:
    digest = salted_hmac(purpose, f"{pk} {nonce}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")

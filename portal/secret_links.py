"""Links that are a secret: whoever holds one may see what it leads to. Nothing is stored but a nonce, so that a message
can render its link again, and a new nonce ends all old ones."""

import base64
import re
import secrets
import unicodedata
from typing import Final
from uuid import UUID

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


# Codes that people write down ------------------------------------------------------------------------------------

LETTERS: Final = "34679CDFHJKMNPRTVXY"
"""None that looks like another one, and no vowels: no words come of them."""
GROUPS: Final = 3
GROUP: Final = 5
"""Fifteen letters out of nineteen: 63 bits."""

# Typed on a Cyrillic keyboard they look the same.
_LOOKALIKES: Final = str.maketrans("СНКМРТХУ", "CHKMPTXY")
_NOT_IN_A_CODE: Final = re.compile(r"[^0-9A-Z]")


def code(purpose: str, form_id: UUID) -> str:
    """What the reader is given who sent this form, the same when it is sent twice: VXY34-679CD-FHJKM."""
    number = int.from_bytes(salted_hmac(purpose, form_id.hex, algorithm="sha256").digest(), "big")
    letters = []
    for _ in range(GROUPS * GROUP):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return "-".join("".join(letters[start : start + GROUP]) for start in range(0, len(letters), GROUP))


def code_hash(purpose: str, typed: str) -> str:
    """As it is stored, of a code as somebody may type it. Whatever is typed takes the same time."""
    plain = unicodedata.normalize("NFKC", typed[:200]).upper().translate(_LOOKALIKES)
    digits = "".join(str(unicodedata.decimal(char, char)) for char in plain)
    return salted_hmac(f"{purpose} hash", _NOT_IN_A_CODE.sub("", digits), algorithm="sha256").hexdigest()

import re
from typing import Final

_PUBLIC_ID: Final = re.compile(r"\s*(?:R\s*-?\s*)?(\d{4})\s*-\s*(\d{1,6})\s*", re.IGNORECASE | re.ASCII)


def named(public_id: str) -> dict[str, int] | None:
    """The year and number in R-2026-0042, however it is typed; None when it is no such name."""
    found = _PUBLIC_ID.fullmatch(public_id)
    return {"year": int(found[1]), "number": int(found[2])} if found else None

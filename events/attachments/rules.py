"""What a file is called when it has left us."""

from typing import Final

from events.attachments.models import Attachment

_LONGEST: Final = 80
_NOT_IN_NAMES: Final = frozenset('\\/:*?"<>|')
_JOINERS: Final = "\u200c\u200d"
"""Not seen, and part of how Persian and others are spelled."""


def filename(attachment: Attachment) -> str:
    """Its title as any system can store it, in its own script; nothing in it turns the writing around."""
    title = attachment.title
    kept = "".join(sign if sign.isprintable() or sign in _JOINERS else " " for sign in title)
    words = "".join(" " if sign in _NOT_IN_NAMES else sign for sign in kept).split()
    return f"{' '.join(words)[:_LONGEST].strip(' .') or 'dokument'}.pdf"

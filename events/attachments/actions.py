import hashlib
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import transaction
from django.utils.translation import pgettext

from events.attachments import encoding, leaves
from events.attachments.models import Attachment
from events.models import Event
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.pictures import transport


def add(event: Event, *, title: str, language: str, file: "File[bytes]", by: User) -> Attachment:
    """A PDF made anew from what was sent; ValidationError, in one sentence, when there can be none."""
    content = _content(file)
    transport.scan(content)
    return _keep(event, encoding.encode(content), title=title, language=language, by=by)


def _content(file: "File[bytes]") -> bytes:
    """All of it, and a byte more when it is too large, whatever it says of itself."""
    file.seek(0)
    content: bytes = file.read(leaves.MOST_BYTES + 1)
    if len(content) > leaves.MOST_BYTES:
        raise encoding.too_large()
    return content


@transaction.atomic
def _keep(event: Event, made: leaves.Rewritten, **values: Any) -> Attachment:
    locked = Event.objects.to_change().without_text().get(pk=event.pk)
    sha256 = hashlib.sha256(made.content).hexdigest()
    if locked.attachments.filter(sha256=sha256).exists():
        raise ValidationError(pgettext("staff", "This document is here already."), code="known")
    free = sorted(set(range(1, Attachment.MOST + 1)) - set(locked.attachments.values_list("number", flat=True)))
    if not free:
        raise too_many()
    attachment: Attachment = Attachment.objects.create(
        event=locked,
        number=free[0],
        title=values["title"],
        language=values["language"],
        content=made.content,
        sha256=sha256,
        pages=made.pages,
        is_for_screen_readers=made.is_for_screen_readers,
        added_by=values["by"],
    )
    audit.record("add_attachment", attachment, by=values["by"], language=attachment.language)
    return attachment


def too_many() -> ValidationError:
    sentence = pgettext("staff", "The event has %(most)d documents, which is the most. Take one away first.")
    return ValidationError(sentence % {"most": Attachment.MOST}, code="too_many")


@transaction.atomic
def remove(attachment: Attachment, *, by: User) -> None:
    """Readers cannot open it any more. Nothing happens when another one has removed it already."""
    locked = Attachment.objects.without_content().select_for_update(of=("self",)).filter(pk=attachment.pk).first()
    if locked is not None:
        audit.record("remove_attachment", locked, by=by, language=locked.language)
        locked.delete()

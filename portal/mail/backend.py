"""Django's and allauth's way to send: each message becomes a delivery, which leaves with the next tick of the beat."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parseaddr
from typing import Final

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from django.utils.translation import get_language

from portal import languages
from portal.mail import actions
from portal.mail.models import ACCOUNT, Delivery
from portal.mail.rules import Message

EXPIRES_AFTER: Final = timedelta(hours=1)


class Rows(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = timezone.now()
        language = get_language()
        for message in email_messages:
            if message.attachments:
                raise ValueError("Messages of Django carry no attachments here: register a kind of mail instead.")
            for recipient in message.recipients():
                actions.plan(
                    kind=ACCOUNT,
                    key=f"{ACCOUNT}:{uuid.uuid4()}",
                    to=parseaddr(recipient)[1],
                    language=language if language in languages.CATALOG else languages.SOURCE,
                    due_at=now,
                    expires_at=now + EXPIRES_AFTER,
                    payload={"subject": str(message.subject), "text": str(message.body)},
                )
        return len(email_messages)


def render(delivery: Delivery) -> Message:
    return Message(subject=delivery.payload["subject"], text=delivery.payload["text"])

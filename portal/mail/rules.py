"""What a message is made of."""

import contextlib
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from itertools import zip_longest
from secrets import token_hex
from typing import Any, Final
from urllib.parse import urlsplit

import rules
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.encoding import punycode
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from portal import languages, secret_links
from portal.accounts.models import Role
from portal.accounts.rules import has_role
from portal.mail.models import Delivery, address_hash
from portal.public import absolute

rules.add_perm("mail.view", has_role(Role.EVENTS, Role.ADMIN))
rules.add_perm("mail.decide", has_role(Role.EVENTS, Role.ADMIN))


_LINE: Final = 78
_BREAKS: Final = re.compile(r"(?<=\?=) |(?<!:) (?=<)")


class _Verbatim(UnstructuredHeader, BaseHeader):
    """Written as it is given, broken between encoded words and before an address. Python would encode addresses that do
    not fit into a line, which then nobody recognizes, and lose spaces where it breaks a text."""

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["decoded"], kwds["parse_tree"] = value, None

    def fold(self, *, policy: Policy) -> str:
        line = f"{self.name}: {self}"
        return f"{line if len(line) <= _LINE else _BREAKS.sub(policy.linesep + ' ', line)}{policy.linesep}"


class _Headers(HeaderRegistry):
    """Keeps the classes of headers: Python makes a new one for each header of each message, which is a tenth of what a
    message costs."""

    def __init__(self) -> None:
        super().__init__(default_class=_Verbatim)
        self.known: dict[str, type[BaseHeader]] = {}

    def __getitem__(self, name: str) -> type[BaseHeader]:
        if name not in self.known:
            self.known[name] = super().__getitem__(name)
        return self.known[name]


_headers = _Headers()
for _name in ("from", "to", "subject", "date", "message-id"):
    _headers.map_to_type(_name, _Verbatim)

# Seven bits, whatever the servers on the way can do.
POLICY: Final = SMTP.clone(cte_type="7bit", header_factory=_headers)

# Scripts that are read at a larger size.
_TYPE_SIZES: Final = {"arabic": "20px/1.8", "ethiopic": "19px/1.7"}

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# They turn around what stands behind them, in a list of messages that of others, too.
_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]+")
# A header's name before it, and the line is still short enough.
_WORD_BYTES: Final = 42
_PLAIN_LENGTH: Final = 66
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")
_NOT_IN_FILE_NAME: Final = re.compile(r'[\\/"]')
_ADDRESSES: Final = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
_COULD_BE_CODE: Final = re.compile(r"[\d.]{1,7}")
_LINK: Final = r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]"
# Digits with something between them that has no direction of its own: 116 111, 0980-319 200, 8.30–10.00.
_NUMBER: Final = r"\+?\d+(?:[-–/.,: \u00a0\u202f]\d+)+"
_RUNS: Final = re.compile(f"({_LINK})|({_NUMBER})")
# Where servers write it: at the beginning, or behind the code of a line.
_STATUS: Final = re.compile(r"(?:\A|\b[245]\d\d[ -]#?)([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_NO_SUCH_MAILBOX: Final = frozenset({"5.1.1", "5.1.3", "5.1.6", "5.1.10"})
# About who sends, the message or the rules of whom it came to; and of a mailbox that is full somebody makes room.
_NOT_ABOUT_ADDRESS: Final = re.compile(r"5\.(?:1\.[78]|2\.[23]|[3567]\.\d+)\Z")
_METHOD: Final = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Promise:
    """What is different in each of many deliveries that are planned together; see `Delivery` for its fields."""

    key: str
    to: str
    language: str
    context: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content: bytes
    media_type: str
    """`application/pdf`"""


@dataclass(frozen=True, slots=True)
class Message:
    """What a renderer returns; the layout, the footer and every header but the subject come from here."""

    subject: str
    text: str
    """The whole message, for readers without HTML."""
    html: str = ""
    """A fragment for the layout: what `render_to_string` returned, as anything else is escaped. Made from the text when
    empty."""
    attachments: tuple[Attachment, ...] = ()
    calendar: bytes = b""
    """An iCalendar file with a METHOD: an alternative, which programs act on, and a file, which people open."""


def hostname() -> str:
    return punycode(urlsplit(settings.PUBLIC_URL).hostname or "localhost")


def message_id(key: str) -> str:
    """The same for every attempt at the same promise, so that a receiving server can tell them apart from news. Nobody
    guesses it: whoever can name it in a report that a message came back has had that message."""
    digest = salted_hmac("portal.mail.message_id", key, algorithm="sha256").hexdigest()
    return f"<{digest[:32]}@{hostname()}>"


def one_line(text: str) -> str:
    """Fit for a header: no line breaks, of which Unicode has more than CR and LF, no control characters, none that turn
    the text around."""
    return " ".join(_TURNS.sub("", _CONTROLS.sub(" ", text)).split())


def encoded(text: str) -> str:
    """A header's text in any script, as it is when it is short and ASCII."""
    return text if len(text) <= _PLAIN_LENGTH and text.isascii() and "=?" not in text else _words(text)


def _words(text: str) -> str:
    """Encoded words (RFC 2047) of whole characters, each of which fits into a line."""
    pieces = [""]
    for character in text:
        if len((pieces[-1] + character).encode()) > _WORD_BYTES:
            pieces.append("")
        pieces[-1] += character
    return " ".join(f"=?utf-8?b?{b64encode(piece.encode()).decode()}?=" for piece in pieces)


def named_address(name: str, address: str) -> str:
    """For a header, whatever the name holds."""
    written = encoded(name) if _PLAIN_NAME.fullmatch(name) else _words(name)
    return f"{written} <{address}>" if name else address


def file_name(name: str) -> str:
    """Which no mail program takes for a path or for the end of the name."""
    return _NOT_IN_FILE_NAME.sub("_", one_line(name))


def ascii_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{punycode(domain)}"


def can_travel(address: str) -> bool:
    """Whether servers of every age take it. What Django takes for an address need not be one: its pattern ignores case,
    and to Unicode ſ is a small S."""
    try:
        return ascii_address(address).isascii()
    except UnicodeError:
        return False


def validate_travels(address: str) -> None:
    """For a form in which people who are no colleagues write an address, beside what Django asks for."""
    if not can_travel(address):
        raise ValidationError(EmailValidator.message, code="invalid")


def _ascii_url(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=punycode(parts.netloc)).geturl()


def without_addresses(answer: str, *known: str) -> str:
    """Also without the names in those that are known: Postfix says `unknown user: "anna.ek"`, which is an address for
    whoever knows the server."""
    answer = _ADDRESSES.sub("…", one_line(answer))
    for name in {address.partition("@")[0] for address in known}:
        if not _COULD_BE_CODE.fullmatch(name):
            answer = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", answer, flags=re.IGNORECASE)
    return answer


def is_to(delivery: Delivery, addresses: Iterable[str]) -> bool:
    """Whether one of them is its recipient, also after the address itself has been forgotten."""
    return any(
        address_hash(spelling) == delivery.recipient_hash for address in addresses for spelling in _spellings(address)
    )


def _spellings(address: str) -> Iterator[str]:
    """As it travels, and as people write domains that are not ASCII."""
    yield address
    local, _, domain = address.rpartition("@")
    with contextlib.suppress(UnicodeError):
        yield f"{local}@{domain.encode().decode('idna')}"


def status_of(answer: str) -> str:
    """Its status code (RFC 3463), like `5.1.1`; empty when it has none."""
    match = _STATUS.search(answer)
    return match[1] if match else ""


def says_no_such_mailbox(answer: str) -> bool:
    return status_of(answer) in _NO_SUCH_MAILBOX


def says_no_to_address(answer: str) -> bool:
    """For good, and for no reason that another message or another sender would not have met as well."""
    status = status_of(answer)
    return status.startswith("5.") and not _NOT_ABOUT_ADDRESS.match(status)


def sender() -> Address:
    return _address(settings.DEFAULT_FROM_EMAIL)


@lru_cache
def _address(written: str) -> Address:
    name, address = parseaddr(written)
    return Address(one_line(name), addr_spec=ascii_address(address))


def unsubscribe_token(delivery: Delivery) -> str:
    return secret_links.token("portal.mail.unsubscribe", delivery.pk, delivery.key)


def token_owner(token: str) -> Delivery | None:
    """The delivery whose unsubscribe link this is. A necessary one has none, also for whoever makes it by hand."""
    found: Delivery | None = Delivery.objects.filter(pk=secret_links.pk_of(token), is_necessary=False).first()
    if found and secret_links.fits(token, "portal.mail.unsubscribe", found.pk, found.key):
        return found
    return None


def _marked(text: str) -> SafeString:
    """As HTML, with links to press, and numbers that are not turned around between words from right to left."""
    pieces = _RUNS.split(text)
    html = escape("")
    for plain, link, number in zip_longest(pieces[::3], pieces[1::3], pieces[2::3]):
        html += escape(plain)
        if link:
            html += format_html('<a href="{0}"><bdi dir="ltr">{0}</bdi></a>', link)
        elif number:
            html += format_html('<bdi dir="ltr">{}</bdi>', number)
    return html


def _with_isolates(text: str) -> str:
    """The same for numbers in plain text, by characters that are not seen; links stay as they are."""
    return _RUNS.sub(lambda run: f"\u2066{run[2]}\u2069" if run[2] else run[0], text)


def compose(delivery: Delivery, message: Message, *, now: datetime) -> EmailMessage:
    """The message as it travels; called with the recipient's language active."""
    language = languages.get(delivery.language)
    unsubscribe_url = ""
    if not delivery.is_necessary:
        unsubscribe_url = absolute(reverse("unsubscribe", args=[unsubscribe_token(delivery)]))
    subject = one_line(message.subject)
    context = {
        "subject": subject,
        "text": _with_isolates(message.text) if language.direction == "rtl" else message.text,
        "html": message.html,
        "marked_text": "" if message.html else _marked(message.text),
        "language": language,
        "type_size": _TYPE_SIZES.get(language.script, "18px/1.6"),
        "site_name": settings.SITE_NAME,
        "municipality": settings.MUNICIPALITY,
        "site_url": settings.PUBLIC_URL,
        "unsubscribe_url": unsubscribe_url,
    }
    letter = EmailMessage(policy=POLICY)
    letter["From"] = named_address(sender().display_name, sender().addr_spec)
    letter["To"] = one_line(ascii_address(delivery.recipient))
    letter["Subject"] = encoded(subject)
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = delivery.message_id
    letter["Auto-Submitted"] = "auto-generated"
    if unsubscribe_url:
        letter["List-Unsubscribe"] = f"<{_ascii_url(unsubscribe_url)}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter.set_content(render_to_string("emails/layout.txt", context))
    # Python would look through all that is written for a boundary that does not stand in it.
    letter.make_alternative(boundary=token_hex(16))
    letter.add_alternative(render_to_string("emails/layout.html", context), subtype="html")
    _add_files(letter, message)
    # Last: the methods above move headers on the content into the first part.
    letter["Content-Language"] = language.tag
    return letter


def _add_files(letter: EmailMessage, message: Message) -> None:
    if message.calendar:
        method = _METHOD.search(message.calendar)
        if method is None:
            raise ValueError("A calendar that is sent needs a METHOD.")
        params = {"method": method[1].decode()}
        letter.add_alternative(message.calendar.decode(), subtype="calendar", params=params)
        letter.add_attachment(message.calendar, maintype="application", subtype="ics", filename="calendar.ics")
    for attachment in message.attachments:
        maintype, _, subtype = attachment.media_type.partition("/")
        letter.add_attachment(
            attachment.content, maintype=maintype, subtype=subtype, filename=file_name(attachment.name)
        )

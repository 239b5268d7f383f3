import re
from email import message_from_bytes
from email.policy import default
from urllib.parse import urlsplit

import html5lib
import pytest
from django.utils import timezone, translation
from fast_mail_parser import parse_email
from hypothesis import HealthCheck, given, settings, strategies

from portal import languages
from portal.mail import rules
from portal.mail.models import Delivery
from portal.mail.rules import Attachment, Message

ISOLATES = re.compile("[\u2066\u2069]")
SUBJECTS = {
    "sv": "Påminnelse: Socialtjänstens seminarium om tvångsomhändertaganden börjar i morgon klockan 8.30 på Rådhuset",
    "ar": "تذكير: تبدأ الندوة حول الخدمات الاجتماعية غدًا في الساعة 08:30 صباحًا، ونرحب بجميع أسئلتكم حول رعاية الأطفال",
    "fa": "یادآوری: سمینار خدمات اجتماعی فردا ساعت ۸:۳۰ آغاز می‌شود و شما می‌توانید پرسش‌های خود را مطرح کنید",
    "ti": "መዘኻኸሪ፡ ብዛዕባ ማሕበራዊ ኣገልግሎት ዝምልከት ሰሚናር ጽባሕ ሰዓት 8፡30 ክጅምር እዩ፡ ሕቶታት ኣምጽኡ፡ ብዙሕ ጽሑፍ",
    "ckb": "بیرخستنەوە: سیمیناری خزمەتگوزارییە کۆمەڵایەتییەکان بەیانی کاتژمێر ٨:٣٠ دەست پێ دەکات",
    "uk": "Нагадування: семінар про соціальні служби почнеться завтра о 8:30, чекаємо на ваші запитання",
    "zh-hans": "提醒:关于社会服务的研讨会将于明天上午八点半开始,欢迎提出您的问题,我们期待与您见面,谢谢您的参与",
    "en": "plain",
}


def delivery(language="sv", **values):
    return Delivery(
        pk=17,
        kind="notice",
        key="notice:1",
        recipient="reader@example.org",
        language=language,
        message_id=rules.message_id("notice:1"),
        **values,
    )


def travel(message, language="sv", **values):
    """The message as bytes, and as a mail program reads it."""
    with translation.override(language):
        sent = rules.compose(delivery(language, **values), message, now=timezone.now()).as_bytes()
    return sent, message_from_bytes(sent, policy=default)


@pytest.mark.parametrize("language", SUBJECTS)
def test_subject_and_text_come_through_in_every_script(language, part):
    body = f"{SUBJECTS[language]}\n\n" * 40
    sent, letter = travel(Message(SUBJECTS[language], body), language)
    assert letter["Subject"] == SUBJECTS[language]
    assert body.strip() in ISOLATES.sub("", part(letter, "plain"))
    assert sent.isascii()
    assert max(len(line) for line in sent.split(b"\r\n")) <= 998
    assert b"\n" not in sent.replace(b"\r\n", b"")


SCRIPTS = ["aåÅé  ,;:\"'<>()@\\[]=?_.-", "تذكير حول الخدمات", "یادآوری‌ها ۸", "መዘኻኸሪ፡ ብዛዕባ", "提醒", "\u0301\u200d🫶🏽"]
TEXTS = strategies.text(
    strategies.one_of(*map(strategies.sampled_from, SCRIPTS), strategies.characters(exclude_categories=["Cs"])),
    max_size=200,
)
PLENTY = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=200)
NAMES = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]


def lines(sent):
    """Of the header of the message itself."""
    return sent.partition(b"\r\n\r\n")[0].split(b"\r\n")


@given(TEXTS)
@PLENTY
def test_any_subject_is_read_back_exactly_by_two_parsers_and_adds_no_header(text):
    sent, letter = travel(Message(text, "text"))
    assert letter["Subject"] == parse_email(sent).subject == rules.one_line(text)
    names = [line.partition(b":")[0].decode() for line in lines(sent) if not line.startswith(b" ")]
    assert names == [*NAMES, "MIME-Version", "Content-Type", "Content-Language"]
    assert sent.isascii()
    assert max(map(len, sent.split(b"\r\n"))) <= 78


@given(TEXTS)
@PLENTY
def test_any_file_name_is_read_back_exactly_by_two_parsers_and_names_no_folder(text):
    sent, letter = travel(Message("S", "text", attachments=(Attachment(text, b"1", "application/pdf"),)))
    [file], [again] = letter.iter_attachments(), parse_email(sent).attachments
    assert (file.get_filename() or "") == again.filename == rules.file_name(text)
    assert not set('/\\"') & set(again.filename)
    assert max(map(len, sent.split(b"\r\n"))) <= 78


@given(TEXTS)
@PLENTY
def test_any_name_of_the_sender_is_one_name_with_one_address(text):
    name = rules.one_line(text)
    written = rules.named_address(name, "noreply@example.org")
    sent = f"From: {written}\r\n\r\n".encode()
    read = parse_email(sent).from_
    assert (read.display_name or "", read.address) == (name, "noreply@example.org")
    # Python 3.11 puts spaces between the parts of a long name.
    [address] = message_from_bytes(sent, policy=default)["From"].addresses
    assert address.addr_spec == "noreply@example.org"
    assert address.display_name == name or len(name.encode()) > 42


def test_a_long_name_of_the_sender_is_folded(settings):
    settings.DEFAULT_FROM_EMAIL = f'"Socialtjänsten, {"vård " * 12}\\"ö\\"" <noreply@example.org>'
    sent, _ = travel(Message("S", "text"))
    assert parse_email(sent).from_.display_name == f'Socialtjänsten, {"vård " * 12}"ö"'
    assert max(map(len, sent.split(b"\r\n"))) <= 78


def test_what_turns_a_text_around_is_taken_out_of_headers_and_what_letters_need_stays():
    turned = "Klarlagt \u202egpj.exe\u202c \u2066x\u2069 \u202atest\u202b"
    _, letter = travel(Message(turned, "text", attachments=(Attachment(turned, b"1", "image/png"),)))
    assert letter["Subject"] == "Klarlagt gpj.exe x test"
    assert [file.get_filename() for file in letter.iter_attachments()] == ["Klarlagt gpj.exe x test"]
    persian = "می‌خواهیم \u200eKlarlagt\u200f"
    assert travel(Message(persian, "text"), "fa")[1]["Subject"] == persian


def test_half_a_character_breaks_no_message():
    assert travel(Message("a\ud800b", "text"))[1]["Subject"] == "a b"


@pytest.mark.parametrize("language", languages.CATALOG)
def test_the_language_of_every_message_is_told(language):
    sent, letter = travel(Message("S", "text"), language)
    assert letter["Content-Language"] == languages.get(language).tag
    assert sent.isascii()


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00"])
def test_line_breaks_in_subjects_and_file_names_become_spaces(newline):
    evil = f"Hello{newline}Bcc: everybody@example.org"
    _, letter = travel(Message(evil, "text", attachments=(Attachment(f"{evil}.pdf", b"1", "application/pdf"),)))
    assert letter["Subject"] == "Hello Bcc: everybody@example.org"
    assert [a.get_filename() for a in letter.iter_attachments()] == ["Hello Bcc: everybody@example.org.pdf"]
    assert letter["Bcc"] is None


@pytest.mark.parametrize(("language", "direction"), [("sv", "ltr"), ("ti", "ltr"), ("ar", "rtl"), ("prs", "rtl")])
def test_text_and_html_both_say_everything_in_the_right_direction(language, direction, part):
    _, letter = travel(Message("S", "Kom kl. 8.30 & ta med <frågor>\n\nhttps://example.org/a?b=1&c=2"), language)
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(part(letter, "html"))
    assert (document.get("lang"), document.get("dir")) == (languages.get(language).tag, direction)
    assert [(d.get("lang"), d.get("dir")) for d in document.iter("div")] == [(languages.get(language).tag, direction)]
    shown = "".join(document.find("body").itertext())
    for text in (shown, ISOLATES.sub("", part(letter, "plain"))):
        assert "Kom kl. 8.30 & ta med <frågor>" in text
        assert "https://example.org/a?b=1&c=2" in text
    assert letter["Content-Language"] == languages.get(language).tag
    assert letter.get_content_type() == "multipart/alternative"


def test_numbers_are_not_turned_around_between_words_from_right_to_left(part):
    text = "اتصل بنا على 0980-319 200 أو 116 111 بين 8.30–10.00\n\nhttps://example.org/17-a/2026-11-26."
    _, letter = travel(Message("S", text), "ar")
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(part(letter, "html"))
    kept = [(e.text, e.get("dir")) for e in document.find("body").iter("bdi")]
    link = "https://example.org/17-a/2026-11-26"
    assert kept[:4] == [(t, "ltr") for t in ("0980-319 200", "116 111", "8.30–10.00", link)]
    assert next(a.get("href") for a in document.iter("a")) == link
    plain = part(letter, "plain")
    assert "\u2066116 111\u2069 بين \u20668.30–10.00\u2069" in plain
    assert f"\n{link}." in plain
    _, swedish = travel(Message("S", "116 111"), "sv")
    assert "\u2066" not in part(swedish, "plain")


def test_html_that_no_template_made_is_escaped_and_nothing_is_loaded_from_elsewhere(part):
    _, letter = travel(Message("S", "text", html="<script>alert(1)</script><img src=//evil.example>"))
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(part(letter, "html"))
    assert "<script>alert(1)</script><img src=//evil.example>" in "".join(document.find("body").itertext())
    names = {element.tag for element in document.iter()}
    assert names.isdisjoint({"script", "img", "link", "iframe", "style", "table"})
    assert not [e for e in document.iter() if e.get("src") or "url(" in e.get("style", "")]


def test_every_message_says_that_a_machine_sent_it_and_who(settings):
    settings.DEFAULT_FROM_EMAIL = "Klarlagt Ängelholm <noreply@ängelholm.example>"
    _, letter = travel(Message("S", "text"))
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["From"].addresses[0].display_name == "Klarlagt Ängelholm"
    assert letter["From"].addresses[0].addr_spec == "noreply@xn--ngelholm-zza.example"
    assert letter["To"] == "reader@example.org"
    assert letter["Date"].datetime.tzinfo


LONG_HOST = "klarlagt.socialtjansten.en-mycket-lang-kommun-med-manga-ord.example.org"


@pytest.mark.parametrize("host", ["localhost", "fakta.ängelholm.example", LONG_HOST])
def test_only_what_is_optional_can_be_stopped_with_one_click(settings, host, part):
    settings.PUBLIC_URL, host = f"https://{host}", host.replace("ängelholm", "xn--ngelholm-zza")
    sent, letter = travel(Message("S", "text"), is_necessary=False)
    [url] = re.findall(r"^<(https://.+)>$", letter["List-Unsubscribe"])
    assert f"<{url}>".encode() in sent, "a folded or encoded address is not found by mail providers"
    assert re.fullmatch(rf"https://{host}/mail/unsubscribe/17-[\w-]{{22}}/", url)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = urlsplit(url).path
    assert f"{settings.PUBLIC_URL}{path}" in part(letter, "plain")
    assert f"{settings.PUBLIC_URL}{path}" in part(letter, "html")
    sent, _ = travel(Message("S", "text"), is_necessary=True)
    assert b"nsubscribe" not in sent


def test_message_ids_depend_on_key_and_site_and_cannot_be_guessed_from_them(settings):
    settings.PUBLIC_URL = "https://klarlagt.example"
    first = rules.message_id("reminder:24h:registration:17")
    assert re.fullmatch(r"<[0-9a-f]{32}@klarlagt\.example>", first)
    assert rules.message_id("reminder:24h:registration:17") == first
    assert rules.message_id("reminder:24h:registration:18") != first
    settings.SECRET_KEY = "another"
    assert rules.message_id("reminder:24h:registration:17") != first


def test_a_long_site_name_does_not_break_the_message_id(settings):
    settings.PUBLIC_URL = f"https://{LONG_HOST}"
    sent, _ = travel(Message("S", "text"))
    assert rules.message_id("notice:1").encode() in sent


def test_a_calendar_is_an_alternative_with_its_method_and_a_file_to_open():
    calendar = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Fr\xc3\xa5gor\r\nEND:VCALENDAR\r\n"
    _, letter = travel(Message("S", "text", calendar=calendar))
    [invitation] = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    assert invitation.get_param("method") == "REQUEST"
    assert invitation.get_payload(decode=True) == calendar
    [file] = letter.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("calendar.ics", calendar)
    alternative = next(letter.iter_parts())
    assert [p.get_content_type() for p in alternative.iter_parts()] == ["text/plain", "text/html", "text/calendar"]


def test_what_the_server_says_is_kept_without_addresses():
    answer = rules.without_addresses("5.1.1 <anna.karlsson@example.org>: unknown\nanna@x.se b")
    assert answer == "5.1.1 …: unknown … b"

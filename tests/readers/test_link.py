"""The page behind the secret link: who gets in, what is kept, and that nothing typed is lost."""

import json
import logging
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.core import serializers
from django.utils import timezone
from time_machine import travel

from portal import secret_links
from portal.audit.models import AuditEvent
from portal.pages import actions as pages
from portal.public import form_token
from portal.revisions import actions as revisions
from portal.revisions.readers import actions, rules
from portal.revisions.readers.models import Mark, ReaderCheck, State
from portal.revisions.readers.rules import MOST, PURPOSE, pieces
from tests import factories
from tests.readers.conftest import ARABIC, SENTENCES, path_of, send, token_in
from tests.test_html import parsed

pytestmark = pytest.mark.django_db

NUMBER = "189001019802"


def words(response) -> str:
    main = re.search(r"<main.*</main>", response.content.decode(), re.DOTALL)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main[0]).split()))


def all_rows() -> str:
    return serializers.serialize(
        "json", [*ReaderCheck.objects.order_by("id"), *Mark.objects.all(), *AuditEvent.objects.order_by("id")]
    )


def expire(check: ReaderCheck) -> None:
    past = timezone.now() - timedelta(minutes=1)
    ReaderCheck.objects.filter(pk=check.pk).update(asked_at=past - timedelta(days=21), expires_at=past)


# What is read -------------------------------------------------------------------------------------------------------


def test_the_whole_text_is_read_sentence_by_sentence_in_its_language_and_direction(public, check):
    response = public.get(path_of(check))
    html = response.content.decode()
    parsed(html, path_of(check))
    assert re.search(r'<html lang="ar"\s+dir="rtl"', html)
    assert response.headers["Content-Language"] == "ar"
    sentences = [
        " ".join(re.sub(r"<[^>]+>", "", s).split()) for s in re.findall(r"<summary>(.*?)</summary>", html, re.DOTALL)
    ]
    assert sentences[-SENTENCES:] == [
        "هل يأخذون طفلي؟",
        "نادراً.",
        "المحكمة تقرر.",
        "ماذا يحدث",
        "نتصل بك.",
        "تأتي إلينا خلال 1.8 ساعة.",
        "نستمع إليك",
        "اتصل 116 111 أو انتظر",
    ]
    assert '<bdi class="phone" dir="ltr">116 111</bdi>' in html
    assert "Svar sv." in html  # the Swedish text, one press away


def test_pieces_keep_every_word_of_the_text(revision):
    said = "".join(piece.text for piece in pieces(revision))
    for word in re.findall(r"[\w{}:.]+", " ".join(ARABIC.values())):
        assert word in said


def test_the_page_is_kept_nowhere_found_by_nobody_and_tells_its_address_to_no_other_site(public, check):
    response = public.get(path_of(check))
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.cookies == {}
    assert not re.search(r'rel="(canonical|alternate)"', response.content.decode())


def test_a_page_of_a_usual_fact_is_light_and_one_of_a_long_text_can_be_sent(public, check, example_content):
    from portal.facts.models import Fact
    from portal.revisions.models import Revision

    fact = Fact.objects.get(slug="ta-mitt-barn")
    for language in ("ti", "ar", "sv"):
        usual = actions.ask(Revision.objects.of(fact).get(language=language), by=factories.user(), days=21)
        assert len(public.get(path_of(usual)).content) < 30_000, language

    author = factories.user()
    long = {"title": "س", "summary": "س", "body": " ".join(f"هذه الجملة رقم {n}." for n in range(700))}
    listed = long | {"body": "\n".join(f"- سطر {n}" for n in range(900))}
    for text in (long, listed):
        revision = revisions.draft(check.revision.thing, language="ar", fields=text, by=author)
        assert len(pieces(revision)) <= MOST
        said = " ".join(piece.text for piece in pieces(revision))
        assert all(re.search(rf"\b{n}\b", said) for n in range(700))
        asked = actions.ask(revision, by=author, days=21)
        page = public.get(path_of(asked))
        names = re.findall(r'name="(c\d+)"', page.content.decode())
        every = dict.fromkeys(names, "تعليق") | {name.replace("c", "k"): "unclear" for name in names}
        assert len(every) + 3 <= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        assert send(public, path_of(asked), **every).status_code == 302
        assert asked.marks.count() == len(pieces(revision))


def test_a_language_that_the_site_does_not_offer_is_read_on_a_page_in_the_next_one(public):
    fact = factories.published_fact()
    author = factories.user()
    revision = revisions.draft(fact, language="yi", fields={"title": "צי?", "summary": "ניין.", "body": "א"}, by=author)
    check = actions.ask(revision, by=author, days=21)
    html = public.get(path_of(check)).content.decode()
    assert path_of(check).startswith("/sv/check/")
    assert re.search(r'<summary class="text" lang="yi" dir="rtl"\s*><strong>צי\?</strong>', html)


# Nothing but POST changes anything -------------------------------------------------------------------------------


def test_a_scanner_that_follows_the_link_leaves_everything_as_it_was(public, check):
    before = all_rows()
    for method in [public.get, public.head, public.options] * 5:
        method(path_of(check))
    assert all_rows() == before


def test_an_answer_comes_back_on_the_revision_and_the_link_then_shows_it(public, check):
    url = path_of(check)
    response = send(
        public, url, is_understood="no", comment="صعب جداً", k3="wrong", c3="القاضي، وليس المحكمة", k8="unclear"
    )
    assert response.headers["Location"] == url
    check.refresh_from_db()
    assert (check.state, check.is_understood, check.comment) == (State.ANSWERED, False, "صعب جداً")
    marks = list(check.marks.values_list("field", "number", "sentence", "kind", "comment"))
    assert marks == [
        ("summary", 2, "المحكمة تقرر.", "wrong", "القاضي، وليس المحكمة"),
        ("body", 5, "اتصل 116 111 أو انتظر", "unclear", ""),
    ]
    summary = check.revision.reader_checks.summary()
    assert (summary.asked, summary.answered, summary.yes, summary.no, summary.marks, summary.complaints) == (
        1,
        1,
        0,
        1,
        2,
        1,
    )
    assert summary.is_alarming
    after = public.get(url)
    parsed(after.content.decode(), url)
    assert "القاضي، وليس المحكمة" in words(after)
    assert 'role="status"' in after.content.decode()


def test_a_second_answer_takes_the_place_of_the_first(public, check):
    url = path_of(check)
    send(public, url, is_understood="no", k1="offensive", k2="wrong", c2="x")
    page = public.get(url).content.decode()
    assert re.search(r'name="k1" value="offensive" checked', page)
    send(public, url, is_understood="yes", comment="الآن جيد", k2="unclear")
    check.refresh_from_db()
    assert (check.is_understood, check.comment) == (True, "الآن جيد")
    assert list(check.marks.values_list("number", "kind", "comment")) == [(1, "unclear", "")]
    log = AuditEvent.objects.filter(verb="answer_check").order_by("id")
    assert [event.changes for event in log] == [{"is_understood": [None, False]}, {"is_understood": [False, True]}]


def test_what_is_sent_twice_is_kept_once(public, check):
    url = path_of(check)
    fields = {"token": token_in(public.get(url)), "is_understood": "yes", "comment": "x", "k1": "unclear"}
    first, second = public.post(url, fields), public.post(url, fields)
    assert first.headers["Location"] == second.headers["Location"] == url
    assert Mark.objects.count() == 1
    assert AuditEvent.objects.filter(verb="answer_check").count() == 1


def test_the_log_says_that_somebody_answered_and_none_of_their_words(public, check):
    send(public, path_of(check), comment="hemliga ord", k1="wrong", c1="andra ord")
    event = AuditEvent.objects.get(verb="answer_check")
    assert (event.by_id, event.language, event.note) == (None, "ar", f"r{check.revision_id}, 1 marks")
    assert "ord" not in json.dumps(event.changes)


# What is typed is not lost ---------------------------------------------------------------------------------------


def test_without_yes_or_no_nothing_is_kept_and_everything_stays_on_the_page(public, check):
    typed = {"comment": "ملاحظة", "k2": "wrong", "c2": "خطأ هنا"}
    response = send(public, path_of(check), is_understood="", **typed)
    html = unescape(response.content.decode())
    parsed(response.content.decode(), "page")
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["is_understood"]
    assert "ملاحظة</textarea>" in html
    assert "خطأ هنا</textarea>" in html
    assert re.search(r'name="k2" value="wrong" checked', html)
    assert html.count("<details open>") == 1
    check.refresh_from_db()
    assert check.answered_at is None


def test_a_comment_on_a_sentence_needs_a_word_for_what_is_the_matter(public, check):
    response = send(public, path_of(check), c4="?")
    html = response.content.decode()
    assert list(response.context["form"].errors) == ["c4"]
    assert 'href="#id_c4"' in html
    assert 'id="id_c4"' in html
    assert not Mark.objects.exists()


@pytest.mark.parametrize("field", ["comment", "c1"])
@pytest.mark.parametrize("number", [NUMBER, "900101-9802", "١٨٩٠٠١٠١٩٨٠٢"])
def test_a_personal_number_is_not_kept(public, check, field, number):
    response = send(public, path_of(check), **{"k1": "wrong", field: f"Om {number} gäller"})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert number not in str(response.context["form"].errors)
    assert number in unescape(response.content.decode())
    check.refresh_from_db()
    assert check.answered_at is None


def test_a_phone_number_may_be_said(public, check):
    assert send(public, path_of(check), comment="070-123 45 67").status_code == 302


def test_a_page_that_was_open_for_too_long_is_sent_again(public, check):
    url = path_of(check)
    with travel(timezone.now() - timedelta(hours=5)):
        old = form_token(PURPOSE)
    for token in (old, form_token("tell-us"), "", "x"):
        response = public.post(url, {"token": token, "is_understood": "yes", "comment": "ملاحظة"})
        assert response.status_code == 422
        assert "ملاحظة</textarea>" in response.content.decode()
        check.refresh_from_db()
        assert check.answered_at is None
    again = {"token": token_in(response), "is_understood": "yes", "comment": "ملاحظة"}
    assert public.post(url, again).status_code == 302


@pytest.mark.parametrize(
    "header", [{"HTTP_ORIGIN": "https://elsewhere.example"}, {"HTTP_SEC_FETCH_SITE": "cross-site"}]
)
def test_another_site_sends_nothing(public, check, header):
    fields = {"token": token_in(public.get(path_of(check))), "is_understood": "no", "comment": ""}
    assert public.post(path_of(check), fields, **header).status_code == 403
    check.refresh_from_db()
    assert check.answered_at is None


def test_whoever_sends_without_end_is_asked_to_wait_and_loses_nothing(public, check):
    for n in range(120):
        send(public, path_of(check), comment=f"{n}")
    response = send(public, path_of(check), comment="det sista")
    assert response.status_code == 429
    assert "det sista</textarea>" in response.content.decode()
    check.refresh_from_db()
    assert check.comment == "119"


# Links that no longer work ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["expire", "revoke"])
@pytest.mark.parametrize("is_answered", [True, False])
def test_an_ended_link_says_so_in_the_language_of_the_text_and_shows_nothing_of_it(public, check, end, is_answered):
    url = path_of(check)
    if is_answered:
        send(public, url, comment="ملاحظة")
    if end == "expire":
        expire(check)
    else:
        actions.revoke(check, by=factories.user())
    response = public.get(url)
    assert response.status_code == 410
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    html = response.content.decode()
    parsed(html, url)
    assert re.search(r'<html lang="ar"\s+dir="rtl"', html)
    assert "<form" not in html
    for secret in ("المحكمة", "ملاحظة", "Svar sv."):
        assert secret not in html
    check.refresh_from_db()
    assert check.state == (State.ANSWERED if is_answered else State.EXPIRED if end == "expire" else State.REVOKED)


def test_what_was_typed_when_the_link_ran_out_stands_on_the_page_to_copy(public, check):
    url = path_of(check)
    fields = {
        "token": token_in(public.get(url)),
        "is_understood": "no",
        "comment": "ملاحظة",
        "k3": "wrong",
        "c3": "خطأ",
    }
    expire(check)
    before = all_rows()
    response = public.post(url, fields)
    assert response.status_code == 410
    for typed in ("ملاحظة", "خطأ", "المحكمة تقرر."):
        assert typed in words(response)
    assert all_rows() == before


def test_a_revoked_link_gives_back_what_was_typed_and_no_word_of_the_text(public, check):
    url = path_of(check)
    every = {f"k{n}": "wrong" for n in range(1, SENTENCES + 1)} | {"c3": "خطأ"}
    fields = {"token": token_in(public.get(url)), "is_understood": "no", "comment": "ملاحظة", **every}
    actions.revoke(check, by=factories.user())
    response = public.post(url, fields)
    assert response.status_code == 410
    assert "خطأ" in words(response)
    assert "المحكمة" not in words(response)
    assert not Mark.objects.exists()


def test_a_link_that_is_ended_in_the_very_moment_keeps_nothing(check):
    """The page was opened before, the lock is taken after."""
    stale = ReaderCheck.objects.get(pk=check.pk)
    actions.revoke(check, by=factories.user())
    with pytest.raises(actions.ClosedError):
        actions.answer(stale, is_understood=True, comment="", marks=[])
    assert ReaderCheck.objects.get().answered_at is None


def test_a_forged_link_or_one_of_another_check_or_purpose_opens_nothing(public, check, revision):
    other = actions.ask(revision, by=factories.user(), days=21)
    token = path_of(check).split("/")[-2]
    number, digest = token.split("-", 1)
    assert len(digest) == 22  # 128 bits
    forged = [
        f"{other.pk}-{digest}",
        secret_links.token("events.registration", check.pk, check.nonce),
        secret_links.token("portal.mail.unsubscribe", check.pk, check.nonce),
        secret_links.token(PURPOSE, check.pk, other.nonce),
        f"{number}-{'A' * 22}",
        f"{number}-{digest[:-1]}",
        f"{number}-",
        number,
        f"{number}-{digest}é",
        f"{'9' * 40}-{digest}",
    ]
    for fake in forged:
        url = f"/ar/check/{fake}/"
        page = public.get(url)
        assert page.status_code == 404, fake
        assert "المحكمة" not in page.content.decode()
        assert public.post(url, {"token": form_token(PURPOSE), "is_understood": "yes"}).status_code == 404, fake
    assert public.get(f"/ar/check/{token}/").status_code == 200
    ReaderCheck.objects.filter(pk=check.pk).update(nonce="0" * 32)
    assert public.get(f"/ar/check/{token}/").status_code == 404
    assert not ReaderCheck.objects.filter(answered_at__isnull=False).exists()


def test_a_link_to_a_seat_at_an_event_is_no_link_to_a_check_and_the_other_way_round(check):
    assert rules.check_of(secret_links.token(PURPOSE, check.pk, check.nonce)) == check
    assert not secret_links.fits(path_of(check).split("/")[-2], "events.registration", check.pk, check.nonce)


# What stays behind -----------------------------------------------------------------------------------------------


def test_no_log_has_the_link_or_the_address_of_the_reader(public, check, monkeypatch):
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Keep(level=logging.DEBUG)
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    url = path_of(check)
    token = url.split("/")[-2]
    try:
        send(public, url, is_understood="")
        send(public, url)
        public.get(f"/ar/check/{token}x/")
        actions.revoke(check, by=factories.user())
        public.get(url)
        public.post(url, HTTP_ORIGIN="https://elsewhere.example")
        monkeypatch.setattr(rules, "MOST", "broken")
        ReaderCheck.objects.update(revoked_at=None, revoked_by=None)
        public.raise_request_exception = False
        assert public.get(url).status_code == 500
    finally:
        root.removeHandler(handler)
    text = "\n".join(lines)
    assert "<str:token>" in text
    assert token.split("-", 1)[1] not in text
    assert public.defaults["REMOTE_ADDR"] not in text


def test_no_table_has_the_address_of_the_reader(public, check):
    send(public, path_of(check), comment="x", k1="wrong")
    assert public.defaults["REMOTE_ADDR"] not in all_rows()


def test_the_clock_forgets_answers_after_two_years_and_dead_links_after_ninety_days(public, revision):
    by, now = factories.user(), timezone.now()
    answered, waiting, dead = (actions.ask(revision, by=by, days=21) for _ in range(3))
    send(public, path_of(answered), k1="wrong", comment="x")
    expire(dead)
    ReaderCheck.objects.filter(pk=waiting.pk).update(expires_at=now + timedelta(days=800))

    def left(later: timedelta) -> set[int]:
        counts = pages.purge(now=now + later).counts
        assert counts["reader checks"] <= 1
        return set(ReaderCheck.objects.values_list("pk", flat=True))

    assert left(timedelta(days=89)) == {answered.pk, waiting.pk, dead.pk}
    assert left(timedelta(days=91)) == {answered.pk, waiting.pk}
    assert left(timedelta(days=729)) == {answered.pk, waiting.pk}
    assert left(timedelta(days=731)) == {waiting.pk}
    assert not Mark.objects.exists()

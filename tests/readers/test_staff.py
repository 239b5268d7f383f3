"""Asking native readers, and what staff see of what they say."""

import re
from html import unescape

import pytest
from django.utils import translation

from portal import languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.revisions.readers import actions, rules
from portal.revisions.readers.models import ReaderCheck, State
from tests import factories
from tests.accounts.people import person, sign_in
from tests.readers.conftest import path_of, send
from tests.test_html import parsed

pytestmark = pytest.mark.django_db

MAY_ASK = {Role.EDITOR, Role.TRANSLATOR, Role.APPROVER}
ASKED = {"label": "modersmålstalare, förening", "note": "Läs gärna högt", "days": "14"}


def page_of(revision) -> str:
    return f"/staff/revisions/{revision.pk}/readers/"


def form_id(html: str) -> str:
    return re.search(r'name="form_id" value="([^"]+)"', html)[1]


def test_a_translator_makes_a_link_and_gets_three_lines_to_send_in_the_language_of_the_reader(revision):
    translator = person(Role.TRANSLATOR)
    client = sign_in(translator)
    sent = ASKED | {"form_id": form_id(client.get(page_of(revision)).content.decode())}
    answer = client.post(page_of(revision), sent)
    check = ReaderCheck.objects.get()
    assert answer.headers["Location"] == f"{page_of(revision)}#check-{check.pk}"
    assert (check.label, check.note, check.asked_by, check.state) == (
        ASKED["label"],
        ASKED["note"],
        translator,
        State.WAITING,
    )
    assert (check.expires_at - check.asked_at).days in {13, 14}

    html = client.get(page_of(revision)).content.decode()
    parsed(html, page_of(revision))
    tag, lines = re.search(
        r'<textarea id="lines-\d+"[^>]*?lang="(\w+)"[^>]*>(.*?)</textarea>', html, re.DOTALL
    ).groups()
    assert tag == "ar"
    assert len(unescape(lines).splitlines()) == 3
    assert unescape(lines).splitlines()[1] == rules.address(check)
    assert AuditEvent.objects.about(check).get().verb == "ask_reader"

    client.post(page_of(revision), sent)
    assert ReaderCheck.objects.count() == 1, "the same form sent twice makes one link"


def test_the_lines_are_in_the_language_of_the_text_whatever_the_staff_reads(check):
    with translation.override("en"):
        english = rules.invitation(check)
    with translation.override("sv"):
        assert rules.invitation(check) == english
    assert "/ar/check/" in english


@pytest.mark.parametrize("role", Role)
def test_links_are_made_shown_and_ended_by_those_only_who_translate_or_approve(role, revision, check):
    client = sign_in(person(role))
    html = client.get(page_of(revision)).content.decode()
    may = role in MAY_ASK
    assert (rules.address(check) in html) == may
    assert ("Läsaren" in html or 'name="days"' in html) == may
    assert client.post(page_of(revision), ASKED).status_code == (302 if may else 403)
    assert ReaderCheck.objects.count() == (2 if may else 1)
    assert client.post(f"/staff/readers/{check.pk}/revoke/").status_code == (302 if may else 403)
    check.refresh_from_db()
    assert (check.state == State.REVOKED) == may


def test_an_ended_link_is_not_shown_any_more_and_ending_it_again_changes_nothing(public, revision, check):
    client = sign_in(approver := person(Role.APPROVER))
    assert client.get(f"/staff/readers/{check.pk}/revoke/").status_code == 405
    for _ in range(2):
        client.post(f"/staff/readers/{check.pk}/revoke/")
    check.refresh_from_db()
    assert check.revoked_by == approver
    assert AuditEvent.objects.filter(verb="revoke_link").count() == 1
    assert rules.address(check) not in client.get(page_of(revision)).content.decode()
    assert public.get(path_of(check)).status_code == 410


def test_the_approver_sees_what_readers_say_before_approving(public, revision, check):
    second = actions.ask(revision, by=factories.user(), days=21)
    actions.ask(revision, by=factories.user(), days=21)
    client = sign_in(person(Role.APPROVER, language="en"))

    def told() -> str:
        html = client.get(f"/staff/revisions/{revision.pk}/").content.decode()
        parsed(html, "revision")
        assert html.index(page_of(revision)) < html.index("/approve/"), "stands above the button"
        return " ".join(re.sub(r"<[^>]+>", " ", html).split())

    assert "Nobody has answered yet" in told()
    send(public, path_of(check), is_understood="no", k3="wrong", c3="<b>خطأ</b>", k1="unclear", comment="صعب")
    send(public, path_of(second), is_understood="yes", k3="offensive")
    text = told()
    assert "2 native readers have answered" in text
    assert "1 yes, 1 no" in text
    assert "3 sentences are marked" in text
    assert "2 as wrong or offensive" in text

    html = client.get(page_of(revision)).content.decode()
    parsed(html, page_of(revision))
    rows = re.findall(r"<tr>\s*<th scope=\"row\"(.*?)</tr>", html, re.DOTALL)
    assert ["هل يأخذون طفلي؟" in rows[0], "المحكمة تقرر." in rows[1]] == [True, True]
    assert rows[1].count('class="state bad"') == 2, "two readers mark the same sentence"
    assert "&lt;b&gt;خطأ&lt;/b&gt;" in rows[1]
    assert "صعب" in html


def test_a_text_that_nobody_was_asked_about_says_how_to_ask(revision):
    client = sign_in(person(Role.APPROVER))
    html = client.get(f"/staff/revisions/{revision.pk}/").content.decode()
    assert f'href="{page_of(revision)}"' in html
    assert not revision.reader_checks.summary().is_alarming


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"days": "0"}, "days"),
        ({"days": "91"}, "days"),
        ({"days": ""}, "days"),
        ({"label": "189001019802"}, "label"),
        ({"note": "Om 900101-9802"}, "note"),
        ({"note": "Ring 070-123 45 67"}, "note"),
    ],
)
def test_what_must_not_be_asked_is_refused_and_stays_on_the_page(wrong, field, revision):
    response = sign_in(person(Role.TRANSLATOR)).post(page_of(revision), ASKED | wrong)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert (ASKED | wrong)["note"] in unescape(response.content.decode())
    assert not ReaderCheck.objects.exists()


@pytest.mark.parametrize("language", ["sv", "ar", "ti"])
def test_every_language_has_its_own_link(language):
    fact = factories.published_fact("ar", "ti")
    from portal.revisions.models import Revision

    revision = Revision.objects.of(fact).get(language=language)
    check = actions.ask(revision, by=factories.user(), days=21)
    assert path_of(check).startswith(f"/{languages.get(language).code}/check/{check.pk}-")

"""The shared editor and the approval page: what they ask for, what they refuse, and that nothing typed is lost."""

import re
from html import unescape

import pytest

from portal import guard
from portal.accounts.models import Role
from portal.facts.models import Fact
from portal.pages import starter
from portal.revisions import actions
from portal.revisions.forms import TextForm
from portal.revisions.models import Edition, Revision, State
from tests import factories
from tests.accounts.people import person, sign_in

pytestmark = pytest.mark.django_db

NUMBER = "189001019802"
TEXT = {"title": "Kan barnet flytta hem?", "summary": "Ja, ofta.", "body": "Vården prövas på nytt (13 §)."}
SWEDISH = TEXT | {"significance": "content", "change_note": ""}


def path(fact: Fact, language: str = "sv") -> str:
    return f"/staff/texts/fact/{fact.pk}/{language}/"


def waiting(fact: Fact, **fields: str) -> Revision:
    author = factories.user()
    draft = actions.draft(fact, language="sv", fields=TEXT | fields, by=author)
    return actions.submit(draft, by=author)


@pytest.fixture
def as_editor():
    return sign_in(person(Role.EDITOR))


@pytest.fixture
def as_approver():
    return sign_in(person(Role.APPROVER))


# What a text needs ------------------------------------------------------------------------------------------------


def test_a_draft_may_have_gaps_and_what_is_sent_for_approval_may_not(as_editor):
    fact = factories.fact()
    gaps = SWEDISH | {"summary": "", "body": ""}
    refused = as_editor.post(path(fact), gaps | {"submit": "1"})
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["summary", "body"]
    assert TEXT["title"] in refused.content.decode()
    assert not Revision.objects.exists()

    kept = as_editor.post(path(fact), gaps | {"keep": "1"}).headers["Location"]
    draft = Revision.objects.get()
    assert (draft.state, draft.fields) == (State.DRAFT, {"title": TEXT["title"], "summary": "", "body": ""})
    answer = as_editor.post(f"{kept}submit/", follow=True).content.decode()
    assert "svar i två meningar, text" in answer
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


def test_a_text_of_nothing_but_control_characters_is_missing(as_editor):
    fact = factories.fact()
    response = as_editor.post(path(fact), SWEDISH | {"body": "\x07\x08", "submit": "1"})
    assert response.status_code == 422
    assert "behöver den: text" in unescape(response.content.decode())
    assert not Revision.objects.exists()


def test_a_draft_needs_its_title(as_editor):
    response = as_editor.post(path(factories.fact()), SWEDISH | {"title": " ", "keep": "1"})
    assert list(response.context["form"].errors) == ["title"]
    assert TEXT["body"] in response.content.decode()


def test_nothing_that_publishing_needs_is_called_optional(as_editor):
    fact = factories.fact()
    gaps = {"title": "x" * 200, "significance": "content", "keep": "1"}
    for page in (as_editor.get(path(fact)), as_editor.post(path(fact), gaps)):
        optional = re.findall(r'<label for="id_(\w+)">[^<]*<span class="optional">', page.content.decode())
        assert optional == ["change_note"]


# The guard --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["title", "summary", "body", "change_note"])
@pytest.mark.parametrize("number", [NUMBER, "900101-9802", "١٨٩٠٠١٠١٩٨٠٢"])
@pytest.mark.parametrize("button", ["keep", "submit"])
def test_a_personal_number_is_not_even_kept_in_a_draft(as_editor, field, number, button):
    response = as_editor.post(path(factories.fact()), SWEDISH | {field: f"Om {number} gäller", button: "1"})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert number not in str(response.context["form"].errors)
    assert not Revision.objects.exists()


def test_a_translation_goes_through_the_guard_too():
    fact = factories.published_fact()
    sent = TEXT | {"method": "human", "body": f"نص {NUMBER}", "submit": "1"}
    response = sign_in(person(Role.TRANSLATOR)).post(path(fact, "ar"), sent)
    assert list(response.context["form"].errors) == ["body"]
    assert not Revision.objects.filter(language="ar").exists()


@pytest.mark.parametrize("field", ["title", "summary", "body"])
@pytest.mark.parametrize("button", ["keep", "submit"])
def test_a_number_to_call_that_there_is_not_is_refused_in_a_sentence_that_names_those_there_are(
    as_editor, field, button
):
    fact = factories.fact()
    typed = SWEDISH | {field: "Ring {{phone:nobody}} nu"}
    refused = as_editor.post(path(fact), typed | {button: "1"})
    assert refused.status_code == 422
    html = unescape(refused.content.decode())
    assert "{{phone:nobody}}" in refused.context["form"].non_field_errors()[0]
    assert "{{phone:emergency}}, {{phone:bris}}" in html
    assert html.count("Ring {{phone:nobody}} nu") == 1
    assert not Revision.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        "Ring {{phone:bris}} eller {{phone:emergency}}.",
        "Ring 116 111, 112, 114 14, 020-50 50 50 eller 0980-710 00.",
        "Ring 070-123 45 67 eller skriv till socialtjansten@example.org.",
        "LVU (1990:52), SoL (2025:400), 1–4 §§, 6 kap. 1 § och prop. 2024/25:89.",
        "Från 2026-05-01 till 2026-12-31, klockan 08.30–16.00, 20260501.",
        "År 2024 placerades 27 300 barn; 1 000 000 kronor är 1 000 000 kronor.",
    ],
)
def test_numbers_that_everybody_may_know_pass(as_editor, body):
    fact = factories.fact()
    as_editor.post(path(fact), SWEDISH | {"body": body, "submit": "1"})
    assert Revision.objects.get().fields["body"] == body


def test_every_text_that_the_site_comes_with_passes():
    for kind in ("facts", "rumors", "events", "pages"):
        for versions in starter.texts(kind):
            for file in versions.values():
                guard.validate(file.body)


@pytest.mark.parametrize("deed", ["reject", "withdraw"])
def test_a_reason_holds_no_personal_number_and_others_are_asked_about(as_approver, deed):
    fact = factories.published_fact()
    revision = waiting(fact)
    where = f"/staff/revisions/{revision.pk}/reject/" if deed == "reject" else f"{path(fact)}withdraw/"
    for reason, wrong in [
        (f"Gäller {NUMBER}", ["reason"]),
        ("Ring 070-123 45 67 först", ["reason", "guard_reason"]),
        ("", ["reason"]),
        ("x" * 501, ["reason"]),
    ]:
        refused = as_approver.post(where, {"reason": reason})
        assert refused.status_code == 422
        assert list(refused.context["form"].errors) == wrong
        assert reason in unescape(refused.content.decode())
    revision.refresh_from_db()
    assert revision.state == State.SUBMITTED
    assert Edition.objects.of(fact).published().exists()

    as_approver.post(where, {"reason": "Ring 070-123 45 67 först", "guard_reason": "public"})
    revision.refresh_from_db()
    edition = Edition.objects.of(fact).get()
    assert {revision.reason, edition.withdrawn_reason} == {"", "Ring 070-123 45 67 först"}


def test_the_form_to_send_back_stands_open_when_something_is_wrong_with_it(as_approver):
    revision = waiting(factories.fact())
    page = f"/staff/revisions/{revision.pk}/"
    assert "<details open>" not in as_approver.get(page).content.decode()
    answer = as_approver.post(f"{page}reject/", {"reason": ""}).content.decode()
    assert re.search(r"<details open>.*?class=\"summary\"", answer, re.DOTALL)


# Two people at once -----------------------------------------------------------------------------------------------


def test_two_editors_at_once_both_keep_their_words(as_editor):
    fact, other = factories.fact(), sign_in(person(Role.EDITOR))
    for client, words in ((as_editor, "Den ena."), (other, "Den andra.")):
        client.get(path(fact))
        client.post(path(fact), SWEDISH | {"summary": words, "keep": "1"})
    assert [r.fields["summary"] for r in Revision.objects.of(fact).order_by("id")] == ["Den ena.", "Den andra."]
    assert "Den andra." in as_editor.get(path(fact)).content.decode()


@pytest.mark.parametrize("step", ["approve", "reject", "publish", "submit"])
def test_who_comes_second_is_told_and_changes_nothing(as_approver, step):
    revision = waiting(factories.fact())
    client = sign_in(person(Role.APPROVER, Role.EDITOR))
    page = f"/staff/revisions/{revision.pk}/"
    as_approver.post(f"{page}reject/", {"reason": "För lång."})
    answer = client.post(f"{page}{step}/", {"reason": "Kort."}, follow=True).content.decode()
    assert 'class="notice bad"' in answer
    revision.refresh_from_db()
    assert (revision.state, revision.reason) == (State.REJECTED, "För lång.")


def test_the_author_is_told_that_somebody_else_approves(as_editor):
    author = person(Role.EDITOR, Role.APPROVER)
    client, fact = sign_in(author), factories.fact()
    page = client.post(path(fact), SWEDISH | {"submit": "1"}).headers["Location"]
    assert f'action="{page}approve/"' not in client.get(page).content.decode()
    client.post(f"{page}approve/", {"publish": "1"})
    assert Revision.objects.get().state == State.SUBMITTED


# Bad addresses and bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/staff/texts/fact/999999999999999999999999/sv/",
        "/staff/texts/fact/0/sv/",
        "/staff/texts/user/1/sv/",
        "/staff/texts/fact/{pk}/xx/",
        "/staff/texts/fact/{pk}/ar/withdraw/",
        "/staff/revisions/999999999999999999999999/",
        "/staff/revisions/0/approve/",
        "/staff/revisions/0/erase/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_that_leads_nowhere_says_so(address, method):
    client, fact = sign_in(person(*Role)), factories.published_fact()
    response = getattr(client, method)(address.format(pk=fact.pk))
    assert response.status_code in {404, 405}
    assert Revision.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"title": "x" * 161}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"body": "x" * 20_001}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"significance": "huge"}, "significance"),
        ({"significance": ""}, "significance"),
        ({"change_note": "x" * 301}, "change_note"),
    ],
)
def test_what_cannot_be_held_is_refused_and_nothing_typed_is_lost(as_editor, sent, wrong):
    response = as_editor.post(path(factories.fact()), SWEDISH | {"summary": "Mina egna ord."} | sent | {"submit": "1"})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [wrong]
    assert "Mina egna ord." in response.content.decode()
    assert not Revision.objects.exists()


def test_an_empty_post_is_answered_with_what_is_missing(as_editor, as_approver):
    fact = factories.published_fact()
    missing = as_editor.post(path(fact))
    assert (missing.status_code, list(missing.context["form"].errors)) == (422, ["title", "significance"])
    away = as_approver.post(f"{path(fact)}withdraw/")
    assert (away.status_code, list(away.context["form"].errors)) == (422, ["reason"])


def test_the_form_knows_the_fields_of_the_model_it_is_for():
    kinds = {name: list(TextForm(actions.kind_named(name), "ar").fields) for name in ("fact", "rebuttal")}
    assert kinds["fact"] == ["title", "summary", "body", "method", "pivot"]
    assert kinds["rebuttal"] == ["title", "answer", "claim", "explanation", "method", "pivot"]

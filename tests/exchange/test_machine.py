"""Drafts by a machine: what it is sent, what becomes of its answer, and what it never touches."""

import time

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from portal import languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.revisions import actions as revisions
from portal.revisions.exchange import actions, rules, transport
from portal.revisions.models import Method, Revision, State
from tests import factories
from tests.accounts.people import person, sign_in
from tests.exchange.server import running

BODY = (
    "## Vad händer?\n\nRing {{phone:bris}} inom 4 veckor, se [lagen](https://example.org/lvu?p=6).\n\n1. Ett.\n2. Två."
)


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def service(settings):
    with running() as found:
        settings.MACHINE_TRANSLATION_URL = found.url
        yield found


def swedish(body: str = BODY, **fields):
    fact = factories.fact()
    factories.publish(fact, title="Får de ta barnet?", summary="Nej.", body=body, **fields)
    return fact


def translate(thing, service, code: str = "ar", **options) -> actions.Translated:
    translator = transport.LibreTranslate(service.url, **options)
    return actions.translate(thing, language=languages.get(code), by=factories.user(), translator=translator)


def refused(thing, service, code: str = "ar", **options) -> str:
    before = Revision.objects.count(), AuditEvent.objects.count()
    by, translator = factories.user(), transport.LibreTranslate(service.url, **options)
    with pytest.raises(ValidationError) as caught:
        actions.translate(thing, language=languages.get(code), by=by, translator=translator)
    assert (Revision.objects.count(), AuditEvent.objects.count()) == before
    (sentence,) = caught.value.messages
    return sentence


# What must not change --------------------------------------------------------------------------------------------

MARKDOWN = st.lists(
    st.sampled_from(
        [
            "Ord ord", "{{phone:bris}}", "27 300", "1–4 §§", "§ 6", "[läs](https://example.org/a_(b)?c=1)", "\n", " ",
            "\n- punkt", "\n1. första", "## Rubrik", "\n> citat", "**fet**", "  \n", "\\\n", "[1]", "[ 12 ]",
            "2026-11-03", "112", "info@example.org", "(", ")", "[", "]", "å", "١٢", "\xa0", "https://example.org.",
        ]
    )
    | st.text(max_size=5),
    max_size=25,
).map("".join)  # fmt: skip


@given(MARKDOWN)
def test_a_machine_that_changes_nothing_gives_the_paragraph_back(text):
    masked = rules.mask(text)
    back = masked.unmasked(masked.texts)
    assert back is not None
    assert " ".join(back.split()) == " ".join(text.split())


@given(MARKDOWN)
def test_a_machine_never_sees_a_number_a_link_or_a_number_to_call(text):
    for sent in rules.mask(text).texts:
        assert "{{phone" not in sent
        assert "example.org" not in sent
        assert not any(char.isdecimal() for char in rules._MARK.sub("", sent))


@given(MARKDOWN)
def test_a_machine_that_swallows_a_mark_is_found_out(text):
    masked = rules.mask(text)
    for place, sent in enumerate(masked.texts):
        for mark in rules._MARK.finditer(sent):
            answers = list(masked.texts)
            answers[place] = sent[: mark.start()] + "x" + sent[mark.end() :]
            assert masked.unmasked(answers) is None
            answers[place] = sent[: mark.end()] + mark[0] + sent[mark.end() :]
            assert masked.unmasked(answers) is None


def test_marks_are_found_in_another_order_and_in_other_brackets():
    masked = rules.mask("Ring {{phone:bris}} före 2026-11-03.")
    assert masked.texts == ["Ring [1] före [2]."]
    assert masked.unmasked(["【2】 より前に [ 1 ] へ"]) == "2026-11-03 より前に {{phone:bris}} へ"
    assert masked.unmasked(["قبل [٢] اتصل [١]"]) == "قبل 2026-11-03 اتصل {{phone:bris}}"
    assert masked.unmasked(["Call [1] before [2] and [3]."]) is None
    assert masked.unmasked([""]) is None


def test_every_line_of_a_list_is_sent_alone_and_the_lines_of_a_paragraph_together():
    assert rules.mask("En mening\nsom går vidare.").texts == ["En mening som går vidare."]
    assert rules.mask("1. Ett\n2. Två\n   till").texts == ["Ett", "Två    till"]
    assert rules.mask("## 112").texts == []


# What becomes of the answer --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_machine_makes_a_draft_that_says_so_and_readers_see_nothing(service):
    fact = swedish()
    made = translate(fact, service).revision
    assert made.fields == {
        "title": "FÅR DE TA BARNET?",
        "summary": "NEJ.",
        "body": "## VAD HÄNDER?\n\nRING {{phone:bris}} INOM 4 VECKOR, SE [LAGEN](https://example.org/lvu?p=6).\n\n"
        "1. ETT.\n2. TVÅ.",
    }
    assert (made.method, made.state, made.based_on) == (Method.MACHINE, State.DRAFT, revisions.current(fact))
    fact.refresh_from_db()
    assert not fact.title_ar
    event = AuditEvent.objects.about(fact).get(verb="translate")
    assert event.note == f"r{made.pk} LibreTranslate: 5 of 5 paragraphs"


@pytest.mark.django_db
def test_only_published_swedish_text_leaves_and_nothing_of_who_asks(service):
    fact, author = swedish("Ett."), factories.user(name="Namn Namnsson")
    revisions.draft(fact, language="sv", fields={"title": "Hemligt utkast"}, by=author)
    translate(fact, service, key="k3y")
    assert service.asked == [
        {"q": ["Får de ta barnet?", "Nej.", "Ett."], "source": "sv", "target": "ar", "format": "text", "api_key": "k3y"}
    ]
    assert service.paths == ["/languages", "/translate"]


@pytest.mark.django_db
def test_an_address_with_a_path_and_other_names_of_languages(service):
    service.url += "/mt/"
    translate(swedish("Ett."), service, "zh-hans")
    assert service.paths == ["/mt/languages", "/mt/translate"]
    assert service.asked[0]["target"] == "zh"


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["prs", "kmr", "bs"])
def test_a_language_that_the_service_lacks_is_not_replaced_by_its_neighbor(service, code):
    assert "does not offer this language" in refused(swedish(), service, code)
    assert service.asked == []


@pytest.mark.django_db
def test_only_paragraphs_that_changed_since_the_person_s_translation_are_sent(service):
    fact = swedish("Ett.\n\nTvå.\n\nTre.")
    human = {"title": "Titel", "summary": "Svar", "body": "Wāḥid\n\nIthnān\n\nThalātha"}
    factories.publish(fact, "ar", **human)
    factories.publish(fact, title="Får de ta barnet?", summary="Nej.", body="Noll.\n\nEtt.\n\nTvå, ändrat.\n\nTre.")
    made = translate(fact, service).revision
    assert service.asked[0]["q"] == ["Noll.", "Två, ändrat."]
    assert made.fields == human | {"body": "NOLL.\n\nWāḥid\n\nTVÅ, ÄNDRAT.\n\nThalātha"}
    assert made.method == Method.MACHINE


@pytest.mark.django_db
def test_a_machine_s_own_words_are_no_person_s_and_are_made_anew(service):
    fact = swedish("Ett.\n\nTvå.")
    factories.publish(fact, "ar", title="m", summary="m", body="m\n\nm", method=Method.MACHINE)
    factories.publish(fact, title="Får de ta barnet?", summary="Nej.", body="Ett.\n\nTvå!")
    translate(fact, service)
    assert service.asked[0]["q"] == ["Får de ta barnet?", "Nej.", "Ett.", "Två!"]


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["draft", "submit", "reject", "approve"])
def test_a_machine_never_writes_over_what_a_person_has_under_way(service, step):
    fact, author, approver = swedish(), factories.user(), factories.user()
    human = revisions.draft(fact, language="ar", fields={"title": "x", "summary": "x", "body": "x"}, by=author)
    if step != "draft":
        factories.send(human)
    if step == "reject":
        revisions.reject(human, by=approver, reason="Nej.")
    if step == "approve":
        revisions.approve(human, by=approver)
    assert "A person is at work" in refused(fact, service)
    assert service.paths == []


@pytest.mark.django_db
def test_a_person_who_starts_while_the_machine_works_goes_first(service):
    fact, author = swedish(), factories.user()

    class Slow(transport.LibreTranslate):
        def translate(self, texts, *, source, target):
            answer = super().translate(texts, source=source, target=target)
            revisions.draft(fact, language="ar", fields={"title": "بشر"}, by=author)
            return answer

    with pytest.raises(ValidationError) as caught:
        actions.translate(fact, language=languages.get("ar"), by=author, translator=Slow(service.url))
    assert "A person is at work" in caught.value.messages[0]
    assert not Revision.objects.filter(method=Method.MACHINE).exists()


@pytest.mark.django_db
def test_what_a_person_has_translated_already_is_left_alone(service):
    fact = swedish()
    factories.publish(fact, "ar", title="x", summary="x", body="x\n\nx\n\nx")
    assert "Nothing to translate" in refused(fact, service)
    assert service.paths == []


@pytest.mark.django_db
def test_a_translation_with_other_paragraphs_is_left_to_people(service):
    fact = swedish("Ett.\n\nTvå.")
    factories.publish(fact, "ar", title="x", summary="x", body="ett och två i ett")
    factories.publish(fact, title="Får de ta barnet?", summary="Nej.", body="Ett!\n\nTvå.")
    assert "other paragraphs" in refused(fact, service)
    assert service.paths == []


@pytest.mark.django_db
def test_asking_twice_makes_one_draft_and_asks_the_service_once(service):
    fact = swedish()
    first, second = translate(fact, service), translate(fact, service)
    assert first.revision == second.revision
    assert len(service.asked) == 1


@pytest.mark.django_db
def test_a_paragraph_whose_number_was_lost_stays_swedish_and_is_named(service):
    service.translate = lambda text: text.upper().replace("[1] INOM", "INOM")
    translated = translate(swedish(), service)
    assert translated.left == ["body.2"]
    paragraphs = translated.revision.fields["body"].split("\n\n")
    assert paragraphs[0] == "## VAD HÄNDER?"
    assert paragraphs[1] == BODY.split("\n\n")[1]
    assert "4 of 5" in AuditEvent.objects.get(verb="translate").note


@pytest.mark.django_db
def test_a_machine_that_loses_everything_makes_nothing(service):
    service.translate = lambda _text: " "
    assert "in every paragraph" in refused(swedish(), service)


@pytest.mark.django_db
def test_a_machine_s_words_pass_the_same_guard_as_a_person_s(service):
    service.translate = lambda text: "Född 850101-1236" if text == "Ett." else text
    assert "personal identity number" in refused(swedish("Ett."), service)
    service.translate = lambda text: "x" * 161 if "barnet" in text else text
    assert "at most 160 characters" in refused(swedish("Ett."), service)


# When the service fails ------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "because"),
    [
        (400, "may be too long"),
        (403, "refuses our key"),
        (429, "too much to do"),
        (500, "has a fault (500)"),
        (302, "has a fault (302)"),
        (204, "has a fault (204)"),
    ],
)
def test_a_service_that_refuses(service, status, because):
    service.status, service.location = status, service.url
    assert because in refused(swedish(), service)
    assert service.paths == ["/languages", "/translate"]  # no redirect is followed


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"translatedText": "one for all"}',
        b'{"translatedText": ["too", "few"]}',
        b'{"translatedText": [1, 2, 3, 4, 5, 6]}',
        b'{"error": "no"}',
        b"[" * 100_000,
        b'{"translatedText": ["' + b"x" * (transport.MAX_BYTES + 1) + b'"]}',
    ],
    ids=lambda raw: str(raw[:30]),
)
def test_an_answer_that_is_none(service, raw):
    service.raw = raw
    assert "cannot be used" in refused(swedish(), service)


@pytest.mark.django_db
@pytest.mark.parametrize("offered", [None, {}, ["sv"], [{"name": "Swedish"}], [{"code": "sv", "targets": 7}]], ids=str)
def test_a_list_of_languages_that_is_none(service, offered):
    service.languages = offered
    assert refused(swedish(), service)
    assert service.asked == []


@pytest.mark.django_db
def test_an_older_service_that_does_not_say_which_languages_go_together(service):
    service.languages = [{"code": "sv", "name": "Swedish"}, {"code": "ar", "name": "Arabic"}]
    assert translate(swedish(), service).revision
    assert "does not offer" in refused(swedish(), service, "en")


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["is_silent", "drips"])
def test_a_service_that_is_too_slow_holds_nobody_up(service, how):
    setattr(service, how, True)
    began = time.monotonic()
    assert "was not ready within" in refused(swedish(), service, timeout=0.4)
    assert time.monotonic() - began < 3


@pytest.mark.django_db
def test_a_service_that_is_not_there():
    with running() as gone:
        pass
    assert "does not answer" in refused(swedish(), gone)


@pytest.mark.parametrize("url", ["ftp://example.org", "file:///etc/passwd", "example.org", "https://"])
def test_an_address_that_is_no_web_address_is_refused(url):
    with pytest.raises(ValueError, match="address"):
        transport.LibreTranslate(url)


# The button ------------------------------------------------------------------------------------------------------


def press(client, fact, code: str = "ar"):
    return client.post(f"/staff/exchange/machine/fact/{fact.pk}/{code}/", follow=True)


@pytest.mark.django_db
def test_the_button_makes_a_draft_and_shows_it_to_be_corrected(service):
    fact, client = swedish(), sign_in(person(Role.TRANSLATOR, language="en"))
    page = press(client, fact).content.decode()
    assert "a draft by a machine" in page
    assert "FÅR DE TA BARNET?" in page


@pytest.mark.django_db
def test_the_button_says_why_there_is_no_draft(service):
    service.status = 429
    fact, client = swedish(), sign_in(person(Role.TRANSLATOR, language="en"))
    assert "too much to do" in press(client, fact).content.decode()
    assert not Revision.objects.filter(language="ar").exists()


@pytest.mark.django_db
def test_the_button_names_the_paragraphs_that_stayed_swedish(service):
    service.translate = lambda text: text.replace("[1]", "")
    fact, client = swedish(), sign_in(person(Role.TRANSLATOR, language="en"))
    assert "stay Swedish" in press(client, fact).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.REPORTER, Role.EVENTS, Role.APPROVER, Role.ADMIN])
def test_who_may_not_translate_presses_in_vain(service, role):
    fact = swedish()
    assert press(sign_in(person(role)), fact).status_code == 403
    assert service.paths == []
    assert not Revision.objects.filter(language="ar").exists()


@pytest.mark.django_db
def test_without_a_service_there_is_neither_a_button_nor_its_address(settings):
    tag = Template('{% load exchange %}{% machine_button "fact" 1 language %}')
    assert settings.MACHINE_TRANSLATION_URL == ""
    assert tag.render(Context({"language": "ar"})).strip() == ""
    assert press(sign_in(person(Role.TRANSLATOR)), swedish()).status_code == 404
    settings.MACHINE_TRANSLATION_URL = "http://127.0.0.1:9"
    assert "/staff/exchange/machine/fact/1/ar/" in tag.render(Context({"language": "ar"}))
    assert tag.render(Context({"language": "sv"})).strip() == ""
    assert press(sign_in(person(Role.TRANSLATOR)), swedish(), "sv").status_code == 404

"""No form keeps a personal number in free text; what else may point at a person needs a reason, which is kept."""

import json
import re
from datetime import date, timedelta
from html import unescape

import pytest
from django import forms
from django.forms import BaseFormSet
from django.http import QueryDict
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import guard
from portal.accounts.models import Role
from portal.audit import actions as audit
from portal.audit.models import AuditEvent
from portal.audit.rules import entries
from portal.guard import Ground, GuardedForm, Kind
from portal.revisions import actions as revisions
from tests import factories
from tests.accounts.people import person, sign_in
from tests.test_forms import FORMS, WITH_A_SESSION, as_a_browser_sends, made
from tests.test_guard import MOBILE_YEARS, dates, numbers, spelled

pytestmark = pytest.mark.django_db

BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.differing_executors],
)

NOT_KEPT = {
    ("FactSearchForm", "q"): "a search",
    ("SearchForm", "q"): "a search, of which the log keeps nothing with a number in it",
    ("WordFilterForm", "q"): "a filter",
    ("FindForm", "q"): "a filter",
    ("LogForm", "number"): "looked up: only the number of a rumor is taken",
    ("RumorFilterForm", "area"): "a filter",
    ("RumorFilterForm", "words"): "a filter",
    ("RowForm", "rumor"): "looked up: only the number of a rumor is taken",
    ("RelateForm", "other"): "looked up: only the number of a rumor is taken",
    ("CodeForm", "code"): "looked for, never stored",
    ("NewPassword", "oldpassword"): "a password",
    ("NewPassword", "password1"): "a password",
    ("NewPassword", "password2"): "a password",
    ("FirstPassword", "password1"): "a password",
    ("FirstPassword", "password2"): "a password",
    ("NewEventForm", "join_url"): "as in EventForm",
    ("EditEventForm", "join_url"): "as in EventForm",
    ("EventForm", "join_url"): "the services number their meetings with ten digits, and no way would lead past it",
}
"""Free text that may hold any digits, and why."""

PLAIN = [form for form in FORMS if form not in WITH_A_SESSION and not issubclass(form, BaseFormSet)]
PLAIN += [form.form for form in FORMS if issubclass(form, BaseFormSet) and form.form not in FORMS]


def is_free_text(field: forms.Field) -> bool:
    """What a person types and the site keeps: no choice, no address of mail, nothing that only a machine fills in."""
    return (
        isinstance(field, forms.CharField)
        and not isinstance(field, forms.EmailField | forms.UUIDField | forms.JSONField)
        and not isinstance(field.widget, forms.HiddenInput)
    )


def free_texts(form: forms.BaseForm) -> list[str]:
    return [
        name
        for name, field in form.fields.items()
        if is_free_text(field) and name != "website" and (type(form).__qualname__, name) not in NOT_KEPT
    ]


def sent(form: forms.BaseForm, name: str, text: str) -> QueryDict:
    """The text as this field would take it."""
    field = form.fields[name]
    text = f"https://example.org/{text}" if isinstance(field, forms.URLField) else text
    return as_a_browser_sends({form.add_prefix(name): [text]})


@pytest.fixture
def something_to_choose(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # hashing is slow on purpose
    factories.topic("school")
    return factories.published_fact()


@pytest.mark.parametrize("kind", PLAIN, ids=lambda form: form.__qualname__)
@BOUNDED
@given(number=numbers(year=st.integers(1930, 1999)), is_long=st.booleans())
def test_a_personal_number_is_refused_in_every_free_text_of_every_form(kind, number, is_long, something_to_choose):
    written = number if is_long else f"{number[2:8]}-{number[8:]}"
    for place, empty in enumerate(made(kind, QueryDict())):
        for name in free_texts(empty):
            form = made(kind, sent(empty, name, written))[place]
            codes = [error.code for error in form.errors.as_data().get(name, [])]
            assert "personal_number" in codes, (name, codes)
            assert written not in json.dumps(form.errors)


def test_every_exception_is_a_field_that_there_is():
    names = {(form.__qualname__, name) for form in PLAIN for one in made(form, QueryDict()) for name in one.fields}
    assert set(NOT_KEPT) <= names


def test_every_field_that_a_form_guards_is_one_of_its_own():
    for form in (form for form in PLAIN if issubclass(form, GuardedForm)):
        named = {*form.guarded, *form.open_to_all, *filter(None, [form.district])}
        assert {*form.about_person, *filter(None, [form.district])} <= set(form.guarded), form
        assert named <= {name for one in made(form, QueryDict()) for name in one.fields}, form


class Note(GuardedForm):
    guarded = ("text",)
    open_to_all = ("place",)

    text = forms.CharField(required=False)
    place = forms.CharField(required=False)


@BOUNDED
@given(data=st.data(), number=numbers())
def test_any_spelling_is_refused_whatever_reason_is_given(data, number):
    written = data.draw(spelled(number))
    form = Note(as_a_browser_sends({"text": [written], "guard_reason": ["public"]}))
    assert "text" in form.errors


@BOUNDED
@given(parts=st.lists(dates(), min_size=1, max_size=3))
def test_dates_never_block_a_form(parts):
    form = Note(as_a_browser_sends({"text": ["; ".join(parts)]}))
    codes = [error.code for error in form.errors.as_data().get("text", [])]
    assert "personal_number" not in codes


@BOUNDED
@given(number=numbers(year=MOBILE_YEARS))
def test_digits_that_are_both_block_until_somebody_says_that_they_are_a_phone_number(number):
    digits = number[2:]
    first = Note({"text": f"Ring {digits}"})
    assert first.errors.keys() == {"text"}
    assert isinstance(first.fields["guard_phone"], forms.BooleanField)
    second = Note({"text": f"Ring {digits}", "guard_phone": "on"})
    assert second.errors.keys() == {"text", "guard_reason"}
    assert Note({"text": f"Ring {digits}", "guard_phone": "on", "guard_reason": "organization"}).is_valid()
    # Where public numbers stand there is nothing more to be said.
    assert Note({"place": digits, "guard_phone": "on"}).is_valid()
    assert not Note({"place": digits}).is_valid()


@BOUNDED
@given(number=numbers(year=st.integers(1930, 1999)))
def test_what_is_no_phone_number_is_not_made_one_by_saying_so(number):
    form = Note({"text": number, "guard_phone": "on", "guard_reason": "public"})
    assert form.errors.keys() == {"text"}
    assert "guard_phone" not in form.fields


class AboutSomebody(Note):
    about_person = ("text",)


def test_a_word_for_a_faith_is_asked_about_only_where_a_person_is_described():
    said = {"text": "Är muslim", "place": "Moskén"}
    assert AboutSomebody(said).errors.keys() == {"text", "guard_reason"}
    assert Note(said).is_valid()
    fact = factories.published_fact()
    with guard.listening():
        assert AboutSomebody(said | {"guard_reason": "organization", "guard_words": "Föreningens namn"}).is_valid()
        audit.record("edit", fact, by=factories.user())
    assert AuditEvent.objects.about(fact).first().excuse["kinds"] == [Kind.FAITH_OR_ORIGIN]
    # The reason must not say what the text was not allowed to.
    assert AboutSomebody(said | {"guard_reason": "public", "guard_words": "Hon är kurd"}).errors.keys() == {
        "guard_words"
    }


PREFIXES = ("070", "072", "073", "076", "079", "08", "010", "031", "040", "018", "019", "021", "0300", "0480", "0910")
"""Of mobile phones, and area codes."""
DAYS = [date(2001, 1, 1) + timedelta(days) for days in range(9 * 365)]
BORN = [f"{day:%y%m}{day.day + more}" for day in DAYS for more in (0, 60) if day.day + more > 9]
BORN = [digits for digits in BORN if digits.startswith(PREFIXES)]


def check_sum(digits: str) -> int:
    return sum(int(char) for place, digit in enumerate(digits) for char in str(int(digit) * (2 - place % 2))) % 10


def is_a_number_too(digits: str) -> bool:
    """As the tax agency describes personal and coordination numbers, whatever the guard makes of it."""
    year, month, day = 2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if day >= 60:  # with nothing for a month or a day that nobody knows
        month, day = month or 1, day - 60 or 1
    try:
        return date(year, month, day) < date(2026, 1, 1) and check_sum(digits) == 0
    except ValueError:
        return False


@st.composite
def phones(draw: st.DrawFn) -> str:
    """Ten digits that can be dialed; half of them begin as a personal number does and have its check digit."""
    if draw(st.booleans()):
        digits = draw(st.sampled_from(BORN)) + f"{draw(st.integers(0, 999)):03}"
        return digits + str(-check_sum(digits) % 10)
    return f"{draw(st.sampled_from(PREFIXES))}{draw(st.integers(0, 99_999_999)):08}"[:10]


def test_a_phone_number_blocks_only_where_it_is_both():
    seen = {True: 0, False: 0}

    @settings(BOUNDED, max_examples=300)
    @given(digits=phones())
    def each_one(digits):
        is_both = is_a_number_too(digits)
        seen[is_both] += 1
        form = Note({"text": f"Ring {digits} i dag"})
        assert (form.has_error("text", "personal_number"), "guard_phone" in form.fields) == (is_both, is_both)
        prefix = next(known for known in PREFIXES if digits.startswith(known))
        rest = digits[len(prefix) :]
        grouped = Note({"text": f"Ring {prefix}-{rest[:3]} {rest[3:5]} {rest[5:]}", "guard_reason": "public"})
        assert grouped.is_valid()

    each_one()
    assert min(seen.values()) > 50, seen


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("070-123 45 67", Kind.PHONE),
        ("anna@example.se", Kind.EMAIL),
        ("dnr 2026-123", Kind.CASE_NUMBER),
        ("ärende 2026-123", Kind.CASE_NUMBER),
        ("Storgatan 5", Kind.STREET_ADDRESS),
    ],
)
@pytest.mark.parametrize("ground", Ground)
def test_what_may_be_public_needs_a_reason_and_the_reason_is_kept_without_the_value(text, kind, ground):
    fact = factories.published_fact()
    assert Note({"text": text}).errors.keys() == {"text", "guard_reason"}
    assert Note({"text": text, "guard_reason": "nonsense"}).errors.keys() == {"text", "guard_reason"}
    with guard.listening():
        assert Note({"text": text, "guard_reason": ground, "guard_words": "Växeln"}).is_valid()
        audit.record("edit", fact, by=factories.user(), changes={"note": ("", f"Se {text}")}, note=f"För {text}")
    event = AuditEvent.objects.about(fact).filter(verb="edit").get()
    assert event.excuse == {"kinds": [kind], "ground": ground, "words": "Växeln"}
    assert text not in json.dumps([event.changes, event.note, event.excuse], ensure_ascii=False)
    with translation.override("en"):
        said = next(iter(entries([event]))).excuse
        assert said == f"{guard.KINDS[kind]}: {ground.label}. Växeln"


@pytest.mark.parametrize("words", ["Ring 070-123 45 67", "se anna@example.se", "x" * 201, "19850101-1236"])
def test_the_words_of_a_reason_hold_no_value_themselves(words):
    form = Note({"text": "070-123 45 67", "guard_reason": "public", "guard_words": words})
    assert form.errors.keys() == {"guard_words"}
    assert words not in json.dumps(form.errors, ensure_ascii=False)


def test_nothing_is_kept_for_what_was_written_before_or_elsewhere():
    fact = factories.fact()
    Note({"text": "070-123 45 67", "guard_reason": "public"}).is_valid()
    audit.record("edit", fact, by=None, note="070-123 45 67")
    with guard.listening():
        Note({"text": "070-123 45 67", "guard_reason": "public"}).is_valid()
    audit.record("edit", fact, by=None)
    assert not AuditEvent.objects.about(fact).exclude(excuse=None).exists()


def test_the_reason_is_kept_with_what_a_colleague_did_and_shown_in_the_log():
    fact = factories.published_fact()
    approver = person(Role.APPROVER)
    page = f"/staff/texts/fact/{fact.pk}/sv/withdraw/"
    seen = str(revisions.current(fact).pk)
    sent = {"reason": "Ring 070-123 45 67 först", "seen": seen}
    refused = sign_in(approver).post(page, sent)
    html = unescape(refused.content.decode())
    assert refused.status_code == 422
    assert re.search(r'<label for="id_guard_reason">.*?<select name="guard_reason"', html, re.DOTALL)
    assert 'href="#id_guard_reason"' in html
    sent |= {"guard_reason": "organization", "guard_words": "Socialjouren"}
    assert sign_in(approver).post(page, sent).status_code == 302
    event = AuditEvent.objects.about(fact).get(verb="withdraw")
    assert event.excuse == {"kinds": ["phone"], "ground": "organization", "words": "Socialjouren"}
    assert "070" not in json.dumps([event.changes, event.note])
    log = sign_in(person(Role.AUDITOR, language="en")).get("/staff/reports/audit/").content.decode()
    assert "Socialjouren" in log


def test_the_reason_is_kept_with_a_rumor_that_is_logged():
    sent = {"claim": "Påståendet att 0771-11 22 33 och anna@example.se svarar", "channel": "phone"}
    sent |= {"heard_how": "told", "seen_on": "2026-01-02", "original_language": "sv", "claim_type": "law_says"}
    sent |= {"priority": "low", "sensitivity": "internal", "precision": "day", "guard_reason": "public"}
    assert sign_in(person(Role.REPORTER)).post("/staff/rumors/log/", sent).status_code == 302
    event = AuditEvent.objects.get(verb="log")
    assert event.excuse == {"kinds": ["email"], "ground": "public", "words": ""}

"""Whatever a browser can send: a form answers with sentences and never breaks."""

import re
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

import pytest
import time_machine
from django.forms import BaseFormSet
from django.forms.forms import BaseForm
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import actions as events
from events.actors.forms import ActorForm, HelperForm
from events.agreements.forms import EditAgreementForm
from events.agreements.models import Agreement
from events.invitations import actions as invitations
from events.invitations.forms import AcceptForm, InviteForm
from events.invitations.rules import secret_url
from events.models import Event
from events.outreach.forms import LogForm as VisitForm
from events.programs.forms import ProgramTextsForm
from events.recordings.forms import ConsentsForm, RecordingForm
from events.recordings.models import Recording
from events.registrations import actions as registrations
from events.registrations import rules
from events.registrations.forms import RegistrationForm, WishesForm
from events.reminders.forms import RuleTextForm
from portal import languages
from portal.accounts import forms as accounts
from portal.accounts.models import User
from portal.facts.forms import FactForm, PrintForm, TopicForm
from portal.facts.models import Fact, Matter
from portal.guard import GuardedForm
from portal.mail.forms import DecisionForm
from portal.mail.models import Delivery
from portal.mail.rules import unsubscribe_token
from portal.public import form_token
from portal.questions.forms import SettleForm
from portal.questions.models import Question
from portal.reports.forms import CompareForm
from portal.reports.models import Report
from portal.revisions.actions import kind_named
from portal.revisions.exchange.forms import ChoiceForm
from portal.revisions.forms import TextForm, WithdrawForm
from portal.revisions.glossary.forms import TermForm, WordingForm
from portal.revisions.readers import actions as readers
from portal.revisions.readers.forms import AnswerForm
from portal.revisions.readers.models import ReaderCheck
from portal.revisions.readers.rules import address
from rumors.assignments.forms import AssignForm
from rumors.exports.forms import ExportForm
from rumors.imports.forms import CarryOutForm, MappingForm, RowForm
from rumors.imports.models import Batch
from rumors.intake.forms import LogForm
from rumors.lists.forms import RumorFilterForm
from rumors.pairs.forms import RelateForm
from tests import factories
from tests.accounts.people import browser

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent
MODULES = [
    import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for app in ("portal", "rumors", "events")
    for path in sorted((ROOT / app).rglob("forms.py"))
]
FORMS = [
    thing
    for module in MODULES
    for thing in vars(module).values()
    if isinstance(thing, type) and issubclass(thing, BaseForm | BaseFormSet) and thing.__module__ == module.__name__
]

# What a form needs beside the data.
MAKERS: dict[type, Callable[[QueryDict], list[BaseForm]]] = {
    TextForm: lambda data: [
        TextForm(kind_named(name), language, data)
        for name in ("fact", "rebuttal", "event", "page")
        for language in ("sv", "ar")
    ],
    VisitForm: lambda data: [VisitForm(_somebody(), data)],
    ActorForm: lambda data: [ActorForm(None, data)],
    HelperForm: lambda data: [HelperForm(None, data)],
    TopicForm: lambda data: [TopicForm(None, data), TopicForm(factories.topic(), data)],
    RegistrationForm: lambda data: [RegistrationForm(Event(largest_party=size), data) for size in (1, 4)],
    WishesForm: lambda data: [WishesForm(Event(largest_party=size), data, largest=3) for size in (1, 4)],
    AcceptForm: lambda data: [AcceptForm(Event(largest_party=size), data) for size in (1, 4)],
    InviteForm: lambda data: [InviteForm({}, data)],
    EditAgreementForm: lambda data: [EditAgreementForm(Agreement(owner="Skolan"), data)],
    RuleTextForm: lambda data: [RuleTextForm("ar", data)],
    ProgramTextsForm: lambda data: [ProgramTextsForm({7: SimpleNamespace(title_ar="", abstract_ar="")}, "ar", data)],
    RecordingForm: lambda data: [RecordingForm(Event(ends_at=timezone.now()), data)],
    ConsentsForm: lambda data: [ConsentsForm(Recording(pk=1, event=_event()), data)],
    SettleForm: lambda data: [SettleForm(Question(language="ar", code_hash=code), [], data) for code in (None, "x")],
    AssignForm: lambda data: [AssignForm(User.objects.all(), data)],
    CarryOutForm: lambda data: [CarryOutForm(data, has_warnings=some, has_refused=some) for some in (True, False)],
    ExportForm: lambda data: [ExportForm(_somebody(), data)],
    MappingForm: lambda data: [MappingForm(Batch(header=["Datum", "Påstående"]), data)],
    RowForm: lambda data: [RowForm(data.dict(), topics={"care": 1})],
    LogForm: lambda data: [LogForm(_somebody(), data)],
    RumorFilterForm: lambda data: [RumorFilterForm(_somebody(), data)],
    CompareForm: lambda data: [CompareForm(Report(pk=1, scope="period"), data)],
    RelateForm: lambda data: [RelateForm(_somebody(), data)],
    AnswerForm: lambda data: [AnswerForm(_reader_check(), data)],
    FactForm: lambda data: [FactForm(data, matter=matter, by=_somebody()) for matter in (None, Matter.objects.first())],
    ChoiceForm: lambda data: [ChoiceForm([kind_named("fact")], data.dict())],
    TermForm: lambda data: [TermForm(None, data)],
    WordingForm: lambda data: [WordingForm(languages.get(code), None, data) for code in ("sv", "ar")],
    PrintForm: lambda data: [PrintForm(data, code="ar")],
    DecisionForm: lambda data: [DecisionForm(Delivery.objects.undecided(), data)],
    WithdrawForm: lambda data: [WithdrawForm(None, data), WithdrawForm(Fact.objects.published(), data)],
    accounts.UserForm: lambda data: [_user_form(data)],
    accounts.NewPassword: lambda data: [accounts.NewPassword(factories.user(), data)],
    accounts.FirstPassword: lambda data: [accounts.FirstPassword(data, user=factories.user(), temp_key="x")],
}
# They ask the session for a challenge or a secret, or count wrong codes: tested in tests/accounts, through the pages.
WITH_A_SESSION = {
    accounts.AddKey,
    accounts.RenameKey,
    accounts.FirstCode,
    accounts.Code,
    accounts.CodeAgain,
    accounts.PasswordAgain,
    accounts.SignIn,
    accounts.ForgottenPassword,
}

NASTY = st.one_of(
    st.sampled_from(
        [
            "", " ", "\0", "a\0b", "\x07\x1b\x85", "\ud800", "a\udfffb", "\u202e\u2066x", "\u200f", "👩‍👩‍👧‍👦",
            "\u0301" * 50,
            "9" * 400, "-1", "1e400", "NaN", "0x10", "٣", "²", "9223372036854775808", "0", "1", "on", "sv", "xx",
            "0001-01-01", "9999-12-31", "2026-02-30", "2026-05-05T25:61", "2027-03-28T02:30", "24:00", "09:30",
            "https://[::1", "http://a@b:99999/", "javascript:alert(1)", "a@b", "x@" + "a." * 100 + "se", "189001019802",
            "070-123 45 67", "<script>", "{{phone:bris}}", "{% now %}", "'; --", "../..", "a\r\nb: c", "\u2028",
            "å" * 10_000, "\n" * 10_000, "1 " * 5_000, "x,y,z\n" * 500,
        ]
    ),
    st.text(st.characters(exclude_characters="%"), max_size=60),
    st.integers().map(str),
    st.dates().map(str),
)  # fmt: skip
SENTENCE = re.compile(r"(?:“.*”|[A-ZÅÄÖ0-9]\S*) \S.*", re.DOTALL)
BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.differing_executors],
)


def as_a_browser_sends(values: dict[str, list[str]]) -> QueryDict:
    """Through the wire and back: half a surrogate pair arrives as it would."""
    return QueryDict(urlencode(values, doseq=True, errors="surrogatepass"), mutable=True)


def _somebody() -> User:
    """One is enough for all examples."""
    return User.objects.first() or factories.user()


def _event() -> Event:
    """One is enough for all examples."""
    now = timezone.now()
    values = {"kind": "seminar", "slug": "nagot", "starts_at": now, "ends_at": now + timedelta(hours=1)}
    return Event.objects.first() or Event.objects.create(created_by=_somebody(), **values)


def _user_form(data: QueryDict) -> BaseForm:
    form = accounts.UserForm(data)
    form.by = factories.user()
    return form


def _reader_check() -> ReaderCheck:
    """One is enough for all examples."""
    if found := ReaderCheck.objects.first():
        return found
    text = factories.publish(factories.fact(), title="Vad?", summary="Det.", body="Ett. Två.")
    return readers.ask(text, by=factories.user(), days=21)


def made(kind: type, data: QueryDict) -> list[BaseForm]:
    return MAKERS[kind](data) if kind in MAKERS else [kind(data)]


def names(kind: type) -> list[str]:
    if not issubclass(kind, BaseFormSet):
        asked = {kind.REASON, kind.WORDS, kind.PHONE} if issubclass(kind, GuardedForm) else set()
        return sorted(asked | {form.add_prefix(name) for form in made(kind, QueryDict()) for name in form.fields})
    rows = [f"form-{number}-{name}" for number in range(2) for name in (*kind.form.base_fields, "DELETE")]
    return ["form-TOTAL_FORMS", "form-INITIAL_FORMS", *rows]


def sentences(form: BaseForm | BaseFormSet) -> list[str]:
    if isinstance(form, BaseFormSet):
        return [*form.non_form_errors(), *(message for row in form.forms for message in sentences(row))]
    return [message for messages in form.errors.values() for message in messages]


def test_every_form_of_the_site_is_here():
    assert len(FORMS) > 25
    assert set(MAKERS) | WITH_A_SESSION <= set(FORMS)


@pytest.fixture
def something_to_choose(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # hashing is slow on purpose
    fact = factories.published_fact()
    factories.topic("school")
    return fact


@pytest.mark.parametrize("kind", [f for f in FORMS if f not in WITH_A_SESSION], ids=lambda f: f.__qualname__)
@BOUNDED
@given(data=st.data())
def test_whatever_is_sent_a_form_answers_in_sentences(kind, data, something_to_choose):
    fields = names(kind)
    sent = data.draw(st.fixed_dictionaries({name: st.lists(NASTY, max_size=2) for name in fields}))
    for form in made(kind, as_a_browser_sends(sent)):
        is_valid = form.is_valid()
        found = sentences(form)
        assert is_valid == (found == [])
        for message in found:
            assert SENTENCE.fullmatch(message), message
            assert "%(" not in message


IDS = re.compile(r'\bid="([^"]+)"')
FOCUSABLE = re.compile(r'<(?:input|select|textarea|\w+(?=[^>]*\stabindex=))\b[^>]*\sid="([^"]+)"')
LEADS_TO = re.compile(r'href="#([^"]*)"')
DESCRIBED_BY = re.compile(r'aria-describedby="([^"]*)"')


PLAIN = [form for form in FORMS if form not in WITH_A_SESSION and not issubclass(form, BaseFormSet)]
NAMED = "QuestionFilterForm FactFilterForm MatrixForm WordFilterForm EventFilterForm PeriodForm DashboardForm"
NAMED = f"{NAMED} ActorFilterForm HelperFilterForm InviteFilterForm CoverageFilterForm".split()
FILTERS = [form for form in PLAIN if form.__name__ in NAMED]
"""What `components/filters.html` shows."""


@pytest.mark.parametrize(
    ("template", "kind"),
    [("components/form.html", form) for form in PLAIN] + [("components/filters.html", form) for form in FILTERS],
    ids=lambda each: getattr(each, "__qualname__", each),
)
def test_whatever_a_form_says_is_wrong_leads_to_its_field_and_is_read_out_with_it(template, kind, something_to_choose):
    for form in made(kind, QueryDict()):
        form.is_bound = True
        form.errors.clear()
        for name in form.fields:
            form.add_error(name, "Something is wrong here.")
        html = render_to_string(template, {"form": form, "all_url": "/"})
        there = set(IDS.findall(html))
        links = LEADS_TO.findall(html)
        assert set(links) <= set(FOCUSABLE.findall(html))
        assert set(links) | {each for ids in DESCRIBED_BY.findall(html) for each in ids.split()} <= there
        assert len(links) == (len(form.visible_fields()) if template.endswith("form.html") else 0)


# Over the wire ----------------------------------------------------------------------------------------------------


def words(response) -> str:
    main = re.search(r"<main.*</main>", response.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main[0] if main else "").split())


@pytest.fixture
def event():
    starts_at = timezone.now() + timezone.timedelta(days=9)
    made = events.create(
        by=factories.user(),
        kind="seminar",
        slug="traff",
        starts_at=starts_at,
        ends_at=starts_at + timezone.timedelta(hours=1),
        registration_ends_at=starts_at,
    )
    factories.publish(made, title="Träff", summary="Om vård.", body="Välkommen.")
    factories.put_out(made)
    return made


@pytest.fixture
def seat(event) -> str:
    """The address of somebody's own seat."""
    registrations.register(event, name="Bo", email="bo@example.org", language="sv")
    return f"/sv/events/traff/registration/{rules.private_token(event.registrations.get())}/"


@pytest.fixture
def invited(event) -> str:
    """The secret link of somebody who is invited."""
    guest = {"name": "Styrelsen", "email": "styrelsen@example.org", "language": "sv"}
    (made,) = invitations.invite(event, guests=[guest], by=factories.user())
    return urlsplit(secret_url(made)).path


@pytest.fixture
def subscription(seat) -> str:
    """The address in a mail that stops others like it."""
    Delivery.objects.update(is_necessary=False)
    return reverse("unsubscribe", args=[unsubscribe_token(Delivery.objects.first())])


@pytest.fixture
def reader() -> str:
    """The secret link of a native reader."""
    return urlsplit(address(_reader_check())).path


@pytest.fixture
def passed():
    """An event that people may say now what they think of."""
    with time_machine.travel(timezone.now() - timezone.timedelta(days=4)):
        at = timezone.now() + timezone.timedelta(days=1)
        made = events.create(
            by=factories.user(), kind="seminar", slug="var", starts_at=at, ends_at=at + timezone.timedelta(hours=1)
        )
        factories.publish(made, title="Var", summary="Om vård.", body="Välkommen.")
        made.refresh_from_db()
        factories.put_out(made)


PUBLIC = {
    "feedback": ["learned", "understood", "welcome", "text", "website"],
    "register": ["name", "email", "language", "party_size", "interpreter", "access", "question", "website"],
    "find-registration": ["code"],
    "tell-us": ["text", "website"],
    "tell-us-answer": ["code"],
    "registration": ["do", "language", "party_size", "interpreter", "access"],
    "invitation": ["do", "language", "interpreter", "access", "question", "instead-name", "instead-email"],
    "unsubscribe": ["List-Unsubscribe"],
    "revisions.reader": ["is_understood", "comment", "k1", "c1", "k2", "c2", "k99"],
}


@pytest.mark.parametrize("purpose", PUBLIC)
@pytest.mark.parametrize("has_token", [True, False], ids=["fresh", "stale"])
@BOUNDED
@given(data=st.data())
def test_whatever_is_sent_to_a_public_form_a_person_gets_a_page(
    purpose, has_token, data, event, passed, seat, invited, subscription, reader
):
    url = {
        "register": "/sv/events/traff/register/",
        "feedback": "/sv/events/var/feedback/",
        "find-registration": "/sv/events/traff/registration/",
        "tell-us": "/sv/tell-us/",
        "tell-us-answer": "/sv/tell-us/answer/",
        "registration": seat,
        "invitation": invited,
        "unsubscribe": subscription,
        "revisions.reader": reader,
    }[purpose]
    fields = {name: st.lists(NASTY, max_size=2) for name in PUBLIC[purpose]}
    token = st.just([form_token(purpose)]) if has_token else st.lists(NASTY, max_size=2)
    sent = data.draw(st.fixed_dictionaries({"token": token, **fields}))
    body = urlencode(sent, doseq=True, errors="surrogatepass")
    response = browser().post(url, body, content_type="application/x-www-form-urlencoded")
    if response.status_code == 302:
        response = browser().get(response.headers["Location"])
    assert response.status_code in {200, 422}
    assert len(words(response).split()) > 5


@BOUNDED
@given(data=st.data())
def test_whatever_is_searched_for_a_person_gets_a_page(data, event):
    sent = data.draw(
        st.fixed_dictionaries(
            {
                "q": NASTY | st.just("vård"),
                "page": NASTY | st.integers(min_value=1).map(str),
                "audience": st.just("") | NASTY,
            }
        )
    )
    query = urlencode(sent, doseq=True, errors="surrogatepass")
    response = browser().get(f"/sv/search/?{query}")
    assert response.status_code in ({400} if "%00" in query else {200})
    assert len(words(response).split()) > 5


@pytest.mark.parametrize("url", ["/sv/tell-us/", "/sv/events/traff/register/"])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"a=%", "application/x-www-form-urlencoded; charset=utf-7"),
        (b"&".join([b"a=1"] * 2_000), "application/x-www-form-urlencoded"),
        (b"x" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (b"{", "application/json"),
        (b"", "\xe5"),
    ],
)
def test_a_body_that_no_form_makes_is_answered_with_a_page(url, body, content_type, event):
    response = browser().generic("POST", url, body, content_type=content_type)
    assert 400 <= response.status_code < 500
    assert len(words(response).split()) > 5

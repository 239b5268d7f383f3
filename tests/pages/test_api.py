"""The API gives programs what pages give readers, in the shape it promises, and not a word more."""

import json
import re
import threading
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import actions as events
from events.registrations import actions as registrations
from portal import languages, public
from portal.accounts.models import Role
from portal.facts.models import Audience
from portal.questions.models import Question
from portal.revisions import actions as revisions
from portal.revisions.models import Edition
from rumors import actions as rumors
from tests import factories
from tests.accounts.people import person
from tests.rumors.conftest import answer, log, published

pytestmark = pytest.mark.django_db

LISTS = ("facts", "rebuttals", "events")


def get(path: str, **query):
    return Client().get(f"/api/v1/{path}", query)


def items(path: str, **query) -> list[dict]:
    return get(path, **query).json()["items"]


def event(*codes: str, slug: str = "traff", starts_in=timedelta(days=5), **fields):
    starts_at = timezone.now().replace(microsecond=0) + starts_in
    values = {
        "kind": "seminar", "slug": slug, "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1),
        "place": "Biblioteket", "registration_ends_at": starts_at,
    }  # fmt: skip
    made = events.create(by=factories.user(), **values | fields)
    for code in codes:
        factories.publish(made, code, title=f"Träff {code}", summary=f"Om {code}.", body="Text.")
    if codes:
        made.refresh_from_db()
        factories.put_out(made)
    made.refresh_from_db()
    return made


# Shape ------------------------------------------------------------------------------------------------------------


def schema() -> dict:
    return get("openapi.json").json()


def fault(value, wanted: dict, known: dict, at: str = "$") -> str:
    """Where and how `value` differs from a JSON schema, properties that it does not name included; empty if it fits."""
    if "$ref" in wanted:
        return fault(value, known[wanted["$ref"].removeprefix("#/components/schemas/")], known, at)
    if "anyOf" in wanted:
        faults = [fault(value, one, known, at) for one in wanted["anyOf"]]
        return "" if "" in faults else faults[0]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    if type(value) is not kinds[wanted["type"]]:
        return f"{at}: {value!r} is no {wanted['type']}"
    if wanted["type"] == "object":
        if value.keys() != wanted["properties"].keys() or not value.keys() >= set(wanted.get("required", ())):
            return f"{at}: {sorted(value.keys() ^ wanted['properties'].keys())}"
        parts = [(value[name], part, f"{at}.{name}") for name, part in wanted["properties"].items()]
    elif wanted["type"] == "array":
        parts = [(one, wanted["items"], f"{at}[]") for one in value]
    else:
        reader = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}.get(wanted.get("format"))
        if reader and reader(value) is None:
            return f"{at}: {value!r}"
        parts = []
    return next(filter(None, (fault(one, part, known, place) for one, part, place in parts)), "")


def test_the_description_of_the_api_is_openapi_and_whole():
    found = schema()
    assert re.fullmatch(r"3\.1\.\d", found["openapi"])
    assert found["info"]["title"]
    assert found["info"]["version"] == "1"
    assert found["paths"].keys() == {
        f"/api/v1/{p}" for p in ("languages", "facts", "facts/{slug}", "rebuttals", "events")
    }
    operations = [
        (path, verb, operation) for path, verbs in found["paths"].items() for verb, operation in verbs.items()
    ]
    assert {verb for _, verb, _ in operations} == {"get"}
    assert len({operation["operationId"] for *_, operation in operations}) == len(operations)
    for path, _, operation in operations:
        assert all(
            parameter["schema"] and parameter["in"] in {"path", "query"} for parameter in operation["parameters"]
        )
        in_path = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        answers = operation["responses"]
        assert answers["200"]["description"]
        assert answers["200"]["content"]["application/json"]["schema"]
    named = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', get("openapi.json").content.decode()))
    assert named
    assert named <= found["components"]["schemas"].keys()


def test_every_answer_has_the_shape_that_is_described():
    fact = factories.published_fact("ar")
    factories.published_fact(audience=Audience.EMBASSIES)
    fact.sources.create(title="Lag om unga", sfs="1990:52", sections="1–4 §§")
    published("ar", fact=fact)
    event("sv", "ar")
    found = schema()
    known = found["components"]["schemas"]
    for path, verbs in found["paths"].items():
        for language in ("sv", "ar", "so"):
            response = get(path.removeprefix("/api/v1/").replace("{slug}", fact.slug), language=language)
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"
            content = response.json()
            assert content.get("items", True) if isinstance(content, dict) else content
            wanted = verbs["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            assert fault(content, wanted, known) == "", path
    assert fault({"language": 5}, {"$ref": "#/components/schemas/TextOut"}, known)


# What is told ----------------------------------------------------------------------------------------------------


def test_languages_are_those_the_site_has():
    assert [(row["code"], row["tag"], row["name"], row["direction"]) for row in get("languages").json()] == [
        (known.code, known.tag, known.autonym, known.direction) for known in languages.ACTIVE
    ]


def test_a_fact_is_told_in_the_language_asked_for_or_else_whole_in_swedish_which_is_said(settings):
    settings.PUBLIC_URL = "https://fakta.example.org"
    fact = factories.published_fact("ar")
    fact.sources.create(title="Lag om unga", sfs="1990:52", sections="1–4 §§")
    for asked, told in [("ar", "ar"), ("AR", "ar"), ("so", "sv"), ("sv", "sv")]:
        row = get(f"facts/{fact.slug}", language=asked).json()
        assert (row["language"], row["title"], row["summary"]) == (told, f"Fråga {told}?", f"Svar {told}.")
        assert row["body"] == f"## Rubrik\n\nText {told} 1–4 §§."
        assert row["url"] == f"https://fakta.example.org/{asked.lower()}/facts/{fact.slug}/"
        assert Client().get(urlsplit(row["url"]).path).status_code == 200
        link = "https://rkrattsbaser.gov.se/sfst?bet=1990:52"
        assert row["sources"] == [{"title": "Lag om unga", "sections": "1–4 §§", "url": link}]
        del row["body"]
        assert items("facts", language=asked) == [row]
    assert items("facts") == items("facts", language="sv")


def test_embassies_read_english_before_swedish():
    factories.published_fact("en", audience=Audience.EMBASSIES)
    assert [row["language"] for row in items("facts", language="so")] == ["en"]


def test_facts_of_one_audience_can_be_asked_for():
    facts = {audience: factories.published_fact(audience=audience) for audience in Audience}
    assert {row["slug"] for row in items("facts")} == {fact.slug for fact in facts.values()}
    for audience, fact in facts.items():
        assert [row["slug"] for row in items("facts", audience=audience)] == [fact.slug]


def test_an_answer_and_an_event_fall_back_as_facts_do():
    published("ar", slug="domstolen-beslutar")
    event("sv", "ar", slug="traff")
    for path, place in [("rebuttals", "rumors/domstolen-beslutar"), ("events", "events/traff")]:
        for asked, told in [("ar", "ar"), ("so", "sv")]:
            row = items(path, language=asked)[0]
            assert row["language"] == told
            assert row["url"].endswith(f"/{asked}/{place}/")
            assert Client().get(urlsplit(row["url"]).path).status_code == 200


def test_events_are_told_until_they_are_over_the_next_one_first():
    event("sv", slug="sedan", starts_in=timedelta(days=9), is_place_public=True)
    event("sv", slug="nu", starts_in=-timedelta(minutes=30), is_online=True)  # where it is, is for who has a seat
    event("sv", slug="forbi", starts_in=-timedelta(days=1))
    rows = items("events")
    assert [row["url"].split("/")[-2] for row in rows] == ["nu", "sedan"]
    assert [(row["place"], row["is_online"]) for row in rows] == [("", True), ("Biblioteket", False)]
    assert datetime.fromisoformat(rows[0]["starts_at"]).utcoffset() is not None


def test_events_that_start_together_are_each_told_once_however_the_list_is_cut():
    starts = timezone.now() + timedelta(days=3)
    slugs = [f"spar-{number}" for number in range(20)]
    for slug in slugs:
        event("sv", slug=slug, starts_at=starts, ends_at=starts + timedelta(hours=1), registration_ends_at=None)
    told = [row["url"].split("/")[-2] for offset in range(0, 20, 3) for row in items("events", limit=3, offset=offset)]
    assert told == slugs


def test_a_list_can_be_read_in_parts_that_leave_nothing_out(settings):
    settings.PUBLIC_URL = "https://fakta.example.org"
    slugs = [factories.published_fact("ar").slug for _ in range(5)]
    read, url, pages = [], "https://fakta.example.org/api/v1/facts?language=ar&limit=2&audience=parents", []
    while url:
        assert url.startswith("https://fakta.example.org/api/v1/facts?")
        page = Client().get(url.removeprefix("https://fakta.example.org")).json()
        assert page["count"] == 5
        assert {row["language"] for row in page["items"]} == {"ar"}
        pages.append([row["slug"] for row in page["items"]])
        read, before, url = read + pages[-1], page["previous"], page["next"]
    assert read == slugs
    assert [len(page) for page in pages] == [2, 2, 1]
    assert before
    back = []
    while before:
        page = Client().get(before.removeprefix("https://fakta.example.org")).json()
        back.append([row["slug"] for row in page["items"]])
        before = page["previous"]
    assert back == pages[1::-1]


def test_at_most_a_hundred_rows_are_told_at_once(monkeypatch):
    monkeypatch.setattr("portal.pages.api.MOST_ROWS", 2)
    for _ in range(3):
        factories.published_fact()
    assert [len(items("facts", limit=limit)) for limit in (1, 2, 3, 10**30)] == [1, 2, 2, 2]
    limit = next(p for p in schema()["paths"]["/api/v1/facts"]["get"]["parameters"] if p["name"] == "limit")
    assert limit["schema"]["default"] == 100


def test_a_fact_says_how_its_text_came_to_be_and_where_else_there_is_one():
    fact = factories.published_fact(slug="hela")
    factories.publish(fact, "ar", title="Fråga ar?", summary="Svar.", body="Text.", method="machine_edited")
    factories.publish(fact, "yi", title="Fråga yi?", summary="Svar.", body="Text.")  # not active
    factories.publish(fact, title="Fråga 2?", summary="Svar.", body="Text.")
    other = factories.published_fact("ti")
    for asked, told in [("ar", ("ar", "machine_edited", True)), ("so", ("sv", "human", False))]:
        row = get("facts/hela", language=asked).json()
        assert (row["language"], row["method"], row["is_outdated"]) == told
        assert row["is_example"] is False
        assert row["languages"] == ["sv", "ar"]
        edition = Edition.objects.of(fact).get(language=told[0])
        assert datetime.fromisoformat(row["published_at"]) == edition.published_at.replace(
            microsecond=edition.published_at.microsecond // 1000 * 1000
        )
        del row["body"]
        rows = {each["slug"]: each for each in items("facts", language=asked)}
        assert rows["hela"] == row
        assert rows[other.slug]["languages"] == ["sv", "ti"]


def test_example_texts_are_told_to_be_examples(example_content):
    assert {row["is_example"] for row in items("facts", language="ar")} == {True}


# How it is told ---------------------------------------------------------------------------------------------------

PATHS = ["languages", *LISTS, "facts/hela", "openapi.json"]


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_may_be_kept_for_a_moment_and_is_not_sent_twice(path):
    fact = factories.published_fact(slug="hela")
    published(fact=fact)
    event("sv")
    first = get(path)
    assert first.headers["Cache-Control"] == "public, max-age=15, stale-while-revalidate=15"
    assert 2 * public.FRESH_SECONDS + 2 * public.REVALIDATE_SECONDS <= 60
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = Client().get(f"/api/v1/{path}", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    stale = Client().get(f"/api/v1/{path}", headers={"if-none-match": '"other"'})
    assert stale.content == first.content


def test_a_text_that_changed_has_another_tag():
    fact = factories.published_fact(slug="hela")
    before = get("facts/hela").headers["ETag"]
    factories.publish(fact, title="Ny fråga?", summary="Svar.", body="Text.")
    again = Client().get("/api/v1/facts/hela", headers={"if-none-match": before})
    assert again.json()["title"] == "Ny fråga?"


def test_an_answer_is_the_same_whatever_language_the_browser_prefers():
    factories.published_fact("ar", slug="hela")
    one, two = (Client().get("/api/v1/facts/hela", headers={"accept-language": code}) for code in ("ar", "sv"))
    assert one.content == two.content
    for name in ("Vary", "Content-Language", "Set-Cookie"):
        assert name not in one.headers


@pytest.mark.parametrize("path", [*PATHS, "facts/no-such", "facts?limit=0"])
def test_the_script_of_any_site_may_read_an_answer_and_nothing_else(path):
    factories.published_fact(slug="hela")
    elsewhere = {"origin": "https://elsewhere.example"}
    asked = Client().options(f"/api/v1/{path}", headers=elsewhere | {"access-control-request-method": "GET"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    for response in (asked, Client().get(f"/api/v1/{path}", headers=elsewhere)):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in response.headers
    for page in ("/sv/", "/staff/", "/sitemap.xml"):
        closed = Client().get(page, headers=elsewhere)
        assert "Access-Control-Allow-Origin" not in closed.headers
        assert closed.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_every_field_of_the_api_has_an_example_or_explains_itself():
    parts = schema()["components"]["schemas"]
    bare = [
        f"{name}.{field}"
        for name, part in parts.items()
        for field, about in part.get("properties", {}).items()
        if about.get("type") == "string" and not {"examples", "description", "format"} & about.keys()
        and name not in {"MissingOut", "MistakeOut"}
    ]  # fmt: skip
    assert bare == []


# What is not told ------------------------------------------------------------------------------------------------


def everything(*slugs: str) -> str:
    paths = ["openapi.json", "languages", *LISTS, *(f"facts/{slug}" for slug in slugs)]
    answers = [get(path, language=language).json() for path in paths for language in ("sv", "ar", "so", "en")]
    return json.dumps(answers, ensure_ascii=False)


def test_a_fact_is_told_from_its_publication_to_its_withdrawal():
    fact, author = factories.fact(), factories.user()
    text = {"title": "Fråga?", "summary": "Svar.", "body": "Text."}
    first = revisions.draft(fact, language="sv", fields=text, by=author)
    assert "Fråga?" not in everything(fact.slug)
    revisions.submit(first, by=author)
    revisions.approve(first, by=factories.user())
    assert "Fråga?" not in everything(fact.slug)
    assert get(f"facts/{fact.slug}").status_code == 404
    revisions.publish(first, by=factories.user())
    assert [row["title"] for row in items("facts")] == ["Fråga?"]
    revisions.draft(fact, language="sv", fields=text | {"title": "Senare?"}, by=author)
    assert "Senare?" not in everything(fact.slug)
    factories.publish(fact, "ar", title="Tredje?", summary="Svar.", body="Text.")
    assert "Tredje?" in everything(fact.slug)
    revisions.withdraw(fact, language="sv", by=author, reason="Fel")
    assert "Tredje?" not in everything(fact.slug)
    assert (items("facts"), get(f"facts/{fact.slug}", language="ar").status_code) == ([], 404)


def test_nothing_of_a_rumor_a_question_an_account_or_a_seat_is_told():
    mark = "MARKOR"
    editor = person(Role.EDITOR, email="editor-markor@example.org")
    internal = log(claim=f"{mark} 1", original=f"{mark} 2", area=f"{mark} 3", url="https://markor.example.net/")
    rumors.rate(internal, verdict="false", basis=f"{mark} 4", by=editor)
    rumors.move(internal, status="out_of_scope", reason=f"{mark} 5", by=editor)
    secret = log(claim=f"{mark} 6", original=f"{mark} 7", sensitivity="secret", by=person(Role.REPORTER, Role.SECURITY))
    fact = factories.published_fact(by=editor)
    published("ar", rumor=internal, fact=fact, slug="sa-ar-det")
    draft = answer(log(claim=f"{mark} 13"), fact=fact, slug="utkast-markor")
    revisions.draft(draft, language="sv", fields={"title": f"{mark} 8"}, by=editor)
    meeting = event("sv", "ar", is_online=True, join_url="https://meet.example.net/markor",
                    contact_registration="markor@example.org", contact_content=f"{mark} 9")  # fmt: skip
    who = {"name": f"{mark} 10", "email": "seat-markor@example.org", "language": "sv"}
    registrations.register(meeting, question=f"{mark} 11", **who)
    event(slug="utkast-markor-2")
    Question.objects.create(text=f"{mark} 12")
    told = everything(fact.slug, "utkast-markor")
    assert "sa-ar-det" in told
    assert "Biblioteket" in told
    assert re.findall(r"(?i).{20}markor.{20}", told) == []
    assert "@" not in told
    for rumor in (internal, secret):
        assert rumor.public_id not in told
    for name in ("Alva Ek", str(meeting.uid), "verdict", "sensitivity", "join_url", "created_by"):
        assert name not in told


def test_the_claim_of_a_rumor_is_not_told_even_where_the_page_tells_it():
    published("ar")
    assert items("rebuttals")[0].keys() == {"language", "title", "summary", "url"}
    assert "Ryktet" not in everything()


# What is asked wrongly -------------------------------------------------------------------------------------------

LONG = "9" * 5000
BAD = [
    ("GET", "", 404),
    ("GET", "nowhere", 404),
    ("GET", "facts/", 404),
    ("GET", "facts/no-such", 404),
    ("GET", "facts/a/b", 404),
    ("GET", "docs", 404),
    ("GET", "facts/%00", 400),
    ("GET", "facts/%ff", 404),
    ("GET", "facts/%F0%9F%98%80", 404),
    ("GET", f"facts/{LONG}", 404),
    ("GET", "facts?language=%00", 400),
    ("GET", "facts?x=%00", 400),
    ("GET", "facts?language=xx", 404),
    ("GET", "facts?language=", 404),
    ("GET", "facts?language=%ff%fe", 404),
    ("GET", "facts?language=yi", 404),
    ("GET", f"facts?language={LONG}", 404),
    ("GET", "facts/no-such?language=xx", 404),
    ("GET", "rebuttals?language=xx", 404),
    ("GET", "events?language=xx", 404),
    ("GET", "facts?audience=everybody", 422),
    ("GET", "facts?audience=%ff", 422),
    *(("GET", f"{path}?limit={limit}", 422) for path in LISTS for limit in ("0", "-1", "many", "", "1.5", LONG)),
    *(("GET", f"{path}?offset={offset}", 422) for path in LISTS for offset in ("-1", "far", LONG)),
    *((verb, "facts", 405) for verb in ("POST", "PUT", "PATCH", "DELETE")),
    ("POST", "openapi.json", 405),
    ("POST", "nowhere", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), BAD, ids=lambda value: str(value)[:40])
def test_a_program_that_asks_wrongly_is_told_so_in_a_sentence_of_json(method, path, status):
    factories.published_fact()
    response = Client().generic(method, f"/api/v1/{path}")
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("application/json")
    detail = response.json()["detail"]
    sentences = [detail] if status != 422 else [one["msg"] for one in detail]
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z].* .*", sentence)
        assert len(sentence) < 200
    assert ("GET" in response.headers.get("Allow", "")) is (status == 405)


def test_what_is_answered_to_who_asks_wrongly_is_described_too():
    described = schema()
    known = described["components"]["schemas"]
    seen = set()
    for method, path, status in BAD:
        name = "facts/{slug}" if path.startswith("facts/") else path.partition("?")[0]
        verbs = described["paths"].get(f"/api/v1/{name}")
        if not verbs or status not in {404, 422}:
            continue
        wanted = verbs["get"]["responses"][str(status)]["content"]["application/json"]["schema"]
        told = Client().generic(method, f"/api/v1/{path}").json()
        if status == 422:
            # Pydantic tells more than is promised.
            told = {"detail": [{"loc": one["loc"], "msg": one["msg"]} for one in told["detail"]]}
            wanted = known["MistakesOut"]
            parts = known["MistakeOut"]["properties"]["loc"]["items"]["anyOf"]
            assert {part["type"] for part in parts} == {"string", "integer"}
        assert fault(told, wanted, known) == "", path
        seen.add((name, status))
    assert {path for path, status in seen if status == 404} == {"facts", "facts/{slug}", "rebuttals", "events"}
    assert {path for path, status in seen if status == 422} == set(LISTS)
    assert fault({"detail": 5}, known["MissingOut"], known)


@pytest.mark.parametrize("path", ["languages", *LISTS, "facts/{slug}", "openapi.json"])
def test_a_head_without_a_body_is_told_what_a_get_would_be(path):
    fact = factories.published_fact()
    path = path.replace("{slug}", fact.slug)
    full, head = get(path), Client().head(f"/api/v1/{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(full.content))
    assert head.headers["Content-Type"] == full.headers["Content-Type"]
    assert Client().head("/api/v1/facts?language=xx").status_code == 404


@pytest.mark.parametrize("query", ["limit=99999999999999999999", "limit=1&limit=2", "nonsense=1&%ff=%ff"])
def test_a_strange_question_that_can_be_answered_is(query):
    fact = factories.published_fact()
    rows = Client().get(f"/api/v1/facts?{query}").json()["items"]
    assert [row["slug"] for row in rows] == [fact.slug]


def test_far_behind_the_end_there_is_nothing():
    factories.published_fact()
    told = get("facts", offset="9" * 24).json()
    assert (told["items"], told["count"], told["next"]) == ([], 1, None)


def test_a_dead_database_is_told_in_json_too(monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "PORT", "9")
    response = []

    def ask() -> None:
        # A thread has a connection of its own, and there is nobody where this one goes.
        response.append(Client(raise_request_exception=False).get("/api/v1/facts"))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(20)
    assert (response[0].status_code, response[0].json()) == (500, {"detail": "Something went wrong on our side"})


def test_a_list_of_facts_does_not_read_the_texts_of_other_languages():
    factories.published_fact("ar", "so")
    with CaptureQueriesContext(connection) as captured:
        get("facts", language="ar")
    sql = " ".join(query["sql"] for query in captured)
    assert "body_ar" in sql
    assert "body_so" not in sql


@pytest.mark.parametrize(("path", "most"), [("facts", 4), ("rebuttals", 2), ("events", 2)])
def test_three_rows_cost_as_many_queries_as_one(path, most):
    def add(number: int) -> None:
        fact = factories.published_fact("ar", topic=factories.topic(f"topic-{number}"))
        fact.sources.create(title="Lag")
        published("ar", fact=fact, slug=f"svar-{number}")
        event("sv", "ar", slug=f"traff-{number}")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(path, language="ar")
        return len(captured)

    add(1)
    get(path)
    one = queries()
    add(2)
    add(3)
    assert len(items(path)) == 3
    assert queries() == one <= most

"""What only the security role may read: found on no page, in no list, log, mail or cache of anybody else."""

import json
import re
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import redis
from django.conf import settings as site
from django.urls import Resolver404, resolve
from django.utils import timezone

from portal import languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from rumors import actions as rumors
from rumors.assessments import actions as assessments
from rumors.assignments import actions as assignments
from rumors.comments import actions as comments
from rumors.evidence import actions as evidence
from rumors.exports import actions as exports
from rumors.intake import actions as intake
from rumors.models import Rumor
from rumors.pairs import actions as pairs
from rumors.responses import actions as responses
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.rumors.conftest import log, published

pytestmark = pytest.mark.django_db

OTHERS = [role for role in Role if role != Role.SECURITY]
MARK = re.compile(r"[zZ]q[a-z]{2,}qz")  # not of any case: random tokens on pages would be found
AGAIN = {"text", "revision", "staff_fact", "fact", "edit_fact", "translations", "matrix", "staff_topic", "handout"}
"""Of pages like these one of a kind is looked at: they are about the library, and there are hundreds."""
NEVER = re.compile(r"/logout|/login|\.pdf|\.png|set_language|/admin/")
"""Printed and drawn pages of the library take long, and their bytes hold no words."""
OTHER_LANGUAGES = set(languages.CATALOG) - {"sv", "ar"}


@pytest.fixture
def secret(db) -> Rumor:
    """A secret rumor with a word of its own in every text, and an open one with a threat."""
    by = person(Role.SECURITY)
    today = timezone.localdate()
    rumor = rumors.log(
        claim="Det sägs zqclaimqz",
        original="zqoriginalqz",
        channel="phone",
        seen_on=today,
        by=by,
        sensitivity="secret",
        area="zqareaqz",
        url="https://zqurlqz.example/",
        archive_url="https://zqarchiveqz.example/",
        country="zqcountryqz",
    )
    rumors.rate(rumor, verdict="false", basis="zqbasisqz", by=by)
    assessments.assess(rumor, reach="trending", basis="zqreachqz", impacts={"staff_safety": "high"}, by=by)
    assessments.describe(rumor, attribution="zqactorqz", by=by)
    evidence.add(rumor, stance="refutes", text="zqevidenceqz", url="https://zqproofqz.example/", by=by)
    comments.comment(rumor, text="zqcommentqz", form_id=uuid4(), by=by)
    assignments.assign(rumor, to=by, note="zqnoteqz", by=by)
    done = responses.plan(rumor, action="ignore", reason="zqreasonqz", review_on=today, by=by)
    responses.finish(done, result="zqresultqz", by=by)
    rumors.move(rumor, status="out_of_scope", reason="zqstatusqz", by=by)
    intake.keep(form_id=uuid4(), data={"claim": "zqdraftqz"}, by=by)
    same = log(claim="Det sägs zqsameqz", sensitivity="secret", by=by)
    pairs.relate(same, other=rumor, kind="same", by=by)

    spread = log(claim="Det sägs att kontoret ska stängas", area="Väster")
    threat = rumors.sight(
        spread, channel="phone", seen_on=today, by=by, original="zqthreatqz", area="zqthreatareaqz", is_threat=True
    )
    rumors.handle(threat, note="zqhandledqz", by=by)
    published(rumor=spread)

    # What repeats a rumor becomes secret with it, and the list that one of both was in does not show it.
    told, again = log(claim="Det sägs zqtoldqz", by=by), log(claim="Det sägs zqagainqz", original="zqtwiceqz", by=by)
    pairs.merge(again, into=told, by=by)
    rumors.edit(told, by=by, sensitivity="secret")
    exports.order(
        what="rumors", kind="csv", level=2, columns=["claim"], query="words=zqqueryqz", form_id=uuid4(), by=by,
        with_secret=True,
    )  # fmt: skip
    return rumor


def links(page: str) -> set[str]:
    return {address.replace("&amp;", "&") for address in re.findall(r'(?:href|action)="(/[^"#]*)', page)}


def kind_of(path: str) -> str:
    """Two addresses of one kind show the same page of different things."""
    try:
        found = resolve(urlsplit(path).path)
    except Resolver404:
        return path
    name = found.url_name or path
    return name if name in AGAIN else f"{name} {sorted(found.kwargs.items())} {urlsplit(path).query[:60]}"


def crawl(client, *starts: str):
    """Every page that links lead to, with what it says."""
    seen, ahead = set(), list(starts)
    while ahead:
        path = ahead.pop()
        kind = kind_of(path)
        if kind in seen or NEVER.search(path) or path.split("/")[1] in OTHER_LANGUAGES:
            continue
        seen.add(kind)
        response = client.get(path)
        if response.streaming:
            yield path, b"".join(response.streaming_content).decode(errors="ignore")
            continue
        content = response.content.decode(errors="ignore")
        yield path, content
        if "html" in response.get("Content-Type", ""):
            ahead += sorted(links(content))
        elif response.status_code == 302:
            ahead.append(response["Location"])


DIRECT = [
    "/staff/rumors/{pk}/", "/staff/rumors/{pk}/logged/", "/staff/rumors/{pk}/edit/", "/staff/rumors/{pk}/sight/",
    "/staff/rumors/{pk}/rate/", "/staff/rumors/{pk}/link/", "/staff/rumors/{pk}/assign/", "/staff/rumors/{pk}/assess/",
    "/staff/rumors/{pk}/abcde/", "/staff/rumors/{pk}/respond/", "/staff/rumors/{pk}/relate/",
    "/staff/rumors/{pk}/comment/", "/staff/rumors/{pk}/evidence/", "/staff/rumors/threats/",
    "/staff/rumors/?words=zq", "/staff/rumors/?sensitivity=secret", "/staff/rumors/?area=zqareaqz", "/sv/search/?q=zq",
    "/api/v1/rebuttals", "/sv/feed.xml", "/sitemap.xml",
]  # fmt: skip


@pytest.mark.parametrize("role", OTHERS, ids=str)
def test_nobody_else_finds_a_word_of_it_anywhere(role, secret, caplog):
    client = sign_in(person(role))
    caplog.set_level("DEBUG")
    before = AuditEvent.objects.count()
    found, pages = {}, 0
    starts = [path.format(pk=secret.pk) for path in DIRECT]
    for path, content in crawl(client, "/staff/", "/sv/", *starts):
        pages += 1
        told = {word for word in MARK.findall(content) if word not in path}
        # The other way round: it must not show by its number either.
        if told or secret.public_id in content:
            found[path] = told or secret.public_id
    assert pages > 40
    assert found == {}
    if role in {Role.REPORTER, Role.EDITOR, Role.EVENTS}:
        sent = {"claim": "Det sägs zqclaimqz zqoriginalqz", "original": "zqthreatqz", "form_id": uuid4()}
        known = client.post("/staff/rumors/log/known/", sent)
        assert known.context["known"].ids == []
    assert not MARK.search(caplog.text)
    # Who opens the register of actors is told as well, whatever is in it.
    read = AuditEvent.objects.filter(verb="read").exclude(kind__startswith="actors.")
    assert not read.exists()
    assert AuditEvent.objects.count() >= before


def test_strangers_find_nothing(secret):
    found = {path: MARK.findall(content) for path, content in crawl(browser(), "/sv/", "/ar/", *DIRECT[-4:])}
    assert {path: told for path, told in found.items() if told} == {}


def test_the_security_role_finds_it_and_every_reading_is_logged(secret):
    reader = person(Role.SECURITY)
    client = sign_in(reader)
    page = client.get(f"/staff/rumors/{secret.pk}/").content.decode()
    for word in ["claim", "original", "area", "basis", "evidence", "comment", "note", "reason", "result", "actor"]:
        assert f"zq{word}qz" in page
    assert AuditEvent.objects.about(secret).filter(verb="read", by=reader).count() == 1
    again = client.get(f"/staff/rumors/{secret.pk}/").content.decode()
    assert reader.name in again
    assert "Läste" in again or "Read" in again
    # A list is no reading: it names the number only.
    row = client.get("/staff/rumors/?sensitivity=secret").content.decode()
    assert secret.public_id in row
    assert "zqclaimqz" not in row


def test_no_word_of_it_is_in_the_log_of_deeds_the_mail_or_the_cache(secret):
    factories.published_fact()
    for event in AuditEvent.objects.all():
        assert not MARK.search(json.dumps([event.changes, event.note, event.excuse])), event
    for delivery in Delivery.objects.all():
        assert not MARK.search(json.dumps([delivery.payload, delivery.context, delivery.key])), delivery
    client = redis.Redis.from_url(site.REDIS_URL)
    for key in client.scan_iter():
        if client.type(key) == b"string":
            assert not MARK.search((client.get(key) or b"").decode(errors="ignore")), key

"""Found by meaning: centered vectors, kept as a promise, and never by way of a service that must not see the text."""

import math
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from portal import spoken
from rumors.matching import actions, embedding, rules
from rumors.matching.models import Center, Document
from tests.matching.test_words import index


def embed():
    return actions.embed_due(limit=1000, now=timezone.now())


@pytest.mark.django_db
def test_a_text_in_another_language_and_letters_is_found_by_what_it_means(service):
    index(1, "pris bröd")
    index(2, "barn skola tolk")
    assert embed() == 2
    matches = rules.match("سعر الخبز", language="ar")
    assert matches.is_semantic
    first = matches.found[0]
    assert (first.object_id, first.method, first.terms) == (1, "meaning", ())
    assert first.cosine > 0.9
    # Under eight words it is no more than a suggestion.
    assert not first.is_likely


@pytest.mark.django_db
def test_likely_the_same_is_what_says_enough_is_alike_and_was_seen_of_late(service):
    text = "de säger att man tar barn från familjer utan domstol"
    index(1, text)
    index(2, text, seen_on=timezone.localdate() - timedelta(days=800))
    index(3, text, seen_on=timezone.localdate() - timedelta(days=30))
    embed()
    likely = {hit.object_id: hit.is_likely for hit in rules.match(text, language="sv")}
    assert likely == {1: True, 2: False, 3: True}
    assert not any(hit.is_likely for hit in rules.match("https://exempel.se/a-b-c-d-e-f-g-h-i", language="sv"))


@pytest.mark.django_db
def test_vectors_are_centered_by_their_language_and_of_length_one(service):
    index(1, "barn skola")
    embed()
    [document] = Document.objects.all()
    assert math.isclose(sum(number * number for number in document.vector), 1, rel_tol=1e-2)
    center = Center.objects.get(language="sv").vector
    raw = embedding.configured().embed(["barn skola"], "passage", "sv")[0]
    assert document.vector == pytest.approx(embedding.centered(raw, center), abs=2e-3)
    assert Center.objects.count() == len(embedding.calibration()) == 18


@pytest.mark.django_db(transaction=True)
def test_two_workers_keep_each_promise_once(service):
    for number in range(40):
        index(number, f"text {number}")
    actions.center(embedding.configured())
    kept = []

    def work():
        try:
            kept.append(embed())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(kept) == 40
    assert sorted(service.texts) == sorted(f"query: text {number}" for number in range(40))
    assert Document.objects.filter(vector__isnull=True).count() == 0


@pytest.mark.django_db
def test_a_new_model_and_a_new_text_make_a_new_vector_and_what_stays_keeps_its_own(service, settings):
    index(1, "barn")
    index(2, "skola")
    assert embed() == 2
    assert embed() == 0
    index(1, "barn")
    assert embed() == 0
    index(1, "tolk")
    assert Document.objects.get(object_id=1).vector is None
    assert embed() == 1
    settings.EMBEDDING_MODEL = "two"
    assert not rules.match("skola", language="sv").is_semantic
    assert embed() == 2
    assert rules.match("skola", language="sv").is_semantic


@pytest.mark.django_db
def test_a_text_that_changes_while_it_is_embedded_stays_due(service):
    index(1, "barn")
    embedder = embedding.configured()
    [taken] = actions._claim(embedder, 5, now=timezone.now())
    assert actions._claim(embedder, 5, now=timezone.now()) == []
    index(1, "skola")
    assert actions._embed(embedder, [taken], actions.center(embedder)) == 0
    assert Document.objects.get().vector is None
    assert embed() == 1
    # What a worker took and never settled is due after the lease.
    index(1, "tolk")
    actions._claim(embedder, 5, now=timezone.now())
    assert embed() == 0
    assert actions.embed_due(limit=5, now=timezone.now() + actions.LEASE + timedelta(minutes=1)) == 1


@pytest.mark.django_db
def test_the_model_reads_no_quotation_marks(service):
    index(1, '”Mahkeme yok” – “dediler’de”, «ne» "var"')
    assert embed() == 1
    assert service.texts == ["query: Mahkeme yok - dediler'de , ne var"]


@pytest.mark.django_db
def test_a_service_never_sees_a_secret_text_or_one_in_which_the_guard_finds_something(service):
    index(1, "hemligt hot", is_secret=True)
    index(2, "ring 070-123 45 67 om barnen")
    index(3, "barnen")
    assert embed() == 3
    assert service.texts == ["query: barnen"]
    assert set(Document.objects.filter(vector__isnull=True).values_list("object_id", flat=True)) == {1, 2}
    assert not rules.match("hemligt hot", language="sv", is_secret=True).is_semantic
    assert not rules.match("skriv till anna@exempel.se om barnen", language="sv").is_semantic
    assert service.texts == ["query: barnen"]
    assert set(service.keys) == {"Bearer a key"}
    # By words they are found all the same.
    assert [hit.object_id for hit in rules.match("hemligt hot", language="sv", with_secret=True, is_secret=True)] == [1]


@pytest.mark.django_db
@pytest.mark.parametrize("fault", ["status", "size", "body", "number", "away"])
def test_a_service_that_fails_costs_only_the_meanings(service, settings, fault):
    index(1, "barnen tas")
    embed()
    match fault:
        case "status":
            service.status = 503
        case "size":
            service.size = 12
        case "body":
            service.body = b"{"
        case "number":
            service.body = b'{"data": [{"index": 0, "embedding": ["x"]}]}'
        case "away":
            settings.EMBEDDING_URL = "http://127.0.0.1:9/v1"
    index(2, "barnen hämtas")
    assert embed() == 0
    matches = rules.match("barnen tas", language="sv")
    assert not matches.is_semantic
    assert next(hit.object_id for hit in matches) == 1


@pytest.mark.django_db
def test_our_own_model_finds_an_arabic_text_among_swedish_ones():
    index(1, "Socialtjänsten tar barn från muslimska familjer utan anledning.")
    index(2, "Priset på bröd har stigit i år.")
    index(3, "Skolan är stängd på fredag.")
    assert embed() == 3
    matches = rules.match("سمعت أن السوسيال يأخذ الأطفال من العائلات المسلمة بدون أي سبب", language=None)
    assert (matches.is_semantic, matches.language) == (True, "ar")
    first = matches.found[0]
    assert (first.object_id, first.is_likely, first.method) == (1, True, "meaning")
    assert embed() == 0


def test_the_centers_that_come_with_our_model_are_those_of_the_sentences():
    own = embedding.configured()
    kept = embedding.shipped(own.name)
    assert kept.keys() == embedding.calibration().keys()
    assert {len(sentences) for sentences in embedding.calibration().values()} == {40}
    fresh = embedding.mean(own.embed(embedding.calibration()["ti"][:40], "query", "ti"))
    assert fresh == pytest.approx(kept["ti"], abs=1e-3)


@pytest.mark.parametrize("code", sorted(embedding.calibration()))
def test_the_language_of_a_text_is_guessed_or_left_open_but_hardly_ever_wrong(code):
    sentences = embedding.calibration()[code]
    guesses = [spoken.guess(sentence) for sentence in sentences]
    expected = {"prs": "fa"}.get(code, code)  # written Dari and Persian are hard to tell apart
    assert guesses.count(expected) >= 0.75 * len(guesses)
    assert sum(1 for guess in guesses if guess not in {expected, ""}) <= 2
    assert spoken.guess(" ".join(sentences[:5])) == expected


@pytest.mark.parametrize(
    "text", ["", "barn", "LVU nu 2026", "😡 😡 😡 😡 😡", "\x00\ud800 a b", "https://exempel.se/det/har/ar/svenska"]
)
def test_a_text_of_under_four_words_is_in_no_language_for_sure(text):
    assert spoken.guess(text) == ""

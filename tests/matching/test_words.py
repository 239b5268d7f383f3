"""What is left of a text when it is compared, and by words: BM25, counted exactly whatever happens at once."""

import math
import random
import threading
from collections import Counter

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumors.matching import actions, rules, words
from rumors.matching.models import Document, Tally

WORDS = "barn skola soc bröd pris lag domstol familj tolk hemma ring polis nytt gammalt resa".split()


def index(object_id, text, *, kind="rumor", part="claim", language="sv", **fields):
    actions.index(kind=kind, object_id=object_id, part=part, language=language, text=text, **fields)


def found(text, **options):
    return [(hit.kind, hit.object_id) for hit in rules.match(text, language=options.pop("language", "sv"), **options)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("RT @soc_watch: De tar barnen! https://t.co/abc 😡😡", "De tar barnen!"),
        ("#StopLVU #sverige_2026", "Stop LVU sverige 2026"),
        ("Sant.\nSant.\nSANT.  Eller   hur?", "Sant.\nEller hur?"),
        ("*Viktigt*\x00 läs www.exempel.se/sida!!!", "Viktigt läs"),
        ("الأطفال 🙏 #أوقفوا_الخطف", "الأطفال أوقفوا الخطف"),
        ("", ""),
        ("😡🔥", ""),
    ],
)
def test_a_text_is_left_with_what_it_says(text, left):
    assert words.clean(text) == left


def test_a_long_text_is_compared_in_pieces_and_a_short_one_as_it_is():
    assert words.pieces("De tar barnen.") == ["De tar barnen."]
    long = words.clean(" ".join(f"Mening nummer {n} handlar om något annat." for n in range(60)))
    whole, *parts = words.pieces(long)
    assert len(parts) == words.PIECES
    assert all(part in whole and words.PIECE <= words.count(part) <= 3 * words.PIECE for part in parts)


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
@pytest.mark.parametrize("seed", range(4))
def test_the_scores_are_those_of_bm25(seed):
    chance = random.Random(seed)
    texts = {n: " ".join(chance.choices(WORDS, k=chance.randint(1, 25))) for n in range(1, 31)}
    for number, text in texts.items():
        index(number, text)
    query = " ".join(chance.sample(WORDS, 4))

    with connection.cursor() as cursor:
        cursor.execute("SELECT object_id, to_tsvector('swedish', text)::text FROM matching_document")
        documents = {
            number: Counter({entry.split(":")[0].strip("'"): entry.count(",") + 1 for entry in stored.split()})
            for number, stored in cursor.fetchall()
        }
        cursor.execute("SELECT lexeme FROM unnest(to_tsvector('swedish', %s))", [query])
        asked = [row[0] for row in cursor.fetchall()]
    average = sum(sum(counts.values()) for counts in documents.values()) / len(documents)
    expected = {}
    for number, counts in documents.items():
        score = 0.0
        for word in asked:
            holding = sum(1 for other in documents.values() if word in other)
            rarity = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
            norm = rules.K1 * (1 - rules.B + rules.B * sum(counts.values()) / average)
            score += rarity * counts[word] * (rules.K1 + 1) / (counts[word] + norm)
        if score:
            expected[number] = score

    rows = rules._rows(rules._asked(query), "", [], ("rumor",), with_secret=False, leave_out=())
    assert {row.object_id: pytest.approx(row.bm25) for row in rows} == expected


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
def test_without_the_model_words_answer_alone_and_it_says_so():
    index(1, "Socialtjänsten kidnappar barn från muslimska familjer")
    index(2, "Priset på bröd har stigit")
    matches = rules.match("de kidnappar barnen från familjer som är muslimska, sägs det", language="sv")
    assert not matches.is_semantic
    [hit] = matches
    assert (hit.object_id, hit.method, hit.cosine, hit.is_likely) == (1, "words", None, False)
    assert set(hit.terms) == {"kidnappar", "barnen", "familjer", "muslimska"}


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
def test_a_thing_comes_once_with_its_best_text_whichever_language_that_is():
    index(7, "Barn tas", part="claim")
    index(7, "Carruurta waa la qaadaa bilaa sabab", part="original", language="so")
    index(7, "Barn tas ifrån sina föräldrar i Malmö", part="sighting:3")
    index(8, "Carruurta dugsiga", part="claim", language="so")
    assert [(hit.object_id, hit.part) for hit in rules.match("barn tas ifrån föräldrar i Malmö", language="sv")] == [
        (7, "sighting:3")
    ]
    first = next(iter(rules.match("carruurta waa la qaadaa", language="so")))
    assert (first.object_id, first.part, first.language) == (7, "original", "so")


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
def test_a_secret_text_is_found_only_by_those_who_may_read_it():
    index(1, "Hotet mot familjen på skolan", is_secret=True)
    assert found("hotet mot familjen") == []
    assert rules.near("Hotet mot familjen på skola") == []
    assert found("hotet mot familjen", with_secret=True) == [("rumor", 1)]
    assert [hit.object_id for hit in rules.near("Hotet mot familjen på skola", with_secret=True)] == [1]
    index(1, "Hotet mot familjen på skolan", is_secret=False)
    assert found("hotet mot familjen") == [("rumor", 1)]


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
def test_what_is_left_out_and_other_kinds_do_not_come():
    for number in range(1, 5):
        index(number, f"Barnen tas nummer {number}")
    index(9, "Barnen tas", kind="fact")
    assert ("rumor", 2) not in found("barnen tas", leave_out={("rumor", 2)})
    assert found("barnen tas", kinds=("fact",)) == [("fact", 9)]
    assert len(found("barnen tas", limit=2)) == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
def test_a_merged_thing_is_found_as_the_other_one_with_all_its_texts():
    index(1, "Barnen tas", part="claim")
    index(1, "Familjer flyr", part="sighting:4")
    index(2, "Ungarna hämtas", part="claim:2")
    actions.move(kind="rumor", from_id=1, to_id=2)
    assert found("barnen tas") == found("familjer flyr") == found("ungarna hämtas") == [("rumor", 2)]
    actions.remove(kind="rumor", object_id=2, part="sighting:4")
    assert found("familjer flyr") == []
    actions.remove(kind="rumor", object_id=2)
    assert not Document.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "😡", "\ud800", "'", "\\", "a & | ! <-> :*", "x" * 20_000, "barn " * 4000]
)
def test_odd_texts_are_indexed_and_asked_for(text):
    index(1, text)
    index(2, "barn i skolan")
    assert isinstance(found(text), list)
    assert isinstance(rules.near(text), list)
    assert ("rumor", 2) in found("barn i skolan" + text[:100])


@pytest.mark.django_db
@pytest.mark.usefixtures("without_meaning")
def test_what_is_nearly_the_same_comes_while_somebody_types():
    index(1, "Socialtjänsten tar barn utan skäl")
    index(2, "Priset på bröd stiger")
    assert [hit.object_id for hit in rules.near("socialtjänsten tar barn utan skä")] == [1]


@pytest.mark.django_db
def test_few_queries_are_needed(service):
    for number in range(5):
        index(number, f"Barnen tas nummer {number}")
    actions.embed_due(limit=10, now=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert rules.match("barnen tas i dag").is_semantic
    assert len(queries) <= 5
    with CaptureQueriesContext(connection) as queries:
        rules.near("barnen tas")
    assert len(queries) == 1


def sums():
    """What the rows of each word add up to."""
    counted = Counter()
    for row in Tally.objects.all():
        counted[row.language, row.word, "documents"] += row.documents
        counted[row.language, row.word, "length"] += row.length
    return {key: count for key, count in counted.items() if count}


def counted():
    """The same, counted in the texts."""
    true = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT language, lexeme, cardinality(positions) FROM matching_document CROSS JOIN LATERAL unnest(words)"
        )
        for language, word, times in cursor.fetchall():
            true[language, word, "documents"] += 1
            true[language, "", "length"] += times
    for language in Document.objects.filter(by_words=True).values_list("language", flat=True):
        true[language, "", "documents"] += 1
    return {key: count for key, count in true.items() if count}


STEPS = st.one_of(
    st.tuples(
        st.just("index"),
        st.integers(1, 3),
        st.sampled_from(["claim", "original"]),
        st.sampled_from(["sv", "so", ""]),
        st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
        st.booleans(),
    ),
    st.tuples(st.just("remove"), st.integers(1, 3)),
    st.tuples(st.just("move"), st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.just("add_up")),
)


@pytest.mark.django_db
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_the_counts_are_exact_after_any_history(db, steps):
    Document.objects.all().delete()
    for step in steps:
        match step:
            case "index", number, part, language, text, by_words:
                index(number, text, part=part, language=language, by_words=by_words)
            case "remove", number:
                actions.remove(kind="rumor", object_id=number)
            case "move", one, other:
                actions.remove(kind="rumor", object_id=other + 3)
                actions.move(kind="rumor", from_id=one, to_id=other + 3)
            case _:
                actions.add_up()
    assert sums() == counted()
    actions.add_up()
    assert sums() == counted()
    assert Tally.objects.count() == Tally.objects.values("language", "word").distinct().count()


@pytest.mark.django_db(transaction=True)
def test_the_counts_are_exact_after_two_wrote_the_same_at_once_and_a_third_added_up():
    errors = []

    def write(numbers):
        try:
            for number in numbers:
                index(number, f"Barnen {number} tas i skolan {number % 3}")
                if number % 4 == 0:
                    actions.remove(kind="rumor", object_id=number)
        except Exception as error:  # noqa: BLE001 - any is told
            errors.append(error)
        finally:
            connections.close_all()

    def tidy():
        try:
            for _ in range(10):
                actions.add_up()
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=write, args=(range(1, 31),)),
        threading.Thread(target=write, args=(range(30, 0, -1),)),
        threading.Thread(target=tidy),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sums() == counted()
    actions.add_up()
    assert sums() == counted()


def test_the_words_of_one_text_and_the_meaning_of_another_count_together():
    claim = rules._Row("rumor", 1, "claim", "sv", None, 0, 0.5, [])
    sighting = rules._Row("rumor", 1, "sighting:1", "sv", None, 2, 0.2, ["domstol"])
    unread = rules._Row("rumor", 1, "sighting:2", "sv", None, 3, None, ["domstol"])
    best = rules._best([(0.0, 0.0, claim), (0.3, 0.2, sighting)])
    assert best.score == pytest.approx(0.5 + 0.3 + rules.REST * 0.2)
    assert (best.row, best.share, best.cosine) == (claim, 0.2, 0.5)
    assert rules._best([(0.3, 0.4, unread)]).score == pytest.approx(0.3 + rules.GUESSED * 0.4)
    assert rules._best([(0.0, 0.0, claim), (0.3, 0.4, unread)]).score == pytest.approx(0.5 + 0.3)

"""Logging what was heard: what is known already, in two steps or while typing; drafts; questions from the public."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import spoken
from portal.accounts.models import Role
from portal.pictures.models import Picture
from portal.questions import actions as questions
from portal.questions.models import Door, Outcome
from rumors import actions as rumors
from rumors.alarms.rules import Kind, standing
from rumors.intake import actions
from rumors.intake.models import Draft, Offer
from rumors.matching import actions as matching
from rumors.matching import embedding
from rumors.models import Rumor, Sighting
from rumors.pairs import actions as pairs
from tests import factories
from tests.accounts.people import person, sign_in
from tests.exports.conftest import Exporter
from tests.pictures.conftest import sent
from tests.pictures.images import file_of, screenshot
from tests.rumors.conftest import CLAIM, answer, log, published
from tests.rumors.test_log import NUMBER, form

pytestmark = pytest.mark.django_db
URL = "/staff/rumors/log/"
KNOWN = f"{URL}known/"
ONLY_WORDS = "nu jämförs bara ord, inte betydelser"


@pytest.fixture
def reporter(db):
    return person(Role.REPORTER)


@pytest.fixture
def as_reporter(reporter):
    return sign_in(reporter)


def flat(response) -> str:
    return " ".join(response.content.decode().split())


# In two steps ----------------------------------------------------------------------------------------------------


def test_what_is_known_is_shown_before_anything_is_saved(as_reporter):
    fact = factories.published_fact("tr")
    earlier = log()
    published("tr", rumor=earlier, fact=fact)
    response = as_reporter.post(URL, form(claim="Barn tas utan att en domstol prövar det"))
    assert (response.status_code, Rumor.objects.count()) == (200, 1)
    known = response.context["known"].rumors[0]
    assert known.rumor == earlier
    assert {"barn", "domstol"} <= {term.lower() for term in known.reason.match.terms}
    assert ("domstol", True) in known.reason.wording
    answer = known.answers[0]
    assert answer.title == "Domstolen beslutar om vård utan samtycke"
    assert (answer.url, answer.language.code) == ("/tr/rumors/domstolen-beslutar/", "tr")
    assert answer.handout_url == f"/sv/facts/{fact.slug}/handout.pdf?with=tr"
    page = flat(response)
    for words in ["<mark>domstol</mark>", "En domstol beslutar. Kommunen ansöker.", f'href="{answer.handout_url}"']:
        assert words in page
    assert f'name="same" value="{earlier.pk}"' in page
    assert f'name="offered" value="{earlier.pk}"' in page
    assert "Mahkeme yok" in page  # nothing typed is lost


def test_the_second_time_it_is_saved_as_new(as_reporter, reporter):
    earlier = log()
    first = as_reporter.post(URL, form())
    offered = re.search(r'name="offered" value="([^"]*)"', flat(first))[1]
    form_id = re.search(r'name="form_id" value="([^"]*)"', flat(first))[1]
    as_reporter.post(URL, form(offered=offered, form_id=form_id))
    made = Rumor.objects.get(logged_by=reporter)
    assert made.claim == CLAIM
    offer = Offer.objects.get()
    assert (offer.rumor, offer.is_taken, offer.place, offer.form_id) == (earlier, False, 1, made.form_id)


def test_this_is_it_makes_a_sighting_of_what_is_known(as_reporter, reporter):
    earlier, other = log(), log(claim="Det sägs att barn tas utan domstol på natten")
    form_id = uuid4()
    sent_twice = [as_reporter.post(URL, form(same=str(earlier.pk), form_id=form_id)) for _ in range(2)]
    assert {answer["Location"] for answer in sent_twice} == {f"/staff/rumors/{earlier.pk}/logged/"}
    sighting = Sighting.objects.get(logged_by=reporter)
    assert (sighting.rumor, sighting.original, sighting.language) == (earlier, "Mahkeme yok", "tr")
    assert (sighting.channel, sighting.area) == ("home_visit", "Väster")
    assert Rumor.objects.count() == 2
    assert {(offer.rumor, offer.is_taken) for offer in Offer.objects.all()} == {(earlier, True), (other, False)}


def test_what_was_chosen_stays_chosen_while_something_is_missing(as_reporter, reporter):
    earlier = log()
    page = as_reporter.post(URL, form(same=str(earlier.pk), channel=""))
    assert page.context["form"].errors.keys() == {"channel"}
    button = f'<button name="same" value="{earlier.pk}">Lägg till att {earlier} hörts igen</button>'
    assert button in flat(page)
    assert f"Du lägger till att {earlier} hörts igen:" in flat(page)
    as_reporter.post(URL, form(same=str(earlier.pk)))
    assert Sighting.objects.get(logged_by=reporter).rumor == earlier


def test_this_is_it_needs_no_claim_but_some_words(as_reporter, reporter):
    earlier = log()
    response = as_reporter.post(URL, form(same=str(earlier.pk), claim="", original=""))
    assert response.context["form"].errors.keys() == {"original"}
    as_reporter.post(URL, form(same=str(earlier.pk), claim="", original="Mahkeme yok"))
    as_reporter.post(URL, form(same=str(earlier.pk), claim="De tar barnen", original="", original_language=""))
    said = Sighting.objects.filter(logged_by=reporter).order_by("pk").values_list("original", "language")
    assert list(said) == [("Mahkeme yok", "tr"), ("De tar barnen", "sv")]


def test_a_number_that_one_knows_is_enough(as_reporter, reporter):
    earlier = log(claim="Något helt annat")
    typed = earlier.public_id.lower().replace("r-", "R ")
    as_reporter.post(URL, form(same="number", number=typed))
    assert Sighting.objects.get(logged_by=reporter).rumor == earlier
    response = as_reporter.post(URL, form(same="number", number="R-1999-0001"))
    assert response.context["form"].errors.keys() == {"number"}


@pytest.mark.parametrize("same", ["x", "-1", "9" * 30, "٣", "0"])
def test_a_rumor_that_is_not_there_is_nothing_to_sight(as_reporter, same):
    response = as_reporter.post(URL, form(same=same))
    assert response.status_code == 422
    assert not Sighting.objects.exists()


def test_nothing_known_is_saved_at_once_and_the_receipt_says_so(as_reporter):
    log(claim="Zebror dansar")
    response = as_reporter.post(URL, form(), follow=True)
    assert Rumor.objects.count() == 2
    assert not response.context["known"]
    assert "It is now on the list of what needs one" in flat(response) or "listan" in flat(response)


def test_what_came_up_meanwhile_is_shown_once_more(as_reporter):
    first = log()
    second = log(claim="Det sägs att barn tas utan att någon domstol prövar det")
    response = as_reporter.post(URL, form(offered=str(first.pk)))
    assert set(response.context["known"].ids) == {first.pk, second.pk}
    assert Rumor.objects.count() == 2


def test_a_screenshot_stays_through_the_second_step(as_reporter, reporter, tmp_path, settings):
    settings.PICTURES_ROOT = tmp_path
    log()
    first = as_reporter.post(URL, form() | {"picture": sent(file_of(screenshot(), "PNG"))})
    kept = re.search(r'name="kept_picture" value="(\d+)"', flat(first))[1]
    offered = re.search(r'name="offered" value="([^"]*)"', flat(first))[1]
    as_reporter.post(URL, form(offered=offered, kept_picture=kept))
    picture = Picture.objects.get()
    assert Sighting.objects.get(logged_by=reporter).picture == picture
    # Another one's picture, or one that is used, is nobody's to take.
    other = sign_in(person(Role.REPORTER))
    other.post(URL, form(offered=",".join(map(str, Rumor.objects.values_list("pk", flat=True))), kept_picture=kept))
    assert Sighting.objects.filter(picture=picture).count() == 1


@pytest.fixture
def unsure(monkeypatch):
    """Three words in a language that nobody can tell."""
    return {"original": "Domstol barn tas", "original_language": ""}


def test_words_in_a_language_that_is_not_known_yet_find_a_fact(as_reporter, reporter, unsure):
    fact = factories.fact()
    factories.publish(fact, title="Barn tas utan domstol", summary="En domstol beslutar.", body="Om domstolen.")
    matching.follow_library(limit=10)
    published(rumor=log())
    form_id = uuid4()
    typed = as_reporter.post(KNOWN, {"claim": CLAIM, "form_id": form_id, **unsure})
    claimed = as_reporter.post(KNOWN, {"claim": CLAIM, "form_id": uuid4()})
    opened = as_reporter.get(f"{URL}?draft={form_id}")
    only_claim = as_reporter.get(f"{URL}?draft={Draft.objects.exclude(form_id=form_id).get().form_id}")
    for response in (typed, claimed, opened, only_claim):
        known = response.context["known"]
        assert [one.answer.language.code for one in known.facts] == ["sv"]
        assert [answer.language.code for one in known.rumors for answer in one.answers] == ["sv"]
        assert "En domstol beslutar." in flat(response)


# The receipt -----------------------------------------------------------------------------------------------------


def test_the_receipt_of_what_is_known_says_what_to_answer_and_merges_nothing(as_reporter):
    fact = factories.published_fact("tr")
    earlier = log(by=person(Role.EDITOR))
    published("tr", rumor=earlier, fact=fact)
    log(claim="Det sägs att barn tas utan domstol på natten")
    receipt = as_reporter.post(URL, form(same=str(earlier.pk)), follow=True)
    assert [(answer.title, answer.language.code) for answer in receipt.context["answers"]] == [
        ("Domstolen beslutar om vård utan samtycke", "tr")
    ]
    page = flat(receipt)
    assert "Domstolen beslutar om vård utan samtycke" in page
    assert receipt.context["known"].rumors
    assert "/merge/" not in page
    for words in ["listan över det som behöver ett", "Inget publicerat svar hittades"]:
        assert words not in page


def test_who_may_handle_everything_is_not_offered_to_merge_an_old_rumor_either():
    editor = person(Role.EDITOR)
    earlier = log(by=editor)
    log(claim="Det sägs att barn tas utan domstol på natten")
    receipt = sign_in(editor).post(URL, form(same=str(earlier.pk)), follow=True)
    assert receipt.context["known"].rumors
    assert "/merge/" not in flat(receipt)


def test_the_receipt_of_a_new_rumor_offers_to_add_it_to_an_earlier_one(as_reporter):
    earlier = log()
    receipt = as_reporter.post(URL, form(offered=str(earlier.pk)), follow=True)
    made = Rumor.objects.exclude(pk=earlier.pk).get()
    assert receipt.context["answers"] == []
    assert f'action="/staff/rumors/{made.pk}/merge/"' in flat(receipt)


def test_the_receipt_of_what_repeats_another_has_its_answers(as_reporter, reporter):
    earlier = log()
    published(rumor=earlier)
    made = log(by=reporter)
    pairs.merge(made, into=earlier, by=reporter)
    receipt = as_reporter.get(f"/staff/rumors/{made.pk}/logged/")
    assert [answer.title for answer in receipt.context["answers"]] == ["Domstolen beslutar om vård utan samtycke"]


# A form that comes again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [{"claim": "Giraffer sjunger"}, {"original": "Mahkeme var"}, {"area": "Öster"}, {"channel": "phone"}],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_form_that_says_more_the_second_time_is_shown_again_and_becomes_another(as_reporter, more, is_known):
    same = {"same": str(log(claim="Zebror dansar").pk)} if is_known else {}
    form_id = uuid4()
    if is_known and "claim" in more:
        pytest.skip("A sighting has no claim")
    for _twice in range(2):
        as_reporter.post(URL, form(form_id=form_id, **same))
    assert Sighting.objects.count() == 1 + is_known
    assert as_reporter.post(URL, form(form_id=form_id, channel="", **same)).status_code == 422
    response = as_reporter.post(URL, form(form_id=form_id, **same, **more))
    assert response.status_code == 422
    assert Sighting.objects.count() == 1 + is_known
    made = Sighting.objects.latest("pk").rumor
    assert made.public_id in str(response.context["form"].non_field_errors())
    name, value = next(iter(more.items()))
    assert response.context["form"][name].value() == value
    fresh = re.search(r'name="form_id" value="([^"]*)"', flat(response))[1]
    assert fresh != str(form_id)
    offered = ",".join(map(str, Rumor.objects.values_list("pk", flat=True)))
    as_reporter.post(URL, form(form_id=fresh, offered=offered, **same, **more))
    assert Sighting.objects.count() == 2 + is_known


def test_while_typing_into_a_form_that_was_sent_the_page_does_not_say_that_it_is_saved(as_reporter):
    form_id = uuid4()
    as_reporter.post(URL, form(form_id=form_id))
    made = Rumor.objects.get()
    assert as_reporter.post(KNOWN, form(form_id=form_id)).context["sent"] is None
    response = as_reporter.post(KNOWN, form(form_id=form_id, claim="Giraffer sjunger"))
    assert response.context["sent"] == made
    assert made.public_id in re.search(r"data-status>([^<]*)<", flat(response))[1]
    assert not Draft.objects.exists()


def test_two_devices_on_one_draft_of_a_question_lose_nothing(as_reporter, question):
    address = f"{URL}question/{question.pk}/"
    form_id = uuid4()
    as_reporter.post(address, form(form_id=form_id, original=question.text))
    response = as_reporter.post(address, form(form_id=form_id, original="Mina andra ord"))
    assert response.context["form"].non_field_errors()
    assert "Mina andra ord" in flat(response)
    # The question is settled: what is sent now is one more, without it.
    assert f'action="{URL}"' in flat(response)


# Who sees what ---------------------------------------------------------------------------------------------------


def test_a_secret_rumor_and_a_threat_come_up_for_the_security_role_only(as_reporter):
    secret = log(sensitivity="secret")
    spread = log(claim="Zebror dansar")
    rumors.sight(
        spread, channel="phone", seen_on=timezone.localdate(), by=spread.logged_by, original=CLAIM, is_threat=True
    )
    assert as_reporter.post(KNOWN, form()).context["known"].ids == []
    known = sign_in(person(Role.SECURITY)).post(KNOWN, form())
    assert set(known.context["known"].ids) == {secret.pk, spread.pk}
    assert CLAIM not in re.sub(r"<blockquote.*?</blockquote>", "", known.content.decode(), flags=re.DOTALL)


def test_only_by_meaning_across_languages_and_the_reason_says_so(as_reporter):
    if embedding.configured() is None:
        pytest.skip("The extra for meanings is not installed")
    earlier = log(claim="Det sägs att socialtjänsten tar barn från muslimska familjer utan anledning")
    log(claim="Det sägs att parkeringen i centrum blir dyrare nästa år")
    while matching.embed_due(limit=100, now=timezone.now()):
        pass
    words = "يقولون إن الخدمات الاجتماعية تأخذ الأطفال من العائلات المسلمة دون سبب"
    response = as_reporter.post(KNOWN, form(claim="", original=words, original_language=""))
    known = response.context["known"]
    assert known.ids == [earlier.pk]
    assert known.is_semantic
    reason = known.rumors[0].reason
    assert (reason.is_other_language, reason.match.method, reason.match.is_likely) == (True, "meaning", True)
    assert "Svenska" in flat(response)
    assert response.context["guessed"] == ("ar" if spoken.is_installed() else "")


def test_without_meanings_the_page_says_that_only_words_are_compared(as_reporter, settings):
    log()
    settings.MATCH_MEANING = False
    response = as_reporter.post(KNOWN, form())
    assert response.context["known"].is_semantic is False
    assert ONLY_WORDS in flat(response)
    # Then all the more when nothing is found.
    nothing = as_reporter.post(KNOWN, form(claim="Zebror dansar på torget", original=""))
    assert not nothing.context["known"]
    assert ONLY_WORDS in flat(nothing)


@pytest.mark.parametrize("is_semantic", [True, False])
def test_what_is_misspelled_comes_up_as_written_nearly_the_same(as_reporter, settings, is_semantic):
    settings.MATCH_MEANING = is_semantic
    earlier, secret = log(), log(sensitivity="secret")
    log(claim="Zebror dansar på torget")
    response = as_reporter.post(KNOWN, form(claim="brn tas utn at domstoln prövr dt", original=""))
    known = response.context["known"]
    assert known.ids == [earlier.pk]
    assert known.rumors[0].reason.match.method == "near"
    assert "Skrivet nästan likadant" in flat(response)
    as_reporter.post(URL, form(claim="brn tas utn at domstoln prövr dt", original="", same=str(earlier.pk)))
    assert Offer.objects.get().method == "near"
    both = sign_in(person(Role.SECURITY)).post(KNOWN, form(claim="brn tas utn at domstoln prövr dt", original=""))
    assert set(both.context["known"].ids) == {earlier.pk, secret.pk}


# While typing ----------------------------------------------------------------------------------------------------


def test_what_is_typed_is_saved_for_its_writer_and_opened_again(as_reporter, reporter):
    form_id = uuid4()
    for claim in ["Det sägs", "Det sägs att barn tas"]:
        response = as_reporter.post(KNOWN, {"claim": claim, "original": "خطف", "form_id": form_id, "x": "y"})
        assert response.context["is_kept"] is True
    draft = Draft.objects.get()
    assert draft.data == {"claim": "Det sägs att barn tas", "original": "خطف", "form_id": str(form_id)}
    assert "Det sägs att barn tas" in flat(as_reporter.get(URL))
    opened = as_reporter.get(f"{URL}?draft={form_id}")
    assert opened.context["form"]["claim"].value() == "Det sägs att barn tas"
    assert str(opened.context["form"]["form_id"].value()) == str(form_id)
    stranger = sign_in(person(Role.REPORTER))
    assert "Det sägs att barn tas" not in flat(stranger.get(f"{URL}?draft={form_id}"))
    stranger.post(f"{URL}drafts/delete/", {"draft": form_id})
    assert Draft.objects.count() == 1
    as_reporter.post(f"{URL}drafts/delete/", {"draft": form_id})
    assert not Draft.objects.exists()


def test_a_draft_is_gone_when_the_form_has_been_sent_and_does_not_come_back(as_reporter):
    form_id = uuid4()
    as_reporter.post(KNOWN, form(form_id=form_id))
    as_reporter.post(URL, form(form_id=form_id))
    assert Rumor.objects.count() == 1
    as_reporter.post(KNOWN, form(form_id=form_id))  # the one that was under way
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"claim": f"Barnet {NUMBER} togs"},
        {"original": "Ring 070-123 45 67"},
        {"area": "Storgatan 12"},
        {"url": "https://x.example/?mail=anna@example.org"},
        {"claim": "Ring 070-123 45 67", "guard_reason": "public", "guard_words": "anna@example.org"},
    ],
)
def test_what_the_guard_asks_about_is_never_kept_in_a_draft(as_reporter, values):
    response = as_reporter.post(KNOWN, form(form_id=uuid4(), **values))
    assert response.context["is_kept"] is False
    assert not Draft.objects.exists()


def test_drafts_and_offers_have_an_end(as_reporter):
    earlier = log()
    as_reporter.post(KNOWN, form(form_id=uuid4()))
    as_reporter.post(URL, form(same=str(earlier.pk)))
    now = timezone.now()
    assert actions.purge(now=now + timedelta(days=6)) == 0
    assert actions.purge(now=now + timedelta(days=8)) == 1
    assert actions.purge(now=now + timedelta(days=731)) == 1
    assert not Draft.objects.exists()
    assert not Offer.objects.exists()


def test_the_language_is_guessed_and_asked_for_where_the_words_do_not_tell_it(as_reporter):
    if not spoken.is_installed():
        pytest.skip("The extra for languages is not installed")
    long = "Mahkeme olmadan çocukları ailelerinden alıyorlar diyorlar"
    as_reporter.post(URL, form(original=long, original_language=""))
    assert Rumor.objects.get().original_language == "tr"
    as_reporter.post(URL, form(claim="Zebror dansar", original="", original_language=""))
    assert Rumor.objects.get(claim="Zebror dansar").original_language == "sv"


@pytest.mark.parametrize(
    ("chosen", "original"), [("", "Mahkeme yok orda"), ("und", "Mahkeme olmadan çocukları alıyorlar")]
)
def test_words_in_a_language_that_nobody_knows_are_logged_as_such(as_reporter, chosen, original):
    form_id = uuid4()
    as_reporter.post(KNOWN, form(claim="Zebror dansar", original=original, original_language=chosen, form_id=form_id))
    opened = as_reporter.get(f"{URL}?draft={form_id}")
    assert opened.context["form"]["original_language"].value() == chosen
    for _twice in range(2):
        sent = form(claim="Zebror dansar", original=original, original_language=chosen, form_id=form_id)
        receipt = as_reporter.post(URL, sent, follow=True)
    assert receipt.status_code == 200
    made = Rumor.objects.get()
    assert (made.original_language, made.sightings.get().language) == ("", "")
    editor = sign_in(person(Role.EDITOR))
    assert "Språket är inte känt" in flat(editor.get(f"/staff/rumors/{made.pk}/"))
    assert editor.get(f"/staff/rumors/{made.pk}/edit/").context["form"]["original_language"].value() == ""
    # Found by its words, whatever they are; and in the figures.
    assert as_reporter.post(KNOWN, form(claim="", original=original)).context["known"].ids == [made.pk]
    assert "Språket är inte känt" in flat(editor.get("/staff/rumors/dashboard/"))


def test_a_language_that_nobody_knows_has_no_alarm_and_is_named_in_exports():
    rumor = log(original_language="", original="Mahkeme yok orda")
    answer(rumor, fact=factories.published_fact("ar"))
    more = {"channel": "phone", "seen_on": timezone.localdate(), "by": rumor.logged_by}
    for _twice in range(2):
        rumors.sight(rumor, original="Yok orda", language="", **more)
    kinds = {alarm.kind for alarm in standing(person(Role.EDITOR), now=timezone.now()).alarms}
    assert Kind.SPREADING not in kinds
    (row,) = Exporter(Role.EDITOR).rows(level="3")
    assert row["original_language"] == "Språket är inte känt"


def test_while_typing_it_takes_few_queries(as_reporter):
    for number in range(6):
        log(claim=f"Det sägs att barn tas utan att en domstol prövar det, version {number}")
    published(rumor=Rumor.objects.first())
    form_id = uuid4()
    as_reporter.post(KNOWN, form(form_id=form_id))
    with CaptureQueriesContext(connection) as one:
        as_reporter.post(KNOWN, form(form_id=form_id))
    assert len(one) <= 30, [query["sql"][:120] for query in one]


# Questions from the public ---------------------------------------------------------------------------------------


@pytest.fixture
def question(db):
    return questions.ask(text="Stämmer det att barn tas utan att en domstol prövar det?", language="sv", door=Door.FORM)


def test_a_question_becomes_a_sighting_of_what_is_known_and_is_settled(as_reporter, reporter, question):
    earlier = log()
    page = as_reporter.get(f"{URL}question/{question.pk}/")
    assert page.context["form"]["original"].value() == question.text
    assert page.context["known"].ids == [earlier.pk]
    assert f'name="same" value="{earlier.pk}"' in flat(page)
    form_id = page.context["form"]["form_id"].value()
    for _twice in range(2):
        as_reporter.post(
            f"{URL}question/{question.pk}/",
            form(same=str(earlier.pk), original=question.text, original_language="sv", form_id=form_id),
        )
    question.refresh_from_db()
    assert (question.outcome, question.outcome_note) == (Outcome.SIGHTING, earlier.public_id)
    assert question.settled_by == reporter
    assert Sighting.objects.get(logged_by=reporter).original == question.text


@time_machine.travel("2026-03-01 23:30+00:00", tick=False)
def test_a_question_of_the_night_was_asked_on_our_day(as_reporter):
    asked = questions.ask(text="Stämmer det?", language="sv", door=Door.FORM)
    page = as_reporter.get(f"{URL}question/{asked.pk}/")
    assert page.context["form"]["seen_on"].value() == date(2026, 3, 2)


def test_a_question_becomes_a_new_rumor(as_reporter, reporter, question):
    as_reporter.post(f"{URL}question/{question.pk}/", form(original=question.text))
    made = Rumor.objects.get()
    question.refresh_from_db()
    assert (question.outcome, question.outcome_note) == (Outcome.SIGHTING, made.public_id)


def test_who_told_of_what_is_answered_already_gets_that_answer(as_reporter, question):
    rebuttal = published(rumor=log())
    address, sent = f"{URL}question/{question.pk}/", form(same=str(rebuttal.rumor_id), original=question.text)
    as_reporter.post(address, sent | {"original_language": "sv"})
    question.refresh_from_db()
    assert (question.outcome, question.fact) == (Outcome.SIGHTING, rebuttal.fact)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_question_that_holds_a_threat_is_read_by_the_security_role_alone(as_reporter, question, is_known):
    address, sent = f"{URL}question/{question.pk}/", form(original=question.text, is_threat="on")
    if is_known:
        sent |= {"same": str(published(rumor=log()).rumor_id), "original_language": "sv"}
    for _twice in range(2):
        as_reporter.post(address, sent)
    question.refresh_from_db()
    assert (question.outcome, question.is_secret, question.outcome_note) == (Outcome.SIGHTING, True, "")
    assert question.fact is None
    for role, sees in ((Role.REPORTER, False), (Role.EDITOR, False), (Role.SECURITY, True)):
        client = sign_in(person(role))
        page = f"/staff/questions/{question.pk}/"
        assert (page in flat(client.get("/staff/questions/?outcome="))) == sees
        assert (question.text in flat(client.get(page))) == sees
        # Nor through the form of the register.
        response = client.get(address, follow=True) if role != Role.SECURITY else None
        assert response is None or question.text not in flat(response)


def test_what_was_told_of_secret_rumors_before_is_handed_over_too(question):
    from importlib import import_module

    from django.apps import apps

    secret, known = log(sensitivity="secret"), log()
    other = questions.ask(text="Ett annat?", language="sv", door=Door.FORM)
    for asked, rumor in ((question, secret), (other, known)):
        questions.settle(asked, outcome=Outcome.SIGHTING, note=rumor.public_id, by=person(Role.EDITOR))
    import_module("rumors.intake.migrations.0002_hand_secret_questions_over").hand_over(apps, None)
    question.refresh_from_db()
    other.refresh_from_db()
    assert (question.is_secret, question.outcome_note) == (True, "")
    assert (other.is_secret, other.outcome_note) == (False, known.public_id)


def test_of_two_who_take_up_a_question_the_second_loses_nothing_and_logs_nothing(as_reporter, question, reporter):
    address = f"{URL}question/{question.pk}/"
    as_reporter.get(address)
    questions.settle(question, outcome=Outcome.DISMISSED, by=person(Role.EDITOR))
    response = as_reporter.post(address, form(original="Mina ord"))
    assert response.status_code == 422
    assert "Mina ord" in flat(response)
    assert response.context["form"].non_field_errors()
    assert not Rumor.objects.exists()

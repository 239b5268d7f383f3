"""The translator's page, versions side by side, links for others: as staff see them."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.utils import timezone

from portal.accounts.models import Role
from portal.facts.models import Fact
from portal.revisions import actions, paragraphs
from portal.revisions.glossary import actions as glossary
from portal.revisions.models import Assignment, Edition, EditLock, Method, Revision, Schedule, State, text_hash
from portal.revisions.views import preview_url
from tests import factories
from tests.accounts.people import browser, person, sign_in

pytestmark = pytest.mark.django_db

SWEDISH = {
    "title": "Får jag en tolk?",
    "summary": "Ja, det är gratis.",
    "body": "Du får en tolk inom 3 dagar.\n\nRing {{phone:social}}.\n\nTolken har tystnadsplikt.",
}
ARABIC = {
    "title": "هل أحصل على مترجم؟",
    "summary": "نعم، مجانا.",
    "body": "ستحصل على مترجم خلال 3 أيام.\n\nاتصل على {{phone:social}}.\n\nالمترجم ملزم بالسرية.",
}


@pytest.fixture
def fact():
    made = factories.fact()
    factories.publish(made, **SWEDISH)
    factories.publish(made, "ar", **ARABIC)
    return made


@pytest.fixture
def translator():
    return sign_in(person(Role.TRANSLATOR, language="en"))


def path(fact, language="ar") -> str:
    return f"/staff/texts/fact/{fact.pk}/{language}/"


def sent(fact, *body, **fields) -> dict:
    values = {**ARABIC, "method": "human", "pivot": "", "based_on": actions.current(fact).pk, **fields}
    return {**values, "body": list(body) or paragraphs.split(values["body"])}


def change(fact, body, **about):
    return factories.publish(fact, **SWEDISH | {"body": body}, **about)


# Side by side ---------------------------------------------------------------------------------------------------


def test_each_paragraph_stands_beside_its_translation_with_what_changed_since_the_version_it_renders(fact, translator):
    change(fact, SWEDISH["body"].replace("3 dagar", "5 dagar") + "\n\nDet är helt nytt.")
    change(fact, SWEDISH["body"].replace("3 dagar", "7 dagar") + "\n\nDet är helt nytt.")
    html = unescape(translator.get(path(fact)).content.decode())
    # From the version that the translation renders to the one of today, not only the last edit.
    assert "<del>3</del><ins>7</ins>" in re.sub(r"\s*\n\s*", "", html)
    boxes = re.findall(r'<textarea name="body".*?>\n?(.*?)</textarea>', html, re.DOTALL)
    assert boxes == [*paragraphs.split(ARABIC["body"]), ""]
    states = re.findall(r'<label class="hint"\s*for="id_body[^>]*>\s*([^<]*?)\s*<', html)
    assert states == ["Changed in Swedish", "Translated", "Translated", "To translate"]
    assert "11 words to translate" in html


def test_what_is_sent_in_boxes_is_one_text_again(fact, translator):
    response = translator.post(
        path(fact), sent(fact, "واحد 3.", "", " {{phone:social}} \r\n", "ثلاثة.") | {"keep": "1"}
    )
    revision = Revision.objects.of(fact).filter(language="ar").first()
    assert response["Location"] == f"/staff/revisions/{revision.pk}/"
    assert revision.fields["body"] == "واحد 3.\n\n{{phone:social}}\n\nثلاثة."


def test_a_translation_renders_the_swedish_text_that_stood_beside_it(fact, translator):
    opened = sent(fact, summary="نعم، مجاني.")
    change(fact, SWEDISH["body"] + "\n\nNytt.")
    translator.post(path(fact), opened | {"submit": "1"})
    revision = Revision.objects.of(fact).filter(language="ar").first()
    assert (revision.state, revision.based_on_id) == (State.SUBMITTED, opened["based_on"])


@pytest.mark.parametrize("based_on", ["999999999999999999999999", "-1", "x", ""])
def test_a_base_that_there_is_not_changes_nothing_but_is_said(fact, translator, based_on):
    response = translator.post(path(fact), sent(fact, based_on=based_on, summary="نعم جدا.") | {"keep": "1"})
    newest = Revision.objects.of(fact).filter(language="ar").first()
    assert (response.status_code == 302) == (newest.fields["summary"] == "نعم جدا.") == (based_on == "")


def test_the_base_of_another_fact_is_refused(fact, translator):
    other = factories.published_fact()
    response = translator.post(path(fact), sent(fact, based_on=actions.current(other).pk) | {"keep": "1"})
    assert list(response.context["form"].errors) == ["based_on"]


def test_nothing_typed_is_lost_when_something_is_wrong_with_it(fact, translator):
    typed = sent(fact, "أول فقرة 3.", "", "ثالث فقرة {{phone:social}}.", title="")
    html = unescape(translator.post(path(fact), typed | {"submit": "1"}).content.decode())
    boxes = re.findall(r'<textarea name="body".*?>\n?(.*?)</textarea>', html, re.DOTALL)
    assert boxes == typed["body"]


# The checks -----------------------------------------------------------------------------------------------------


def test_a_lost_number_blocks_and_is_named(fact, translator):
    lost = sent(fact, "ستحصل على مترجم خلال 30 يوما.", *paragraphs.split(ARABIC["body"])[1:])
    change(fact, SWEDISH["body"].replace("3 dagar", "35 dagar"))
    response = translator.post(
        path(fact), lost | {"based_on": actions.current(fact).pk, "submit": "1", "override_reason": "Det räcker."}
    )
    assert response.status_code == 422
    assert "35" in str(response.context["form"].errors["body"])
    assert "override_reason" not in response.context["form"].errors
    assert Revision.objects.of(fact).filter(language="ar").count() == 1


def test_what_only_looks_wrong_is_sent_with_a_reason_that_is_kept_and_shown_to_the_approver(fact, translator):
    odd = sent(fact, summary="نعـــم، مجانا.") | {"submit": "1"}
    asked = translator.post(path(fact), odd)
    assert asked.status_code == 422
    assert set(asked.context["form"].errors) == {"summary", "override_reason"}

    translator.post(path(fact), odd | {"override_reason": "Så skriver man här."})
    revision = Revision.objects.of(fact).filter(language="ar").first()
    assert (revision.state, revision.findings, revision.override_reason) == (
        State.SUBMITTED,
        [{"code": "kashida", "field": "summary", "found": "نعـــم، مجانا."}],
        "Så skriver man här.",
    )
    page = unescape(
        sign_in(person(Role.APPROVER, language="en")).get(f"/staff/revisions/{revision.pk}/").content.decode()
    )
    assert "Så skriver man här." in page
    assert "Stretched letters" in page


def test_the_approver_reads_what_the_checks_found_then_whatever_the_glossary_says_now(fact, translator):
    term = factories.term("gratis")
    factories.wording(term, "ar", use="تقييم", avoid=["مجانا"])
    given = sent(fact, summary="نعم، مجانا.") | {"submit": "1", "override_reason": "Ordet passar här."}
    translator.post(path(fact), given)
    revision = Revision.objects.of(fact).filter(language="ar").first()
    assert {found["code"] for found in revision.findings} == {"term_missing", "term_to_avoid"}
    glossary.delete(term, by=factories.user())
    page = sign_in(person(Role.APPROVER, language="en")).get(f"/staff/revisions/{revision.pk}/").content.decode()
    assert "Words that the glossary advises against: مجانا" in page


def test_what_a_machine_made_is_sent_only_after_a_person_has_saved_it(fact, translator):
    machine = actions.draft(
        fact, language="ar", fields=ARABIC | {"summary": "نعم."}, by=factories.user(), method=Method.MACHINE
    )
    with pytest.raises(actions.ConflictError):
        actions.submit(machine, by=machine.author)
    form = translator.get(path(fact)).context["form"]
    assert form.initial["method"] == Method.MACHINE_EDITED


# Who is writing -------------------------------------------------------------------------------------------------


def test_what_a_machine_made_is_not_called_a_persons_work_by_who_saves_it(fact, translator):
    actions.draft(fact, language="ar", fields=ARABIC, by=factories.user(), method=Method.MACHINE)
    translator.post(path(fact), sent(fact, summary="نعم، بدون مقابل.", method="human"))
    assert Revision.objects.of(fact).filter(language="ar").first().method == Method.MACHINE_EDITED
    whole = {"title": "سؤال جديد؟", "summary": "جواب جديد."}
    translator.post(path(fact), sent(fact, "نص جديد.", **whole, method="human"))
    assert Revision.objects.of(fact).filter(language="ar").first().method == Method.HUMAN


def test_what_is_typed_is_kept_while_it_is_typed_and_is_there_again_later(fact, translator):
    assert translator.post(f"{path(fact)}writing/", sent(fact, "نصف جملة")).json()["is_yours"]
    page = translator.get(path(fact)).content.decode()
    assert "نصف جملة" in page
    assert "The form holds what you typed until" in page
    translator.post(f"{path(fact)}writing/", {"leave": "1"})
    assert "نصف جملة" not in translator.get(path(fact)).content.decode()


def test_a_character_that_cannot_be_kept_does_not_keep_the_rest_from_being(fact, translator):
    translator.post(f"{path(fact)}writing/", {"title": "سؤا\0ل"})
    assert EditLock.objects.get().typed == {"title": ["سؤال"]}


def test_a_personal_number_is_not_kept_for_a_moment(fact, translator):
    translator.post(f"{path(fact)}writing/", sent(fact, "Om 189001019802"))
    assert EditLock.objects.get().typed == {}
    translator.post(f"{path(fact)}writing/", sent(fact, "Ring 0980-319 200."))
    assert EditLock.objects.get().typed["body"] == ["Ring 0980-319 200."]


def test_who_comes_second_is_told_who_writes_and_may_take_over_after_a_silence(fact, translator):
    writer = person(Role.TRANSLATOR)
    other = sign_in(writer)
    other.post(f"{path(fact)}writing/", sent(fact, "عمل"))
    page = translator.get(path(fact)).content.decode()
    assert "Alva Ek has been writing here since" in page
    assert "Take over" not in page
    translator.post(f"{path(fact)}writing/", {"take_over": "1"})
    assert EditLock.objects.get().holder == writer

    with time_machine.travel(timezone.now() + EditLock.STALE + timedelta(minutes=1), tick=False):
        later = sign_in(person(Role.TRANSLATOR, language="en"))
        assert "Take over" in later.get(path(fact)).content.decode()
        later.post(f"{path(fact)}writing/", {"take_over": "1"})
        held = other.post(f"{path(fact)}writing/", sent(fact, "المزيد")).json()
    assert held["is_yours"] is False
    # What the first one sends all the same is a draft of its own: nobody's words are lost.
    with time_machine.travel(timezone.now() + EditLock.STALE + timedelta(minutes=2), tick=False):
        answer = other.post(path(fact), sent(fact, summary="نعم جدا.") | {"submit": "1"}, follow=True)
    newest = Revision.objects.of(fact).filter(language="ar").first()
    assert (newest.fields["summary"], newest.state) == ("نعم جدا.", State.DRAFT)
    assert "tagit över" in answer.content.decode() or "taken over" in answer.content.decode()


def test_a_saved_text_is_free_again(fact, translator):
    translator.post(f"{path(fact)}writing/", sent(fact))
    translator.post(path(fact), sent(fact, summary="نعم.") | {"keep": "1"})
    assert not EditLock.objects.exists()


def test_two_translators_of_one_fact_do_not_touch_each_others_language(fact, translator):
    other = sign_in(person(Role.TRANSLATOR))
    translator.get(path(fact))
    other.get(path(fact, "so"))
    translator.post(path(fact), sent(fact, summary="نعم.") | {"keep": "1"})
    other.post(path(fact, "so"), sent(fact, title="Turjubaan?", summary="Haa.") | {"keep": "1"})
    newest = {r.language: r.fields["summary"] for r in Revision.objects.of(fact).exclude(language="sv").order_by("id")}
    assert newest == {"ar": "نعم.", "so": "Haa."}
    assert Fact.objects.get(pk=fact.pk).summary_ar == ARABIC["summary"]


# Versions -------------------------------------------------------------------------------------------------------


def test_any_two_versions_are_compared_whichever_is_named_first(fact, translator):
    old, new = actions.current(fact), change(fact, SWEDISH["body"].replace("3 dagar", "5 dagar"))
    for query in (f"old={old.pk}&new={new.pk}", f"old={new.pk}&new={old.pk}"):
        html = re.sub(r"\s*\n\s*", "", translator.get(f"/staff/revisions/compare/?{query}").content.decode())
        assert "<del>3</del>" in html
        assert "<ins>5</ins>" in html


def test_versions_of_different_texts_are_not_compared(fact, translator):
    arabic, swedish = actions.current(fact, "ar"), actions.current(fact)
    for query in (f"old={arabic.pk}&new={swedish.pk}", "old=&new=", f"old={'9' * 30}&new=0", "old=x", ""):
        assert "diff" not in translator.get(f"/staff/revisions/compare/?{query}").content.decode()


def test_the_history_says_who_when_and_why_and_an_old_version_is_taken_up_again(fact):
    client = sign_in(person(Role.EDITOR, language="en"))
    old = actions.current(fact)
    change(fact, "Helt ny text 3 {{phone:social}}.", change_note="Skriven om.")
    page = client.get(f"{path(fact, 'sv')}history/").content.decode()
    assert "Skriven om." in page
    assert page.count('name="old"') == 2
    answer = client.post(f"/staff/revisions/{old.pk}/restore/")
    assert answer["Location"] == path(fact, "sv")
    newest = Revision.objects.of(fact).filter(language="sv").first()
    assert (newest.fields, newest.state) == (SWEDISH, State.DRAFT)


def test_an_old_text_that_cannot_be_taken_up_again_says_why(fact):
    old = Revision.objects.of(fact).filter(language="sv").first()
    text = old.fields | {"body": "Ring {{phone:gone}}."}
    about = {"author": old.author, "significance": "content", "digest": text_hash(text)}
    old = Revision.objects.create(thing=fact, language="sv", fields=text, **about)
    client = sign_in(person(Role.EDITOR, language="en"))
    answer = client.post(f"/staff/revisions/{old.pk}/restore/", follow=True)
    assert answer.redirect_chain == [(f"/staff/revisions/{old.pk}/", 302)]
    assert "{{phone:gone" in unescape(answer.content.decode()).partition("<main")[2].partition("<h1")[0]


def test_a_comment_stands_under_the_version_and_holds_no_personal_number(fact):
    client = sign_in(person(Role.APPROVER, language="en"))
    page = f"/staff/revisions/{actions.current(fact).pk}/"
    refused = client.post(f"{page}comment/", {"text": "Gäller 189001019802"})
    assert (refused.status_code, list(refused.context["comment_form"].errors)) == (422, ["text"])
    client.post(f"{page}comment/", {"text": "Bra <b>så</b>."})
    assert "Bra &lt;b&gt;så&lt;/b&gt;." in client.get(page).content.decode()


# Others ---------------------------------------------------------------------------------------------------------


def test_a_preview_shows_a_draft_to_who_has_the_link_for_a_week(fact):
    draft = actions.draft(fact, language="ar", fields=ARABIC | {"summary": "مسودة."}, by=factories.user())
    stranger, url = browser(), preview_url(draft).removeprefix("https://klarlagt.example.org")
    url = "/" + url.split("/", 3)[3] if url.startswith("http") else url
    shown = stranger.get(url)
    assert "مسودة." in shown.content.decode()
    assert (shown["Cache-Control"], shown["X-Robots-Tag"]) == ("no-store", "noindex, nofollow")
    assert stranger.get(url.replace("/preview/", "/preview/x")).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        assert stranger.get(url).status_code == 410


@pytest.mark.parametrize("end", ["sent back", "published", "overtaken"])
def test_a_preview_ends_when_the_draft_does(fact, end):
    """Nobody shows around, under our address, what was found to be wrong."""
    approver = sign_in(person(Role.APPROVER))
    draft = factories.send(actions.draft(fact, language="ar", fields=ARABIC | {"summary": "خطأ."}, by=factories.user()))
    url = "/" + preview_url(draft).split("/", 3)[3]
    assert browser().get(url).status_code == 200
    if end == "sent back":
        actions.reject(draft, by=factories.user(), reason="Fel.")
    elif end == "published":
        actions.publish(actions.approve(draft, by=factories.user()), by=factories.user())
        actions.withdraw(fact, language="ar", by=factories.user(), reason="Fel.")
    else:
        factories.publish(fact, "ar", **ARABIC)
    assert browser().get(url).status_code == 410
    assert "/preview/" not in approver.get(f"/staff/revisions/{draft.pk}/").content.decode()


def test_a_withdrawn_page_says_why_in_the_readers_language_or_leads_to_its_successor(fact):
    client, other = sign_in(person(Role.APPROVER)), factories.published_fact("ar")
    stranger = browser()
    client.post(f"{path(fact, 'sv')}withdraw/", {"reason": "Ny lag i juli", "because": "law", "successor": ""})
    gone = stranger.get(f"/en/facts/{fact.slug}/")
    assert gone.status_code == 410
    assert "The law has changed." in gone.content.decode()
    assert "Ny lag i juli" not in gone.content.decode()

    factories.publish(fact, **SWEDISH)
    client.post(f"{path(fact, 'sv')}withdraw/", {"reason": "Slås ihop", "because": "merged", "successor": other.pk})
    assert stranger.get(f"/ar/facts/{fact.slug}/")["Location"] == f"/ar/facts/{other.slug}/"
    actions.withdraw(other, language="sv", by=factories.user(), reason="Fel")
    assert stranger.get(f"/ar/facts/{fact.slug}/").status_code == 410


def test_a_page_is_withdrawn_at_a_time(fact):
    client = sign_in(person(Role.APPROVER))
    at = timezone.localtime() + timedelta(days=2)
    past = client.post(f"{path(fact, 'sv')}withdraw/", {"reason": "Sen", "at": "2020-01-01T10:00"})
    assert list(past.context["form"].errors) == ["at"]
    client.post(f"{path(fact, 'sv')}withdraw/", {"reason": "Sen", "because": "over", "at": f"{at:%Y-%m-%dT%H:%M}"})
    promise = Schedule.objects.get()
    assert (promise.deed, promise.because, promise.at) == ("withdraw", "over", at.replace(second=0, microsecond=0))
    assert Edition.objects.of(fact).published().filter(language="sv").exists()
    client.post(f"/staff/schedules/{promise.pk}/cancel/")
    assert not Schedule.objects.exists()


def test_an_editor_asks_a_translator_who_finds_it_on_their_list(fact):
    editor, asked = sign_in(person(Role.EDITOR)), person(Role.TRANSLATOR, language="en")
    change(fact, SWEDISH["body"] + "\n\nNytt stycke om tolkar.")
    day = timezone.localdate() + timedelta(days=4)
    editor.post(f"{path(fact)}assign/", {"translator": asked.pk, "due_on": day, "note": "Bråttom"})
    page = sign_in(asked).get("/staff/translations/").content.decode()
    assert "Får jag en tolk?" in page
    assert "4 words to translate" in page
    assert "Bråttom" in page
    editor.post(f"{path(fact)}assign/", {"unassign": "1", "seen": Assignment.objects.get().pk})
    assert not Assignment.objects.exists()


def test_it_still_says_the_same_is_one_press_and_another_persons_approval(fact, translator):
    change(fact, SWEDISH["body"] + "\n\nEtt ord till.")
    page = translator.get(path(fact)).content.decode()
    assert "It still says the same" in page
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    where = translator.post(f"{path(fact)}renew/", {"seen": seen})["Location"]
    revision = Revision.objects.of(fact).filter(language="ar").first()
    assert where == f"/staff/revisions/{revision.pk}/"
    assert (revision.state, revision.fields) == (State.SUBMITTED, ARABIC)


# Two people at once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", ["sv", "ar"])
def test_nobody_says_of_a_text_that_they_have_not_seen_that_it_still_says_the_same(fact, translator, changed):
    change(fact, SWEDISH["body"] + "\n\nEtt ord till.")
    seen = re.search(r'name="seen" value="([^"]+)"', translator.get(path(fact)).content.decode())[1]
    if changed == "sv":
        change(fact, SWEDISH["body"] + "\n\nNågot helt annat.")
    else:
        factories.publish(fact, "ar", **ARABIC | {"summary": "لا."}, based_on=actions.current(fact, "ar").based_on)
    before = Revision.objects.count()
    for sent in ({"seen": seen}, {}):
        answer = translator.post(f"{path(fact)}renew/", sent, follow=True)
        assert "notice bad" in answer.content.decode()
    assert Revision.objects.count() == before


def test_of_two_who_ask_a_translator_the_second_sees_whom_the_first_asked(fact):
    first, second = sign_in(person(Role.EDITOR)), sign_in(person(Role.EDITOR))
    one, other = person(Role.TRANSLATOR), person(Role.TRANSLATOR)
    day = timezone.localdate() + timedelta(days=4)
    for _ in range(2):  # a double click asks once
        first.post(f"{path(fact)}assign/", {"translator": one.pk, "due_on": day, "seen": ""})
    asked = Assignment.objects.get()
    sent = {"translator": other.pk, "due_on": day, "note": "Min anteckning", "seen": ""}
    answer = second.post(f"{path(fact)}assign/", sent)
    assert answer.status_code == 422
    assert "Min anteckning" in answer.content.decode()
    assert Assignment.objects.get() == asked
    seen = re.search(r'name="seen" value="([^"]+)"', answer.content.decode())[1]
    second.post(f"{path(fact)}assign/", sent | {"seen": seen})
    assert Assignment.objects.get().translator == other
    first.post(f"{path(fact)}assign/", {"unassign": "1", "seen": asked.pk})
    assert Assignment.objects.get().translator == other


def test_what_was_published_while_somebody_wrote_why_to_withdraw_is_not_withdrawn_unseen(fact):
    approver = sign_in(person(Role.APPROVER))
    seen = approver.get(f"{path(fact)}withdraw/").context["form"]["seen"].value()
    renewed = factories.publish(fact, "ar", **ARABIC | {"summary": "نعم."})
    answer = approver.post(f"{path(fact)}withdraw/", {"reason": "Det är fel", "seen": seen})
    assert answer.status_code == 422
    assert "Det är fel" in answer.content.decode()
    assert actions.current(fact, "ar") == renewed
    approver.post(f"{path(fact)}withdraw/", {"reason": "Det är fel", "seen": answer.context["form"]["seen"].value()})
    assert actions.current(fact, "ar") is None


def test_a_comment_sent_twice_is_said_once(fact):
    client, draft = sign_in(person(Role.APPROVER)), actions.current(fact)
    for text in ("Bra.", "Bra.", "Mycket bra."):
        client.post(f"/staff/revisions/{draft.pk}/comment/", {"text": text})
    assert [comment.text for comment in draft.comments.all()] == ["Bra.", "Mycket bra."]


@pytest.mark.parametrize(("because", "is_dangerous"), [("mistake", True), ("", True), ("over", False)])
def test_a_new_text_in_place_of_a_wrong_one_that_was_withdrawn_does_not_bring_its_translations_back_by_itself(
    fact, because, is_dangerous
):
    editor = sign_in(person(Role.EDITOR))
    assert not editor.get(path(fact, "sv")).context["form"]["is_dangerous_if_old"].value()
    actions.withdraw(fact, language="sv", by=factories.user(), reason="Fel", because=because)
    form = editor.get(path(fact, "sv")).context["form"]
    assert bool(form["is_dangerous_if_old"].value()) == is_dangerous

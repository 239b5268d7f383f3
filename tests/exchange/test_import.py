"""The two steps of an import: look, then do it; and everything that makes it change nothing."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pages import actions as pages
from portal.revisions import actions as revisions
from portal.revisions.exchange.models import Upload
from portal.revisions.models import Method, Revision, State
from tests import factories
from tests.accounts.people import person, sign_in
from tests.exchange.files import download, filled, units

pytestmark = pytest.mark.django_db

PAGE = "/staff/exchange/"
BODY = "## Rubrik\n\nTvå.\n\nRing {{phone:bris}}."


def swedish(**fields):
    fact = factories.fact()
    factories.publish(fact, **{"title": "Fråga?", "summary": "Svar.", "body": BODY} | fields)
    return fact


@pytest.fixture
def translator():
    return person(Role.TRANSLATOR, language="en")


def send(client, content: bytes, method: str = "human"):
    file = SimpleUploadedFile("back.xlf", content, "application/xliff+xml")
    return client.post(PAGE, {"file": file, "method": method})


def rows() -> tuple[int, int, int]:
    return Revision.objects.count(), AuditEvent.objects.count(), Upload.objects.count()


def newest(thing, language: str = "ar") -> Revision:
    return Revision.objects.of(thing).filter(language=language).first()


def test_a_file_becomes_a_draft_after_a_look_at_what_it_will_do(translator):
    fact, client = swedish(), sign_in(translator)
    before = Revision.objects.count()
    shown = send(client, filled(download(fact), body_3="اتصل {{phone:bris}}."))
    assert Revision.objects.count() == before
    page = client.get(shown["Location"])
    assert "New draft" in page.content.decode()
    assert "Out of date" not in page.content.decode()
    assert Revision.objects.count() == before
    done = client.post(shown["Location"], follow=True)
    assert "1 draft made" in done.content.decode()
    made = newest(fact)
    assert (made.state, made.author, made.method) == (State.DRAFT, translator, Method.HUMAN)
    assert made.based_on == revisions.current(fact)
    assert made.fields == {
        "title": "x title",
        "summary": "x summary",
        "body": "x body.1\n\nx body.2\n\nاتصل {{phone:bris}}.",
    }
    fact.refresh_from_db()
    assert not fact.title_ar
    assert AuditEvent.objects.about(fact).filter(verb="import", language="ar", by=translator).exists()
    assert not Upload.objects.exists()


def test_a_file_is_imported_once(translator):
    fact, client = swedish(), sign_in(translator)
    shown = send(client, filled(download(fact)))
    client.post(shown["Location"])
    before = rows()
    again = client.post(shown["Location"], follow=True)
    assert "imported already" in again.content.decode()
    assert rows() == before


def test_a_file_for_an_older_swedish_text_becomes_a_draft_that_is_outdated(translator):
    fact, client = swedish(), sign_in(translator)
    older = revisions.current(fact)
    content = filled(download(fact))
    factories.publish(fact, title="Fråga?", summary="Ett annat svar.", body=BODY)
    shown = send(client, content)
    assert "Out of date" in client.get(shown["Location"]).content.decode()
    client.post(shown["Location"])
    assert newest(fact).based_on == older
    assert revisions.current(fact) != older


def test_what_we_have_already_is_not_made_again(translator):
    fact, client = swedish(), sign_in(translator)
    factories.publish(fact, "ar", title="سؤال؟", summary="جواب.", body="# a\n\nb\n\n{{phone:bris}}")
    before = Revision.objects.count()
    shown = send(client, download(fact))
    page = client.get(shown["Location"]).content.decode()
    assert "Nothing: it is as we have it" in page
    assert "There is nothing to import" in page
    client.post(shown["Location"])
    assert Revision.objects.count() == before


def test_saying_that_a_translation_still_holds_for_the_new_swedish_text_is_a_new_draft(translator):
    fact, client = swedish(), sign_in(translator)
    factories.publish(fact, "ar", title="سؤال؟", summary="جواب.", body="# a\n\nb\n\n{{phone:bris}}")
    newer = factories.publish(fact, title="Fråga?", summary="Svar!", body=BODY)
    client.post(send(client, filled(download(fact), summary="جواب."))["Location"])
    assert newest(fact).based_on == newer
    assert newest(fact).fields["summary"] == "جواب."


def test_one_file_brings_several_texts_and_those_that_are_not_finished_wait(translator):
    done, half, none = swedish(), swedish(), swedish()
    client = sign_in(translator)
    content = download(done, half, none)
    keys = [f"fact/{thing.pk}" for thing in (done, half, none)]
    assert list(units(content)) == keys
    parts = content.decode().split("<file ")
    parts[1] = parts[1].replace('<target state="needs-translation"/>', "<target>x</target>")
    parts[2] = parts[2].replace('<target state="needs-translation"/>', "<target>x</target>", 2)
    shown = send(client, "<file ".join(parts).encode())
    page = client.get(shown["Location"]).content.decode()
    assert "Nothing: not finished" in page
    begins = ["## Rubrik", "Två.", "Ring 116 111."]
    assert re.findall(r'<li lang="sv">(.*?)</li>', page) == begins
    assert "Nothing: not translated" in page
    client.post(shown["Location"])
    assert newest(done)
    assert not newest(half)
    assert not newest(none)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (("{pk}", "999999"), "there is no such text"),
        (("fact/{pk}", "nothing/{pk}"), "there is no such text"),
        (("fact/{pk}", "rebuttal/{pk}"), "there is no such text"),
        (('product-version="{source}"', 'product-version="999999"'), "not one of this site"),
        (('product-version="{source}"', 'product-version="{draft}"'), "not one of this site"),
        (('product-version="{source}"', 'product-version="{other}"'), "not one of this site"),
        (('build-num="', 'build-num="0'), "not the one kept here"),
        (('id="body.2"', 'id="body.9"'), "not in the file: body.2"),
        (('id="body.2"', 'id="body.9"'), "unknown here: body.9"),
        (('target-language="ar"', 'target-language="th"'), "none of the languages"),
        (("x summary", "Ring {{{{phone:nobody}}}}"), "{{phone:nobody}} is no number to call"),
        (("x summary", "Född 850101-1236"), "personal identity number"),
        (("x title", "x" * 161), "at most 160 characters"),
        (("x body.1", "y" * 20_001), "at most 20000 characters"),
        (("</xliff>", ""), "damaged"),
        (("<xliff", "<!DOCTYPE xliff><xliff"), "document type"),
    ],
    ids=str,
)
def test_a_wrong_file_is_told_why_and_changes_nothing(translator, change, because):
    fact, other, client = swedish(), swedish(title="En annan?"), sign_in(translator)
    draft = revisions.draft(fact, language="sv", fields={"title": "Utkast"}, by=translator)
    known = {
        "pk": fact.pk,
        "source": revisions.current(fact).pk,
        "draft": draft.pk,
        "other": revisions.current(other).pk,
    }
    old, new = (part.format(**known) for part in change)
    content = filled(download(fact, other)).decode()
    assert old in content
    before = rows()
    answer = send(client, content.replace(old, new, 1).encode())
    page = answer.content.decode()
    assert because in page
    assert (answer.status_code, rows()) == (422, before)


def test_a_file_with_a_personal_number_is_not_kept_for_a_moment_though_it_makes_no_draft(translator):
    fact = swedish()
    before = rows()
    content = filled(download(fact), summary="Född 850101-1236", body_3="")
    answer = send(sign_in(translator), content)
    assert "personal identity number" in answer.content.decode()
    assert rows() == before


def test_a_file_of_six_megabytes_is_refused(translator):
    fact, client = swedish(), sign_in(translator)
    before = rows()
    answer = send(client, filled(download(fact)) + b"<!-- " + b"x" * 6 * 1024 * 1024 + b" -->")
    assert "5 MB is the most" in answer.content.decode()
    assert rows() == before


def test_one_wrong_text_keeps_all_others_of_the_file_out(translator):
    first, second, client = swedish(), swedish(), sign_in(translator)
    content = filled(download(first, second)).replace(f"fact/{second.pk}".encode(), b"fact/999999")
    before = rows()
    assert "fact/999999" in send(client, content).content.decode()
    assert rows() == before


def test_a_text_that_the_person_may_not_translate_is_refused_whatever_else_is_in_the_file():
    """Who works with events translates events only."""
    fact, client = swedish(), sign_in(person(Role.EVENTS, language="en"))
    before = rows()
    assert "you may not translate texts of this kind" in send(client, filled(download(fact))).content.decode()
    assert rows() == before
    assert client.get(f"{PAGE}fact/{fact.pk}/ar.xlf").status_code == 403
    assert f"fact/{fact.pk}" not in client.get(PAGE).content.decode()
    asked = client.get(f"{PAGE}bundle.xlf", {"language": "ar", "text": f"fact/{fact.pk}"})
    assert "Tick the texts" in asked.content.decode()


def test_what_became_wrong_between_the_two_steps_changes_nothing(translator):
    fact, client = swedish(), sign_in(translator)
    shown = send(client, filled(download(fact)))
    Upload.objects.update(content=filled(download(fact)).replace(b'build-num="', b'build-num="0'))
    before = rows()
    answer = client.post(shown["Location"])
    assert "not the one kept here" in answer.content.decode()
    assert rows() == before


def test_nobody_sees_or_imports_the_file_of_another(translator):
    fact = swedish()
    shown = send(sign_in(translator), filled(download(fact)))
    stranger, before = sign_in(person(Role.TRANSLATOR)), rows()
    assert stranger.get(shown["Location"])["Location"] == PAGE
    assert stranger.post(shown["Location"])["Location"] == PAGE
    assert rows() == before


def test_a_file_is_kept_for_an_hour(translator):
    fact, client = swedish(), sign_in(translator)
    shown = send(client, filled(download(fact)))
    Upload.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    before = Revision.objects.count()
    assert client.post(shown["Location"])["Location"] == PAGE
    assert Revision.objects.count() == before
    assert pages.purge(now=timezone.now()).counts["uploads"] == 1
    assert not Upload.objects.exists()


def test_a_machine_s_words_are_not_passed_off_as_a_person_s(translator):
    fact, client = swedish(), sign_in(translator)
    machine = {"title": "m", "summary": "m2", "body": "m3\n\nm4\n\nm5 {{phone:bris}}"}
    revisions.draft(fact, language="ar", fields=machine, by=factories.user(), method=Method.MACHINE)
    shown = send(client, filled(download(fact), summary="بشر"), "human")
    page = client.get(shown["Location"]).content.decode()
    assert "corrected by a person" in page
    assert "is under way" in page or "under way" in page
    client.post(shown["Location"])
    assert newest(fact).method == Method.MACHINE_EDITED


def test_a_machine_s_file_does_not_lie_over_a_person_s_draft(translator):
    fact, client = swedish(), sign_in(translator)
    revisions.draft(fact, language="ar", fields={"title": "بشر"}, by=factories.user())
    before = rows()
    assert "A person is at work" in send(client, filled(download(fact), title="m"), "machine").content.decode()
    assert rows() == before


def test_every_kind_of_text_makes_the_round(example_content):
    """Facts, rebuttals, events and pages: everything that the site shows, downloaded and sent back filled in."""
    with translation.override("en"):
        editor = person(Role.EDITOR, language="en")
        client = sign_in(editor)
        content = client.get(f"{PAGE}bundle.xlf", {"language": "tr", "all": "1"}).content
        found = units(content)
        assert {key.partition("/")[0] for key in found} == {"fact", "rebuttal", "event", "page"}
        shown = send(client, filled(content), "machine_edited")
        before = Revision.objects.count()
        client.post(shown["Location"])
        made = Revision.objects.filter(author=editor, language="tr")
        assert made.count() == Revision.objects.count() - before
        kinds = {kind.model: kind.name for kind in revisions.kinds()}
        assert {kinds[type(revision.thing)] for revision in made} >= {"fact", "rebuttal", "event", "page"}


# Downloads -------------------------------------------------------------------------------------------------------


def test_one_text_is_downloaded_by_its_link(translator):
    fact, client = swedish(), sign_in(translator)
    answer = client.get(f"{PAGE}fact/{fact.pk}/zh-hans.xlf")
    assert answer.status_code == 404  # not active here
    answer = client.get(f"{PAGE}fact/{fact.pk}/prs.xlf")
    assert answer["Content-Type"] == "application/xliff+xml"
    assert f'filename="klarlagt-fact-{fact.pk}-prs-' in answer["Content-Disposition"]
    assert units(answer.content)[f"fact/{fact.pk}"]["title"][0] == "Fråga?"


def test_what_is_not_published_has_nothing_to_download(translator):
    fact, client = factories.fact(), sign_in(translator)
    revisions.draft(fact, language="sv", fields={"title": "Hemligt"}, by=translator)
    assert client.get(f"{PAGE}fact/{fact.pk}/ar.xlf").status_code == 404
    assert "Hemligt" not in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}fact/{swedish().pk}/sv.xlf").status_code == 404


@pytest.mark.parametrize("is_dangerous", [False, True])
def test_the_list_finds_what_is_missing_and_what_is_out_of_date(translator, is_dangerous):
    missing, outdated, fresh = swedish(), swedish(), swedish()
    for fact in (outdated, fresh):
        factories.publish(fact, "ar", title="سؤال؟", summary="جواب.", body="نص")
    factories.publish(outdated, title="Fråga?", summary="Ett annat svar.", body=BODY, is_dangerous_if_old=is_dangerous)
    client = sign_in(translator)

    def shown(**asked) -> set[int]:
        page = client.get(PAGE, {"language": "ar", **asked}).content.decode()
        return {thing.pk for thing in (missing, outdated, fresh) if f'value="fact/{thing.pk}"' in page}

    assert shown() == {missing.pk, outdated.pk, fresh.pk}
    assert shown(state="missing") == {missing.pk}
    assert shown(state="outdated") == {outdated.pk}
    assert shown(kind="page") == set()
    asked = {"language": "ar", "state": "outdated", "all": "1"}
    assert list(units(client.get(f"{PAGE}bundle.xlf", asked).content)) == [f"fact/{outdated.pk}"]
    asked = {"language": "ar", "text": [f"fact/{missing.pk}", f"fact/{fresh.pk}", "fact/x", "nonsense"]}
    both = units(client.get(f"{PAGE}bundle.xlf", asked).content)
    assert list(both) == [f"fact/{missing.pk}", f"fact/{fresh.pk}"]


def test_a_download_leaves_no_trace(translator):
    fact, client = swedish(), sign_in(translator)
    before = rows()
    client.get(f"{PAGE}bundle.xlf", {"language": "ar", "text": f"fact/{fact.pk}"})
    assert rows() == before

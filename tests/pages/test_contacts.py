"""The staff page for the numbers to call, and where a new number shows."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone

from events import actions as events
from portal import contacts
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pages import actions, tasks
from portal.pages.models import Contact, Page
from portal.search.models import IndexRow, Segment
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.rumors.conftest import answer

pytestmark = pytest.mark.django_db

PATH = "/staff/contacts/"
STANDING = {contact.key: contact.number for contact in contacts.DEFAULTS}


def stored() -> dict[str, str]:
    return dict(Contact.objects.values_list("key", "number"))


def shown() -> dict[str, str]:
    return {key: contact.number for key, contact in contacts.numbers().items()}


def save(django_capture_on_commit_callbacks, client, **numbers):
    with django_capture_on_commit_callbacks(execute=True):
        return client.post(PATH, STANDING | numbers)


def get(path: str) -> str:
    cache.clear()
    return browser().get(path).content.decode()


def test_a_new_number_is_on_pages_error_pages_and_in_texts_in_every_language(django_capture_on_commit_callbacks):
    fact = factories.fact()
    factories.publish(fact, title="Vem lyssnar?", summary="Någon lyssnar.", body="Ring {{phone:bris}} när du vill.")
    fact_page = f"/sv/facts/{fact.slug}/"
    pages = ["/sv/", "/ar/", fact_page, "/sv/no/such/page/", "/ar/no/such/page/"]
    assert all("116 111" in get(path) for path in pages)

    response = save(django_capture_on_commit_callbacks, sign_in(person(Role.EDITOR)), bris="116 222")

    assert response["Location"] == PATH
    for path in pages:
        html = get(path)
        assert 'href="tel:116222"' in html, path
        assert "116 111" not in html, path
    assert 'Ring <a class="phone" href="tel:116222"><bdi dir="ltr">116 222</bdi></a> när du vill.' in get(fact_page)


RING = "Ring {{phone:bris}} nu"


@pytest.fixture
def places():
    """Every page and file for readers, with a number to call in every text there is."""
    fields = {"title": f"{RING}?", "summary": f"{RING}.", "body": f"## {RING}\n\n- **{RING}**"}
    fact = factories.published_fact(is_asked_often=True)
    other = factories.fact(topic=fact.topic)
    rebuttal = answer(fact=fact, slug="sa-ar-det")
    starts_at = timezone.now() + timedelta(days=5)
    meeting = events.create(by=factories.user(), kind="seminar", slug="traff", place="Här", starts_at=starts_at,
                            ends_at=starts_at + timedelta(hours=1))  # fmt: skip
    standing = Page.objects.create(key=Page.Key.PRIVACY)
    for thing in (fact, other, meeting, standing):
        factories.publish(thing, **fields)
    factories.put_out(meeting)
    factories.publish(rebuttal, **dict.fromkeys(("title", "answer", "claim", "explanation"), f"{RING}."))
    pages = ["", "parents/", f"facts/{fact.slug}/", "rumors/", "rumors/sa-ar-det/", "events/", "events/traff/",
             "privacy/", "search/?q=ring", "feed.xml", "events.ics", "events/traff.ics"]  # fmt: skip
    programs = ["facts", f"facts/{fact.slug}", "rebuttals", "events"]
    return [f"/{code}/{page}" for code in ("sv", "ar") for page in pages] + [f"/api/v1/{path}" for path in programs]


def test_a_new_number_is_at_once_wherever_a_text_names_it_and_nobody_sees_how_it_is_written(places):
    old = {path: get(path) for path in places}
    contacts.write([contacts.Contact("bris", "116 222")])
    for path, before in old.items():
        after = get(path)
        for said, number in [(before, "116 111"), (after, "116 222")]:
            # Calendar lines are folded, and in search words may be marked.
            shown_text = re.sub(r"<[^>]*>|\r\n |[\u2066\u2069]", "", said)
            assert f"Ring {number} nu" in shown_text, path
            assert "phone:" not in said, path
            assert "{{" not in said, path
        assert "116 111" not in after, path
        assert "116111" not in after, path


def test_a_number_is_found_and_stays_whole_in_a_hit_between_words_from_right_to_left():
    fact = factories.published_fact()
    factories.publish(fact, "ar", title="من يسمع؟", summary="اتصل على {{phone:bris}} الآن.", body="نص")
    (hit,) = IndexRow.objects.matching("116", "ar")
    assert Segment("\u2066116", is_match=True) in hit.text_parts
    assert "على \u2066116 111\u2069 الآن" in "".join(part for part, _ in hit.text_parts)
    assert [hit.object_id for hit in IndexRow.objects.matching("116 111", "ar")] == [fact.pk]
    assert not IndexRow.objects.matching("phone:bris", "ar").found


def test_what_changed_is_in_the_log_with_who_changed_it_and_what_did_not_is_not(django_capture_on_commit_callbacks):
    editor = person(Role.EDITOR)
    save(django_capture_on_commit_callbacks, sign_in(editor), bris="116 222")
    events = AuditEvent.objects.filter(kind="pages.contact")
    assert [(e.verb, e.by_id, e.changes) for e in events] == [("edit", editor.pk, {"number": ["116 111", "116 222"]})]
    assert stored() == STANDING | {"bris": "116 222"}
    save(django_capture_on_commit_callbacks, sign_in(editor), bris="116 222")
    assert AuditEvent.objects.filter(kind="pages.contact").count() == 1


BAD = [
    "",
    "   ",
    "ring oss",
    "116 111 <b>",
    "116\x00111",
    "1",
    "1" * 31,
    "११६ १११",
    "tel:112",
    "112;999",
    "+",
    "112\n113",
]


@pytest.mark.parametrize("number", BAD, ids=ascii)
def test_a_number_that_cannot_be_dialed_is_refused_and_everything_typed_is_kept(
    django_capture_on_commit_callbacks, number
):
    client = sign_in(person(Role.ADMIN))
    response = save(django_capture_on_commit_callbacks, client, bris=number, police="114 15")
    assert response.status_code == 422
    form = response.context["form"]
    assert form.errors.keys() == {"bris"}
    assert (form["bris"].value(), form["police"].value()) == (number, "114 15")
    html = response.content.decode()
    assert 'value="114 15"' in html
    assert "<b>" not in html
    assert (stored(), shown()) == ({}, STANDING)
    assert not AuditEvent.objects.filter(kind="pages.contact").exists()


def test_numbers_as_people_write_them_are_taken(django_capture_on_commit_callbacks):
    client = sign_in(person(Role.EDITOR))
    for number in ("112", "020-50 50 50", "+46 980 319 200", "1" * 29):
        save(django_capture_on_commit_callbacks, client, social=f"  {number} ")
        assert shown()["social"] == number


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.EDITOR, Role.ADMIN}])
def test_nobody_else_may_change_a_number(django_capture_on_commit_callbacks, role):
    response = save(django_capture_on_commit_callbacks, sign_in(person(role)), bris="0900-1234")
    assert response.status_code == 403
    assert "116 111" in response.content.decode()
    assert (stored(), shown()) == ({}, STANDING)


def test_a_change_that_is_rolled_back_is_not_in_the_file():
    actions.change_contacts(numbers={"bris": "116 222"}, by=person(Role.EDITOR))
    assert stored() == {"bris": "116 222"}
    assert shown() == STANDING


def test_a_disk_that_takes_no_file_loses_no_number_and_the_clock_makes_up_for_it(
    django_capture_on_commit_callbacks, settings
):
    in_the_way = Path(settings.CONTACTS_FILE)
    (in_the_way / "folder").mkdir(parents=True)
    with pytest.raises(IsADirectoryError), django_capture_on_commit_callbacks(execute=True):
        actions.change_contacts(numbers={"bris": "116 222"}, by=person(Role.EDITOR))
    assert (stored(), shown()) == ({"bris": "116 222"}, STANDING)
    (in_the_way / "folder").rmdir()
    in_the_way.rmdir()
    tasks.mirror_contacts()
    assert shown() == STANDING | {"bris": "116 222"}


@pytest.mark.django_db(transaction=True)
def test_staff_are_told_that_a_number_is_kept_which_no_page_can_show_yet(settings):
    in_the_way = Path(settings.CONTACTS_FILE)
    (in_the_way / "folder").mkdir(parents=True)
    client = sign_in(person(Role.EDITOR))
    html = client.post(PATH, STANDING | {"bris": "116 222"}, follow=True).content.decode()
    assert re.search(r'<p class="notice bad"\s+role="status">', html)
    assert 'value="116 222"' in html
    assert (stored()["bris"], shown()) == ("116 222", STANDING)
    (in_the_way / "folder").rmdir()
    in_the_way.rmdir()
    tasks.mirror_contacts()
    assert shown() == STANDING | {"bris": "116 222"}


def test_saving_while_the_file_is_lost_keeps_the_numbers_that_are_stored(django_capture_on_commit_callbacks):
    Contact.objects.create(key="bris", number="116 222")
    client = sign_in(person(Role.EDITOR))
    assert shown() == STANDING
    offered = client.get(PATH).context["form"].initial
    save(django_capture_on_commit_callbacks, client, **offered | {"police": "114 15"})
    assert stored() == shown() == STANDING | {"bris": "116 222", "police": "114 15"}
    events_ = AuditEvent.objects.filter(kind="pages.contact")
    assert [event.changes for event in events_] == [{"number": ["114 14", "114 15"]}]


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text('{"bris": "11')], ids=["lost", "torn"])
def test_the_clock_repairs_a_lost_or_torn_file(django_capture_on_commit_callbacks, settings, damage):
    with django_capture_on_commit_callbacks(execute=True):
        actions.change_contacts(numbers={"bris": "116 222"}, by=person(Role.EDITOR))
    damage(Path(settings.CONTACTS_FILE))
    assert shown() == STANDING
    tasks.mirror_contacts()
    assert shown() == STANDING | {"bris": "116 222"}


def test_the_clock_leaves_a_file_alone_that_is_right(settings):
    Contact.objects.create(key="bris", number="116 222")
    tasks.mirror_contacts()
    first = Path(settings.CONTACTS_FILE).stat()
    tasks.mirror_contacts()
    again = Path(settings.CONTACTS_FILE).stat()
    assert (again.st_ino, again.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)


def test_a_form_that_has_lain_open_does_not_bring_an_old_number_back(django_capture_on_commit_callbacks):
    client = sign_in(person(Role.EDITOR))
    opened = STANDING | {f"initial-{key}": number for key, number in STANDING.items()}
    assert 'name="initial-oncall"' in client.get(PATH).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        actions.change_contacts(numbers={"oncall": "0980-999 999"}, by=person(Role.EDITOR))

    with django_capture_on_commit_callbacks(execute=True):
        client.post(PATH, opened | {"social": "0980-888 888"})

    assert (shown()["oncall"], shown()["social"]) == ("0980-999 999", "0980-888 888")

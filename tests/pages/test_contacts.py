"""The staff page for the numbers to call, and where a new number shows."""

from pathlib import Path

import pytest
from django.core.cache import cache

from portal import contacts
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pages import actions, tasks
from portal.pages.models import Contact
from tests import factories
from tests.accounts.people import browser, person, sign_in

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

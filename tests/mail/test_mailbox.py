import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from portal.accounts.models import User

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"
LETTER = f"""\
X-Envelope-From: noreply@example.org
X-Envelope-To: anna@example.org
From: Klarlagt <noreply@example.org>
To: anna@example.org
Subject: =?utf-8?b?2KrYsNmD2YrYsQ==?= {EVIL}
Date: Thu, 26 Nov 2026 13:00:00 +0000
Content-Language: ar
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

مرحبا {EVIL}
--a
Content-Type: text/html; charset=utf-8

<p>only in html</p>
--a--
--b
Content-Type: application/ics
Content-Disposition: attachment; filename=calendar.ics

BEGIN:VCALENDAR
--b--
"""


@pytest.fixture
def folder(settings, tmp_path):
    settings.DEMO = True
    settings.MAILBOX_DIR = tmp_path
    return tmp_path


@pytest.fixture
def staff_client(client):
    user = User.objects.create_user("eva@example.org", name="Eva")
    user.groups.add(Group.objects.get_or_create(name="events")[0])
    client.force_login(user)
    return client


def keep(folder, number, text=LETTER):
    name = f"{number:020}-0"
    (folder / f"{name}.eml").write_bytes(text.replace("\n", "\r\n").encode())
    return name


def test_the_newest_fifty_are_listed_newest_first(folder, staff_client):
    names = [keep(folder, number) for number in range(52)]
    (folder / "foreign.eml").write_text("x")
    (folder / ".00000000000000000099-0").write_text("unfinished")
    page = staff_client.get(reverse("mailbox")).content.decode()
    listed = [name for name in reversed(names) if reverse("mailbox_message", args=[name]) in page]
    assert listed == names[:1:-1]
    assert page.index(names[51]) < page.index(names[2])
    assert "foreign" not in page
    assert "تذكير" in page
    assert EVIL not in page


def test_a_message_is_shown_as_text_with_headers_and_names_of_files(folder, staff_client):
    page = staff_client.get(reverse("mailbox_message", args=[keep(folder, 1)])).content.decode()
    assert "مرحبا &lt;script&gt;" in page
    assert "calendar.ics" in page
    assert "anna@example.org" in page
    assert EVIL not in page
    assert "only in html" not in page


@pytest.mark.parametrize("name", ["..", "..%2f..%2fetc%2fpasswd", "1-0", "00000000000000000009-0", "0" * 20 + "-0x"])
def test_only_messages_can_be_opened(folder, staff_client, name):
    (folder / "1-0.eml").write_text("not ours")
    (folder / ("0" * 20 + "-0x.eml")).write_text("not ours")
    response = staff_client.get(f"/staff/mailbox/{name}/")
    assert response.status_code == 404
    assert b"not ours" not in response.content


@pytest.mark.parametrize(("demo", "has_folder"), [(False, True), (True, False)])
def test_there_is_no_mailbox_outside_the_demonstration(folder, settings, staff_client, monkeypatch, demo, has_folder):
    monkeypatch.setattr("portal.http.may_work", lambda user: True)
    name = keep(folder, 1)
    assert staff_client.get(reverse("mailbox")).status_code == 200
    settings.DEMO = demo
    settings.MAILBOX_DIR = folder if has_folder else None
    assert staff_client.get(reverse("mailbox")).status_code == 404
    assert staff_client.get(reverse("mailbox_message", args=[name])).status_code == 404


def test_strangers_are_sent_to_the_login(folder, client):
    response = client.get(reverse("mailbox_message", args=[keep(folder, 1)]))
    assert response.status_code == 302
    assert "مرحبا" not in response.content.decode()

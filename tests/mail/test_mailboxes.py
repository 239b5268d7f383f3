import os
import re
import socket
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from imaplib import Time2Internaldate
from urllib.parse import quote

import pytest

from portal.mail import mailboxes
from portal.mail.mailboxes import UnreachableError
from tests.mail.imap import PASSWORD, Server

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
TEXT = b"Subject: %b\r\nMessage-ID: <%b@example.org>\r\n\r\nText\r\n"


def letter(name):
    return TEXT % (name.encode(), name.encode())


class Folder:
    """A maildir as a mail server writes it."""

    def __init__(self, path):
        self.path = path
        for name in ("new", "cur", "tmp"):
            (path / name).mkdir(parents=True)
        self.url = f"maildir:{quote(str(path))}"
        self.count = 0

    def put(self, content, *, flags="", at=NOW):
        self.count += 1
        name = f"{int(at.timestamp())}.M{self.count:06}P1.host"
        path = self.path / "cur" / f"{name}:2,{flags}" if flags else self.path / "new" / name
        path.write_bytes(content)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    def flags(self):
        found = sorted(path for name in ("new", "cur") for path in (self.path / name).iterdir())
        found.sort(key=lambda path: path.name)
        return [path.name.partition(":2,")[2] for path in found]

    def seen(self):
        return ["S" in flags for flags in self.flags()]


class Inbox:
    """The same of an IMAP server."""

    def __init__(self, server, url):
        self.server, self.url = server, url

    def put(self, content, *, flags="", at=NOW):
        names = {"S": r"\Seen", "F": r"\Flagged"}
        self.server.put(content, flags=" ".join(names[flag] for flag in flags), at=Time2Internaldate(at))

    def seen(self):
        return [rb"\Seen" in flags for flags in self.server.flags()]


@pytest.fixture
def imap(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    server = Server(certificate)
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "bounces & more")


@pytest.fixture(params=["maildir", "imaps", "imap_tls"])
def box(request):
    if request.param == "maildir":
        return request.getfixturevalue("folder")
    server = request.getfixturevalue("imap")
    return Inbox(server, getattr(server, request.param))


def read(box, *, mark=True):
    subjects = []
    with mailboxes.opened(box.url) as mailbox:
        for found in mailbox.unread():
            subjects.append(re.search(rb"^Subject: (.*?)\r?$", found.content, re.MULTILINE)[1].decode())
            if mark:
                mailbox.mark(found)
    return subjects


def test_what_is_unread_is_read_until_it_is_marked_and_nothing_is_deleted(box):
    box.put(letter("first"))
    box.put(letter("known"), flags="S")
    box.put(letter("flagged"), flags="F")
    assert read(box, mark=False) == ["first", "flagged"]
    assert box.seen() == [False, True, False]
    assert read(box) == ["first", "flagged"]
    assert box.seen() == [True, True, True]
    box.put(letter("new"))
    assert read(box) == ["new"]
    assert read(box) == []
    assert box.seen() == [True] * 4


def test_what_was_read_before_something_broke_is_marked_and_the_rest_is_not(box):
    for name in "abc":
        box.put(letter(name))

    def mark_and_break():
        with mailboxes.opened(box.url) as mailbox:
            for found in mailbox.unread():
                1 / (b"Subject: b" not in found.content)
                mailbox.mark(found)

    with pytest.raises(ZeroDivisionError):
        mark_and_break()
    assert box.seen() == [True, False, False]
    assert read(box) == ["b", "c"]


def test_of_a_large_message_only_the_beginning_is_read(box):
    box.put(letter("large") + b"x" * 3_000_000)
    with mailboxes.opened(box.url) as mailbox:
        [found] = mailbox.unread()
    assert len(found.content) == mailboxes.MOST_BYTES
    assert found.content.startswith(letter("large"))


def test_an_empty_message_is_read_once(folder):
    folder.put(b"")
    with mailboxes.opened(folder.url) as mailbox:
        for found in mailbox.unread():
            assert found.content == b""
            mailbox.mark(found)
    assert folder.seen() == [True]


def test_a_journal_says_which_messages_it_holds_and_from_when_to_when(box):
    with mailboxes.opened(box.url) as mailbox:
        assert mailbox.span() is None
        assert mailbox.holding(["<a@example.org>"], since=NOW) == set()
    box.put(letter("old"), at=NOW - timedelta(days=9))
    box.put(b"Subject: x\r\nMESSAGE-ID:\r\n <folded@example.org>\r\n\r\nText", at=NOW, flags="S")
    box.put(b"Subject: about <quoted@example.org>\r\n\r\nMessage-ID: <body@example.org>\r\n", at=NOW)
    box.put(letter("new"), at=NOW + timedelta(hours=1))
    wanted = [f"<{name}@example.org>" for name in ("old", "folded", "quoted", "body", "new", "none")]
    with mailboxes.opened(box.url) as mailbox:
        assert mailbox.holding([*wanted, '"<new@example.org>" OR ALL', "*"], since=NOW) == {
            "<folded@example.org>",
            "<new@example.org>",
        }
        assert mailbox.holding(wanted[:1], since=NOW - timedelta(days=10)) == {"<old@example.org>"}
        assert mailbox.span() == (NOW - timedelta(days=9), NOW + timedelta(hours=1))
    assert box.seen() == [False, True, False, False]


def test_many_messages_are_searched_for_in_parts(imap, monkeypatch):
    monkeypatch.setattr(mailboxes, "_BLOCK", 3)
    box = Inbox(imap, imap.imaps)
    for number in range(7):
        box.put(letter(f"n{number}"), flags="S" if number in {0, 5} else "")
    assert read(box) == ["n1", "n2", "n3", "n4", "n6"]
    assert read(box) == []


def test_many_old_messages_do_not_hold_up_a_new_one(folder):
    for number in range(20_000):
        (folder.path / "cur" / f"1.{number}.host:2,S").touch()
    folder.put(letter("new"))
    with mailboxes.opened(folder.url) as mailbox:
        unread = mailbox.unread()
        assert letter("new") == next(unread).content


def test_what_is_no_message_of_a_maildir_is_passed_over(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(letter("secret"))
    (folder.path / "new" / "1.link.host").symlink_to(secret)
    (folder.path / "new" / "2.folder.host").mkdir()
    os.mkfifo(folder.path / "new" / "3.pipe.host")
    (folder.path / "new" / ".hidden").write_bytes(letter("hidden"))
    (folder.path / "tmp" / "4.unfinished.host").write_bytes(letter("unfinished"))
    folder.put(letter("real"))
    assert read(folder) == ["real"]


def test_a_message_that_another_process_took_first_is_no_fault(folder):
    path = folder.put(letter("a"))
    folder.put(letter("b"), at=NOW + timedelta(seconds=1))
    with mailboxes.opened(folder.url) as mailbox:
        unread = mailbox.unread()
        first = next(unread)
        path.unlink()
        mailbox.mark(first)
        assert b"Subject: b" in next(unread).content
    with mailboxes.opened(folder.url) as mailbox:
        unread = mailbox.unread()
        for left in (folder.path / "new").iterdir():
            left.unlink()
        assert list(unread) == []


def test_a_maildir_that_is_not_there_is_told_and_not_made(tmp_path):
    with mailboxes.opened(f"maildir:{tmp_path}/none") as mailbox, pytest.raises(UnreachableError, match="FileNotFound"):
        list(mailbox.unread())
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("trouble", ["nobody", "certificate", "password", "folder", "no_tls", "silence"])
def test_an_imap_server_that_cannot_be_used_is_told_without_the_password(imap, monkeypatch, trouble, listener):
    url = imap.imaps
    if trouble == "nobody":
        url = f"imaps://u:{quote(PASSWORD, safe='')}@127.0.0.1:{listener.getsockname()[1]}"
        listener.close()
    elif trouble == "certificate":
        monkeypatch.delenv("SSL_CERT_FILE")
    elif trouble == "password":
        url = url.replace(quote(PASSWORD, safe=""), "tidning")
    elif trouble == "folder":
        url = url.replace("INBOX", "Elsewhere")
    elif trouble == "no_tls":  # a server that greets and offers no encryption
        url = f"imap+tls://u:tidning@127.0.0.1:{listener.getsockname()[1]}?timeout=2"
        answer(listener, b"* OK hello\r\n", b"CAPABILITY", b"* CAPABILITY IMAP4rev1\r\n")
    else:
        url = f"imap+tls://u:tidning@127.0.0.1:{listener.getsockname()[1]}?timeout=0.3"
    with pytest.raises(UnreachableError) as told, mailboxes.opened(url):
        pass
    assert "tidning" not in str(told.value)
    assert "@" not in str(told.value)
    assert len(str(told.value)) > 10


@pytest.fixture
def listener():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener


def answer(listener, greeting, command, lines):
    """One connection, in which `command` is answered by `lines` and every other one by BAD."""

    def talk():
        with closing(listener.accept()[0]) as connection, connection.makefile("rwb") as stream:
            stream.write(greeting)
            stream.flush()
            for line in stream:
                tag = line.split()[0]
                stream.write(lines + tag + b" OK\r\n" if command in line else tag + b" BAD no\r\n")
                stream.flush()

    threading.Thread(target=talk, daemon=True).start()


@pytest.mark.parametrize(
    "url", ["imap://host/INBOX", "pop3://host", "/var/mail", 'imaps://h/a"b', "imaps://h/a%0D%0Ab"]
)
def test_an_address_that_is_no_mailbox_is_refused(url):
    with pytest.raises(ValueError, match="mailbox"), mailboxes.opened(url):
        pass


def test_marking_keeps_the_flags_that_a_person_has_set(folder):
    folder.put(letter("a"), flags="FR")
    assert read(folder) == ["a"]
    assert folder.flags() == ["FRS"]

"""The conversation with ClamAV: only what it says to be clean gets in."""

import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from portal.pictures import actions, transport
from portal.pictures.models import Picture
from tests.pictures import images
from tests.pictures.conftest import sent

PNG = images.file_of(images.screenshot(), "PNG")
ROOT = Path(__file__).resolve().parents[2]
LARGE = b"\xaa" * 9_000_000


class Scanner:
    """A server that speaks clamd's protocol, well or badly: `answer` is what it says, or a function that gets the
    connection before a byte was read."""

    def __init__(self, listener):
        self.listener = listener
        self.answer = b"stream: OK\0"
        self.seen = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    @property
    def url(self):
        at = self.listener.getsockname()
        return f"unix://{at}" if isinstance(at, str) else f"tcp://127.0.0.1:{at[1]}"

    def close(self):
        self.is_over.set()
        with socket.socket(self.listener.family) as waker:
            waker.connect(self.listener.getsockname())
        for thread in self.threads:
            thread.join(10)
        self.listener.close()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            if self.is_over.is_set():
                connection.close()
                return
            self.threads.append(threading.Thread(target=self._serve, args=[connection], daemon=True))
            self.threads[-1].start()

    def _serve(self, connection):
        try:
            connection.settimeout(10)
            if callable(self.answer):
                self.answer(connection)
            else:
                self.listen(connection)
                connection.sendall(self.answer)
        except OSError:
            pass  # the other side went away, as it may
        finally:
            connection.close()

    def listen(self, connection):
        """Read what it is to look at, as clamd does."""
        with connection.makefile("rb") as words:
            assert words.read(10) == b"zINSTREAM\0"
            content = b""
            while length := struct.unpack("!L", words.read(4))[0]:
                content += words.read(length)
        self.seen.append(content)


@pytest.fixture(params=["tcp", "unix"])
def scanner(request, settings, tmp_path):
    listener = socket.socket(socket.AF_UNIX if request.param == "unix" else socket.AF_INET)
    listener.bind(str(tmp_path / "clamd.sock") if request.param == "unix" else ("127.0.0.1", 0))
    listener.listen()
    server = Scanner(listener)
    settings.CLAMAV_URL = server.url
    yield server
    server.close()


def refused(content=PNG, *, seconds=5.0):
    with pytest.raises(ValidationError) as found:
        transport.scan(content, seconds=seconds)
    (sentence,) = found.value.messages
    assert len(sentence) > 30
    return found.value.code


def test_the_scanner_sees_every_byte_that_was_sent(scanner):
    for content in (PNG, b"", b"x", LARGE, b"y" * transport.CHUNK):
        transport.scan(content)
        assert scanner.seen.pop() == content


def test_what_is_clean_is_kept(scanner, reporter):
    assert actions.keep(sent(PNG), by=reporter).pk
    assert scanner.seen == [PNG]


def test_what_is_found_is_refused_before_it_is_opened(scanner, reporter, files):
    scanner.answer = b"stream: Win.Test.EICAR_HDB-1 FOUND\0"
    with pytest.raises(ValidationError) as found:
        actions.keep(sent(b"this would not even be a picture"), by=reporter)
    assert found.value.code == "virus"
    assert "EICAR" not in found.value.messages[0]
    assert files() == []
    assert not Picture.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0",
        b"OK\0",
        b"stream: OK",
        b"stream: OK\n",
        b"stream: OK \0",
        b"stream: ok\0",
        b"stream: OK\0\0",
        b"stream: NOT OK\0",
        b"xstream: OK\0",
        b"stream: lstat() failed: Permission denied. ERROR\0",
        b"INSTREAM size limit exceeded. ERROR\0",
        b"UNKNOWN COMMAND\0",
        b"HTTP/1.1 200 OK\r\n\r\nstream: OK\0",
        b"stream: " + b"x" * 100_000,
        b"\xff\xfe\0",
    ],
    ids=lambda answer: repr(answer[:40]),
)
def test_anything_but_a_plain_ok_is_refused(scanner, answer):
    scanner.answer = answer
    assert refused() == "unscanned"


def silent(connection):
    # The test may be over, and the connection closed, before all of it has been read.
    with suppress(OSError):
        connection.recv(1)
        connection.settimeout(10)
        while connection.recv(65536):
            pass


def dripping(connection):
    threading.Thread(target=silent, args=[connection], daemon=True).start()
    stopped = threading.Event()
    while not stopped.wait(0.02):
        connection.sendall(b"s")


def deaf(connection):
    # It never reads: what is sent fills the buffers of both sides and then goes nowhere.
    threading.Event().wait(2)


@pytest.mark.parametrize("answer", [silent, dripping, deaf], ids=["silent", "dripping", "deaf"])
def test_a_scanner_that_takes_its_time_is_given_up(scanner, answer):
    scanner.answer = answer
    started = time.monotonic()
    assert refused(LARGE, seconds=0.4) == "unscanned"
    assert time.monotonic() - started < 4


def reset(connection):
    connection.recv(5)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(connection):
    connection.recv(5)


@pytest.mark.parametrize("answer", [reset, hang_up])
@pytest.mark.parametrize("content", [PNG, LARGE], ids=["small", "large"])
def test_a_scanner_that_hangs_up_lets_nothing_pass(scanner, answer, content):
    scanner.answer = answer
    assert refused(content) == "unscanned"


@pytest.mark.parametrize("answer", [b"stream: OK\0", b"INSTREAM size limit exceeded. ERROR\0"])
def test_what_it_says_before_it_has_seen_everything_does_not_count(scanner, answer):
    def hasty(connection):
        connection.sendall(answer)
        scanner.listen(connection)

    scanner.answer = hasty
    assert refused(LARGE) == "unscanned"


def test_of_two_answers_the_bad_one_counts(scanner):
    scanner.answer = b"stream: OK\0stream: Win.Test FOUND\0"
    assert refused() == "virus"


def test_it_may_say_early_what_it_found(scanner):
    def quick(connection):
        connection.sendall(b"stream: Win.Test FOUND\0")
        scanner.listen(connection)

    scanner.answer = quick
    assert refused(LARGE) == "virus"


@pytest.mark.parametrize("where", ["tcp", "unix", "name"])
def test_when_it_is_configured_and_down_nothing_is_kept(where, settings, tmp_path, reporter, files):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings.CLAMAV_URL = {
        "tcp": f"tcp://127.0.0.1:{port}",
        "unix": f"unix://{tmp_path}/none.sock",
        "name": f"tcp://scanner.invalid:{port}",
    }[where]
    with pytest.raises(ValidationError) as found:
        actions.keep(sent(PNG), by=reporter)
    assert found.value.code == "unscanned"
    assert files() == []
    assert not Picture.objects.exists()


def test_without_a_scanner_nobody_is_asked(settings, reporter):
    assert settings.CLAMAV_URL == ""
    assert actions.keep(sent(PNG), by=reporter).pk


ADDRESSES = {
    "tcp://clamav:3310": True,
    "tcp://10.0.0.7:3310": True,
    "tcp://[::1]:3310": True,
    "unix:///run/clamav/clamd.ctl": True,
    "clamav:3310": False,
    "tcp://clamav": False,
    "http://clamav:3310": False,
    "unix://clamd.ctl": False,
    "tcp://user@clamav:3310": False,
}
START = """
import os, runpy, sys
for address in sys.argv[1:]:
    os.environ["CLAMAV_URL"] = address
    try:
        print(runpy.run_module("portal.settings")["CLAMAV_URL"] == address)
    except Exception as error:
        print(error)
"""


def test_an_address_that_cannot_be_one_stops_the_start():
    done = subprocess.run(
        [sys.executable, "-c", START, *ADDRESSES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = dict(zip(ADDRESSES, done.stdout.splitlines(), strict=True))
    sentence = "CLAMAV_URL is tcp://host:3310 or unix:///path/to/socket. Mend it."
    assert said == {address: "True" if is_right else sentence for address, is_right in ADDRESSES.items()}

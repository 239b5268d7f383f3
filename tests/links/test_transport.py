"""What a check finds out, and that nothing leads it into an inner network or keeps it waiting."""

import select
import ssl
import subprocess
import time

import pytest

from portal.facts.links.models import Problem
from portal.facts.links.rules import Outcome
from portal.facts.links.transport import MOST_REDIRECTS, Fetcher
from tests.links.conftest import OK, Site, status


def readable(connection, seconds):
    """Whether the other side says something, or hangs up, within that time. Not `select`, which knows 1024 files."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return waiting.poll(seconds * 1000)


def test_a_page_that_is_there_works_and_no_body_is_asked_for(site, fetcher):
    site.answers["/sfst?bet=1990:52"] = OK
    assert fetcher().fetch(site.url("/sfst?bet=1990:52#K1")) == Outcome(200)
    assert site.requests == ["HEAD /sfst?bet=1990:52"]


def test_the_request_says_who_asks_and_brings_nothing_else_along(site, fetcher, settings):
    settings.PUBLIC_URL = "https://klarlagt.example.org"
    site.answers["/"] = OK
    fetcher().fetch(site.url())
    lines = dict(line.split(": ", 1) for line in site.heads[0].strip().split("\r\n"))
    assert set(lines) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert lines["Host"] == f"law.example:{site.port}"
    assert "https://klarlagt.example.org" in lines["User-Agent"]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (204, None),
        (404, Problem.NOT_FOUND),
        (410, Problem.NOT_FOUND),
        (401, Problem.TURNED_AWAY),
        (403, Problem.TURNED_AWAY),
        (429, Problem.TURNED_AWAY),
        (400, Problem.SERVER),
        (500, Problem.SERVER),
        (503, Problem.SERVER),
        (302, Problem.BAD_ANSWER),  # without saying where to
        (300, Problem.BAD_ANSWER),
    ],
)
def test_what_a_status_means(site, fetcher, code, problem):
    site.answers["/"] = status(code)
    assert fetcher().fetch(site.url()) == Outcome(code, problem)


@pytest.mark.parametrize("code", [403, 404, 405, 500, 501])
def test_a_site_that_answers_head_badly_is_asked_for_the_beginning_of_the_page(site, fetcher, code):
    site.answers |= {"HEAD /": status(code), "GET /": OK}
    assert fetcher().fetch(site.url()) == Outcome(200)
    assert site.requests == ["HEAD /", "GET /"]
    assert "Range: bytes=0-1023" in site.heads[1]


def test_a_site_that_hangs_up_on_head_is_asked_for_the_page(site, fetcher):
    site.answers |= {"HEAD /": b"", "GET /": OK}
    assert fetcher().fetch(site.url()) == Outcome(200)


def test_a_site_that_is_tired_of_us_is_not_asked_twice(site, fetcher):
    site.answers["/"] = status(429)
    fetcher().fetch(site.url())
    assert site.requests == ["HEAD /"]


# Redirects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "moved_to"),
    [([301], "/1"), ([308, 301], "/2"), ([302], ""), ([301, 302], "/1"), ([307, 301], ""), ([303], "")],
)
def test_only_what_has_moved_for_good_has_a_new_address(site, fetcher, codes, moved_to):
    for number, code in enumerate(codes):
        site.answers[f"/{number}"] = status(code, f"Location: /{number + 1}")
    site.answers[f"/{len(codes)}"] = OK
    assert fetcher().fetch(site.url("/0")) == Outcome(200, None, moved_to and site.url(moved_to))


def test_a_new_address_that_is_dead_is_no_new_address(site, fetcher):
    site.answers["/"] = status(301, "Location: /gone")
    assert fetcher().fetch(site.url()) == Outcome(404, Problem.NOT_FOUND)


def test_a_new_address_with_other_letters_is_followed(site, fetcher):
    site.answers["/"] = status(301, "Location: /förordning?år=1".encode().decode("latin-1"))
    site.answers["/f%C3%B6rordning?%C3%A5r=1"] = OK
    assert fetcher().fetch(site.url()).moved_to == site.url("/f%C3%B6rordning?%C3%A5r=1")


def test_a_circle_ends(site, fetcher):
    site.answers |= {"/": status(301, "Location: /b"), "/b": status(301, "Location: /")}
    assert fetcher().fetch(site.url()) == Outcome(problem=Problem.REDIRECTS)
    assert len(site.requests) == 1 + MOST_REDIRECTS


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("http://127.0.0.2:{port}/", Problem.PRIVATE),
        ("//127.0.0.2:{port}/", Problem.PRIVATE),
        ("http://inside.example:{port}/", Problem.PRIVATE),
        ("http://[::ffff:127.0.0.1]:{port}/", Problem.PRIVATE),
        ("http://[::1]:{port}/", Problem.PRIVATE),
        ("http://169.254.169.254/latest/meta-data/", Problem.PRIVATE),
        ("http://2130706434:{port}/", Problem.ADDRESS),
        ("http://user@127.0.0.2:{port}/", Problem.ADDRESS),
        ("file:///etc/hostname", Problem.ADDRESS),
        ("gopher://127.0.0.2:{port}/_x", Problem.ADDRESS),
        ("http://[not-an-address/", Problem.ADDRESS),
        ("http://nowhere.example/", Problem.NO_HOST),
    ],
)
def test_a_redirect_goes_nowhere_that_the_link_itself_could_not(site, inner, fetcher, location, problem):
    site.answers["/"] = status(302, f"Location: {location.format(port=inner.port)}")
    assert fetcher().fetch(site.url()) == Outcome(problem=problem)


# The inner network --------------------------------------------------------------------------------------------------


def test_as_the_site_uses_it_loopback_is_never_connected_to(site, names):
    as_used = Fetcher(look_up=names, ports=[site.port])
    for host in ("127.0.0.1", "law.example"):
        assert as_used.fetch(site.url(host=host)) == Outcome(problem=Problem.PRIVATE)
    # And with the resolver of the machine.
    assert Fetcher(ports=[site.port]).fetch(site.url(host="localhost")) == Outcome(problem=Problem.PRIVATE)
    assert site.connections == 0


def test_as_the_site_uses_it_only_the_usual_ports_are_connected_to(site, fetcher):
    assert fetcher(ports=Fetcher().ports).fetch(site.url()) == Outcome(problem=Problem.ADDRESS)
    assert set(Fetcher().ports) == {80, 443}
    assert site.connections == 0


def test_one_inner_address_among_several_is_enough_to_refuse(site, inner, fetcher, names):
    names.table["law.example"] = [["127.0.0.1", "127.0.0.2"]]
    assert fetcher().fetch(site.url()) == Outcome(problem=Problem.PRIVATE)
    assert site.connections == 0


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(site, fetcher, names):
    """DNS rebinding: the answer that was looked at is the one that is used, for both requests."""
    names.table["law.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    site.answers |= {"HEAD /": status(405), "GET /": OK}
    assert fetcher().fetch(site.url()) == Outcome(200)
    assert (names.asked, site.connections) == (["law.example"], 2)


def test_a_redirect_to_a_name_that_changed_its_mind_is_refused(site, inner, fetcher, names):
    names.table["law.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    site.answers["/"] = status(302, f"Location: http://law.example:{inner.port}/")
    assert fetcher().fetch(site.url()) == Outcome(problem=Problem.PRIVATE)


def test_the_next_address_is_tried_when_one_does_not_answer(site, fetcher, names):
    # Nothing listens on 127.0.0.3.
    names.table["law.example"] = [["127.0.0.3", "127.0.0.1"]]
    site.answers["/"] = OK
    assert fetcher(is_allowed=lambda _address: True).fetch(site.url()) == Outcome(200)


# Sites that are slow, endless or not there --------------------------------------------------------------------------


def say_until_it_hangs_up(piece, pause=0.0, start=b""):
    def say(connection):
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            if pause and readable(connection, pause):
                return

    return say


def fetched_in(fetcher, url):
    started = time.monotonic()
    return fetcher.fetch(url), time.monotonic() - started


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: "], ids=["status line", "header"])
def test_a_site_that_drips_is_given_up_in_time(site, fetcher, start):
    site.answers["/"] = say_until_it_hangs_up(b"1", pause=0.02, start=start)
    outcome, seconds = fetched_in(fetcher(seconds=0.5), site.url())
    assert outcome == Outcome(problem=Problem.NO_ANSWER)
    assert 0.4 < seconds < 30


def test_a_chain_of_slow_redirects_is_given_up_in_time(site, fetcher):
    def late(connection):
        readable(connection, 0.3)
        connection.sendall(status(302, "Location: /"))

    site.answers["/"] = late
    outcome, seconds = fetched_in(fetcher(seconds=0.7), site.url())
    assert outcome == Outcome(problem=Problem.NO_ANSWER)
    assert seconds < 30


def test_a_site_that_says_nothing_is_given_up_in_time(site, fetcher):
    site.answers["/"] = lambda connection: readable(connection, 10)
    outcome, seconds = fetched_in(fetcher(seconds=0.3), site.url())
    assert outcome == Outcome(problem=Problem.NO_ANSWER)
    assert seconds < 30


def test_a_body_without_end_is_not_read(site, fetcher):
    site.answers |= {
        "HEAD /": status(405),
        "GET /": say_until_it_hangs_up(b"x" * 65536, start=b"HTTP/1.1 200 OK\r\n\r\n"),
    }
    assert fetcher().fetch(site.url()) == Outcome(200)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 5000 + b"\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"x" * 1000),
    ],
    ids=["many headers", "one long header", "large headers", "to be continued", "no HTTP"],
)
def test_a_head_without_end_is_cut_off(site, fetcher, start, piece):
    site.answers["/"] = say_until_it_hangs_up(piece, start=start)
    assert fetcher(seconds=30).fetch(site.url()) == Outcome(problem=Problem.BAD_ANSWER)


@pytest.mark.parametrize("answer", [b"", b"\x00\x01\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 9999 x\r\n\r\n"])
def test_what_is_no_answer_of_a_web_site(site, fetcher, answer):
    site.answers["/"] = answer
    assert fetcher().fetch(site.url()) == Outcome(problem=Problem.BAD_ANSWER)


def test_a_site_that_is_down_does_not_answer(fetcher):
    closed = Site()
    closed.close()
    assert fetcher().fetch(closed.url()) == Outcome(problem=Problem.NO_ANSWER)


def test_a_name_that_nobody_has_and_a_resolver_that_is_down_are_not_the_same(fetcher):
    def down(_host, _seconds):
        raise OSError("no resolver")

    assert fetcher().fetch("https://nowhere.example/") == Outcome(problem=Problem.NO_HOST)
    assert fetcher(look_up=down).fetch("https://nowhere.example/") == Outcome(problem=Problem.NO_ANSWER)


# TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for law.example that nobody but the test vouches for, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=law.example -addext subjectAltName=DNS:law.example"
    )
    subprocess.run([*command.split(), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


@pytest.fixture
def secure(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    server = Site(tls=context)
    server.names = []
    context.sni_callback = lambda _socket, name, _context: server.names.append(name)
    server.answers["/"] = OK
    yield server
    server.close()


def test_a_certificate_that_nobody_vouches_for_is_no_proof(secure, fetcher):
    assert fetcher().fetch(secure.url(scheme="https")) == Outcome(problem=Problem.TLS)
    assert secure.requests == []


def test_with_a_good_certificate_the_name_is_asked_for_at_the_checked_address(secure, fetcher, certificate):
    trusting = fetcher(tls=ssl.create_default_context(cafile=str(certificate[0])))
    assert trusting.fetch(secure.url(scheme="https")) == Outcome(200)
    assert secure.names == ["law.example"]


def test_a_certificate_of_somebody_else_is_no_proof(secure, fetcher, names, certificate):
    names.table["other.example"] = [["127.0.0.1"]]
    trusting = fetcher(tls=ssl.create_default_context(cafile=str(certificate[0])))
    assert trusting.fetch(secure.url(scheme="https", host="other.example")) == Outcome(problem=Problem.TLS)
    assert secure.requests == []


def test_a_site_without_tls_where_tls_is_asked_for_cannot_prove_itself(site, fetcher):
    site.answers["/"] = OK
    assert fetcher(seconds=0.5).fetch(site.url(scheme="https")).problem in {Problem.TLS, Problem.NO_ANSWER}
    assert site.requests == []

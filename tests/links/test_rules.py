import ipaddress
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.facts.links import rules
from portal.facts.links.models import CheckedLink, Problem, State
from portal.facts.links.rules import Outcome, Target, is_public, target

# Ranges that are nobody's on the Internet, with what is known under them.
INNER = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    ::/128 ::1/128 ::ffff:0:0/96 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/32 2001:2::/48 2001:10::/28
    2001:20::/28 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fd00:ec2::254/128 fe80::/10 fec0::/10 ff00::/8
""".split()


@pytest.mark.parametrize("block", INNER)
def test_the_first_and_the_last_of_an_inner_range_are_not_public(block):
    network = ipaddress.ip_network(block)
    assert not is_public(network[0])
    assert not is_public(network[-1])


@given(st.sampled_from(INNER).flatmap(lambda block: st.ip_addresses(network=block)))
def test_no_address_of_an_inner_range_is_public(address):
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_public_in_the_clothes_of_ipv6(address):
    number = int(address)
    for prefix, shift in [("::ffff:0:0", 0), ("::", 0), ("64:ff9b::", 0), ("64:ff9b:1::", 0), ("2002::", 80)]:
        assert not is_public(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift))


@given(st.ip_addresses())
def test_what_is_public_is_so_for_python_too(address):
    if is_public(address):
        assert address.is_global
        kinds = (address.is_multicast, address.is_private, address.is_reserved, address.is_link_local)
        assert not any(kinds)


@pytest.mark.parametrize("address", ["9.9.9.9", "193.0.0.1", "100.128.0.1", "172.32.0.1", "2001:67c::1", "2a00::1"])
def test_others_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        "ftp://law.example/",
        "javascript:alert(1)",
        "//law.example/",
        "law.example",
        "http://",
        "http:///path",
        "http:law.example",
        "http://user@law.example/",
        "http://user:word@law.example/",
        "http://@law.example/",
        "http://law.example:x/",
        "http://law.example:99999/",
        "http://law.example\\@10.0.0.1/",
        "http://law.example/\r\nHost: 10.0.0.1",
        "http://law.ex\tample/",
        " http://law.example/",
        "http://law example/",
        "http://law..example/",
        "http://-law.example/",
        "http://law.exa%6dple/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.01/",
        "http://127.0.0.1./",
        "http://1.1.1.256/",
        "http://law.example.0x1/",
        "http://[::1/",
        "http://[127.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 130}example/",
    ],
)
def test_what_can_be_read_in_two_ways_is_no_address(url):
    assert target(url) is None


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://Law.Example", Target("https", "law.example", 443, "/")),
        ("http://law.example:8080/a?b=c#d", Target("http", "law.example", 8080, "/a?b=c")),
        ("http://law.example:0/", Target("http", "law.example", 0, "/")),
        ("https://lag.example/år 1".replace(" ", "%20"), Target("https", "lag.example", 443, "/%C3%A5r%201")),
        ("https://åäö.example/", Target("https", "xn--4cab6c.example", 443, "/")),
        # Digits of full width and an ideographic full stop: a browser reads 127.0.0.1, and so do we.
        ("http://127。0.0.1/", Target("http", "127.0.0.1", 80, "/")),
        ("http://[::FFFF:127.0.0.1]/", Target("http", "::ffff:7f00:1", 80, "/")),
        ("https://law.example./", Target("https", "law.example.", 443, "/")),
    ],
)
def test_an_address_is_taken_apart(url, found):
    assert target(url) == found


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_address_can_put_a_line_into_a_request(host, path):
    found = target(f"http://{host}/{path}")
    if found is not None:
        line = f"{found.authority}{found.path}"
        assert line.isascii()
        assert line.isprintable()
        assert " " not in line


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_host_has_one_reading(host):
    """Whatever was typed: what is left is a plain name or the usual form of an address."""
    found = target(f"https://{host}/")
    if found is not None:
        again = target(f"https://{found.authority}/")
        assert again is not None
        assert again.host == found.host


# What follows from an answer -------------------------------------------------------------------------------------

NOW = timezone.now()
BAD = Outcome(404, Problem.NOT_FOUND)


def checked(link, outcome, now=NOW, *, is_online=True):
    for name, value in rules.after(link, outcome, now, is_online=is_online).items():
        setattr(link, name, value)
    return link


def test_a_link_is_broken_when_it_failed_on_two_days():
    link = checked(CheckedLink(), BAD)
    assert (link.state, link.failing_since, link.next_check_at) == (State.FAILING, NOW, NOW + timedelta(days=1))
    link = checked(link, Outcome(problem=Problem.NO_ANSWER), NOW + timedelta(days=1))
    assert (link.state, link.failing_since, link.failures) == (State.BROKEN, NOW, 2)
    assert (link.status_code, link.last_error) == (0, Problem.NO_ANSWER)


def test_a_link_that_failed_twice_on_one_day_is_not_broken():
    noon = timezone.localtime(NOW).replace(hour=12)
    link = checked(checked(CheckedLink(), BAD, noon), BAD, noon + timedelta(hours=11))
    assert (link.state, link.failures) == (State.FAILING, 2)


def test_a_link_that_works_again_starts_anew():
    link = checked(checked(CheckedLink(), BAD), BAD, NOW + timedelta(days=1))
    later = NOW + timedelta(days=2)
    link = checked(link, Outcome(200), later)
    assert (link.state, link.failing_since, link.failures, link.last_error) == (State.WORKS, None, 0, "")
    assert link.next_check_at == later + timedelta(days=7)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome(200), State.WORKS),
        (Outcome(200, None, "https://law.example/new"), State.MOVED),
        (Outcome(200, None, "https://law.example/" + "x" * 1000), State.WORKS),
        (Outcome(403, Problem.TURNED_AWAY), State.UNKNOWN),
        (Outcome(problem=Problem.PRIVATE), State.BLOCKED),
        (Outcome(problem=Problem.ADDRESS), State.BLOCKED),
        (Outcome(problem=Problem.TLS), State.FAILING),
    ],
)
def test_what_an_outcome_makes_of_a_link(outcome, state):
    assert checked(CheckedLink(), outcome).state == state

"""What a load balancer hears when a part is dead, hangs or is silent: real servers and ports, nothing pretended."""

import selectors
import socket
import threading
import time
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from events.registrations.actions import CONFIRMATION
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.pages import actions, tasks
from portal.pages.models import Heartbeat, Purge
from tests.factories import user

NOWHERE = "9"
"""A port on which nobody listens: a connection is refused at once."""
PATIENCE = 10
"""Seconds in which whoever asks has to have an answer."""


class Proxy:
    """Stands between us and a server, and can freeze: connections are taken and kept, and nothing more is said."""

    def __init__(self, host, port):
        self.host, self.target_port = host, port
        self.is_frozen = False
        self.is_open = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.other = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.is_open:
            ready = self.selector.select(0.02)
            for key, _ in ready if not self.is_frozen else ():
                if key.fileobj is self.listener:
                    pair = self.listener.accept()[0], self._reach()
                    for one, other in (pair, pair[::-1]):
                        self.other[one] = other
                        self.selector.register(one, selectors.EVENT_READ)
                elif key.fileobj in self.other:
                    self._forward(key.fileobj)
            if self.is_frozen:
                time.sleep(0.02)
        for one in [*self.other, self.listener]:
            one.close()
        self.selector.close()

    def _reach(self):
        if not self.host.startswith("/"):
            return socket.create_connection((self.host, self.target_port))
        reached = socket.socket(socket.AF_UNIX)
        reached.connect(f"{self.host}/.s.PGSQL.{self.target_port}")
        return reached

    def _forward(self, one):
        data = one.recv(65536)
        if data:
            self.other[one].sendall(data)
            return
        for end in (one, self.other[one]):
            self.selector.unregister(end)
            end.close()
            del self.other[end]

    def close(self):
        self.is_open = False
        self.thread.join(10)


@pytest.fixture
def proxy():
    made = []

    def start(*target):
        made.append(Proxy(*target))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def all_is_well(db):
    tasks.heartbeat()


def broken(client, path: str = "/readyz") -> list[str]:
    """What `/readyz` names, after a look at whether the whole answer says the same."""
    started = time.monotonic()
    response = client.get(path)
    assert time.monotonic() - started < PATIENCE
    found = response.json()
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert found["broken"] == sorted(name for name, part in found["parts"].items() if not part["ok"])
    assert found["ok"] is not bool(found["broken"])
    assert response.status_code == (200 if found["ok"] else 503)
    return found["broken"]


def promise(key: str, *, age: timedelta) -> None:
    mail.plan(
        kind=CONFIRMATION, key=key, to="bo@example.org", language="sv", due_at=timezone.now() - age,
        context={"registration": 1},
    )  # fmt: skip


def redis_at(settings, port: object) -> None:
    default = settings.CACHES["default"]
    settings.CACHES = settings.CACHES | {"default": default | {"LOCATION": f"redis://127.0.0.1:{port}/0"}}


def test_the_process_says_it_is_alive_without_asking_a_database_or_a_cache(client, settings):
    """No mark for the database: pytest-django refuses every query of this test."""
    redis_at(settings, NOWHERE)
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_everything_works(client, all_is_well):
    assert broken(client) == []
    assert client.get("/readyz").json()["parts"].keys() == {"cache", "database", "beat", "mail", "purge"}


def test_a_database_that_refuses_is_named(client, all_is_well, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PORT", NOWHERE)
    assert broken(client) == ["database"]


def test_a_database_that_takes_the_call_and_says_nothing_is_named(client, all_is_well, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", str(silent.getsockname()[1]))
        assert 0 < connection.settings_dict["OPTIONS"]["connect_timeout"] <= 5
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "connect_timeout", 2)
        assert broken(client) == ["database"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_freezes_under_a_connection_that_stands_is_named(client, monkeypatch, proxy):
    real = connection.settings_dict["HOST"], int(connection.settings_dict["PORT"])
    frozen = proxy(*real)
    try:
        with monkeypatch.context() as patch:
            connection.close()
            patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            patch.setitem(connection.settings_dict, "PORT", str(frozen.port))
            patch.setitem(connection.settings_dict["OPTIONS"], "connect_timeout", 2)
            tasks.heartbeat()
            assert broken(client) == []
            frozen.is_frozen = True
            # Were it waited for, the answer would come when the connection breaks: late, and this test would fail.
            breaks = threading.Timer(2 * PATIENCE, frozen.close)
            breaks.start()
            assert broken(client) == ["database"]
            breaks.cancel()
            frozen.is_frozen = False
            assert broken(client) == []
    finally:
        frozen.close()
        connection.close()


def test_a_cache_that_refuses_is_named_and_only_it(client, all_is_well, settings):
    redis_at(settings, NOWHERE)
    assert broken(client) == ["cache"]


def test_a_cache_that_takes_the_call_and_says_nothing_is_named(client, all_is_well, settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        redis_at(settings, silent.getsockname()[1])
        assert broken(client) == ["cache"]


def test_everything_that_is_broken_is_named_at_once(client, all_is_well, settings, monkeypatch):
    redis_at(settings, NOWHERE)
    monkeypatch.setitem(connection.settings_dict, "PORT", NOWHERE)
    assert broken(client) == ["cache", "database"]


def test_a_beat_that_never_was_or_has_gone_silent_is_named(client, db):
    assert broken(client) == ["beat"]
    for age, found in [(60, []), (91, ["beat"]), (86400, ["beat"])]:
        actions.beat(at=timezone.now() - timedelta(seconds=age))
        assert broken(client) == found, age
        assert age <= client.get("/readyz").json()["parts"]["beat"]["seconds"] <= age + PATIENCE
    tasks.heartbeat()
    assert broken(client) == []
    assert Heartbeat.objects.count() == 1


def test_mail_that_waits_too_long_is_named_until_it_has_left(client, all_is_well):
    promise("fresh", age=timedelta(minutes=14))
    promise("to come", age=-timedelta(days=30))
    assert broken(client) == []
    promise("late", age=timedelta(minutes=16))
    assert broken(client) == ["mail"]
    assert 16 * 60 <= client.get("/readyz").json()["parts"]["mail"]["seconds"] <= 16 * 60 + PATIENCE
    Delivery.objects.filter(key="late").update(state="queued", lease_until=timezone.now())
    assert broken(client) == ["mail"]
    mail.cancel(key="late")
    assert broken(client) == []


def test_mail_that_somebody_holds_back_is_not_late_and_not_forgotten(client, all_is_well):
    promise("late", age=timedelta(minutes=16))
    by = user()
    assert client.get("/readyz").json()["parts"]["mail"]["paused"] is False
    mail.pause(prefix="", reason="Fel i texten", by=by)
    assert broken(client) == []
    assert client.get("/readyz").json()["parts"]["mail"] == {"ok": True, "seconds": 0, "paused": True}
    mail.resume(prefix="", by=by)
    assert broken(client) == ["mail"]


def test_a_site_that_has_not_purged_as_a_whole_for_two_days_is_named(client, db):
    """Counted from the first migration where there has been none, so that a new site is not broken."""
    for days, found in [(1, []), (3, ["purge"])]:
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            tasks.heartbeat()
            assert broken(client) == found, days
    tasks.purge()
    for days, found in [(1, []), (3, ["purge"])]:
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            tasks.heartbeat()
            failed = Purge(began_at=timezone.now(), ended_at=timezone.now(), version="1", failed=["questions"])
            failed.save()
            assert broken(client) == found, days
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        tasks.purge()
        assert broken(client) == []


def test_nothing_of_anybody_is_told(client, all_is_well, settings):
    settings.METRICS = True
    promise("late", age=timedelta(minutes=16))
    for path in ("/readyz", "/metrics"):
        text = client.get(path).content.decode()
        assert "mail" in text
        assert "example.org" not in text
        assert connection.settings_dict["NAME"] not in text


# Gauges -----------------------------------------------------------------------------------------------------------


def gauges(client) -> dict[str, dict[str, float]]:
    response = client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(response.content.decode())
    found = {family.name: (family.type, {s.labels["part"]: s.value for s in family.samples}) for family in families}
    assert {kind for kind, _ in found.values()} == {"gauge"}
    return {name: values for name, (_, values) in found.items()}


def test_there_are_no_gauges_where_nobody_asked_for_them(client, db, settings):
    assert settings.METRICS is False
    response = client.get("/metrics")
    assert response.status_code == 404
    html = response.content.decode()
    assert "116 111" in html
    assert "klarlagt_part_up" not in html


def test_gauges_show_what_works_and_how_old_it_is(client, settings, db):
    settings.METRICS = True
    actions.beat(at=timezone.now() - timedelta(seconds=40))
    promise("late", age=timedelta(minutes=20))
    found = gauges(client)
    assert found["klarlagt_part_up"] == {"cache": 1, "database": 1, "beat": 1, "mail": 0, "purge": 1}
    assert found["klarlagt_age_seconds"].keys() == {"beat", "mail", "purge"}
    assert 40 <= found["klarlagt_age_seconds"]["beat"] <= 40 + PATIENCE
    assert 1200 <= found["klarlagt_age_seconds"]["mail"] <= 1200 + PATIENCE


def test_gauges_show_the_dead_part(client, settings, all_is_well, monkeypatch):
    settings.METRICS = True
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", NOWHERE)
        assert gauges(client)["klarlagt_part_up"] == {"cache": 1, "database": 0}
    redis_at(settings, NOWHERE)
    assert gauges(client)["klarlagt_part_up"] == {"cache": 0, "database": 1, "beat": 1, "mail": 1, "purge": 1}
    Heartbeat.objects.all().delete()
    assert gauges(client)["klarlagt_part_up"]["beat"] == 0


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_are_only_read(client, settings, db, path):
    settings.METRICS = True
    for method in ("POST", "PUT", "DELETE"):
        response = client.generic(method, path)
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
    assert client.head(path).content == b""

"""What a load balancer and an operator ask: alive, ready, how much."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from portal.mail.models import Delivery, Pause
from portal.pages.models import Heartbeat, Purge
from portal.public import CACHE_DOWN

BEAT_MAY_BE_SILENT: Final = timedelta(seconds=90)
MAIL_MAY_WAIT: Final = timedelta(minutes=15)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else, so that a dead database does not make the orchestrator kill the web."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part works; 503 with the names of those that do not."""
    findings = _findings()
    broken = sorted(name for name, finding in findings.items() if not finding["ok"])
    return JsonResponse({"ok": not broken, "broken": broken, "parts": findings}, status=503 if broken else 200)


def _findings() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {"cache": {"ok": _cache_works()}}
    try:
        _ask_database()
        found["database"] = {"ok": True}
        found["beat"] = _beat()
        found["mail"] = _mail()
        found["purge"] = _purge()
    except DatabaseError:
        found["database"] = {"ok": False}
    return found


def _ask_database() -> None:
    """Over a new connection, which gives up after `connect_timeout`: on one that stands, a frozen server is waited for
    without end, and who asks would never hear."""
    probe = connections[DEFAULT_DB_ALIAS].copy()
    try:
        with probe.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        probe.close()


def _cache_works() -> bool:
    try:
        cache.set("readyz", "1", 10)
        return bool(cache.get("readyz") == "1")
    except CACHE_DOWN:
        return False


def _beat() -> dict[str, Any]:
    last = Heartbeat.objects.first()
    age = timezone.now() - last.at if last else None
    return {"ok": age is not None and age < BEAT_MAY_BE_SILENT, "seconds": round(age.total_seconds()) if age else None}


def _mail() -> dict[str, Any]:
    """What somebody holds back is not late, but must not be forgotten."""
    age = Delivery.objects.oldest_unsent_age(timezone.now())
    return {"ok": age < MAIL_MAY_WAIT, "seconds": round(age.total_seconds()), "paused": Pause.objects.exists()}


def _purge() -> dict[str, Any]:
    """A site that has never purged is as late as it is old."""
    last = Purge.objects.whole().first()
    tables = MigrationRecorder.Migration.objects.filter(app="pages")
    since = last.began_at if last else tables.aggregate(newest=Max("applied"))["newest"]
    age = timezone.now() - since
    return {"ok": age < Purge.MAY_BE_SILENT, "seconds": round(age.total_seconds())}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Gauges for Prometheus, only where METRICS is set; the proxy keeps strangers out."""
    if not settings.METRICS:
        raise Http404
    registry = CollectorRegistry()
    up = Gauge("klarlagt_part_up", "1 when the part works", ["part"], registry=registry)
    age = Gauge(
        "klarlagt_age_seconds",
        "Age of the last beat, of the oldest unsent delivery and of the last purge in which all went well",
        ["part"],
        registry=registry,
    )
    for name, finding in _findings().items():
        up.labels(name).set(1 if finding["ok"] else 0)
        if finding.get("seconds") is not None:
            age.labels(name).set(finding["seconds"])
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

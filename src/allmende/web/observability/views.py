"""Addresses for machines: ``/health``, ``/ready``, ``/metrics``. None of them needs a session."""

import secrets
import shutil
import time

import msgspec
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

import allmende
from allmende.web.citizens.models import PREFIX as OWN

_LOOPBACK = ("127.0.0.1", "::1", "")
_FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
_migrated = False


def _json(code: int, **values: object) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(values), status=code, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers."""
    return _json(200, status="alive", version=allmende.__version__)


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 where the house can take and give data, else 503 with the reasons in ``reasons``."""
    reasons = [*_database_reasons(), *_disk_reasons()]
    if reasons:
        return _json(503, status="not ready", reasons=reasons)
    return _json(200, status="ready")


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus: to this machine, or to who knows the token (``Authorization: Bearer …``); else 403."""
    if not _may_scrape(request):
        return HttpResponse(
            "Metrics are answered to this machine alone, or with the token in ALLMENDE_METRICS_TOKEN.\n",
            status=403,
            content_type="text/plain; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )
    from prometheus_client import CONTENT_TYPE_LATEST

    from allmende.knowledge.alerts.watch import lag as alert_lag
    from allmende.knowledge.follow import lag
    from allmende.web.observability.metrics import render
    from allmende.web.worker.models import Trouble

    store = request.house.store  # type: ignore[attr-defined]  set by HouseMiddleware
    now = time.time_ns() // 1000
    troubles = Trouble.objects.filter(over__isnull=True).values_list("source", "kind")
    # Sensors of citizens are many, and held ones are nobody's business.
    states = [state for state in store.sources().values() if not state.id.startswith(OWN)]
    page = render(states, now, _free(), lag(store, now), troubles, alert_lag=alert_lag(store, now))
    return HttpResponse(page, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _may_scrape(request: HttpRequest) -> bool:
    token = settings.ALLMENDE.metrics_token
    given = request.headers.get("Authorization", "")
    if token and secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    forwarded = any(header in request.headers for header in _FORWARDING)
    return not forwarded and request.META.get("REMOTE_ADDR", "") in _LOOPBACK


def _database_reasons() -> list[str]:
    global _migrated
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if missing:
                return [f"{len(missing)} migrations are not applied; `allmende serve` applies them at start"]
            _migrated = True
    except DatabaseError as error:
        return [f"the database does not answer: {error}"]
    return []


def _disk_reasons() -> list[str]:
    floor = settings.ALLMENDE.disk_floor
    free = _free()
    if free < floor:
        return [f"{free} bytes are free on the disk of the home, below ALLMENDE_DISK_FLOOR ({floor})"]
    return []


def _free() -> int:
    try:
        return shutil.disk_usage(settings.ALLMENDE.home).free
    except OSError:
        return 0

"""A house whose dumps are made, and people."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.test import Client
from tests.web.catalogue.conftest import house
from tests.web.downloads.conftest import thread

pytest.importorskip("duckdb", reason="duckdb is not installed")
__all__ = ["house", "thread"]
MICROS = 1_000_000


@pytest.fixture
def dumped(thread: Any, settings: Any) -> Any:
    """Two garages with two readings each, as of last night; no limit on how often one asks."""
    from allmende.web import house as opened
    from allmende.web.downloads.dumping import Dumper

    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, sql_rate=0, sql_rate_anonymous=0)
    dumper = Dumper(opened.open_store(), settings.ALLMENDE)
    dumper.round(opened.open_profile())
    return dumper


@pytest.fixture
def somebody(db: Any) -> Callable[..., Client]:
    """Somebody who is logged in, with a role."""
    from allmende.web.accounts.models import Membership, User

    def call(name: str, role: str = "") -> Client:
        user = User.objects.create_user(name, f"{name}@city.example")
        if role:
            Membership.objects.create(user=user, role=role)
        client = Client()
        client.force_login(user)
        return client

    return call

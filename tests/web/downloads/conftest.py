"""The catalogue's house, and a worker for its orders that works when it is told to."""

import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.web.catalogue.conftest import house

__all__ = ["house"]


@pytest.fixture
def thread(house: Any, settings: Any, tmp_path: Any) -> Iterator[Any]:
    """The worker's thread, not running; files lie in a home of their own."""
    from allmende.web import house as opened
    from allmende.web.downloads.making import OrdersThread

    home = tmp_path / "home"
    home.mkdir()
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, home=home, disk_floor=0)
    return OrdersThread(opened.open_store(), lambda: opened.open_profile(), settings.ALLMENDE, threading.Event())

"""What holds for all tests: the same examples each time, and no connection left open behind a test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import PlainConnections

# A failure of a property test in CI is a failure at the desk.
settings.register_profile("house", derandomize=True, max_examples=60, deadline=None)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def close_connections() -> Iterator[None]:
    """Thousands of tests in one process would run out of files (select() of an MQTT client ends at 1,024)."""
    before = set(map(id, PlainConnections.made))
    yield
    for connections in [c for c in PlainConnections.made if id(c) not in before]:
        connections.close()

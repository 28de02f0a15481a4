"""Several pieces of writing in one transaction: all of it or nothing, also where the process dies in the middle."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from allmende.domain.errors import InvalidInput
from allmende.domain.store import Store
from tests.storage.test_creation import THING
from tests.support import ENGINES, ROOT, ask, create


def names(store: Store) -> list[str]:
    return [row[1] for row in ask(store, "Thing", select=("id",)).rows]


def thing(name: str) -> dict[str, Any]:
    return {**THING, "@iot.id": name}


def test_all_of_it(store: Store) -> None:
    def work() -> int:
        create(store, "Thing", thing("a"))
        create(store, "Thing", thing("b"))
        return len(names(store))

    assert store.together(work) == 2
    assert names(store) == ["a", "b"]


@pytest.mark.parametrize("error", [InvalidInput("no"), KeyboardInterrupt(), RuntimeError("broken")])
def test_or_nothing(store: Store, error: BaseException) -> None:
    def work() -> None:
        create(store, "Thing", thing("a"))
        raise error

    with pytest.raises(type(error)):
        store.together(work)
    assert names(store) == []
    create(store, "Thing", thing("a"))
    assert names(store) == ["a"]


def test_what_fails_inside_takes_back_itself_alone(store: Store) -> None:
    def work() -> None:
        create(store, "Thing", thing("a"))
        with pytest.raises(InvalidInput):
            create(store, "Thing", {**thing("b"), "Datastreams": [{"@iot.id": "nobody"}]})
        create(store, "Thing", thing("c"))

    store.together(work)
    assert names(store) == ["a", "c"]


_CHILD = """
import os, signal, sys
from tests.storage.test_together import reopen, thing
from tests.support import create
store = reopen(sys.argv[1], sys.argv[2])
def work():
    create(store, "Thing", thing("a"))
    create(store, "Thing", thing("b"))
    os.kill(os.getpid(), signal.SIGKILL)
create(store, "Thing", thing("before"))
store.together(work)
"""


def reopen(engine: str, place: str) -> Store:
    """A store that another process made."""
    from allmende.storage.postgres import PostgresStore
    from allmende.storage.sqlite import SqliteStore
    from tests.support import PlainConnections, PostgresConnections

    if engine == "postgres":
        return PostgresStore(PostgresConnections(place))
    return SqliteStore(PlainConnections(place, fresh=False))


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_kill_in_the_middle_leaves_nothing(engine: str, tmp_path: Path) -> None:
    store = ENGINES[engine](tmp_path)
    store.put_datasets(())
    connections = store._connections  # type: ignore[attr-defined]
    place = connections.address if engine == "postgres" else connections.path
    run = subprocess.run([sys.executable, "-c", _CHILD, engine, place], cwd=ROOT, capture_output=True, timeout=60)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert names(store) == ["before"]
    create(store, "Thing", thing("a"))

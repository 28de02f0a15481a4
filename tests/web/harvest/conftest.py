"""A city that harvests, and a catalogue to harvest."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from tests.web.harvest.origin import Origin, origin

from allmende.domain.harvest import HarvestProfile


@pytest.fixture
def other() -> Iterator[Origin]:
    with origin() as made:
        yield made


Harvest = Callable[..., Any]


@pytest.fixture
def harvest(db: Any, other: Origin, monkeypatch: pytest.MonkeyPatch) -> Harvest:
    """Runs a pass; what is given says what the profile says of it. The clock goes on by an hour each time."""
    # this file is read before Django is set up
    from allmende.web.harvest.run import Limits, Pass
    from allmende.web.house import open_profile

    plain = open_profile()
    clock = [1_760_000_000_000_000]

    def run(id_: str = "muster", *, limits: Limits | None = None, root: str = "http://testserver", **said: Any) -> Any:
        options = {name: said.pop(name) for name in ("dry", "accept", "stop") if name in said}
        said.setdefault("address", f"{other.root}/catalog.ttl?page=1")
        found = HarvestProfile(id=id_, title={"de": "Daten Musterstadt", "en": "Data of Musterstadt"}, **said)
        current[0] = msgspec.structs.replace(plain, harvests={**current[0].harvests, id_: found})
        clock[0] += 3_600_000_000
        return Pass(found, current[0], limits or Limits(), root, clock[0], **options).run()

    current = [msgspec.structs.replace(plain, harvests={})]
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: current[0])
    return run

"""The contract runs against every engine."""

from pathlib import Path

import pytest

from allmende.domain.store import Store
from tests.support import DATASETS, ENGINES


@pytest.fixture(params=sorted(ENGINES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty engine that knows the town's datasets."""
    made = ENGINES[request.param](tmp_path)
    made.put_datasets(DATASETS)
    return made


@pytest.fixture(scope="module", params=sorted(ENGINES))
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One for all tests of a module that only read."""
    made = ENGINES[request.param](tmp_path_factory.mktemp("shared"))
    made.put_datasets(DATASETS)
    return made

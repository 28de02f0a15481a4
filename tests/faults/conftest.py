"""Houses that are ended with their test."""

import pytest

from tests.faults.houses import House, environment


@pytest.fixture
def make(tmp_path):
    """Gives a house that is not started yet; settings as keywords. All of a test's houses share one home."""
    houses = []

    def build(**environ: str) -> House:
        home = tmp_path / "home"
        house = House(home, environment(home, **environ))
        houses.append(house)
        return house

    yield build
    for house in houses:
        house.stop()

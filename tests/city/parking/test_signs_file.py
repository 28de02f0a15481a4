"""The signs of the profiles, and what is told of a file that is wrong."""

import tomllib
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from allmende.city.parking.signs.file import read_signs, signs_of
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.web.profiles import available_profiles, load_profile


@pytest.fixture(scope="module")
def example() -> Profile:
    return load_profile("example")


@pytest.fixture
def body() -> dict[str, Any]:
    return tomllib.loads((available_profiles()["example"].parent / "parking" / "signs.toml").read_text())


def test_jena_is_tried_in_its_whole_size_and_nothing_of_it_is_invented() -> None:
    signs = signs_of(load_profile("jena"))
    displays = signs.displays.values()
    assert (len({each.mast for each in displays}), len(displays)) == (48, 94)
    assert set(signs.streets) == set(signs.ring)
    assert len(signs.ring) == 8
    ways = Counter((each.street, each.direction) for each in displays)
    assert all(ways[street, way] >= 5 for street in signs.ring for way in ("forward", "backward"))
    assert all(each.simulated and each.position is None and "onstruiert" in each.name for each in displays)
    assert all(fact["source"].startswith("https://") for fact in signs.facts)


def test_the_example_uses_every_key(example: Profile) -> None:
    signs = signs_of(example)
    assert list(signs.displays) == ["mast-1-a", "mast-1-b", "mast-2-a", "mast-2-b"]
    assert [each.rules.step for each in signs.displays.values()] == [5, 1, 5, 5]
    (event,) = signs.events
    assert (event.displays, event.beside, event.start.isoformat()) == ({"mast-2-a"}, True, "2026-12-04T10:00:00+00:00")
    assert signs_of(example) is signs


FIRST, SECOND = (f"signs.masts.mast-1.displays[{number}]" for number in (0, 1))
Change = Callable[[dict[str, Any]], object]


def sign(body: dict[str, Any], number: int) -> dict[str, Any]:
    found: dict[str, Any] = body["masts"]["mast-1"]["displays"][number]
    return found


CASES: list[tuple[Change, str, str]] = [
    (lambda b: b.update(dataset="gone"), "signs.dataset", 'there is no dataset "gone"'),
    (lambda b: b.update(simulated=False), "signs.simulated", "both are simulated, or neither"),
    (lambda b: b.update(surprise=1), "signs.surprise", "is no known key"),
    (lambda b: b["rules"].update(free_at=1), f"{FIRST}.rules.free_at", "flickers"),
    (lambda b: b["rules"].update(hold="PT30M"), f"{FIRST}.rules.hold", "shorter than stale"),
    (lambda b: b["rules"].update(stale="soon"), f"{FIRST}.rules.stale", "no duration"),
    (lambda b: b["models"]["number"].update(columns=0), "signs.models.number.columns", "from 1 to 40"),
    (lambda b: b["models"]["number"]["words"]["de"].pop("full"), "signs.models.number.words.de.full", "is missing"),
    (
        lambda b: b["models"]["number"]["words"]["de"].update(closed="gesperrt"),
        f"{FIRST}: number.words.de.closed",
        "8 characters",
    ),
    (
        lambda b: b["models"]["number"]["words"]["de"].update(full="VOLL"),
        f"{FIRST}: number.words.de.full",
        "cannot write",
    ),
    (lambda b: sign(b, 0).update(shows=["park"]), f"{FIRST}.shows", "no parking site"),
    (lambda b: sign(b, 0).update(shows=[]), f"{FIRST}.shows", "one at the least"),
    (lambda b: sign(b, 0).update(model="x"), f"{FIRST}.model", "no model"),
    (lambda b: sign(b, 1).update(id="a"), f"{SECOND}.id", "twice"),
    (lambda b: sign(b, 1).update(arrow="up"), f"{SECOND}.arrow", "invalid"),
    (lambda b: b["masts"]["mast-1"]["position"].update(lon=200), "signs.masts.mast-1.position", ""),
    (lambda b: b["events"][0].update(until=b["events"][0]["start"]), "signs.events[0].until", "before it begins"),
    (lambda b: b["events"][0].update(displays=["mast-1-a"]), "signs.events[0].pages", "has 2 rows"),
    (lambda b: b["events"][0].update(displays=["mast-9"]), "signs.events[0].displays", "no display"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "place", "words"), CASES, ids=[f"{place}-{n}" for n, (_, place, _) in enumerate(CASES)]
)
def test_what_is_wrong_is_told_with_its_place(
    change: Change, place: str, words: str, body: dict[str, Any], example: Profile
) -> None:
    change(body)
    with pytest.raises(ProfileError) as told:
        read_signs(body, example, place="signs")
    assert told.value.place == place
    assert words in str(told.value)

"""Finding places by what somebody typed: addresses, streets, districts and things, forgiving of slips.

An index is made of names that one reader may know of, and holds nothing else. Coordinates are degrees.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from allmende.domain.search.words import distance, slips, trigrams
from allmende.knowledge.maps.spelling import Wanted, key, read_number, read_wanted

_LIKE = 80
"""Names with most of the same groups of letters that are compared letter by letter."""
_LEAST = 2
"""Letters from which on something is looked for."""
_INSIDE = 3
"""Letters from which on a name is found by what stands within it."""


class AddressRow(NamedTuple):
    """A house. ``place`` tells streets of one name apart: a village, a district; may be empty."""

    street: str
    number: str
    postcode: str
    place: str
    lon: float
    lat: float


class Spot(NamedTuple):
    """Something with a name and a place, that is no address: ``kind`` says what, ``id`` which."""

    kind: str
    name: str
    lon: float
    lat: float
    id: str = ""


class Hit(NamedTuple):
    """What was found. ``kind`` is ``address``, ``street``, or that of the spot; ``near`` where it is not the house that
    was asked for, but one beside it."""

    kind: str
    name: str
    detail: str
    lon: float
    lat: float
    id: str = ""
    near: bool = False


class _Street:
    """A street's houses, packed: a register has hundreds of thousands."""

    def __init__(self, name: str, place: str) -> None:
        self.name, self.place = name, place
        self.numbers: list[str] = []
        self.postcodes: set[str] = set()
        self.lons, self.lats = array("d"), array("d")

    def add(self, row: AddressRow) -> None:
        self.numbers.append(row.number)
        self.lons.append(row.lon)
        self.lats.append(row.lat)
        if row.postcode:
            self.postcodes.add(row.postcode)

    @property
    def detail(self) -> str:
        """What tells it from others of its name."""
        codes = sorted(self.postcodes)
        return " ".join(piece for piece in (codes[0] if len(codes) == 1 else "", self.place) if piece)

    def hit(self) -> Hit:
        """The street by its middle house."""
        order = sorted(range(len(self.numbers)), key=lambda at: (self.lons[at], self.lats[at]))
        middle = order[len(order) // 2]
        return Hit("street", self.name, self.detail, self.lons[middle], self.lats[middle])

    def house(self, at: int, *, near: bool = False) -> Hit:
        """One house."""
        name = f"{self.name} {self.numbers[at]}"
        return Hit("address", name, self.detail, self.lons[at], self.lats[at], near=near)

    def houses(self, number: int, suffix: str) -> list[tuple[int, Hit]]:
        """With how well they fit: 0 is meant, 1 has the number with another letter or within its span, 2 begins so;
        3 is the nearest, where there is none of these."""
        ranked: list[tuple[tuple[int, int, str], int]] = []
        nearest: tuple[tuple[int, int], int] | None = None
        for at, text in enumerate(self.numbers):
            known = read_number(text)
            if known is None:
                continue
            apart = max(known.first - number, number - known.last, 0)
            if apart == 0:
                exact = known.suffix == suffix and known.first == number
                ranked.append(((0 if exact else 1, known.first, known.suffix), at))
            elif not suffix and str(known.first).startswith(str(number)):
                ranked.append(((2, known.first, known.suffix), at))
            if nearest is None or (apart, known.first) < nearest[0]:
                nearest = (apart, known.first), at
        if ranked:
            return [(fit[0], self.house(at, near=fit[0] > 0)) for fit, at in sorted(ranked)]
        return [] if nearest is None else [(3, self.house(nearest[1], near=True))]


class Names:
    """Keys of names, looked up by their beginning, by what is within them, and by what they resemble."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = sorted(set(keys))
        self._grams: dict[str, list[str]] = {}
        for each in self._keys:
            for gram in trigrams(each):
                self._grams.setdefault(gram, []).append(each)

    def like(self, wanted: str, most: int) -> list[tuple[int, str]]:
        """Keys with a rank, the best first: 0 is the same, 1 begins so, 2 holds it, above that 2 and its slips."""
        if len(wanted) < _LEAST:
            return []
        found: dict[str, int] = {}
        at = bisect_left(self._keys, wanted)
        while at < len(self._keys) and self._keys[at].startswith(wanted) and len(found) < most:
            found[self._keys[at]] = 0 if self._keys[at] == wanted else 1
            at += 1
        if len(wanted) >= _INSIDE and len(found) < most:
            inside = (each for each in self._keys if wanted in each and each not in found)
            for each in inside:
                found[each] = 2
                if len(found) >= most:
                    break
        if not found:
            found |= {each: 2 + slip for each, slip in self._resembling(wanted)}
        ordered = sorted((rank, len(each), each) for each, rank in found.items())
        return [(rank, each) for rank, _, each in ordered[:most]]

    def _resembling(self, wanted: str) -> Iterable[tuple[str, int]]:
        allowed = slips(len(wanted))
        if not allowed:
            return
        shared = Counter(each for gram in trigrams(wanted) for each in self._grams.get(gram, ()))
        for each, _ in shared.most_common(_LIKE):
            # somebody who still types has written a beginning
            begun = range(max(1, len(wanted) - allowed), min(len(each), len(wanted) + allowed) + 1)
            slip = min((distance(wanted, each[:length]) for length in begun), default=allowed + 1)
            if slip <= allowed:
                yield each, slip + (each[:1] != wanted[:1])


class Finder:
    """All places that one reader may find."""

    def __init__(self, addresses: Iterable[AddressRow], spots: Iterable[Spot], city: str = "") -> None:
        self._city = city
        self._streets: dict[str, dict[tuple[str, str], _Street]] = {}
        for row in addresses:
            of_name = self._streets.setdefault(key(row.street), {})
            street = of_name.get((row.street, row.place))
            if street is None:
                street = of_name[row.street, row.place] = _Street(row.street, row.place)
            street.add(row)
        self._spots: dict[str, list[Spot]] = {}
        for spot in spots:
            self._spots.setdefault(key(spot.name), []).append(spot)
        self._street_names, self._spot_names = Names(self._streets), Names(self._spots)

    def ranked(self, text: str, most: int) -> list[tuple[int, int, Hit]]:
        """What may be meant, each with how well its name and then its number fit; 0 is best. Nothing for less than two
        letters."""
        wanted = read_wanted(text, self._city)
        found: list[tuple[int, int, Hit]] = []
        for said in dict.fromkeys((wanted.said, wanted.whole)):
            for rank, each in self._spot_names.like(said, most):
                found += [(rank, 0, Hit(s.kind, s.name, "", s.lon, s.lat, s.id)) for s in self._spots[each]]
        for rank, each in self._street_names.like(wanted.whole, most):
            found += [(rank, 1, street.hit()) for street in self._ordered(each, wanted)]
        if wanted.number is not None:
            for rank, each in self._street_names.like(wanted.name, most):
                for street in self._ordered(each, wanted):
                    found += [(rank, 2 + fit, hit) for fit, hit in street.houses(wanted.number, wanted.suffix)]
                    found.append((rank, 8, street.hit()))
        return found

    def _ordered(self, name: str, wanted: Wanted) -> Sequence[_Street]:
        """Streets of a key: those that the postcode or what was said behind the number fits stand first."""

        def unfit(street: _Street) -> tuple[int, int, str]:
            here = wanted.postcode in street.postcodes if wanted.postcode else True
            said = not wanted.rest or (bool(street.place) and wanted.rest in key(street.place))
            return (not said, not here, street.place)

        return sorted(self._streets[name].values(), key=unfit)


def find(finders: Iterable[Finder], text: str, most: int = 8) -> list[Hit]:
    """The best of what several know, each once."""
    found = sorted((one for finder in finders for one in finder.ranked(text, most)), key=lambda one: one[:2])
    return list(dict.fromkeys(hit for _, _, hit in found))[:most]

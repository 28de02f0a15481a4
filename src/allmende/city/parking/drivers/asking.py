"""The driver's question as an address says it, so that it can be kept as a bookmark.

``what`` (what is looked for: :data:`~allmende.city.parking.drivers.places.WHATS`), ``to`` (an address or a place in
words) or ``near`` (``lon,lat``, to about a hundred metres), ``in`` (minutes until arrival) or ``at`` (``HH:MM`` on the
city's clock), ``stay`` (minutes), ``height`` (metres), ``need`` (each once).
"""

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from allmende.city.house import Place, house_of
from allmende.city.parking.drivers.choosing import NEEDS, Need, Wish
from allmende.city.parking.drivers.places import ASKS, WHATS, What
from allmende.domain.profile import Profile

AHEAD = (0, 15, 30, 60, 120)
STAYS = (30, 60, 120, 240, 480, 1440)
USUAL = 120
NAMES = ("what", "to", "near", "in", "at", "stay", "height", "need")
_LONGEST_TEXT = 200
_LONGEST_STAY = 7 * 1440
_PLACES = 5
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
_METRES = re.compile(r"(\d)(?:[.,](\d{1,2}))?\s*m?\Z", re.ASCII)


class Asked(NamedTuple):
    """A question, read."""

    wish: Wish
    faults: dict[str, str]
    fields: dict[str, Any]
    """What stands in the form."""
    what: What
    """What is looked for."""
    given: bool
    """Whether anything was asked: else the list is as it always is."""
    place: tuple[float, float] | None = None
    """Lon, lat of the destination."""
    place_words: str = ""
    mine: bool = False
    """Whether the place is the asker's own position."""
    others: Sequence[tuple[str, str]] = ()
    """Other places that the words may mean, with the address of the question about each."""
    query: str = ""
    """The question for other addresses: "?…", or nothing."""


def read_question(request: HttpRequest) -> Asked:
    """What is asked; what makes no sense is in ``faults`` by its field, and does not count."""
    house = house_of(request)
    given = request.GET
    zone = ZoneInfo(house.profile.time_zone)
    now = house.now().replace(second=0, microsecond=0)  # a stay is counted in minutes
    faults: dict[str, str] = {}
    ahead = _whole(given.get("in", ""), 0, _LONGEST_STAY, 0, "in", faults)
    arrival = _arrival(given.get("at", "").strip(), now, zone, now + timedelta(minutes=ahead), faults)
    stay = _whole(given.get("stay", ""), 1, _LONGEST_STAY, USUAL, "stay", faults)
    needs: frozenset[Need] = frozenset(need for need in NEEDS if need in given.getlist("need"))
    what = next((each for each in WHATS if each == given.get("what", "")), None)
    if what is None:
        what, faults["what"] = "", _("Nobody can look for that here: “%(text)s”.") % {"text": given["what"][:40]}
    asked = needs | {ASKS[what]} if what in ASKS else needs
    wish = Wish(
        now=now, arrival=arrival, stay=timedelta(minutes=stay), height=_height(given.get("height", ""), faults),
        needs=asked,
    )  # fmt: skip
    text = given.get("to", "").strip()[:_LONGEST_TEXT]
    place: tuple[float, float] | None = None
    words, others = "", []
    if text:
        found = _places(house.places(text, _PLACES), house.profile)
        if found:
            place, words = (found[0].lon, found[0].lat), _name(found[0])
            others = [(_name(other), _instead(given, other)) for other in found[1:]]
        else:
            faults["to"] = _("We do not find “%(text)s”. Try the street alone, or another spelling.") % {"text": text}
    elif near := given.get("near", "").strip():
        place = _near(near, faults)
    fields = {"to": text, "near": given.get("near", "") if place and not text else "", "in": ahead, "stay": stay,
              "at": given.get("at", "") if "at" not in faults else "", "height": given.get("height", "")[:10],
              "needs": needs, "what": what}  # fmt: skip
    kept = _kept(given)
    return Asked(
        wish=wish, what=what, given=bool(kept),
        place=place, place_words=words, mine=bool(place and not text), others=others,
        faults=faults, fields=fields, query=f"?{kept}" if kept else "",
    )  # fmt: skip


def _kept(given: QueryDict) -> str:
    """The options that say something, in their order: the rest of an address is not repeated."""
    kept = QueryDict(mutable=True)
    for name in NAMES:
        values = [value[:_LONGEST_TEXT] for value in given.getlist(name)[: len(NEEDS)] if value.strip()]
        if values:
            kept.setlist(name, values)
    return kept.urlencode()


def _instead(given: QueryDict, place: Place) -> str:
    other = given.copy()
    other["to"] = _name(place)
    return f"?{_kept(other)}"


def _places(found: Sequence[Place], profile: Profile) -> list[Place]:
    """Each spot once. A thing of the city is called by its name, also where it is its simulation that was found."""
    names = {_spot(each.position.lon, each.position.lat): each.name for each in profile.things if each.position}
    told: dict[tuple[float, float], Place] = {}
    for place in found:
        spot = _spot(place.lon, place.lat)
        told.setdefault(spot, place._replace(name=names[spot], detail="") if spot in names else place)
    return list(told.values())


def _spot(lon: float, lat: float) -> tuple[float, float]:
    return round(lon, 5), round(lat, 5)


def _name(place: Place) -> str:
    return ", ".join(piece for piece in (place.name, place.detail) if piece)


def _whole(text: str, least: int, most: int, usual: int, field: str, faults: dict[str, str]) -> int:
    text = text.strip()
    if not text:
        return usual
    if text.isascii() and text.isdecimal() and len(text) <= 6 and least <= int(text) <= most:
        return int(text)
    faults[field] = _("This is no number of minutes from %(least)s to %(most)s.") % {"least": least, "most": most}
    return usual


def _arrival(text: str, now: datetime, zone: ZoneInfo, usual: datetime, faults: dict[str, str]) -> datetime:
    """The next time that the city's clock shows this."""
    if not text:
        return usual
    match = _CLOCK.match(text)
    if match is None:
        faults["at"] = _("This is no time. Write e.g. 18:30.")
        return usual
    here = now.astimezone(zone)
    then = datetime.combine(here.date(), time(int(match[1]), int(match[2])), zone)
    if then < here.replace(second=0, microsecond=0):
        then = datetime.combine(here.date() + timedelta(days=1), then.time(), zone)
    return max(then.astimezone(now.tzinfo), now)


def _height(text: str, faults: dict[str, str]) -> int | None:
    text = text.strip()
    if not text:
        return None
    match = _METRES.match(text)
    found = int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else 0
    if not 50 <= found <= 500:
        faults["height"] = _("This is no height of a vehicle. Write metres, e.g. 1.95.")
        return None
    return found


def _near(text: str, faults: dict[str, str]) -> tuple[float, float] | None:
    """On three places after the point: nobody's doorstep."""
    pieces = text[:_LONGEST_TEXT].split(",")
    try:
        lon, lat = (round(float(piece), 3) for piece in pieces)
    except (ValueError, OverflowError):
        lon = lat = 999.0
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        faults["near"] = _("This is no position: longitude and latitude in degrees, with a comma between them.")
        return None
    return lon, lat

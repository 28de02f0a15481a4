"""Counters as streams, whatever form tells of them."""

import re
from collections.abc import Mapping
from typing import Any

from allmende.connectors.gathering import Refused, position, shown, text
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, SensorDeclaration, ThingDeclaration

_ID = re.compile(r"[\w.-]{1,80}\Z")
_WHATS = {"bicycles": "counter-loop", "pedestrians": "counter-laser"}


class Places:
    """What the settings and the profile say of each counter, and its stream."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._quantities = Quantities(source)
        places = source.settings.get("places")
        self._places: Mapping[str, Any] = places if isinstance(places, Mapping) else {}

    def declare(self, id_: str, name: str, what: str = "", *, lon: Any = None, lat: Any = None) -> Declaration:
        """The stream of a counter; raises Refused where the id cannot be one, or nobody says what is counted."""
        if not _ID.match(id_):
            raise Refused("no-identity", f"{shown(id_)} cannot be the id of a counter")
        said = self._places.get(id_)
        said = said if isinstance(said, Mapping) else {}
        counted = str(said.get("what") or what or self._source.settings.get("what") or "")
        if not self._quantities.knows(counted):
            raise Refused("unknown-quantity", f"the settings do not say what {shown(counted)} is")
        thing_id = f"{self._source.settings.get('prefix') or 'counter'}-{id_}"
        known = self._source.things.get(thing_id)
        title = known.name if known else str(said.get("name") or text(name) or id_)
        if known:
            lon, lat = known.lon, known.lat
        elif "lon" in said:
            lon, lat = said.get("lon"), said.get("lat")
        thing = ThingDeclaration(
            id=thing_id,
            name=title,
            description=known.description if known else "",
            properties={"kind": "counter", "counter": id_, **(dict(known.facts) if known else {})},
            position=position(lon, lat),
        )
        length = str(self._source.settings.get("length") or "")
        return self._quantities.declare(
            counted,
            thing,
            SensorDeclaration(id=_WHATS.get(counted, "counter"), name=f"Counter of {counted}"),
            properties={"length": length} if length else {},
        )

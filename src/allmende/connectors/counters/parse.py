"""Which form it is, and the two JSON forms; tables are read in ``tables``."""

import re
from typing import Any

import msgspec

from allmende.connectors.counters.places import Places
from allmende.connectors.counters.tables import read_moment, read_statuses, read_table
from allmende.connectors.gathering import Gathered, Refused, read_json, refuse_all, table, whole
from allmende.connectors.localtime import zone_of
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError
from allmende.domain.records import Parsed

_SITE = re.compile(r"/data/(?:site/)?([0-9]{1,15})(?:[/?]|\Z)")


def parse(payload: Payload, source: Source) -> Parsed:
    """Counts; a rejection for each one, or each row or document, that cannot be read."""
    gathered = Gathered()
    try:
        zone = zone_of(str(source.settings.get("time_zone") or "UTC"))
        if payload.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            _read_document(read_json(payload.body), payload.name, source, gathered, zone)
        else:
            read_table(payload, source, gathered, zone)
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    except ConfigurationError as error:
        return refuse_all(payload, "bad-configuration", str(error))
    return gathered.parsed()


def _read_document(document: Any, name: str, source: Source, gathered: Gathered, zone: Any) -> None:
    if isinstance(document, list):
        _read_site(document, name, source, gathered, zone)
    elif isinstance(document, dict) and isinstance(document.get("measurements"), list):
        _read_place(document, source, gathered, zone)
    else:
        raise Refused("no-counts", "the document is neither a list of counts nor a place with measurements")


def _read_site(counts: list[Any], name: str, source: Source, gathered: Gathered, zone: Any) -> None:
    """Eco-Counter: the counter's number stands in the address that was asked."""
    match = _SITE.search(name)
    own = source.settings.get("site")
    id_ = match.group(1) if match else (own if isinstance(own, str) else "")
    if not id_:
        raise Refused("no-identity", "neither the address nor settings.site says which counter this is")
    declared = Places(source).declare(id_, "")
    absent, doubtful = read_statuses(source)
    for index, entry in enumerate(counts):
        said = table(entry)
        try:
            if not {"counts", "comptage"} & said.keys():
                raise Refused("no-counts", "an entry has a date and counts")
            value = said.get("counts", said.get("comptage"))
            gathered.declare(declared)
            status = str(said.get("status", ""))
            if value is None or status in absent:
                continue
            time, flag = read_moment(said.get("isoDate") or said.get("date"), zone)
            flag = flag or (f"status-{status}" if status in doubtful else "")
            gathered.put(declared.stream, time, whole(value, "counts"), flag)
        except Refused as refused:
            gathered.refuse(refused, msgspec.json.encode([entry]), f"[{index}]")


def _read_place(document: dict[str, Any], source: Source, gathered: Gathered, zone: Any) -> None:
    """hystreet."""
    id_ = document.get("id")
    if isinstance(id_, bool) or not isinstance(id_, int) or id_ < 0:
        raise Refused("no-identity", "the id of the place is no number")
    label = ", ".join(str(document[key]) for key in ("name", "city") if isinstance(document.get(key), str))
    declared = Places(source).declare(str(id_), label, "pedestrians")
    gathered.declare(declared)
    kept = {key: document[key] for key in ("id", "name", "city") if key in document}
    for index, entry in enumerate(document["measurements"]):
        said = table(entry)
        try:
            if "pedestrians_count" not in said:
                raise Refused("no-counts", "a measurement has no pedestrians_count")
            if said["pedestrians_count"] is None:
                continue
            time, flag = read_moment(said.get("timestamp"), zone)
            flag = flag or ("unverified" if said.get("unverified") is True else "")
            gathered.put(declared.stream, time, whole(said["pedestrians_count"], "pedestrians_count"), flag)
        except Refused as refused:
            gathered.refuse(refused, msgspec.json.encode(kept | {"measurements": [entry]}), f"measurements[{index}]")

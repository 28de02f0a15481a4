"""WZDx 4 (Work Zone Data Exchange): road events as features. The feed's version has to be 4.x."""

from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.connectors.geojson import read_features
from allmende.connectors.objects import nothing
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed

TITLE = {"de": "Baustellen", "en": "Road works"}
DROPPED = frozenset({"contact_name", "contact_email"})
"""People's names and addresses."""


def parse(payload: Payload, source: Source) -> Parsed:
    """Road events of a WorkZoneFeed. ``core_details`` are put beside the other properties."""
    try:
        document = msgspec.json.decode(payload.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return nothing(payload, f"this is no JSON: {error}")
    if isinstance(document, dict):
        version = _version(document)
        if version is not None and not str(version).startswith("4"):
            return nothing(payload, f"WZDx {str(version)[:20]} is not read here, only 4.x", "other-version")
    fixed = {"valid_from": "properties.start_date", "valid_to": "properties.end_date", "id": "id"}
    return read_features(
        payload, msgspec.structs.replace(source, settings={**source.settings, **fixed}), title=TITLE, adapt=_adapt
    )


def _version(document: Mapping[str, Any]) -> Any:
    for name in ("feed_info", "road_event_feed_info"):
        info = document.get(name)
        if isinstance(info, dict) and "version" in info:
            return info["version"]
    return None


def _adapt(properties: dict[str, Any]) -> dict[str, Any]:
    core = properties.pop("core_details", None)
    if not isinstance(core, dict):
        raise InvalidInput("a road event has core_details")
    merged = {**core, **properties}
    return {key: value for key, value in merged.items() if key not in DROPPED}

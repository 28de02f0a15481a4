"""What stands between the web and a face: values in, values out. A face knows no framework."""

from collections.abc import Mapping

import msgspec

from allmende.domain.bounds import Bounds
from allmende.domain.policy import Reader


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it came. ``path`` is decoded and begins after the face's root; ``query`` is still encoded."""

    method: str
    path: str
    query: str = ""
    root: str
    """Absolute address of the face's root without a slash at the end, e.g. ``https://city.example/sta/v1.1``."""
    mqtt: tuple[str, ...] = ()
    """Addresses at which MQTT is spoken, for the landing page."""
    mqtt_creates: bool = False
    """Whether entities can be created there."""
    reader: Reader
    now: int
    """Microseconds."""
    body: bytes = b""
    content_type: str = ""
    if_match: str = ""
    """The header, "" where there is none."""
    if_none_match: str = ""
    prefer: str = ""
    accept: str = ""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, ready for the wire."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class FaceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds that an operator sets; names of the settings stand in web's Config."""

    page_size: int = 100
    page_size_max: int = 1000
    skip_max: int = 100_000
    expand_depth: int = 3
    expand_rows: int = 100_000
    address_length: int = 32_768
    """Characters of an address with its options."""
    filter_length: int = 2000
    filter_cost: int = 1000
    entities: int = 1000
    """Entities created at once by a deep insert."""
    batch_size: int = 1000
    """Requests within one batch."""
    bulk_rows: int = 50_000
    """Observations created at once as data arrays."""
    patch_operations: int = 200
    """Of one JSON Patch."""
    patch_bytes: int = 65_536
    """Of one JSON Patch, and of what it copies."""
    delete_max: int = 10_000
    """Entities of a set deleted at once."""
    tile_features: int = 10_000
    """Features of one vector tile."""
    bounds: Bounds = Bounds()
    """Of readings."""

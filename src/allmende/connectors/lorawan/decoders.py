"""Raw bytes of an uplink by a table: where a network decodes nothing, a family says what lies where.

    decoder = [
      { key = "BatV", at = 0, type = "u16", mask = 0x3fff, scale = 0.001 },
      { key = "temp_SOIL", at = 8, type = "i16", scale = 0.01, port = 2 },
    ]

More than such a table (lengths that depend on other bytes, text) is a codec's work, and networks run codecs.
"""

import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Any

import msgspec

from allmende.connectors.messages import Refused, shown
from allmende.domain.errors import ConfigurationError

_FORMATS = {
    "u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f", "f64": "d"
}  # fmt: skip
_DIGITS = 9
_LONGEST = 255
"""LoRaWAN carries 242 bytes at most."""


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value of an uplink: ``(raw & mask) >> shift``, times ``scale``, plus ``add``."""

    key: str
    at: int
    """The first byte's number, from 0; below 0 from the end."""
    type: str
    """``u8`` to ``u64``, ``i8`` to ``i64``, ``u24``, ``i24``, ``f32``, ``f64``: high byte first, ``u16le`` low."""
    mask: int | None = None
    shift: int = 0
    scale: float = 1
    add: float = 0
    absent: int | None = None
    """The raw value that stands for "no value"."""
    port: int | None = None
    """The fPort of the uplinks that hold it; None: all."""
    least: int = 0
    """The value is there only in uplinks of so many bytes."""


def decode(fields: Sequence[Field], data: Any, port: Any) -> dict[str, Any]:
    """The values of base64 ``data``. Raises Refused for data that are too short or no base64, ConfigurationError."""
    try:
        body = b64decode(data, validate=True) if isinstance(data, str) else None
    except (Base64Error, ValueError):
        body = None
    if body is None or len(body) > _LONGEST:
        raise Refused("bad-data", f"the payload is no base64 of at most {_LONGEST} bytes: {shown(data)}")
    found: dict[str, Any] = {}
    for field in fields:
        if (field.port is not None and field.port != port) or len(body) < field.least:
            continue
        raw = _raw(field, body)
        if isinstance(raw, float):
            found[field.key] = raw * field.scale + field.add
            continue
        raw = (raw & field.mask if field.mask is not None else raw) >> field.shift
        if raw == field.absent:
            continue
        plain = field.scale == 1 and field.add == 0
        # 3301 * 0.001 is 3.301, not 3.3010000000000002
        found[field.key] = raw if plain else round(raw * field.scale + field.add, _DIGITS)
    if not found:
        raise Refused("no-object", f"the family's decoder says nothing of uplinks on port {shown(port)}")
    return found


def _raw(field: Field, body: bytes) -> int | float:
    kind, order = (field.type[:-2], "<") if field.type.endswith("le") else (field.type, ">")
    size = 3 if kind in ("u24", "i24") else struct.calcsize(_FORMATS[kind]) if kind in _FORMATS else 0
    if not size or field.shift < 0:
        raise ConfigurationError(f"{field.key}: {field.type!r} is no type of bytes, e.g. u16", where="decoder")
    start = field.at if field.at >= 0 else len(body) + field.at
    part = body[max(start, 0) : max(start, 0) + size]
    if start < 0 or len(part) < size:
        raise Refused("short-data", f"the payload has {len(body)} bytes, too few for {field.key}")
    if size == 3:
        return int.from_bytes(part, "little" if order == "<" else "big", signed=kind == "i24")
    value: int | float = struct.unpack(order + _FORMATS[kind], part)[0]
    return value

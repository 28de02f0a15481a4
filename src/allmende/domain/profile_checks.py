"""The checks of single values in a profile. Each raises ProfileError with the place and what would be right."""

import re
from collections.abc import Mapping
from datetime import date as Date  # noqa: N812  a parameter below has that name
from typing import Any
from zoneinfo import ZoneInfo

from allmende.domain.contract import check_contract
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.times import parse_duration

UNDATED = "undated"
"""The date of a fact whose origin has none."""

_ID = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*\Z", re.ASCII)
_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?\Z", re.ASCII)
_ADDRESS = re.compile(
    r"(?:https?|wss?)://(?:\[[0-9A-Fa-f:.]+\]|[^\s/@?#:\[\]]+)(?::[0-9]{1,5})?(?:[/?#]\S*)?\Z", re.ASCII
)
_HOST_VARIABLE = re.compile(r"[a-z]+://[^/?#]*\$")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_VARIABLE = re.compile(r"SOURCE_[A-Z0-9_]+\Z", re.ASCII)
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\Z")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)


class ProfileError(ConfigurationError):
    """A profile is wrong; ``place`` is the key in it, e.g. ``sources.gauges.interval``."""

    def __init__(self, place: str, message: str, **arguments: object) -> None:
        super().__init__(message, where=place, **arguments)
        self.place = place


def check_id(value: str, place: str) -> None:
    """Small letters, digits and single hyphens or underscores between."""
    if not _ID.match(value):
        raise ProfileError(place, '"%(value)s" is no id: small letters a to z, digits, hyphens between', value=value)


def check_duration(value: object, place: str) -> None:
    """An ISO 8601 duration longer than nothing."""
    if not isinstance(value, str):
        raise ProfileError(place, "%(value)s is no ISO 8601 duration, e.g. PT5M", value=repr(value))
    try:
        length = parse_duration(value)
    except InvalidInput:
        raise ProfileError(place, '"%(value)s" is no ISO 8601 duration, e.g. PT5M', value=value) from None
    if length <= 0:
        raise ProfileError(place, '"%(value)s" is no time at all; it has to be longer than nothing', value=value)


def check_silence(name: str, value: object, place: str) -> None:
    """The limits after which silence means "no data"; all connectors write them alike."""
    if name in ("day", "night", "rewrite"):
        check_duration(value, place)
    elif name in ("day_from", "day_to"):
        check_clock(value, place)
    else:
        raise ProfileError(place, "is no known key; known are day, night, rewrite, day_from, day_to")


def check_clock(value: object, place: str) -> None:
    """A time of day in the city's zone."""
    if not isinstance(value, str) or not _CLOCK.match(value):
        raise ProfileError(place, "%(value)s is no local time of day, e.g. 06:00", value=repr(value))


def check_position(lon: float, lat: float, place: str) -> None:
    """Degrees, in the order lon, lat."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ProfileError(
            place,
            "lon %(lon)s, lat %(lat)s is nowhere; the order is lon, lat in degrees",
            lon=f"{lon:g}",
            lat=f"{lat:g}",
        )


def check_origin(source: str, date: str, place: str) -> None:
    """Every fact and position says where it is from and when that was said."""
    if not source.strip():
        raise ProfileError(f"{place}.source", "is empty; every fact says where it is from")
    for part in date.split("/", 1):
        try:
            good = part == UNDATED or bool(_DATE.match(part) and Date.fromisoformat((part + "-01-01")[:10]))
        except ValueError:
            good = False
        if not good:
            raise ProfileError(
                f"{place}.date",
                '"%(date)s" is no date: 2025, 2025-02, 2025-02-01 or "%(undated)s"',
                date=date,
                undated=UNDATED,
            )


def check_time_zone(name: str, place: str) -> None:
    """A name of the tz database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; leads out of the database; names a folder of it
        raise ProfileError(
            place, '"%(name)s" is no time zone of the tz database, e.g. Europe/Berlin', name=name
        ) from None


def check_outline(value: object, place: str) -> dict[str, Any]:
    """A GeoJSON FeatureCollection whose features have a geometry and properties; returns it."""
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        raise ProfileError(place, "is no GeoJSON FeatureCollection, nor the name of a file with one")
    features = value.get("features")
    if not isinstance(features, list):
        raise ProfileError(place, "has no list of features")
    for index, feature in enumerate(features):
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise ProfileError(f"{place}.features[{index}]", "is no GeoJSON Feature")
        if not isinstance(feature.get("geometry"), dict) or not isinstance(feature.get("properties"), dict):
            raise ProfileError(f"{place}.features[{index}]", "has no geometry or no properties")
    return value


def check_address(value: str, place: str) -> None:
    """Where a source is asked or listened to; without a name and password, which belong to ``headers``.

    A secret in its path or parameters is the name of an environment variable: ``wss://…/?token=${SOURCE_TOKEN}``.
    """
    if value and not _ADDRESS.match(value):
        raise ProfileError(
            place,
            '"%(value)s" is no address: http(s):// or ws(s)://, and no name or password in it (use headers)',
            value=value,
        )
    for name in _PLACEHOLDER.findall(value):
        _check_variable(name, place)
    if _HOST_VARIABLE.match(value):
        raise ProfileError(place, "a variable stands in its path or its parameters; the host is named")


def check_variables(headers: Mapping[str, str], secrets: Mapping[str, str], place: str) -> None:
    """Only variables that were meant for sources may be named: a profile must not send others' secrets away."""
    named = [(f"headers.{key}", name) for key, text in headers.items() for name in _PLACEHOLDER.findall(text)]
    for key, name in [*named, *((f"secrets.{key}", name) for key, name in secrets.items())]:
        _check_variable(name, f"{place}.{key}")
    for key, text in headers.items():
        if not key.isascii() or not text.isprintable() or not re.fullmatch(r"[A-Za-z0-9-]+", key):
            raise ProfileError(f"{place}.headers.{key}", "is no header of HTTP")


def _check_variable(name: str, place: str) -> None:
    if not _VARIABLE.match(name):
        raise ProfileError(place, '"%(name)s" is no environment variable of a source, e.g. SOURCE_TOKEN', name=name)


def check_responsible(value: str, place: str) -> None:
    """An e-mail address, or nobody."""
    if value and not _MAIL.match(value):
        raise ProfileError(place, '"%(value)s" is no e-mail address', value=value)


def check_own_contract(raw: Mapping[str, Any], place: str) -> None:
    """What of a contract the profile says otherwise."""
    try:
        check_contract(raw)
    except InvalidInput as error:
        raise ProfileError(
            f"{place}.{error.where}" if error.where != "contract" else place, error.template, **error.arguments
        ) from None

"""Which format an answer takes: by ``$resultFormat``, or else by the header ``Accept``."""

from functools import lru_cache

import msgspec

from allmende.domain.errors import InvalidQuery


class Format(msgspec.Struct, frozen=True):
    """A format by its name in ``$resultFormat``; ``media`` are the types that choose it in ``Accept``."""

    name: str
    content_type: str = "application/json"
    media: tuple[str, ...] = ()
    extension: str = ""
    """Of a file that the answer is kept in; "" for what browsers show as it is."""


JSON = Format("JSON", media=("application/json",))
DATA_ARRAY = Format("dataArray")
CSV = Format("CSV", "text/csv; charset=utf-8; header=present", ("text/csv",), "csv")
GEOJSON = Format("GeoJSON", "application/geo+json", ("application/geo+json", "application/vnd.geo+json"))
PARQUET = Format("Parquet", "application/vnd.apache.parquet", ("application/vnd.apache.parquet",), "parquet")
ARROW = Format("Arrow", "application/vnd.apache.arrow.stream", ("application/vnd.apache.arrow.stream",), "arrows")
FORMATS = (JSON, DATA_ARRAY, CSV, GEOJSON, PARQUET, ARROW)
_BY_NAME = {format.name.lower(): format for format in FORMATS}
_BY_MEDIA = {media: format for format in FORMATS for media in format.media}


def named_format(text: str) -> Format:
    """The format of that name, upper and lower case alike."""
    found = _BY_NAME.get(text.strip().lower())
    if found is None:
        known = ", ".join(format.name for format in FORMATS)
        raise InvalidQuery(f"there is no format {text.strip()[:40]!r}; there are {known}", where="$resultFormat")
    return found


@lru_cache(maxsize=256)
def accepted_format(accept: str) -> Format:
    """What an ``Accept`` asks for (RFC 9110, 12.5.1).

    Another format than JSON is chosen only where its type is named, so that a browser, which takes everything, gets
    JSON. What asks for none of ours gets JSON too, not a refusal.
    """
    best, best_quality = JSON, 0.0
    plain = {"application/json": 0.0, "application/*": 0.0, "*/*": 0.0}
    for piece in accept.split(",") if accept else ():
        media, *parameters = (part.strip().lower() for part in piece.split(";"))
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if media in plain:
            plain[media] = quality
        elif media in _BY_MEDIA and quality > best_quality:
            best, best_quality = _BY_MEDIA[media], quality
    if plain["application/json"]:
        return best if best_quality > plain["application/json"] else JSON
    return best if best_quality >= max(plain.values()) else JSON


def headers_of(format: Format, name: str, *, following: str | None, count: int | None) -> dict[str, str]:
    """What headers say of an answer whose format has no members for it: the address of the next page (RFC 8288), the
    count that was asked for, and the name of the file that it is kept in."""
    headers: dict[str, str] = {}
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    if count is not None:
        headers["X-Total-Count"] = str(count)
    if format.extension:
        headers["Content-Disposition"] = f'attachment; filename="{name}.{format.extension}"'
    return headers


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0

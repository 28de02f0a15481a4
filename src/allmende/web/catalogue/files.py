"""A dataset's streams as a file: one row each, with its newest reading and where all of its readings are."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from allmende.domain.catalogue import may_read
from allmende.domain.figures import StreamSummary
from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.web.catalogue.gather import root_of
from allmende.web.catalogue.gone import refuse_gone, tombstone
from allmende.web.catalogue.own import dataset_for

COLUMNS = ("id", "name", "thing", "property", "unit", "time", "result", "lon", "lat", "count", "readings")
MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "geojson": "application/geo+json"}
_PAGE = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@require_safe
def streams(request: HttpRequest, name: str, suffix: str) -> HttpResponse | StreamingHttpResponse:
    """``/dataset/ID/streams.csv``, ``.json`` or ``.geojson``; 404 where the reader may not see the data, 410 where they
    were withdrawn."""
    house = request.house  # type: ignore[attr-defined]
    dataset = dataset_for(request, name)
    if dataset is None or dataset.withdrawn is not None:
        stone = tombstone(house.store, house.profile, house.reader, root_of(request), name)
        if stone is not None:
            return refuse_gone(stone)
    if dataset is None or dataset.withdrawn is not None or not may_read(dataset, house.reader):
        raise Http404(name)
    rows = (row(stream, root_of(request)) for stream in each_stream(house.store, house.reader, name))
    written = {"csv": _csv, "json": _json, "geojson": _geojson}[suffix](rows)
    answer = StreamingHttpResponse(written, content_type=MEDIA[suffix])
    answer["Content-Disposition"] = f'inline; filename="{name}-streams.{suffix}"'
    answer["Cache-Control"] = "no-cache" if dataset.access == "open" else "private, no-cache"
    answer["X-Licence"] = dataset.licence
    return answer


def each_stream(store: Store, reader: Reader, dataset: str) -> Iterator[StreamSummary]:
    """All streams of a dataset, a page at a time."""
    after = ""
    while page := store.streams(reader, dataset, after=after, top=_PAGE):
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].id


def row(stream: StreamSummary, root: str) -> dict[str, Any]:
    """A stream by COLUMNS; ``readings`` is the address of all of its readings as CSV."""
    # an id of a client may hold anything, also the sign that ends it
    name = quote(stream.id.replace("'", "''"), safe="~")
    return {
        "id": stream.id,
        "name": stream.name,
        "thing": stream.thing,
        "property": stream.property,
        "unit": stream.unit,
        "time": None if stream.start is None else _moment(stream.start),
        "result": stream.result,
        "lon": stream.lon,
        "lat": stream.lat,
        "count": stream.count,
        # quoted signs: the address may stand between single quotes in a shell
        "readings": f"{root}/sta/v1.1/Datastreams(%27{name}%27)/Observations"
        "?$resultFormat=CSV&$orderby=phenomenonTime%20desc&$select=phenomenonTime,result",
    }


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """RFC 4180; a text that a spreadsheet would run gets an apostrophe in front (decision 11)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for each in rows:
        writer.writerow([_cell(each[column]) for column in COLUMNS])
        if buffer.tell() > 65_536:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    between = b"["
    for each in rows:
        yield between + msgspec.json.encode(each)
        between = b",\n"
    yield b"]" if between == b",\n" else b"[]"


def _geojson(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    between = b'{"type":"FeatureCollection","features":['
    for each in rows:
        lon, lat = each.pop("lon"), each.pop("lat")
        place = None if lon is None else {"type": "Point", "coordinates": [lon, lat]}
        feature = {"type": "Feature", "id": each["id"], "geometry": place, "properties": each}
        yield between + msgspec.json.encode(feature)
        between = b",\n"
    yield b"]}" if between == b",\n" else between + b"]}"

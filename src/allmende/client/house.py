"""A house as a program sees it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from allmende.client import files, times
from allmende.client.errors import Missing, WrongInput
from allmende.client.model import Dataset, Dump, Stream
from allmende.client.table import Source, Table
from allmende.client.times import Moment
from allmende.client.web import Web

_PAGE = 1_000
_WRITTEN = 500
_STREAM = "id,name,unitOfMeasurement,phenomenonTime,properties"


class House:
    """The open interfaces of one house. ``token``: for more than what is open, and to write.

    Errors are those of :mod:`allmende.client.errors`. Use it in a ``with``, or call ``close``.
    """

    def __init__(
        self, address: str, token: str = "", *, timeout: float = 60.0, transport: httpx.BaseTransport | None = None
    ) -> None:  # fmt: skip
        self._web = Web(address, token, timeout, transport)

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._web.client.close()

    def datasets(self, search: str = "") -> list[Dataset]:
        """The catalogue, or what of it matches some words."""
        found: list[Dataset] = []
        while True:
            asked = {"rows": 100, "start": len(found), **({"q": search} if search else {})}
            page = self._web.get("/api/3/action/package_search", asked)["result"]
            found += [_dataset(each) for each in page["results"]]
            if not page["results"] or len(found) >= page["count"]:
                return found

    def streams(self, search: str = "", *, dataset: str = "", thing: str = "", property: str = "") -> list[Stream]:
        """Streams whose name holds some words; of a dataset, of a thing or a property by their ids.

        Raises Missing for a dataset that is not there.
        """
        known = None
        if dataset:
            address = f"/dataset/{quote(dataset, safe='')}/streams.json"
            known = {each["id"] for each in self._found(address, f"there is no dataset {dataset!r} for you here")}
        rules = [f"substringof({_text(search.lower())},tolower(name))"] if search else []
        rules += [f"Thing/id eq {_text(thing)}"] if thing else []
        rules += [f"ObservedProperty/id eq {_text(property)}"] if property else []
        asked = {
            "$select": _STREAM,
            "$expand": "Thing($select=id,name),ObservedProperty($select=id,name)",
            "$orderby": "id",
            "$top": str(_PAGE),
            **({"$filter": " and ".join(rules)} if rules else {}),
        }
        found = self._pages("/sta/v1.1/Datastreams", asked)
        return [_stream(each, dataset) for each in found if known is None or str(each["@iot.id"]) in known]

    def observations(
        self, stream: str, *, start: Moment | None = None, end: Moment | None = None, limit: int | None = None,
        newest_first: bool = False, where: str = "",
    ) -> Table:  # fmt: skip
        """Readings of a stream with ``start <= time < end``, as they are now. ``where``: a further ``$filter`` of
        SensorThings, such as ``result gt 10``. Columns: time, result, quality (None: nothing is objected to)."""
        times.check_order(start, end)
        rules = [f"phenomenonTime ge {times.written(start)}"] if start is not None else []
        rules += [f"phenomenonTime lt {times.written(end)}"] if end is not None else []
        rules += [f"({where})"] if where else []
        asked = {
            "$select": "phenomenonTime,result,resultQuality",
            "$orderby": f"phenomenonTime {'desc' if newest_first else 'asc'}",
            "$top": str(_PAGE if limit is None else min(limit, _PAGE)),
            **({"$filter": " and ".join(rules)} if rules else {}),
        }
        rows: list[tuple[Any, ...]] = []
        key = quote(_text(stream), safe="'~")
        for each in self._pages(f"/sta/v1.1/Datastreams({key})/Observations", asked):
            if limit is not None and len(rows) >= limit:
                break
            rows.append((times.read(each["phenomenonTime"]), each["result"], each.get("resultQuality")))
        return Table(["time", "result", "quality"], rows)

    def series(
        self, streams: str | Iterable[str], *, start: Moment = "-P7D", end: Moment = "now", points: int = 500
    ) -> Table:  # fmt: skip
        """Streams in buckets of equal width, as many as fit: stream, time (begin of the bucket), mean, low, high,
        count. A bucket without a reading has no mean. ``start`` may be ``-P7D``: before ``end``."""
        ids = [streams] if isinstance(streams, str) else list(streams)
        said = self._web.get(
            "/explorer/series.json", {"stream": ids, "from": _edge(start), "to": _edge(end), "points": points}
        )
        rows = [
            (each["id"], times.of_seconds(at), mean, low, high, count)
            for each in said["streams"]
            for at, mean, low, high, count in zip(
                each["t"], each["mean"], each["low"], each["high"], each["count"], strict=True
            )
        ]
        return Table(["stream", "time", "mean", "low", "high", "count"], rows)

    def sql(self, query: str) -> Table:
        """The answer to a question over all open data, as of last night. See ``/sql/`` for the tables."""
        said = self._web.ask(
            "POST", "/sql/result.json", content=query.encode(), headers={"Content-Type": "application/sql"}
        ).json()
        zoned = [column["type"] == "TIMESTAMP WITH TIME ZONE" for column in said["columns"]]
        rows = [
            tuple(times.read(value) if zone else value for value, zone in zip(row, zoned, strict=True))
            for row in said["rows"]
        ]
        sources = [
            Source(each["id"], each["title"], each["licence"], each["licenceUrl"], each["attribution"])
            for each in said["datasets"]
        ]
        names = [column["name"] for column in said["columns"]]
        return Table(names, rows, sources, said["asOf"] or "", bool(said["cut"]))

    def dumps(self, dataset: str) -> list[Dump]:
        """The Parquet files of an open dataset. Raises Missing where there are none."""
        said = self._found(
            f"/dumps/{quote(dataset, safe='')}/manifest.json",
            f"there are no files of {dataset!r}: it is not here, not open, or was not there last night",
        )
        return [
            Dump(dataset, each["name"], each["address"], each["bytes"], each["sha256"], each["rows"])
            for each in said["files"]
        ]

    def fetch(self, what: Dump | str, path: str | Path) -> Path:
        """A dump, or what lies at an address of the house, as a file; into a folder under its own name. What is there
        already and is the same is not fetched again; a transfer that broke off goes on."""
        address = what.address if isinstance(what, Dump) else what
        place = Path(path)
        if place.is_dir():
            name = address.partition("?")[0].rpartition("/")[2] or "file"
            place /= f"{what.dataset}-{name}" if isinstance(what, Dump) else name
        return files.fetch(self._web, address, place, what.sha256 if isinstance(what, Dump) else "")

    def write(self, stream: str, readings: Mapping[Moment, Any] | Iterable[tuple[Moment, Any]]) -> list[str]:
        """Create observations in a stream; needs a token that may write. Gives the address of each, in their order.

        Raises WrongInput where some could not be taken, and says which was the first; the others are kept.
        """
        pairs = readings.items() if isinstance(readings, Mapping) else readings
        rows = [[times.written(at), value] for at, value in pairs]
        told: list[str] = []
        for begin in range(0, len(rows), _WRITTEN):
            some = rows[begin : begin + _WRITTEN]
            said = {
                "Datastream": {"@iot.id": stream},
                "components": ["phenomenonTime", "result"],
                "dataArray@iot.count": len(some),
                "dataArray": some,
            }
            told += self._web.ask("POST", "/sta/v1.1/CreateObservations", json=[said]).json()
        wrong = [(row, line) for row, line in zip(rows, told, strict=True) if line.startswith("error")]
        if wrong:
            row, line = wrong[0]
            raise WrongInput(f"{len(wrong)} of {len(rows)} readings were not taken; the first, {row}: {line}")
        return told

    def _found(self, address: str, missing: str) -> Any:
        """What is there; where a page of the house would say that it is not, ``missing`` does."""
        try:
            return self._web.get(address)
        except Missing as error:
            raise Missing(missing, error.status) from None

    def _pages(self, path: str, asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The entities of a set, page after page."""
        page = self._web.get(path, asked)
        while True:
            yield from page["value"]
            following = page.get("@iot.nextLink")
            if not following:
                return
            page = self._web.get(following)


def _dataset(said: Mapping[str, Any]) -> Dataset:
    more = {each["key"]: each["value"] for each in said.get("extras") or ()}
    return Dataset(
        id=said["name"],
        title=said["title"],
        description=said.get("notes") or "",
        publisher=said.get("author") or "",
        licence=said.get("license_id") or "",
        licence_url=said.get("license_url") or "",
        attribution=more.get("licenseAttributionByText", ""),
        address=said.get("url") or "",
    )


def _stream(said: Mapping[str, Any], dataset: str) -> Stream:
    return Stream(
        id=str(said["@iot.id"]),
        name=said["name"],
        thing=said["Thing"]["name"],
        property=said["ObservedProperty"]["name"],
        unit=(said.get("unitOfMeasurement") or {}).get("symbol") or "",
        dataset=dataset or str((said.get("properties") or {}).get("dataset", "")),
        start=times.read(said.get("phenomenonTime")),
        end=times.read_end(said.get("phenomenonTime")),
    )


def _edge(moment: Moment) -> str:
    return moment if isinstance(moment, str) and moment.lstrip("-").startswith(("P", "now")) else times.written(moment)


def _text(value: str) -> str:
    """A literal of $filter and of a key."""
    return "'" + value.replace("'", "''") + "'"

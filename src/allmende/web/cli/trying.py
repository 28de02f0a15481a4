"""``source try``: what would come in, without keeping any of it."""

import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from allmende.connectors.fetching import open_client, read, without_secrets
from allmende.domain.addresses import hide_secrets
from allmende.domain.batch import Batch
from allmende.domain.connector import Connector, Payload, Source
from allmende.domain.errors import InvalidInput, NotFound
from allmende.domain.framing import frames, framing_of
from allmende.domain.ingest import IngestLimits, ingest
from allmende.domain.profile_checks import check_address
from allmende.domain.records import Parsed
from allmende.domain.times import format_instant
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.output import print_json, print_table, printable
from allmende.web.config import load_config
from allmende.web.intake import now_micros, reading_bounds
from allmende.web.profiles import load_profile
from allmende.web.sources import PreparedSource, prepare_sources
from allmende.web.worker.trouble import in_words

_SHOWN = 40
_FRAMES_SECONDS = 20.0


def try_source(name: str, address: str, file: str, as_json: bool) -> int:
    """Ask once, parse and check, and print it. Gives the exit code: FAILED where nothing could be read."""
    config = load_config()
    prepared = _prepared(name, config.city)
    source, connector = prepared.source, prepared.usable()
    if address:
        check_address(address, "--address")
        source = msgspec.structs.replace(source, address=address)
    try:
        payloads = list(_payloads(source, connector, file))
    except (InvalidInput, NotFound):
        raise
    except Exception as error:  # whatever a host or a connector does, it is to be said in words
        reason = without_secrets(source, in_words(error, source.address))
        raise InvalidInput(reason, where=hide_secrets(source.address) or file) from None
    batches = [_read(prepared, source, payload, reading_bounds(config)) for payload in payloads]
    told = _tell(payloads, batches)
    print_json(told) if as_json else _print(told)
    return int(ExitCode.OK if told["readings"] or not told["rejected"] else ExitCode.FAILED)


def _prepared(name: str, city: str) -> PreparedSource:
    """A source of the city, or a connector by its name with the manifest's own settings."""
    from allmende.connectors import registry

    if city:
        known = prepare_sources(load_profile(city))
        if name in known:
            return known[name]
    connector = registry.load(name)
    manifest = connector.manifest
    from allmende.domain.profile import SourceProfile

    return PreparedSource(
        source=Source(id=name, connector=name, dataset=name, address=manifest.address, settings=manifest.settings),
        profile=SourceProfile(id=name, connector=name, title=manifest.title, enabled=False, dataset=name),
        connector=connector,
        version="",
        problems=(),
    )


def _payloads(source: Source, connector: Connector, file: str) -> Iterable[Payload]:
    framing, now = framing_of(connector.manifest.framing, source.settings), now_micros()
    if file:
        path = Path(file)
        if not path.is_file():
            raise NotFound(f"there is no such file: {file}")
        with path.open("rb") as stream:
            yield from frames(stream, framing=framing, name=path.name, received_at=now)
    elif source.address.startswith(("ws://", "wss://")):
        yield from _listen(source, now)
    elif connector.fetch is not None:
        yield from connector.fetch(source, now=now, since=None)
    elif source.address:
        with open_client(source) as client:
            body = read(client, source.address)
        yield from frames(io.BytesIO(body), framing=framing, name=source.address, received_at=now)
    else:
        raise InvalidInput("there is nothing to ask: give a FILE, or --address")


def _listen(source: Source, now: int) -> Iterator[Payload]:
    """The first frames of a WebSocket."""
    from websockets.sync.client import connect

    from allmende.connectors.fetching import filled_address, headers

    with connect(filled_address(source), additional_headers=headers(source), proxy=None, open_timeout=10) as connection:
        for _ in range(_SHOWN):
            try:
                frame = connection.recv(timeout=_FRAMES_SECONDS)
            except TimeoutError:
                return
            yield Payload(
                body=frame.encode() if isinstance(frame, str) else frame, name=source.address, received_at=now
            )


def _read(prepared: PreparedSource, source: Source, payload: Payload, limits: IngestLimits) -> Batch:
    parsed: Parsed = prepared.usable().parse(payload, source)
    return ingest(parsed, payload=payload, source=source, version=prepared.version, limits=limits)


def _tell(payloads: list[Payload], batches: list[Batch]) -> dict[str, Any]:
    declared = {d.stream: d for batch in batches for d in batch.declarations}
    streams: dict[str, dict[str, Any]] = {}
    for series in itertools.chain.from_iterable(batch.series for batch in batches):
        entry = streams.setdefault(
            series.stream,
            {"stream": series.stream, "property": "", "unit": "", "readings": 0, "flagged": 0, "first": "", "last": ""},
        )
        if series.stream in declared:
            entry["property"] = declared[series.stream].observed_property.id
            entry["unit"] = declared[series.stream].unit.symbol
        entry["readings"] += len(series.times)
        entry["flagged"] += sum(1 for flag in series.flags or () if flag)
        first, last = min(series.times), max(series.times)
        entry["first"] = min(entry["first"] or "9999", format_instant(first))
        if format_instant(last) >= entry["last"]:
            entry["last"], entry["newest"] = format_instant(last), series.results[series.times.index(last)]
    rejections = [rejection for batch in batches for rejection in batch.rejections]
    shown = [
        {
            "code": r.code,
            "where": r.where,
            "reason": r.reason,
            "body": r.body[:300].decode(errors="replace"),
        }
        for r in rejections[:_SHOWN]
    ]
    features = sum(len(each.rows) for batch in batches for each in batch.features)
    return {
        "payloads": len(payloads),
        "bytes": sum(len(payload.body) for payload in payloads),
        "streams": list(streams.values()),
        "readings": sum(entry["readings"] for entry in streams.values()) + features,
        "features": features,
        "rejected": len(rejections),
        "rejections": shown,
    }


def _print(told: dict[str, Any]) -> None:
    print(f"{told['payloads']:,} payloads with {told['bytes']:,} bytes; nothing is stored.")
    if told["streams"]:
        rows = [
            [
                entry["stream"],
                entry["property"],
                entry["unit"],
                entry["readings"],
                entry["flagged"],
                entry["first"],
                entry["last"],
                printable(str(entry.get("newest")))[:40],
            ]
            for entry in told["streams"][:_SHOWN]
        ]
        columns = ("stream", "property", "unit", "readings", "flagged", "first", "last", "newest")
        print_table(columns, rows, numbers=("readings", "flagged"))
        if len(told["streams"]) > _SHOWN:
            print(f"… and {len(told['streams']) - _SHOWN:,} more streams")
    if told["features"]:
        print(f"{told['features']:,} features")
    print(f"{told['readings']:,} readings would be taken, {told['rejected']:,} rejected.")
    for rejection in told["rejections"]:
        print(f"  {rejection['code']} ({rejection['where'] or 'whole'}): {printable(rejection['reason'])[:200]}")

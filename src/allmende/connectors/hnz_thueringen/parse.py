"""A table of gauges, as a page for people or as a CSV: number, name, river, time, level, discharge."""

import csv
import io
import re
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from lxml import etree, html

from allmende.connectors.gathering import Gathered, Refused, number, position, refuse_all, shown, text
from allmende.connectors.localtime import read_local, zone_of
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError
from allmende.domain.ids import slug
from allmende.domain.records import Parsed, SensorDeclaration, ThingDeclaration

_TABLE = "pegelTabelle"
_GAUGE = re.compile(r"[0-9]{4,8}\Z", re.ASCII)
_TIME = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4} [0-9]{1,2}:[0-9]{2}\Z", re.ASCII)
_COLUMNS = ("pegelnummer", "name", "gewässer", "zeit", "wasserstand", "abfluss")
_ABSENT = frozenset({"", "-", "--", "---"})
_MOST_CELLS = 40
_SENSOR = SensorDeclaration(id="hnz-gauge", name="Pegel der HNZ Thüringen", metadata="https://hnz.thueringen.de/")


class _Row(NamedTuple):
    gauge: str
    name: str
    river: str
    time: str
    level: str
    discharge: str


def parse(payload: Payload, source: Source) -> Parsed:
    """Level and discharge of each gauge that is wanted; a rejection for each row or value that cannot be read."""
    gathered = Gathered()
    try:
        zone = zone_of(str(source.settings.get("time_zone") or ""))
        rows = _page(payload.body) if payload.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else _csv(payload)
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    except ConfigurationError as error:
        return refuse_all(payload, "bad-configuration", str(error))
    wanted = source.settings.get("gauges")
    chosen = {str(gauge) for gauge in wanted} if isinstance(wanted, list) else set()
    quantities = Quantities(source)
    for where, row in rows:
        if isinstance(row, Refused):
            gathered.refuse(row, _alone_cells(where, row), where)
            continue
        if chosen and row.gauge not in chosen:
            continue
        try:
            time, flag = read_local(row.time, "%d.%m.%Y %H:%M", zone)
        except Refused as refused:
            gathered.refuse(refused, _alone(row), where)
            continue
        thing = _thing(source, row)
        for name, said in (("level", row.level), ("discharge", row.discharge)):
            if said.casefold() in _ABSENT:
                continue
            try:
                value = float(number(said.replace(",", ".") if "." not in said else said, name))
            except Refused as refused:
                kept = row._replace(level="", discharge="")._replace(**{name: said})
                gathered.refuse(refused, _alone(kept), f"{where}, {name}")
                continue
            gathered.add(quantities.declare(name, thing, _SENSOR, properties={"raw": True}), time, value, flag)
    return gathered.parsed()


class _Broken(Refused):
    """A row of cells that is none of a gauge; ``cells`` are kept."""

    def __init__(self, code: str, reason: str, cells: list[str]) -> None:
        super().__init__(code, reason)
        self.cells = cells


def _page(body: bytes) -> list[tuple[str, _Row | Refused]]:
    if not body.rstrip().lower().endswith(b"</html>"):
        raise Refused("cut-off", "the page does not end with </html>")
    parser = html.HTMLParser(no_network=True, huge_tree=False, encoding="utf-8")
    try:
        root = html.document_fromstring(body, parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise Refused("unreadable", f"this is no HTML: {error}") from None
    tables = root.xpath(f"//table[@id='{_TABLE}']")
    if not isinstance(tables, list) or len(tables) != 1:
        raise Refused("no-table", f"the page has no table {_TABLE}, or more than one")
    found: list[tuple[str, _Row | Refused]] = []
    for index, line in enumerate(tables[0].iter("tr"), 1):  # type: ignore[union-attr]  # //table gives elements
        cells = [" ".join("".join(cell.itertext()).split()) for cell in line.iter("td")]
        if cells:
            found.append((f"row {index}", _row(cells)))
    return found


def _row(cells: list[str]) -> _Row | Refused:
    """The cells of a gauge, by what they look like."""
    if len(cells) > _MOST_CELLS:
        return _Broken("wrong-columns", f"the row has {len(cells)} cells", cells[:_MOST_CELLS])
    gauge_at = next((at for at, cell in enumerate(cells) if _GAUGE.match(cell.replace(".", ""))), None)
    if gauge_at is None:
        return _Broken("no-identity", "no cell of the row is the number of a gauge", cells)
    time_at = next((at for at in range(gauge_at + 3, len(cells)) if _TIME.match(cells[at])), None)
    if time_at is None:
        return _Broken("bad-time", "no cell of the row is a time like 20.11.2024 05:15", cells)
    if time_at + 3 >= len(cells):
        return _Broken("wrong-columns", "behind the time there are no cells for level, tendency and discharge", cells)
    return _Row(
        gauge=cells[gauge_at].replace(".", ""),
        name=cells[gauge_at + 1],
        river=cells[gauge_at + 2],
        time=cells[time_at],
        level=cells[time_at + 1],
        discharge=cells[time_at + 3],
    )


def _csv(payload: Payload) -> list[tuple[str, _Row | Refused]]:
    try:
        said = payload.body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("unreadable", f"this is no UTF-8: {error}") from None
    lines = [(index, line) for index, line in enumerate(said.splitlines(), payload.line) if line.strip()]
    header = [cell.strip().casefold() for cell in lines[0][1].split(";")] if lines else []
    if sorted(header) != sorted(_COLUMNS):
        raise Refused("bad-header", f"the columns are not {'; '.join(_COLUMNS)}")
    found: list[tuple[str, _Row | Refused]] = []
    for index, line in lines[1:]:
        try:
            cells = [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=";", strict=True))]
        except (csv.Error, StopIteration):
            cells = [line]
        found.append((f"line {index}", _csv_row(header, cells)))
    return found


def _csv_row(header: list[str], cells: list[str]) -> _Row | Refused:
    if len(cells) != len(header):
        return _Broken("wrong-columns", f"the row has {len(cells)} columns, the header {len(header)}", cells)
    row = _Row(*(dict(zip(header, cells, strict=True))[name] for name in _COLUMNS))
    if not _GAUGE.match(row.gauge.replace(".", "")):
        return _Broken("no-identity", f"{shown(row.gauge)} is no number of a gauge", cells)
    return row._replace(gauge=row.gauge.replace(".", ""))


def _alone(row: _Row) -> bytes:
    cells = (row.gauge, row.name, row.river, row.time, row.level, "", row.discharge)
    return _table(cells)


def _alone_cells(where: str, refused: Refused) -> bytes:
    return _table(refused.cells if isinstance(refused, _Broken) else [where])


def _table(cells: list[str] | tuple[str, ...]) -> bytes:
    inner = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    page = f'<html><body><table id="{_TABLE}"><tr>{inner}</tr></table></body></html>'
    return page.encode(errors="replace")


def _thing(source: Source, row: _Row) -> ThingDeclaration:
    id_ = f"hnz-{row.gauge}"
    known = source.things.get(id_)
    positions = source.settings.get("positions")
    said = positions.get(row.gauge) if isinstance(positions, Mapping) else None
    said = said if isinstance(said, Mapping) else {}
    name, river = text(row.name)[:120], text(row.river)[:120]
    lon, lat = (known.lon, known.lat) if known else (said.get("lon"), said.get("lat"))
    title = known.name if known else (f"{name} ({river})" if river else name or row.gauge)
    return ThingDeclaration(
        id=id_,
        name=title,
        description=f"Pegel {title}",
        properties={"kind": "gauge", "number": row.gauge, "water": river, "gauge": slug(name)},
        position=position(lon, lat),
    )

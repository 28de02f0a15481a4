"""What every file says of itself: whose data they are, under which licence, from where, when and by which question."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from allmende.domain.catalogue import Entry
from allmende.domain.selection import Selection
from allmende.domain.times import format_instant, to_datetime
from allmende.faces.files.fields import Field
from allmende.faces.tables import ColumnKind


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that gives derived values of the dataset, with the version that holds when the file is made."""

    id: str
    title: str
    version: int


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Plain and complete: it is read long after, far from here."""

    id: str
    """The dataset's."""
    title: str
    description: str
    address: str
    publisher: str
    contact: str
    licence: str
    licence_title: str
    licence_url: str
    attribution: str
    access: str
    simulated: bool
    provenance: str
    sources: Mapping[str, str]
    """Titles by id."""
    rules: Sequence[Rule]
    version: str
    """The dataset's."""
    made_at: int
    """In microseconds; what changed since is not in the file."""
    made_by: str
    """Name and version of the program."""
    zone: str
    """The city's time zone."""
    selection: Selection

    def told(self) -> dict[str, Any]:
        """As plain data, the same in every format."""
        said: dict[str, Any] = msgspec.to_builtins(self)
        said["made_at"] = format_instant(self.made_at)
        said["selection"] = self.selection.told()
        return said


def about(
    entry: Entry, *, language: str, selection: Selection, sources: Mapping[str, str], rules: Sequence[Rule],
    made_at: int, made_by: str, zone: str,
) -> About:  # fmt: skip
    """What a catalogue's entry says, in a language of the city."""
    dataset, licence, contact = entry.dataset, entry.licence, entry.contact

    def words(texts: Mapping[str, str]) -> str:
        return texts.get(language) or next(iter(texts.values()), "")

    return About(
        id=dataset.id,
        title=words(dataset.title),
        description=words(dataset.description),
        address=entry.address,
        publisher=entry.publisher.name,
        contact=(contact.mail or contact.page or contact.phone) if contact else "",
        licence=dataset.licence,
        licence_title=words(licence.label),
        licence_url=str(licence.more.get("url") or licence.uri),
        attribution=dataset.attribution,
        access=dataset.access,
        simulated=dataset.simulated,
        provenance=words(entry.provenance),
        sources=sources,
        rules=rules,
        version=dataset.version.number if dataset.version else "",
        made_at=made_at,
        made_by=made_by,
        zone=zone,
        selection=selection,
    )


_TYPES = {
    ColumnKind.TEXT: "string",
    ColumnKind.JSON: "string",
    ColumnKind.INTEGER: "integer",
    ColumnKind.NUMBER: "number",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.INSTANT: "datetime",
}


def data_package(
    said: About, fields: Sequence[Field], path: str, dialect: Mapping[str, Any], *, rows: int, comma: bool
) -> dict[str, Any]:
    """A Frictionless Data Package (specs v1) of one table; ``comma``: decimals have one."""
    columns = []
    for field in fields:
        column: dict[str, Any] = {"name": field.name, "type": _TYPES[field.kind], "description": field.en}
        if field.kind is ColumnKind.NUMBER and comma:
            column["decimalChar"] = ","
        columns.append(column)
    return {
        "profile": "tabular-data-package",
        "name": said.id,
        "title": said.title,
        "description": said.description,
        "homepage": said.address,
        "created": format_instant(said.made_at),
        "licenses": [{"name": said.licence, "title": said.licence_title, "path": said.licence_url}],
        "contributors": [{"title": said.publisher, "role": "publisher", "email": said.contact}],
        "sources": [{"title": title, "path": said.address} for title in said.sources.values()],
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": "data",
                "path": path,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "dialect": dict(dialect),
                "schema": {"fields": columns, "missingValues": [""]},
            }
        ],
        "allmende": {**said.told(), "rows": rows},
    }


def letter(said: About, fields: Sequence[Field]) -> str:
    """What a person reads first, in German and English."""
    return "\n\n".join((_german(said, fields), "-" * 72, _english(said, fields))) + "\n"


def _german(said: About, fields: Sequence[Field]) -> str:
    lines = [said.title, said.description]
    if said.simulated:
        lines.append("ACHTUNG: Dies sind keine Messwerte. Sie sind simuliert.")
    lines += [
        f"Herausgeber: {said.publisher}",
        f"Lizenz: {said.licence_title} ({said.licence_url})",
        f"Quellenangabe: {said.attribution}",
        f"Herkunft: {said.provenance}" if said.provenance else "",
        _rules(said, "Abgeleitet durch Regeln"),
        f"Datensatz: {said.address}",
        f"Erstellt: {_local(said)} durch {said.made_by}",
        f"Auswahl: {_chosen(said)}",
    ]
    return "\n".join([*filter(None, lines), "", "Spalten:", *(f"  {field.name}: {field.de}" for field in fields)])


def _english(said: About, fields: Sequence[Field]) -> str:
    lines = [
        "NOTE: These are no measured values. They are simulated." if said.simulated else "",
        f"Publisher: {said.publisher}",
        f"Licence: {said.licence_title} ({said.licence_url})",
        f"Attribution: {said.attribution}",
        _rules(said, "Derived by rules"),
        f"Dataset: {said.address}",
        f"Made: {format_instant(said.made_at)} by {said.made_by}",
        f"Selection: {_chosen(said)}",
    ]
    return "\n".join([*filter(None, lines), "", "Columns:", *(f"  {field.name}: {field.en}" for field in fields)])


def _rules(said: About, words: str) -> str:
    return f"{words}: {', '.join(f'{rule.title} (v{rule.version})' for rule in said.rules)}" if said.rules else ""


def _chosen(said: About) -> str:
    return msgspec.json.encode(said.selection.told()).decode()


def _local(said: About) -> str:
    return local_time(said.made_at, ZoneInfo(said.zone))


def local_time(micros: int, zone: ZoneInfo) -> str:
    """As it is written in Germany, by the clock of the zone: ``30.04.2024 23:45:02``. An hour that comes twice a year
    is written twice alike."""
    moment: datetime = to_datetime(micros).astimezone(zone)
    return f"{moment:%d.%m.}{moment.year:04} {moment:%H:%M:%S}"

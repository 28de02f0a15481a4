"""An answer as JSON, CSV and Parquet. Each says which question it answers, as of when, and under whose licences; a CSV
alone cannot, and has it beside: in a ZIP, or where its ``Link`` leads."""

import io
import zipfile
from typing import Any

import msgspec

from allmende.domain.times import format_instant
from allmende.faces.tables import Column, ColumnKind, columns_of, to_csv, to_parquet
from allmende.web.sql.asking import Found

_KINDS = {kind.value: kind for kind in (ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.BOOLEAN)}
MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "zip": "application/zip",
    "parquet": "application/vnd.apache.parquet",
}


def give(found: Found, form: str, root: str) -> bytes:
    """The answer in one of MEDIA; ``root`` is the house's address."""
    if form == "json":
        return to_json(found, root)
    columns = typed(found)
    if form == "csv":
        return to_csv(columns)
    about = about_answer(found, root)
    if form == "zip":
        return _zipped(to_csv(columns), found, about)
    return to_parquet(columns, {"allmende": msgspec.json.encode(about).decode()})


def about_answer(found: Found, root: str) -> dict[str, Any]:
    """What is said of it, for programs."""
    return {
        "query": found.query,
        "asOf": None if found.as_of is None else format_instant(found.as_of),
        "datasets": [
            {
                "id": each.id,
                "title": each.title,
                "publisher": each.publisher,
                "licence": each.licence,
                "licenceUrl": each.licence_url,
                "attribution": each.attribution,
                "address": f"{root}/dataset/{each.id}",
                "asOf": None if each.as_of is None else format_instant(each.as_of),
            }
            for each in found.datasets
        ],
        "columns": [{"name": column.name, "type": column.type} for column in found.columns],
        "count": found.count,
        "cut": found.cut or None,
    }


def to_json(found: Found, root: str) -> bytes:
    """The same with ``rows``: arrays in the order of the columns; times as text in UTC, nested values as they are."""
    kinds = [column.kind for column in found.columns]
    rows: Any = found.rows
    if {"instant", "json"} & set(kinds):
        rows = [[_plain(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in found.table()]
    return msgspec.json.encode({**about_answer(found, root), "rows": rows})


def typed(found: Found) -> list[Column]:
    """The columns with their kinds. Whole numbers of which one has more than 64 bits are text altogether."""
    rows = found.table()
    names = []
    for place, column in enumerate(found.columns):
        kind = _KINDS.get(column.kind, ColumnKind.TEXT)
        if column.kind == "instant":
            kind = ColumnKind.INSTANT
        elif column.kind == "json":
            kind = ColumnKind.JSON
        elif column.kind == "big":
            kind = ColumnKind.INTEGER
            if any(isinstance(row[place], str) for row in rows):
                kind = ColumnKind.TEXT
                for row in rows:
                    row[place] = None if row[place] is None else str(row[place])
        names.append((column.name, kind))
    return columns_of(names, rows)


def _plain(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "instant":
        return format_instant(value)
    return msgspec.Raw(value.encode()) if kind == "json" else value


def _zipped(body: bytes, found: Found, about: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.csv", body)
        archive.writestr("about.json", msgspec.json.format(msgspec.json.encode(about)))
        archive.writestr("query.sql", found.query + "\n")
        archive.writestr("LIESMICH-README.txt", _letter(found, about))
    return out.getvalue()


def _letter(found: Found, about: dict[str, Any]) -> str:
    lines = [
        "Diese Tabelle antwortet auf die Frage in query.sql.",
        "This table answers the question in query.sql.",
        "",
        f"Stand / as of: {about['asOf'] or '–'}",
        f"Zeilen / rows: {found.count}{' (gekürzt / cut)' if found.cut else ''}",
        "",
        "Daten / data:",
    ]
    for each in about["datasets"]:
        lines.append(f"  {each['title']} ({each['address']})")
        lines.append(f"    {each['attribution'] or each['publisher']}, {each['licence']} ({each['licenceUrl']})")
    return "\r\n".join(lines) + "\r\n"

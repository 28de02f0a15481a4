"""Mutations of tables with a header (see :mod:`allmende.connectors.mutations`)."""

import csv
import io
from collections.abc import Callable, Iterator
from random import Random

Made = tuple[str, bytes, bool]
Wrong = Callable[..., Iterator[tuple[str, str, bool]]]
ROWS = 4
"""Rows whose cells are looked at one by one."""
COLUMNS = 24
REPEATS = 3000


def separator(header: str) -> str:
    """The sign between columns, or "" where there is none."""
    found = max(";,\t|", key=header.count)
    return found if header.count(found) else ""


def mutate_table(body: bytes, random: Random, wrong: Wrong) -> Iterator[Made]:
    """Name, body, told."""
    text = body.decode().removeprefix("\ufeff")
    sign = separator(text.splitlines()[0])
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=sign) if row]
    header, data = rows[0], rows[1:]

    def written(*lines: list[str], by: str = sign) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=by, lineterminator="\n").writerows(lines)
        return out.getvalue().encode()

    yield from _cut(written(*rows), sign)
    yield "rows in reverse", written(header, *data[::-1]), False
    yield "rows twice", written(*rows, *data), False
    yield "the header again in the middle", written(*rows, *rows), False
    yield "rows many times", written(header, *(data * (REPEATS // max(len(data), 1) + 1))), False
    yield "no header", written(*data), False
    yield "nothing but the header", written(header), False
    yield "quoted", "\n".join(sign.join(f'"{cell}"' for cell in row) for row in rows).encode(), False
    yield "a quote that does not end", written(header) + b'"' + written(*data), False
    yield "other separators", written(*rows, by=";" if sign != ";" else ","), False
    # a row of the sample that is wrong by itself could become right
    even = [row for row in data if len(row) == len(header)]
    yield "a column too many in the rows", written(header, *([*row, "7"] for row in even)), False
    yield "a column too few in the rows", written(header, *(row[:-1] for row in even)), False
    yield "columns shifted", written(header, *(["", *row[:-1]] for row in even)), False
    yield "a row of many columns", written(*rows, ["1"] * 50_000), False
    order = random.sample(range(len(header)), len(header))
    even = [header, *even]
    yield "columns in another order", written(*([row[at] for at in order] for row in even)), False
    yield "a new column in front", written(*([f"new{index}", *row] for index, row in enumerate(rows))), False
    for at in _drawn(len(header), random):
        yield f"{header[at][:40]} renamed", written([*header[:at], f"{header[at]}New", *header[at + 1 :]], *data), False
        yield f"{header[at][:40]} left out", written(*([*row[:at], *row[at + 1 :]] for row in even)), False
        yield from _cells(header, data, at, wrong, written)


def _cells(
    header: list[str], data: list[list[str]], at: int, wrong: Wrong, written: Callable[..., bytes]
) -> Iterator[Made]:
    for number, row in enumerate(data[:ROWS]):
        if at >= len(row):
            continue
        for name, cell, told in wrong(row[at], quoted=False):
            changed = [*row[:at], cell, *row[at + 1 :]]
            made = written(header, *data[:number], changed, *data[number + 1 :])
            yield f"{header[at][:40]} in row {number + 1}: {name}", made, told


def _cut(body: bytes, sign: str) -> Iterator[Made]:
    """Cut off between cells. Within the last cell of a row nobody can tell "12" from the beginning of "121"."""
    text = body.decode()
    signs = [place for place, letter in enumerate(text) if letter == sign]
    for place in signs[:: max(1, len(signs) // 24)]:
        yield f"cut off at {place}", text[:place].encode(), False
        yield f"cut off at {place + 1}", text[: place + 1].encode(), False


def _drawn(count: int, random: Random) -> list[int]:
    return list(range(count)) if count <= COLUMNS else sorted(random.sample(range(count), COLUMNS))

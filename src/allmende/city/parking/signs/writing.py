"""What fits on a display: its characters, rows and columns."""

from collections.abc import Iterable, Mapping

from allmende.city.parking.signs.model import ARROWS, CHARACTERS, Display, Model, Page, Rows, State
from allmende.domain.errors import InvalidInput

FIELDS = ("state", "arrow")


def characters_of(said: str) -> str:
    """A named set of characters, or the characters themselves."""
    return CHARACTERS.get(said, said)


def as_written(model: Model, text: str) -> str:
    """The text as the display writes it."""
    return text.upper() if model.upper else text


def check_rows(model: Model, rows: Iterable[str], where: str) -> Rows:
    """The rows as the display writes them. Raises InvalidInput that says what does not fit and what would."""
    found = tuple(as_written(model, row) for row in rows)
    if len(found) > model.rows:
        raise InvalidInput(
            "the text has %(count)s rows, and %(sign)s has %(limit)s", count=len(found), sign=where, limit=model.rows
        )
    for row in found:
        if len(row) > model.columns:
            raise InvalidInput(
                "“%(row)s” has %(count)s characters, and a row of %(sign)s has room for %(limit)s",
                row=row,
                count=len(row),
                sign=where,
                limit=model.columns,
            )
        unknown = sorted({char for char in row if char not in model.characters})
        if unknown:
            raise InvalidInput(
                "%(sign)s cannot write %(unknown)s", sign=where, unknown=" ".join(repr(char) for char in unknown)
            )
    return found


def fits(model: Model, text: str) -> bool:
    """Whether a row has room for it and the display can write it."""
    text = as_written(model, text)
    return len(text) <= model.columns and all(char in model.characters for char in text)


def fill(display: Display, state: str) -> Rows:
    """The display's rows with the state in them; a row that is the state alone stands at the right, as numbers do."""
    model = display.model
    rows = []
    for line in display.lines:
        arrow = ARROWS.get(display.arrow, "")
        text = as_written(model, line.replace("{arrow}", arrow).replace("{state}", state))
        rows.append(text.rjust(model.columns) if line == "{state}" else text)
    return tuple(rows)


def pages_of(display: Display, state: State, number: int | None = None) -> tuple[Page, ...]:
    """A number is one page; a word is a page for each language of the display, those that say the same are one."""
    if number is not None:
        return (Page(fill(display, str(number))),)
    pages: dict[Rows, str] = {}
    for language, words in display.model.words.items():
        pages.setdefault(fill(display, words[state]), language)
    return tuple(Page(rows, language) for rows, language in pages.items())


def largest(display: Display) -> int:
    """The greatest number that there is room for; 0 where there is none at all."""
    beside = [line.replace("{state}", "").replace("{arrow}", " ") for line in display.lines if "{state}" in line]
    return int(10 ** (display.model.columns - max(map(len, beside), default=display.model.columns))) - 1


def texts(pages: Mapping[str, Rows]) -> tuple[Page, ...]:
    """Pages of a message."""
    found: dict[Rows, str] = {}
    for language, rows in pages.items():
        found.setdefault(rows, language)
    return tuple(Page(rows, language) for rows, language in found.items())

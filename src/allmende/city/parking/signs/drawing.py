"""How a display looks: where each character of its rows stands in an SVG. Drawn by ``_sign.html``."""

from typing import NamedTuple

from allmende.city.parking.signs.model import Display, Page, Shown

_CELL, _ROW, _EDGE = 14, 26, 8
_COLOURS = {"amber": "#ffb347", "white": "#ffffff", "green": "#7dff8a", "red": "#ff8f87"}


class Line(NamedTuple):
    """One row of LEDs: the text, where its characters stand, and its base line."""

    text: str
    places: str
    base: int


class Face(NamedTuple):
    """One page of a display."""

    width: int
    height: int
    colour: str
    lines: list[Line]
    words: str
    """The same to be read out."""
    language: str


def faces(display: Display, shown: Shown) -> list[Face]:
    """Every page that the display shows in turns."""
    return [_face(display, page) for page in shown.pages]


def _face(display: Display, page: Page) -> Face:
    model = display.model
    places = " ".join(str(_EDGE + _CELL // 2 + n * _CELL) for n in range(model.columns))
    # a blank of no width would move what stands behind it
    lines = [
        Line(row.replace(" ", "\N{NO-BREAK SPACE}"), places, _EDGE + number * _ROW + 19)
        for number, row in enumerate(page.rows)
    ]
    return Face(
        width=2 * _EDGE + model.columns * _CELL,
        height=2 * _EDGE + model.rows * _ROW,
        colour=_COLOURS[model.colour],
        lines=lines,
        words=" / ".join(" ".join(row.split()) for row in page.rows if row.strip()),
        language=page.language,
    )

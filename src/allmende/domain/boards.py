"""Dashboards as plain data: tiles in an order, and those that a city's profile brings (``boards/*.toml``).

What a tile's settings mean is its kind's to say (:mod:`allmende.web.boards.kinds`); here is what all have.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.domain.commons import is_of_service, names_of
from allmende.domain.profile_checks import ProfileError, check_id
from allmende.domain.tables import convert, mapping, plain, tables

FOLDER = "boards/"
WIDTHS = (1, 2, 3)
"""Columns that a tile may take, of three."""
MOST_TILES = 60
"""Of a board of the profile; people's boards have a setting."""

Words = str | dict[str, str]
"""A text: as one person wrote it, or by language."""


class Tile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a board. ``id`` is unique in its board and stays when the tile is moved or changed."""

    id: str
    kind: str
    title: Words = ""
    width: int = 1
    settings: dict[str, Any] = {}
    """Plain JSON; its kind reads it."""


class BoardContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a board shows: this is what is drafted, published, kept by version and compared."""

    title: Words
    description: Words = ""
    tiles: tuple[Tile, ...] = ()


class BoardProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A board that the city has from its profile; open to all, each reader sees of it what they may see."""

    id: str
    file: str
    content: BoardContent

    @property
    def place(self) -> str:
        """Where it is declared, as errors name it."""
        return f"{self.file}: boards.{self.id}"


def parse_boards(files: Mapping[str, bytes]) -> dict[str, BoardProfile]:
    """The boards of all files ``boards/*.toml``, by their ids. Raises ProfileError with file and key. A board that a
    service brings is left out where there is one of its id."""
    boards: dict[str, BoardProfile] = {}
    for name, _ in names_of(files, FOLDER, ".toml"):
        try:
            data = dict(plain(tomllib.loads(files[name].decode())))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProfileError(name, "is no TOML: %(error)s", error=error) from None
        for key, body in tables(data.pop("boards", {}), f"{name}: boards").items():
            if key in boards:
                if is_of_service(name) and boards[key].file != name:
                    continue
                raise ProfileError(
                    f"{name}: boards.{key}", "is there twice, in one file or in two; each has an id of its own"
                )
            boards[key] = BoardProfile(id=key, file=name, content=_content(body, f"{name}: boards.{key}"))
        for key in data:
            raise ProfileError(f"{name}: {key}", "is no known key; known are boards")
    return boards


def _content(body: dict[str, Any], place: str) -> BoardContent:
    listed = body.get("tiles", [])
    if not isinstance(listed, list) or not listed:
        raise ProfileError(f"{place}.tiles", "is a list of tables, one for each tile, written [[…tiles]]")
    if len(listed) > MOST_TILES:
        raise ProfileError(f"{place}.tiles", "has more than %(most)s tiles", most=MOST_TILES)
    tiles = tuple(_tile(item, number, f"{place}.tiles[{number}]") for number, item in enumerate(listed))
    return convert({**body, "tiles": tiles}, BoardContent, place)


def _tile(item: object, number: int, place: str) -> Tile:
    """What is none of a tile's own keys is a setting of its kind."""
    body = mapping(item, place)
    if "id" in body or "settings" in body:
        raise ProfileError(place, "has no id and no settings: what its kind reads stands in the tile itself")
    own = {name: value for name, value in body.items() if name in Tile.__struct_fields__}
    rest = {name: value for name, value in body.items() if name not in own}
    tile = convert({**own, "id": f"t{number}", "settings": rest}, Tile, place)
    check_id(tile.kind, f"{place}.kind")
    if tile.width not in WIDTHS:
        raise ProfileError(f"{place}.width", "is 1, 2 or 3 columns")
    return tile


def check_boards(boards: Mapping[str, BoardProfile], languages: list[str]) -> None:
    """Raises ProfileError where a text is missing in a language of the profile."""
    for board in boards.values():
        texts: dict[str, Words] = {
            f"{board.place}.title": board.content.title,
            f"{board.place}.description": board.content.description,
        }
        for number, tile in enumerate(board.content.tiles):
            texts[f"{board.place}.tiles[{number}].title"] = tile.title
        for place, text in texts.items():
            for language in languages:
                said = text if isinstance(text, str) else text.get(language, "")
                if not said.strip():
                    raise ProfileError(f"{place}.{language}", "is missing: every language of the profile has its text")

"""A story's text, taken apart: Markdown, and between it blocks that hold a tile of a dashboard::

    ```tile kind=series
    title = "Holzmarkt"
    streams = ["gauge-bridge~water-level"]
    span = "P7D"
    ```

    ```picture key=5f0c…
    alt = "The market with stalls"
    credit = "Photo: City of Jena, CC BY 4.0"
    ```

What stands in a block is TOML: ``title`` and whatever the kind reads; of a picture ``alt``, ``credit`` and perhaps
``caption``. Each reader sees of a block what they may see; of
one that reads what is hidden there is nothing, not even a gap.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it.token import Token

from allmende.domain.boards import Tile
from allmende.domain.tables import plain
from allmende.web.boards import kinds, seeing
from allmende.web.boards.seeing import Shown
from allmende.web.boards.words import reader
from allmende.web.stories.models import StoryPicture

MOST = 40
"""Blocks of a story."""
_PICTURE = re.compile(r"picture\s+key=(?P<key>[0-9a-f]{32})\s*\Z", re.ASCII)
_LONGEST = 1000
_INFO = re.compile(r"tile(?:\s+kind=(?P<kind>[a-z][a-z0-9-]*))?\s*\Z", re.ASCII)
_READER = reader()


class Wrong(NamedTuple):
    """A block that cannot be read."""

    line: int
    words: str


class Picture(NamedTuple):
    """A picture where it stands."""

    key: str
    alt: str
    credit: str
    caption: str


class Part(NamedTuple):
    """A piece of a text: HTML, or a tile, or a picture, or what is wrong with one."""

    html: SafeString = SafeString("")
    tile: Tile | None = None
    wrong: Wrong | None = None
    picture: Picture | None = None


class Drawn(NamedTuple):
    """A piece as one reader sees it."""

    html: SafeString
    tile: Shown | None


def take_apart(body: str, *, own: bool = False) -> list[Part]:
    """The pieces in their order. ``own``: somebody's, not the profile's; then a block that names streams may not name
    datasets, by which its heading would be shown to those who may not see the streams."""
    return list(_parts(body, own))


def _parts(body: str, own: bool) -> Iterator[Part]:
    run: list[Token] = []
    number = 0
    tokens = _READER.parse(body)
    # whichever sign somebody begins with, the highest heading of the text is one level below its title
    shift = 2 - min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=2)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + shift)}"
        if token.type != "fence" or not token.info.strip().startswith(("tile", "picture")):
            run.append(token)
            continue
        if run:
            yield Part(html=_html(run))
            run = []
        number += 1
        yield (_read_picture if token.info.strip().startswith("picture") else _read)(token, number, own)
    if run:
        yield Part(html=_html(run))


def _html(tokens: list[Token]) -> SafeString:
    return mark_safe(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S308  html is off: all is escaped


def _read(token: Token, number: int, own: bool) -> Part:
    line = (token.map[0] if token.map else 0) + 1

    def wrong(words: str) -> Part:
        return Part(wrong=Wrong(line, words))

    info = _INFO.match(token.info.strip())
    if info is None:
        return wrong(_("A block begins with: tile kind=…"))
    if number > MOST:
        return wrong(_("There are more than %(most)d blocks.") % {"most": MOST})
    try:
        said = dict(plain(tomllib.loads(token.content)))
    except tomllib.TOMLDecodeError as error:
        return wrong(_("The block is no TOML: %(error)s") % {"error": error})
    name = info["kind"] or str(said.pop("kind", ""))
    kind = kinds.find(name)
    if kind is None:
        known = ", ".join(each.name for each in kinds.all_kinds())
        return wrong(_("There is no kind of tile “%(name)s”; there are %(known)s.") % {"name": name, "known": known})
    title = said.pop("title", "")
    if not isinstance(title, str) or not title.strip():
        return wrong(_("The block has no title."))
    if own and said.get("datasets") and said.get("streams"):
        return wrong(_("A block names streams or datasets, not both."))
    if fault := kind.check(said):
        return wrong(_("The block of the kind “%(name)s”: %(fault)s") % {"name": name, "fault": fault})
    return Part(tile=Tile(id=f"b{number}", kind=name, title=title, settings=said))


def _read_picture(token: Token, number: int, own: bool) -> Part:
    line = (token.map[0] if token.map else 0) + 1

    def wrong(words: str) -> Part:
        return Part(wrong=Wrong(line, words))

    info = _PICTURE.match(token.info.strip())
    if info is None:
        return wrong(_("A picture begins with: picture key=…"))
    if not own:
        return wrong(_("Pictures are there in stories that were written in the browser."))
    if number > MOST:
        return wrong(_("There are more than %(most)d blocks.") % {"most": MOST})
    try:
        said = dict(plain(tomllib.loads(token.content)))
    except tomllib.TOMLDecodeError as error:
        return wrong(_("The block is no TOML: %(error)s") % {"error": error})
    alt, credit, caption = (said.get(name, "") for name in ("alt", "credit", "caption"))
    if not all(isinstance(each, str) and len(each) <= _LONGEST for each in (alt, credit, caption)):
        return wrong(_("What is said of the picture is no text, or too long."))
    if not alt.strip():
        return wrong(_("The picture has no words (alt) for those who do not see it."))
    if not credit.strip():
        return wrong(_("The picture does not say (credit) who made it and how it may be used."))
    return Part(picture=Picture(info["key"], alt.strip(), credit.strip(), caption.strip()))


def pictures_in(body: str) -> set[str]:
    """The keys of the pictures that a text shows."""
    return {part.picture.key for part in take_apart(body, own=True) if part.picture is not None}


def wrongs(body: str, *, own: bool = False) -> list[Wrong]:
    """What is wrong with the blocks of a text."""
    return [part.wrong for part in take_apart(body, own=own) if part.wrong is not None]


def draw(request: HttpRequest, body: str, *, own: bool = False) -> list[Drawn]:
    """The text as the request's reader sees it. A block that is wrong is left out."""
    parts = take_apart(body, own=own)
    tiles = [part.tile for part in parts if part.tile is not None]
    shown = {each.id: each for each in seeing.show_tiles(request, tiles)}
    keys = [part.picture.key for part in parts if part.picture is not None]
    pictures = StoryPicture.objects.defer("body").in_bulk(keys) if keys else {}
    drawn = []
    for part in parts:
        if part.picture is not None:
            if part.picture.key in pictures:
                said = {"it": part.picture, "kept": pictures[part.picture.key]}
                drawn.append(Drawn(render_to_string("stories/_picture.html", said), None))
        elif part.tile is None and part.wrong is None:
            drawn.append(Drawn(part.html, None))
        elif part.tile is not None and part.tile.id in shown:
            drawn.append(Drawn(SafeString(""), shown[part.tile.id]))
    return drawn

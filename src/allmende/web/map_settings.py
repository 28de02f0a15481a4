"""Settings of the map: a part of Config."""

import re
from typing import Annotated

from allmende.domain.errors import ConfigurationError
from allmende.web.board_settings import BoardSettings
from allmende.web.setting import describe as _setting


class MapSettings(BoardSettings, frozen=True, kw_only=True):
    """Who may show the map in a page of theirs, and how much it shows. (One class builds on the other.)"""

    map_frames: Annotated[
        tuple[str, ...],
        _setting(
            "ALLMENDE_MAP_FRAMES",
            "Map",
            "Pages that may show the map in a frame (`/map/embed/`), as origins separated by commas, e.g. "
            "`https://school.example`. `*`: all pages; `none`: no page. The frame shows what is open to all, and "
            "nobody is logged in there.",
        ),
    ] = ("*",)
    map_things: Annotated[
        int,
        _setting(
            "ALLMENDE_MAP_THINGS",
            "Map",
            "Things of one layer that the map asks for at once; where there are more, it asks for what lies in view.",
            low=1,
            high=100_000,
        ),
    ] = 2000
    map_rows: Annotated[
        int,
        _setting("ALLMENDE_MAP_ROWS", "Map", "Things of one layer that the map's list shows.", low=1, high=5000),
    ] = 200


_ORIGIN = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?\Z", re.ASCII)


def check_frames(frames: tuple[str, ...]) -> None:
    """Raises ConfigurationError where a page that may show the map is no origin: it goes into a header."""
    for frame in frames:
        if frame in ("*", "none") and len(frames) == 1:
            continue
        if not _ORIGIN.match(frame):
            raise ConfigurationError(
                f"{frame!r} is no origin: https://school.example, without a path; or * or none alone",
                where="ALLMENDE_MAP_FRAMES",
            )


def frame_ancestors(frames: tuple[str, ...]) -> str:
    """What the Content-Security-Policy of the frame says of the pages that it may stand in."""
    return "'none'" if not frames or frames == ("none",) else " ".join(frames)

"""Settings of dashboards: a part of Config."""

from typing import Annotated

from allmende.web.download_settings import DownloadSettings
from allmende.web.setting import describe as _setting


class BoardSettings(DownloadSettings, frozen=True, kw_only=True):
    """How many boards, tiles and pictures of stories there may be, and how long they stay. (One class builds on the
    other.)"""

    boards_each: Annotated[
        int, _setting("ALLMENDE_BOARDS_EACH", "Dashboards", "Dashboards that one account may have.", low=1)
    ] = 30
    board_tiles: Annotated[
        int, _setting("ALLMENDE_BOARD_TILES", "Dashboards", "Tiles of one dashboard at most.", low=1, high=200)
    ] = 40
    board_days: Annotated[
        int,
        _setting(
            "ALLMENDE_BOARD_DAYS",
            "Dashboards",
            "Days after which a dashboard that is for its maker alone is deleted, counted from the day on which they "
            "last opened or changed it.",
            low=1,
        ),
    ] = 365
    board_refresh_seconds: Annotated[
        int,
        _setting(
            "ALLMENDE_BOARD_REFRESH_SECONDS",
            "Dashboards",
            "Seconds between two looks of an open dashboard for new values.",
            low=10,
            high=86_400,
        ),
    ] = 60
    story_pictures: Annotated[
        int, _setting("ALLMENDE_STORY_PICTURES", "Stories", "Pictures of one story at most.", low=0, high=500)
    ] = 30
    story_picture_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_STORY_PICTURE_BYTES",
            "Stories",
            "Bytes of a picture's file at most; it is kept smaller, as WebP and without the camera's metadata.",
            low=100_000,
        ),
    ] = 15_000_000
    story_picture_megapixels: Annotated[
        int,
        _setting(
            "ALLMENDE_STORY_PICTURE_MEGAPIXELS", "Stories", "Million pixels of a picture at most.", low=1, high=150
        ),
    ] = 60
    embed_hosts: Annotated[
        tuple[str, ...],
        _setting(
            "ALLMENDE_EMBED_HOSTS",
            "Dashboards",
            "Where pages that are made for it may be shown in a frame, separated by commas, e.g. "
            "`https://www.city.example`, "
            "or `*` for anywhere. Empty: nowhere. They show what everybody may see, whoever is logged in.",
        ),
    ] = ()

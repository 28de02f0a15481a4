"""Settings of files that are made of data: a part of Config."""

from typing import Annotated

from allmende.web.catalogue_settings import CatalogueSettings
from allmende.web.setting import MIB
from allmende.web.setting import describe as _setting


class DownloadSettings(CatalogueSettings, frozen=True, kw_only=True):
    """How large files are, how long they stay, and how many somebody may order. (One class builds on the other.)"""

    download_hours: Annotated[
        float,
        _setting(
            "ALLMENDE_DOWNLOAD_HOURS",
            "Downloads",
            "Hours after which a file that somebody ordered is deleted, with what is known of the order.",
            low=0.1,
            high=24 * 31,
        ),
    ] = 48.0
    download_bytes: Annotated[
        int,
        _setting("ALLMENDE_DOWNLOAD_BYTES", "Downloads", "Largest file that is made of an order.", low=MIB),
    ] = 2048 * MIB
    downloads_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_DOWNLOADS_BYTES",
            "Downloads",
            "All files of orders together. Where there is no room, an order fails and says so.",
            low=MIB,
        ),
    ] = 10_240 * MIB
    download_seconds: Annotated[
        float,
        _setting("ALLMENDE_DOWNLOAD_SECONDS", "Downloads", "Longest time that one file may take to be made.", low=1),
    ] = 3600.0
    download_orders: Annotated[
        int,
        _setting(
            "ALLMENDE_DOWNLOAD_ORDERS",
            "Downloads",
            "Orders that one account, or one address without an account, may have at the same time, finished ones "
            "included until they are deleted.",
            low=1,
        ),
    ] = 20
    download_queue: Annotated[
        int,
        _setting("ALLMENDE_DOWNLOAD_QUEUE", "Downloads", "Orders of all that wait at the same time.", low=1),
    ] = 200
    download_transfers: Annotated[
        int,
        _setting(
            "ALLMENDE_DOWNLOAD_TRANSFERS",
            "Downloads",
            "Files that one process of the web server sends at the same time; further requests are asked to come "
            "again. Each takes one of its threads. 0: half of `ALLMENDE_WEB_THREADS`.",
            low=0,
        ),
    ] = 0

    dumps: Annotated[
        bool,
        _setting(
            "ALLMENDE_DUMPS",
            "Downloads",
            "Whether all open data are written to files each night, a month and dataset each. Without it those that "
            "there are go.",
        ),
    ] = True
    dump_hour: Annotated[
        int,
        _setting(
            "ALLMENDE_DUMP_HOUR",
            "Downloads",
            "Hour of the day, by the city's clock, from which on the dumps of the night are made.",
            low=0,
            high=23,
        ),
    ] = 3
    dumps_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_DUMPS_BYTES",
            "Downloads",
            "All dumps together. Where there is no room, further ones are not made, and the log says so.",
            low=MIB,
        ),
    ] = 51_200 * MIB

    @property
    def downloads_disk(self) -> int:
        """Free bytes below which no file is made: twice the floor, so that readings find room longer."""
        return 2 * self.disk_floor

"""Settings of the map: a part of Config."""

import re
from typing import Annotated

from allmende.domain.errors import ConfigurationError
from allmende.web.setting import describe as _setting
from allmende.web.sql_settings import SqlSettings


class MapSettings(SqlSettings, frozen=True, kw_only=True):
    """How much the map shows at once. (One class builds on the other.)"""

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


def check_embed_hosts(hosts: tuple[str, ...]) -> None:
    """Raises ConfigurationError where a page that may show ours in a frame is no origin: it goes into a header."""
    for host in hosts:
        if host != "*" and not _ORIGIN.match(host):
            raise ConfigurationError(
                f"{host!r} is no origin: https://school.example, without a path; or * for all",
                where="ALLMENDE_EMBED_HOSTS",
            )

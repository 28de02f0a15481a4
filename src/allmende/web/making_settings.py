"""Settings of sources that are made in the browser: a part of Config, which says where they come from."""

from typing import Annotated

from allmende.web.forecast_settings import ForecastSettings
from allmende.web.setting import MIB
from allmende.web.setting import describe as _setting


class MakingSettings(ForecastSettings, frozen=True, kw_only=True):
    """What may be brought, how long it is kept, and where the house may be sent to get it."""

    making_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_MAKING_BYTES",
            "Sources made in the browser",
            "Largest file that is brought to make a source of, by a form or from an address. It is never held in "
            "memory as a whole where its format allows that.",
            low=1024,
            high=16384 * MIB,
        ),
    ] = 512 * MIB
    making_seconds: Annotated[
        float,
        _setting(
            "ALLMENDE_MAKING_SECONDS",
            "Sources made in the browser",
            "Time within which an address has to give all of its file.",
            low=1,
            high=3600,
        ),
    ] = 60.0
    making_days: Annotated[
        float,
        _setting(
            "ALLMENDE_MAKING_DAYS",
            "Sources made in the browser",
            "Days after its last change that an unfinished source and its file are kept.",
            low=0.01,
        ),
    ] = 14.0
    making_most: Annotated[
        int,
        _setting(
            "ALLMENDE_MAKING_MOST",
            "Sources made in the browser",
            "Unfinished sources of one person at a time.",
            low=1,
        ),
    ] = 20
    private_addresses: Annotated[
        bool,
        _setting(
            "ALLMENDE_PRIVATE_ADDRESSES",
            "Sources made in the browser",
            "Whether addresses within the house's own network may be asked for such sources. Those of the profile's "
            "folder may be anywhere.",
        ),
    ] = False

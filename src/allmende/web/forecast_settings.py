"""Settings of forecasts: a part of Config, which says where they come from."""

from typing import Annotated

from allmende.web.analysis_settings import AnalysisSettings
from allmende.web.setting import MIB
from allmende.web.setting import describe as _setting


class ForecastSettings(AnalysisSettings, frozen=True, kw_only=True):
    """How much learning may take."""

    forecasts: Annotated[
        bool,
        _setting(
            "ALLMENDE_FORECASTS",
            "Forecasts",
            "Whether the worker learns and issues the forecasts of the city's profile.",
        ),
    ] = True
    forecast_train_seconds: Annotated[
        float,
        _setting(
            "ALLMENDE_FORECAST_TRAIN_SECONDS",
            "Forecasts",
            "Time that learning one forecast may take, in its own process. Beyond it, it is ended, and what was "
            "learned before goes on; where there is nothing, simple methods serve.",
            low=1,
        ),
    ] = 600.0
    forecast_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_FORECAST_BYTES",
            "Forecasts",
            "Memory (address space) of the process that learns. A year of ten car parks at five minutes "
            "takes some 2 GB.",
            low=64 * MIB,
        ),
    ] = 4096 * MIB
    forecast_threads: Annotated[
        int,
        _setting(
            "ALLMENDE_FORECAST_THREADS",
            "Forecasts",
            "Cores that learning may use, at the lowest priority.",
            low=1,
            high=64,
        ),
    ] = 2
    forecast_rows: Annotated[
        int,
        _setting(
            "ALLMENDE_FORECAST_ROWS",
            "Forecasts",
            "Examples that one forecast learns from at most; of more, so many are drawn.",
            low=1_000,
        ),
    ] = 600_000
    forecast_streams: Annotated[
        int,
        _setting(
            "ALLMENDE_FORECAST_STREAMS",
            "Forecasts",
            "Streams that one forecast may be of.",
            low=1,
        ),
    ] = 200

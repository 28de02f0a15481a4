"""Settings of analyses: a part of Config, which says where they come from."""

from typing import Annotated

from allmende.web.setting import describe as _setting
from allmende.web.subscription_settings import SubscriptionSettings


class AnalysisSettings(SubscriptionSettings, frozen=True, kw_only=True):
    """How much one analysis may read."""

    analysis_buckets: Annotated[
        int,
        _setting(
            "ALLMENDE_ANALYSIS_BUCKETS",
            "Analyses",
            "Buckets of one stream that an analysis may ask for; a year has 8,766 hours.",
            low=1_000,
        ),
    ] = 100_000
    analysis_readings: Annotated[
        int,
        _setting(
            "ALLMENDE_ANALYSIS_READINGS",
            "Analyses",
            "Readings of one change-only stream in the span of an analysis: they are walked one by one, where those of "
            "other streams are summed up by the database.",
            low=1_000,
        ),
    ] = 500_000

"""Settings of alerts: a part of Config, which says where they come from."""

from typing import Annotated

from allmende.web.making_settings import MakingSettings
from allmende.web.setting import describe as _setting


class AlertSettings(MakingSettings, frozen=True, kw_only=True):
    """How alerts are told. What is watched for stands in the city's profile."""

    alert_private_hosts: Annotated[
        tuple[str, ...],
        _setting(
            "ALLMENDE_ALERT_PRIVATE_HOSTS",
            "Alerts",
            "Names of hosts, separated by commas, to which webhooks and Matrix may go though their addresses are not "
            "public. Without it they reach public addresses alone, since who may draft a channel is not the operator.",
        ),
    ] = ()
    alert_hours: Annotated[
        float,
        _setting(
            "ALLMENDE_ALERT_HOURS",
            "Alerts",
            "Hours for which a message of an alert is tried again. After that it is given up, which `allmende check`, "
            "the log and the office say.",
            low=0.1,
        ),
    ] = 72.0
    alert_days: Annotated[
        float,
        _setting(
            "ALLMENDE_ALERT_DAYS",
            "Alerts",
            "Days for which alerts that are over are kept, with their reasons and what became of their messages.",
            low=1,
        ),
    ] = 365.0
    alert_past_days: Annotated[
        int,
        _setting(
            "ALLMENDE_ALERT_PAST_DAYS",
            "Alerts",
            "How many days back the office may try out what an alert would have done.",
            low=1,
            high=3650,
        ),
    ] = 92

"""Settings of citizens' own sensors: a part of Config, which says where they come from."""

from typing import Annotated

from allmende.web.alert_settings import AlertSettings
from allmende.web.setting import KIB, MIB
from allmende.web.setting import describe as _setting


class OwnSettings(AlertSettings, frozen=True, kw_only=True):
    """What one giver, one sensor and one message may ask of the house."""

    own_sensors: Annotated[
        bool,
        _setting(
            "ALLMENDE_OWN_SENSORS",
            "Own sensors",
            "Whether people with an account may give sensors of their own. Without it no new one can be registered; "
            "those that there are go on.",
        ),
    ] = True
    own_each: Annotated[
        int, _setting("ALLMENDE_OWN_EACH", "Own sensors", "Sensors that one account may have.", low=1)
    ] = 10
    own_rate: Annotated[
        int,
        _setting(
            "ALLMENDE_OWN_RATE",
            "Own sensors",
            "Messages a minute that each process takes of one sensor. Further ones are refused, and may come again.",
            low=1,
        ),
    ] = 30
    own_bytes: Annotated[
        int,
        _setting("ALLMENDE_OWN_BYTES", "Own sensors", "Largest message of an own sensor.", low=256, high=16 * MIB),
    ] = 32 * KIB
    own_readings: Annotated[
        int, _setting("ALLMENDE_OWN_READINGS", "Own sensors", "Readings in one message at most.", low=1)
    ] = 500
    own_silent_hours: Annotated[
        float,
        _setting(
            "ALLMENDE_OWN_SILENT_HOURS",
            "Own sensors",
            "Hours after which a sensor that says nothing is told to its giver, once.",
            low=1,
        ),
    ] = 24.0
    own_broker: Annotated[
        bool,
        _setting(
            "ALLMENDE_OWN_BROKER",
            "Own sensors",
            "Whether the topics `own/<number>` of a broker of your own are listened to. Whoever may publish there is "
            "taken for the giver: only with rules at the broker that let each account write its own topic alone.",
        ),
    ] = False

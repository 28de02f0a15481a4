"""A signal's state and the reader's temperature: what comes up to two hundred times a second."""

from typing import Any

from allmende.connectors.device_time import read_time
from allmende.connectors.ilsa.streams import declare_signal, declare_temperature, installation, signal_part
from allmende.connectors.messages import Gathered, Refused, number, shown
from allmende.domain.connector import Source

_COLOURS = {"🔴": "red", "🟡": "amber", "🟢": "green"}
_DARK = "⚪"
_ORDER = ("red", "amber", "green")
_NAMES = {
    (): "dark",
    ("red",): "red",
    ("amber",): "amber",
    ("green",): "green",
    ("red", "amber"): "red-amber",
}
_MOST_LAMPS = 8


def read_signal(gathered: Gathered, source: Source, intersection: str, message: dict[str, Any], received: int) -> None:
    """One state: ``color`` as it came, ``aspect`` in a word."""
    part = signal_part(source, message.get("id"))
    time, flag = read_time(message.get("timestamp"), source.time_zone, received)
    lamps = _lamps(message.get("state"))
    values = message.get("values")
    if values is not None and values != [lamp != _DARK for lamp in lamps]:
        flag = "lamps-disagree"
    lit = {_COLOURS[lamp] for lamp in lamps if lamp != _DARK}
    colours = tuple(colour for colour in _ORDER if colour in lit)
    aspect = _NAMES.get(colours)
    thing = installation(source, intersection)
    wanted = source.settings.get("give") or ()
    if "color" in wanted:
        gathered.add(declare_signal(source, thing, part, "color"), time, "".join(lamps), flag)
    if "aspect" in wanted:
        unknown = "" if aspect else "unknown-category"
        gathered.add(declare_signal(source, thing, part, "aspect"), time, aspect or "+".join(colours), flag or unknown)


def _lamps(state: Any) -> list[str]:
    """The signs in lamp order. The variation selector behind some of them says how to draw, not what is lit."""
    lamps = list(state.replace("\ufe0f", "")) if isinstance(state, str) else []
    if not 0 < len(lamps) <= _MOST_LAMPS or any(lamp != _DARK and lamp not in _COLOURS for lamp in lamps):
        raise Refused("bad-value", f"the state is no row of lamps: {shown(state)}")
    return lamps


def read_temperature(gathered: Gathered, source: Source, intersection: str, body: bytes, received: int) -> None:
    """A bare number, without a time: that of the receipt."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refused("unreadable", f"this is no text: {error}") from None
    gathered.add(declare_temperature(source, installation(source, intersection)), received, number(text))

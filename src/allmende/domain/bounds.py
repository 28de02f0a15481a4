"""What every reading has in common, whoever brings it: when it may have been, how large its result may be, whether the
result is of the kind that its stream says, and whether it lies in the range that its stream's source declares.

One place for all ways in. What lies out of bounds, a connector's becomes a rejection and a client's is refused; of
another kind, a connector's is flagged and a client's is refused; out of range, both are kept and flagged.
"""

from typing import Any, NamedTuple

import msgspec

from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.model import OBSERVATION_TYPES
from allmende.domain.query import ResultKind


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of what is taken."""

    earliest: int = times.parse_instant("1800-01-01T00:00:00Z")
    """Before it nobody measured what is sent here: a clock is wrong, or a column was misread."""
    future: int = times.DAY
    """How far ahead of the house's clock a reading may lie, in microseconds: beyond it a clock is wrong."""
    forecast: int = 400 * times.DAY
    """How far behind its run a forecast may look, in microseconds: a seasonal one looks a year ahead."""
    text: int = 262_144
    """Characters of a text, or bytes of a JSON result or of a feature's properties."""
    geometry: int = 4_194_304
    """Characters of a feature's geometry, as GeoJSON."""


USUAL = Bounds()
"""Where nobody says others."""


class Fault(NamedTuple):
    """What is wrong with a reading: a short word for counting, and a sentence about "it"."""

    code: str
    reason: str


def fault_of_time(time: int, latest: int, bounds: Bounds) -> Fault | None:
    """What is wrong with a time; ``latest`` is the house's clock and :attr:`Bounds.future`."""
    if time > latest:
        moment = times.format_instant(min(time, times.LATEST))
        return Fault("future", f"its time {moment} lies too far ahead (limit: ALLMENDE_FUTURE_SECONDS)")
    if time < bounds.earliest:
        return Fault("past", f"its time {times.format_instant(max(time, times.EARLIEST))} lies too far back")
    return None


def fault_of_run(run: int, latest: int) -> Fault | None:
    """What is wrong with the time at which a forecast was computed; ``latest`` as for :func:`fault_of_time`."""
    if run <= 0:
        return Fault("bad-run", "the time of its run does not lie after 1970")
    if run > latest:
        moment = times.format_instant(min(run, times.LATEST))
        return Fault("future", f"its run {moment} lies too far ahead (limit: ALLMENDE_FUTURE_SECONDS)")
    return None


def fault_of_forecast(time: int, run: int, bounds: Bounds) -> Fault | None:
    """What is wrong with the time that a forecast is for; it may well lie before its run."""
    if time > run + bounds.forecast:
        moment = times.format_instant(min(time, times.LATEST))
        return Fault("future", f"its time {moment} lies too far behind its run (limit: ALLMENDE_FORECAST_SECONDS)")
    return fault_of_time(time, time, bounds)


def fault_of_size(size: int, bounds: Bounds, kind: int) -> Fault | None:
    """What is wrong with the size of a kept text or JSON result."""
    if size <= bounds.text:
        return None
    what, unit = ("text", "characters") if kind == ResultKind.STRING else ("JSON", "bytes")
    return Fault(
        "too-long", f"its {what} has {size} {unit}, at most {bounds.text} are kept (limit: ALLMENDE_RESULT_BYTES)"
    )


_TIMES = ("phenomenonTime", "resultTime")


def check_observation(values: dict[str, Any], where: str, *, now: int, bounds: Bounds) -> None:
    """Raise InvalidInput where what a client says of an observation lies out of bounds; names the property.

    ``values`` are in kept form (see :class:`allmende.domain.batch.NewEntity`); what it does not name is not looked at.
    A forecast's stream is a source's to declare; ``validTime`` may lie anywhere.
    """
    dot = f"{where}." if where else ""
    latest = now + bounds.future
    for name in _TIMES:
        value = values.get(name)
        if value is None:
            continue
        for moment in value if isinstance(value, tuple) else (value,):
            fault = None if moment is None else fault_of_time(moment, latest, bounds)
            if fault:
                raise InvalidInput(fault.reason, where=f"{dot}{name}")
    if "result" in values:
        kind, result = values["result"]
        fault = fault_of_size(len(result), bounds, kind) if kind >= ResultKind.STRING else None
        if fault:
            raise InvalidInput(fault.reason, where=f"{dot}result")


# --- the kind of a result ---

MISFIT = "wrong-type"
"""The flag of a declared reading whose result is not what its stream says."""
_NUMBERS = frozenset({ResultKind.NULL, ResultKind.INTEGER, ResultKind.DECIMAL})
_FITTING = {
    OBSERVATION_TYPES["measurement"]: (_NUMBERS, "a number"),
    OBSERVATION_TYPES["count"]: (_NUMBERS, "a whole number"),
    OBSERVATION_TYPES["truth"]: (frozenset({ResultKind.NULL, ResultKind.INTEGER, ResultKind.BOOLEAN}), "a boolean"),
    OBSERVATION_TYPES["category"]: (
        frozenset({ResultKind.NULL, ResultKind.INTEGER, ResultKind.BOOLEAN, ResultKind.STRING}),
        "a text or an address",
    ),
}
_PICKY = frozenset({OBSERVATION_TYPES["count"], OBSERVATION_TYPES["truth"]})
"""Types that look at the value too."""


def fits_all(observation_type: str, kinds: set[int]) -> bool:
    """Whether results of these kinds fit, whatever their values: the quick look at many."""
    rule = _FITTING.get(observation_type)
    if rule is None:
        return True
    if observation_type in _PICKY:
        plain = ResultKind.BOOLEAN if observation_type == OBSERVATION_TYPES["truth"] else ResultKind.INTEGER
        return kinds <= {ResultKind.NULL, plain}
    return kinds <= rule[0]


def misfit(observation_type: str, kind: int, value: Any) -> str:
    """What a stream's type asks for, where the result clearly is none of it; else "".

    Null says that there is no value and fits all. A count may be written 5.0, a truth value 0 or 1, and a category as
    its number or a boolean. Types that the standard does not have, and its complex ones, ask for nothing.
    """
    rule = _FITTING.get(observation_type)
    if rule is None:
        return ""
    kinds, wanted = rule
    if kind not in kinds:
        return wanted
    if observation_type in _PICKY:
        if kind == ResultKind.DECIMAL and not value.is_integer():
            return wanted
        if kind == ResultKind.INTEGER and observation_type == OBSERVATION_TYPES["truth"] and value not in (0, 1):
            return wanted
    return ""


def check_fit(observation_type: str, kind: int, value: Any, where: str) -> None:
    """Raise InvalidInput where a client's result is not what its stream says."""
    wanted = misfit(observation_type, kind, value)
    if wanted:
        name = observation_type.rpartition("/")[2]
        raise InvalidInput(f"{wanted} is asked for by the Datastream's observationType {name}", where=where)


# --- the range of a result ---

ABOVE = "above-maximum"
BELOW = "below-minimum"


def out_of_range(result: object, low: float | None, high: float | None) -> str:
    """The flag of a result outside of the declared range, or "". What is no number has no range."""
    if isinstance(result, bool) or not isinstance(result, int | float):
        return ""
    if high is not None and result > high:
        return ABOVE
    return BELOW if low is not None and result < low else ""


def range_flag(kind: int, value: Any, low: float | None, high: float | None) -> str:
    """The same for a result in kept form (a truth value is kept as 0 or 1)."""
    return out_of_range(value, low, high) if kind in (ResultKind.INTEGER, ResultKind.DECIMAL) else ""

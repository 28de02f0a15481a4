"""What the pages show of forecasts: nothing of streams that whoever looks may not see."""

import math
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from allmende.domain.forecasts import LOWER, SUFFIX, UPPER, ForecastProfile
from allmende.domain.query import In, Path, Query, Value
from allmende.domain.times import from_datetime, parse_duration, to_datetime
from allmende.domain.units import show_unit
from allmende.knowledge.forecasts import Shown, latest
from allmende.knowledge.forecasts.hits import HitRate
from allmende.knowledge.forecasts.reading import find_targets, read_panel
from allmende.web.config import Config
from allmende.web.forecasts import words
from allmende.web.forecasts.desk import digest_of, setting_of
from allmende.web.forecasts.drawing import HEIGHT, WIDTH, draw
from allmende.web.forecasts.models import State
from allmende.web.forecasts.standing import LATELY_DAYS, Standing, hit_rates, hit_rates_by_part, standings
from allmende.web.house import House
from allmende.web.portal.sources import spoken

_AT_ONCE = 100
_ROWS = 100
_LONGEST_PAST = 24


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that is forecast, as the reader sees it."""

    id: str
    name: str
    unit: str
    standing: Standing
    rate: HitRate
    hits: str
    address: str

    @property
    def judged(self) -> str:
        """Whether it may be shown, in a word."""
        return "" if self.standing.shown else _("not shown")


def readable(house: House) -> list[ForecastProfile]:
    """The forecasts that the reader may know of."""
    datasets = house.profile.datasets
    return [each for each in house.profile.forecasts.values() if each.enabled and house.knows(datasets[each.dataset])]


def state_of(house: House, forecast: ForecastProfile) -> State | None:
    """How it stands; None where it was never begun as it is defined now."""
    return State.objects.filter(forecast=forecast.id, digest=digest_of(forecast, house.profile)).first()


def streams_of(house: House, forecast: ForecastProfile, state: State | None) -> list[Stream]:
    """Those that something was said of, by name, as far as the reader may see them."""
    known = standings(state) if state is not None else {}
    today = house.now().astimezone(ZoneInfo(house.profile.time_zone)).date()
    rates = hit_rates(forecast.id, today)
    page = reverse("forecasts:forecast", args=[forecast.id])
    found = []
    for stream, name, unit in _names(house, sorted(known)):
        rate = rates.get(stream, HitRate())
        found.append(
            Stream(
                id=stream,
                name=name,
                unit=unit,
                standing=known[stream],
                rate=rate,
                hits=words.hits_in_words(rate, unit),
                address=f"{page}?{urlencode({'stream': stream})}",
            )
        )
    return sorted(found, key=lambda one: one.name)


def _names(house: House, streams: list[str]) -> list[tuple[str, str, str]]:
    found = []
    for place in range(0, len(streams), _AT_ONCE):
        some = tuple(Value(stream, "string") for stream in streams[place : place + _AT_ONCE])
        page = house.store.find(
            Query(
                entity="Datastream",
                reader=house.reader,
                filter=In(Path(("id",)), some),
                select=("name", "unitOfMeasurement"),
                top=_AT_ONCE,
            )
        )
        for _key, stream, name, unit in page.rows:
            said = msgspec.json.decode(unit) if isinstance(unit, str | bytes) else unit
            symbol = said.get("symbol") if isinstance(said, dict) else ""
            found.append((str(stream), str(name), show_unit(symbol or "")))
    return found


def trouble_of(state: State | None) -> list[str]:
    """What is not as it should be, in sentences."""
    if state is None:
        return []
    told = [str(words.TROUBLES[state.reason])] if state.reason in words.TROUBLES else []
    if state.trouble:
        told.append(_("The last run could not be issued."))
    return told


def summary(house: House, forecast: ForecastProfile) -> dict[str, Any]:
    """One forecast on the page of all."""
    state = state_of(house, forecast)
    streams = streams_of(house, forecast, state)
    skills = [one.rate.skill for one in streams if one.rate.enough and one.rate.skill is not None]
    return {
        "id": forecast.id,
        "title": spoken(forecast.title),
        "description": spoken(forecast.description),
        "streams": len(streams),
        "shown": sum(one.standing.shown for one in streams),
        "issued": state.issued if state else None,
        "skill": words.percent(sum(skills) / len(skills)) if skills and sum(skills) > 0 else "",
        "troubles": trouble_of(state),
        "address": reverse("forecasts:forecast", args=[forecast.id]),
    }


def view(house: House, forecast: ForecastProfile, stream: Stream, config: Config) -> dict[str, Any]:
    """One stream's newest run, with what came before it and how good it was."""
    shown = latest(house.store, house.reader, stream.id) if stream.standing.shown else None
    today = house.now().astimezone(ZoneInfo(house.profile.time_zone)).date()
    said: dict[str, Any] = {
        "stream": stream,
        "lately": LATELY_DAYS,
        "method": words.METHODS.get(stream.standing.candidate, stream.standing.candidate),
        "reference": words.METHODS.get(stream.standing.reference, stream.standing.reference),
        "reason": words.REASONS.get(stream.standing.reason, ""),
        "changed": words.change_in_words(stream.standing.changed, stream.standing.times),
        "parts": _parts(forecast, stream, hit_rates_by_part(forecast.id, stream.id, today)),
        "backtest": _(
            "In the back-test it was off by %(error)s on average; %(held)s of the values lay in the interval."
        )
        % {
            "error": words.error_in_words(stream.standing.error, stream.unit),
            "held": words.percent(stream.standing.held),
        },
        "backtest_skill": words.skill_in_words(stream.standing.skill),
        "explorer": f"{reverse('explorer:start')}?{urlencode([('stream', stream.id)])}",
    }
    if shown is None or not shown.times:
        return said
    properties = shown.properties
    learned = str(properties.get("trained_on", "")).partition("/")
    said |= {
        "shown": shown,
        "issued": to_datetime(shown.issued),
        "old": from_datetime(house.now()) - shown.issued > 3 * parse_duration(forecast.every),
        "sentence": _sentence(stream, shown),
        "note": words.NOTES.get(str(properties.get("learned_without", "")), ""),
        "trained": _instant(properties.get("trained")),
        "learned_from": _instant(learned[0]),
        "learned_until": _instant(learned[2]),
        "inputs": properties.get("inputs", []),
        "simulated": bool(properties.get("simulated")),
        "interval": words.percent(forecast.interval),
        "rows": _rows(stream, shown),
        "explorer": f"{reverse('explorer:start')}?{_explored(stream.id, shown)}",
        "file": f"{reverse('explorer:values', args=['csv'])}?{_explored(stream.id, shown)}",
    }
    said |= _drawn(house, forecast, stream, shown, config)
    return said


def _explored(stream: str, shown: Shown) -> str:
    start, end = to_datetime(2 * shown.issued - shown.times[-1]), to_datetime(shown.times[-1])
    streams = [("stream", f"{stream}{suffix}") for suffix in ("", SUFFIX, LOWER, UPPER)]
    return urlencode([*streams, ("from", start.isoformat().replace("+00:00", "Z")), ("to", _later(end))])


def _later(end: datetime) -> str:
    return end.isoformat().replace("+00:00", "Z")


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _sentence(stream: Stream, shown: Shown) -> str:
    last = len(shown.times) - 1
    low, high = shown.lower[last], shown.upper[last]
    middle = words.with_unit(shown.middle[last], stream.unit)
    if low is None or high is None:
        return _("At last probably %(middle)s.") % {"middle": middle}
    return _("At the end of the forecast probably %(middle)s, between %(low)s and %(high)s.") % {
        "middle": middle,
        "low": words.with_unit(low, stream.unit),
        "high": words.with_unit(high, stream.unit),
    }


def _parts(forecast: ForecastProfile, stream: Stream, rates: list[HitRate]) -> list[dict[str, str]]:
    """The hits so far by how far ahead it was."""
    names = [_("the near third"), _("the middle third"), _("the far third")]
    return [
        {
            "name": name,
            "error": words.error_in_words(rate.error, stream.unit),
            "skill": "–" if rate.skill is None else words.percent(rate.skill),
            "held": words.percent(rate.held or 0.0),
        }
        for name, rate in zip(names, rates, strict=True)
        if rate.count and rate.error is not None
    ]


def _rows(stream: Stream, shown: Shown) -> list[dict[str, Any]]:
    every = -(-len(shown.times) // _ROWS)
    return [
        {
            "time": to_datetime(shown.times[place]),
            "middle": words.with_unit(shown.middle[place], stream.unit),
            "lower": "–" if (low := shown.lower[place]) is None else words.with_unit(low, stream.unit),
            "upper": "–" if (high := shown.upper[place]) is None else words.with_unit(high, stream.unit),
        }
        for place in range(0, len(shown.times), every)
    ]


def _drawn(house: House, forecast: ForecastProfile, stream: Stream, shown: Shown, config: Config) -> dict[str, Any]:
    """The chart: as much of the past as is forecast, and no less than a day's part."""
    plain = msgspec.structs.replace(forecast, inputs={})
    setting = setting_of(house.profile, config)
    targets = [each for each in find_targets(house.store, plain, setting) if each.stream == stream.id]
    if not targets:
        return {}
    steps = max(len(shown.times), _LONGEST_PAST)
    start = shown.issued - steps * forecast.step_micros
    panel = read_panel(house.store, plain, targets, setting, start, min(from_datetime(house.now()), shown.times[-1]))
    values = [float(value) for value in panel.values[0]]
    drawing = draw([panel.time(column) for column in range(panel.columns)], values, shown)
    if drawing is None:
        return {}
    return {
        "drawing": drawing,
        "width": WIDTH,
        "height": HEIGHT,
        "low": words.with_unit(drawing.low, stream.unit),
        "high": words.with_unit(drawing.high, stream.unit),
        "start": to_datetime(drawing.start),
        "end": to_datetime(drawing.end),
        "measured": any(not math.isnan(value) for value in values),
    }

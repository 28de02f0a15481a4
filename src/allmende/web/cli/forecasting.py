"""``forecast``: how the city's forecasts fare, and learning one of them now."""

import time
from typing import Any
from zoneinfo import ZoneInfo

from allmende.domain.errors import InvalidInput
from allmende.domain.forecasts import ForecastProfile
from allmende.domain.times import format_instant, from_datetime, to_datetime
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.opened import Opened, open_house
from allmende.web.cli.output import print_json, print_table
from allmende.web.intake import now_micros

_LOOK_SECONDS = 0.1
_COLUMNS = ("forecast", "learned", "issued", "streams", "shown", "judged", "problem")


def forecast(name: str, *, learn: bool, as_json: bool) -> int:
    """Tell of one forecast or of all. Gives the exit code: 1 where one could not be learned that was to be."""
    house = open_house()
    chosen = _chosen(house, name)
    found = [_told(house, each, learn=learn) for each in chosen]
    if as_json:
        print_json(found)
    elif not found:
        print("The city forecasts nothing. Forecasts stand in city.toml as [forecasts.NAME].")
    else:
        rows = [[each[column] for column in _COLUMNS] for each in found]
        print_table(_COLUMNS, rows, numbers=("streams", "shown", "judged"))
    return int(ExitCode.FAILED if learn and any(each["problem"] for each in found) else ExitCode.OK)


def _chosen(house: Opened, name: str) -> list[ForecastProfile]:
    known = house.profile.forecasts
    if not name:
        return list(known.values())
    if name not in known:
        raise InvalidInput(f"there is no such forecast; there are {', '.join(known) or 'none'}", where=name)
    return [known[name]]


def _told(house: Opened, each: ForecastProfile, *, learn: bool) -> dict[str, Any]:
    from allmende.web.forecasts.desk import Desk
    from allmende.web.forecasts.standing import hit_rates, standings

    desk = Desk(house.store, house.profile, each, house.config)
    if learn:
        lesson = desk.begin_lesson(now_micros())
        while lesson is not None:
            outcome = lesson.look()
            if outcome is not None:
                desk.end_lesson(lesson, outcome, now_micros())
                break
            time.sleep(_LOOK_SECONDS)
        desk.issue_run(now_micros())
    state = desk.state()
    lines = standings(state).values()
    today = to_datetime(now_micros()).astimezone(ZoneInfo(house.profile.time_zone)).date()
    return {
        "forecast": each.id,
        "learned": format_instant(desk.model.said.trained) if desk.model else "",
        "issued": format_instant(from_datetime(state.issued)) if state.issued else "",
        "streams": len(lines),
        "shown": sum(line.shown for line in lines),
        "judged": sum(rate.count for rate in hit_rates(each.id, today).values()),
        "problem": f"{state.reason}: {state.error}".rstrip(": ") or state.trouble,
    }

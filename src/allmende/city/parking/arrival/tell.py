"""A report of the back-test as Markdown: what stands in the docs is what this prints."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from allmende.city.parking.arrival.backtest import Report
from allmende.domain.times import DAY, to_datetime

GOAL = 0.35
"""What issue 7 asks for."""


def as_markdown(report: Report, zone: ZoneInfo, recording: str) -> str:
    """The tables, with what they are of."""
    days = [to_datetime(moment).astimezone(zone).date() for moment in (report.learned_from, report.split)]
    last = to_datetime(report.until - 1).astimezone(zone).date()
    anew = f"every {report.relearn // DAY} days, {report.lessons} times" if report.relearn else "once"
    cost = f"one lesson took {report.seconds:.0f} s of one processor"
    lines = [
        f"`{recording}`, judged from {days[1]} to {last}; learned from {days[0]} on, {anew}; {cost}.",
        "",
        _row(["mean absolute error, spaces", *_per(report, "last value"), *_per(report, "three weeks"), *_per(report,
             "**forecast**"), *_per(report, "below"), "held by 80 %"]),
        _row(["---", *["---:"] * (4 * len(report.ahead) + 1)]),
    ]  # fmt: skip
    for place in report.places:
        errors = [f"{value:.2f}" for value in (*place.last, *place.typical, *place.error)]
        below = ["–" if one is None else _percent(one) for one in place.below]
        lines.append(_row([place.name, *errors, *below, _percent(sum(place.held) / len(place.held))]))
    steps = len(report.ahead)
    lines += [
        _row(["**mean of the car parks**", *[""] * (3 * steps), *[f"**{_percent(one)}**" for one in report.below], ""]),
        _row(["mean of all errors together", *[""] * (3 * steps), *map(_percent, report.together), ""]),
        "",
        f"Mean of all car parks and distances: {_percent(sum(report.below) / steps)} (goal {_percent(GOAL)}). Held by"
        " intervals of 80 %: "
        + ", ".join(f"{_percent(one)} at {ahead} min" for one, ahead in zip(report.held, report.ahead, strict=True))
        + ".",
    ]
    if report.unjudged:
        lines += ["", "Not judged, since too little is known of them: " + ", ".join(report.unjudged) + "."]
    for least, bins in report.reliability.items():
        lines += ["", _row([f"at least {least} free: told", "came", "cases"]), _row(["---:"] * 3)]
        lines += [_row([_percent(one.told), _percent(one.came), f"{one.cases:,}"]) for one in bins]
    lines += ["", _row(["60 minutes ahead", "judged", "full", "missed", "wrongly told"]), _row(["---", *["---:"] * 4])]
    for place in report.places:
        full = place.full
        lines.append(_row([place.name, *(f"{n:,}" for n in (full.judged, full.full, full.missed, full.wrong))]))
    return "\n".join(lines)


def _per(report: Report, words: str) -> list[str]:
    return [f"{words} {minutes} min" for minutes in report.ahead]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"

"""How good forecasts are on recorded data that they had not learned from, and what learning costs.

``python -m benchmarks forecasts [parking] [bicycles] [weather]``. Of each recording the last four weeks are held out;
what is learned knows nothing of them. The recorded car parks take the house's own way: imported, read from its store.
They are judged as issue 7 asks: at 30, 60 and 120 minutes, targets between 6 and 21 o'clock, against the better of the
last value and of the mean of the same time in the three weeks before, corrected by the last two hours.
"""

import argparse
import csv
import os
import resource
import time
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from allmende.domain.times import DAY, HOUR, MINUTE, from_datetime, to_datetime
from allmende.knowledge.analyses.calendar import public_holidays
from allmende.knowledge.forecasts.baselines import LAST, TYPICAL, taken
from allmende.knowledge.forecasts.hits import Tally, followed
from allmende.knowledge.forecasts.learning import Task, learn
from allmende.knowledge.forecasts.model import BOOSTED, Guess, Model
from allmende.knowledge.forecasts.panel import Panel, make_calendar
from allmende.knowledge.forecasts.reading import find_targets, read_panel
from benchmarks.setting import RECORDING, open_house

SHARED = RECORDING.parents[1]
ZONE = "Europe/Berlin"
HELD_OUT = 28 * DAY


def parking(threads: int) -> None:
    """Ten car parks every five minutes, two hours ahead."""
    intake, store, _ = open_house()
    from django.conf import settings

    from allmende.web.forecasts.desk import setting_of
    from allmende.web.house import open_profile

    intake.take_file("jena-parking", RECORDING)
    profile = open_profile()
    forecast, setting = profile.forecasts["parking"], setting_of(profile, settings.ALLMENDE)
    targets = find_targets(store, forecast, setting)
    first, last = min(t.first for t in targets), max(t.newest for t in targets)
    began = time.monotonic()
    panel = read_panel(store, forecast, targets, setting, first, last)
    print(f"parking: {len(targets)} streams, {panel.columns:,} steps, read in {time.monotonic() - began:.1f} s")
    task = msgspec.structs.replace(
        _task("parking", forecast.steps, forecast.interval, last, threads),
        apart=forecast.apart,
        drifts=forecast.drifts,
        hours=forecast.counting_hours,
        least=tuple(forecast.least),
    )
    model, cut = _learned(panel, task)
    ahead = [minutes * MINUTE // panel.step for minutes in (30, 60, 120)]
    origins = np.arange(cut, panel.columns - ahead[-1], 3)
    guesses = model.guess(panel, origins, ahead, {LAST, TYPICAL, BOOSTED})
    hour = panel.calendar.slot[origins[:, None] + np.array(ahead)] * panel.step / HOUR
    _tell(panel, origins, ahead, guesses, (hour >= 6) & (hour < 21), [t.name for t in targets])
    _tell_following(panel, model, origins[::2], ahead, ((hour >= 6) & (hour < 21))[::2])
    _tell_chances(panel, model, origins, ahead, guesses, (hour >= 6) & (hour < 21), [t.name for t in targets])


def bicycles(threads: int) -> None:
    """Two stations in Münster by the hour, a day ahead."""
    rows: dict[str, dict[int, list[float]]] = {}
    for path in sorted((SHARED / "mobility" / "muenster_bicycle_counts").glob("*/*.csv")):
        with path.open(encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                moment = datetime.fromisoformat(row["Datetime"]).replace(tzinfo=ZoneInfo(ZONE))
                name = next(key for key in row if key.startswith(path.parent.name) and not key.endswith("-status"))
                if row[f"{path.parent.name}-status"] == "0" and row[name]:
                    at = from_datetime(moment) // HOUR * HOUR
                    rows.setdefault(path.parent.name, {}).setdefault(at, []).append(float(row[name]))
    series = {name: {at: sum(some) for at, some in found.items() if len(some) == 4} for name, found in rows.items()}
    _hourly("bicycles", series, threads, low=0.0, whole=True, state="NW")


def weather(threads: int) -> None:
    """Temperature, humidity and rain in Jena by the hour, a day ahead."""
    path = next((SHARED / "weather").glob("jena_sternwarte_hourly_*.csv"))
    series: dict[str, dict[int, float]] = {"Temperature": {}, "Humidity": {}}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = from_datetime(datetime.fromisoformat(row["Date_time"]).replace(tzinfo=ZoneInfo("UTC")))
            for name, found in series.items():
                if row[name]:
                    found[at] = float(row[name])
    _hourly("weather", series, threads, low=-np.inf, whole=False, state="TH")


def _hourly(
    title: str, series: dict[str, dict[int, float]], threads: int, *, low: float, whole: bool, state: str
) -> None:
    start, end = min(min(found) for found in series.values()), max(max(found) for found in series.values())
    columns = (end - start) // HOUR + 1
    values = np.full((len(series), columns), np.nan)
    for number, found in enumerate(series.values()):
        for at, value in found.items():
            values[number, (at - start) // HOUR] = value
    first, last = to_datetime(start).date(), to_datetime(end).date() + timedelta(days=3)
    public = frozenset(public_holidays("DE", state, first, last))
    panel = Panel(
        streams=list(series),
        start=start,
        step=HOUR,
        values=values,
        low=np.full(len(series), low),
        high=np.full(len(series), np.inf),
        whole=np.full(len(series), whole),
        calendar=make_calendar(start, HOUR, columns + 25, ZONE, public, frozenset[date]()),
        facts=np.full((len(series), 3), np.nan),
    )
    print(f"{title}: {len(series)} streams, {columns:,} hours")
    model, cut = _learned(panel, _task(title, 24, 0.8, end, threads))
    ahead = [1, 6, 24]
    origins = np.arange(cut, columns - 24)
    guesses = model.guess(panel, origins, ahead, {*model.said.spreads})
    _tell(panel, origins, ahead, guesses, np.ones((len(origins), len(ahead)), dtype=bool), list(series))


def _task(name: str, steps: int, interval: float, now: int, threads: int) -> Task:
    return Task(forecast=name, digest="", steps=steps, interval=interval, now=now, threads=threads)


def _learned(panel: Panel, task: Task) -> tuple[Model, int]:
    cut = panel.columns - HELD_OUT // panel.step
    known = msgspec.structs.replace(
        panel, values=panel.values[:, :cut], seen={name: row[:cut] for name, row in panel.seen.items()}
    )
    before = os.times()
    began = time.monotonic()
    model = learn(known, task)
    after = os.times()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"learned until {to_datetime(panel.time(cut)):%Y-%m-%d} in {time.monotonic() - began:.0f} s"
        f" ({after.user - before.user:.0f} s of processors, {task.threads} threads; memory of all {peak:.0f} MB);"
        f" chosen: {', '.join(sorted({choice.chosen for choice in model.said.choices.values()}))}"
    )
    return model, cut


def _tell(
    panel: Panel,
    origins: np.ndarray,
    ahead: list[int],
    guesses: dict[str, Guess],
    counts: np.ndarray,
    names: list[str],
) -> None:
    """Errors, by how much they are smaller than those of the better of the two, and what the intervals held."""
    came = taken(panel.values, (origins[:, None] + np.array(ahead)).ravel()).reshape(guesses[LAST].middle.shape)
    came = np.where(counts[None], came, np.nan)
    minutes = [each * panel.step // MINUTE for each in ahead]
    print(f"{'mean absolute error':24}" + "".join(f"{each:>9} min" for each in minutes))
    errors = {}
    for name, guess in guesses.items():
        errors[name] = np.nanmean(np.abs(guess.middle - came), axis=1)
        print(f"  {name:22}" + "".join(f"{value:13.2f}" for value in errors[name].mean(axis=0)))
    better = np.minimum(errors[LAST].mean(axis=0), errors[TYPICAL].mean(axis=0))
    print(
        "  below the better of two " + "".join(f"{1 - value:12.1%} " for value in errors[BOOSTED].mean(axis=0) / better)
    )
    each = 1 - errors[BOOSTED] / np.minimum(errors[LAST], errors[TYPICAL])
    print("  the same, mean of streams" + "".join(f"{value:11.1%} " for value in each.mean(axis=0)))
    guess = guesses[BOOSTED]
    whole = panel.whole[:, None, None]
    lower = np.where(whole, np.floor(guess.lower), guess.lower)
    upper = np.where(whole, np.ceil(guess.upper), guess.upper)
    inside = np.where(np.isnan(came), np.nan, (came >= lower) & (came <= upper))
    print("  held by 80 % intervals " + "".join(f"{value:12.1%} " for value in np.nanmean(inside, axis=(0, 1))))
    for number, name in enumerate(names):
        held = np.nanmean(inside[number])
        print(f"    {name[:34]:34}" + "".join(f"{value:8.1%}" for value in each[number]) + f"   held {held:.1%}")


def _tell_following(panel: Panel, model: Model, origins: np.ndarray, ahead: list[int], counts: np.ndarray) -> None:
    """What the intervals hold when they follow their own hits, as they do in the house: each is judged once its last
    time has come."""
    shares = dict.fromkeys(panel.streams, model.said.interval)
    waiting: list[tuple[int, np.ndarray]] = []
    inside = np.full((len(panel.streams), len(origins), len(ahead)), np.nan)
    for number, origin in enumerate(origins):
        while waiting and origins[waiting[0][0]] + ahead[-1] <= origin:
            _, held = waiting.pop(0)
            for row, stream in enumerate(panel.streams):
                known = held[row][~np.isnan(held[row])]
                tally = Tally(count=len(known), held=int(known.sum()))
                shares[stream] = followed(shares[stream], model.said.interval, [tally])
        share = np.array([shares[stream] for stream in panel.streams])
        guess = model.guess(panel, np.array([origin]), ahead, {BOOSTED}, share)[BOOSTED]
        came = taken(panel.values, origin + np.array(ahead))
        held = np.where(
            np.isnan(came), np.nan, (came >= np.floor(guess.lower[:, 0])) & (came <= np.ceil(guess.upper[:, 0]))
        )
        waiting.append((number, held))
        inside[:, number] = np.where(counts[number], held, np.nan)
    print("  held, following its hits" + "".join(f"{value:11.1%} " for value in np.nanmean(inside, axis=(0, 1))))
    print("    " + ", ".join(f"{value:.0%}" for value in np.nanmean(inside, axis=(1, 2))))


def _tell_chances(
    panel: Panel,
    model: Model,
    origins: np.ndarray,
    ahead: list[int],
    guesses: dict[str, Guess],
    counts: np.ndarray,
    names: Iterable[str],
) -> None:
    """Reliability of "at least so many", and how often "full" was missed and wrongly told, an hour ahead."""
    came = taken(panel.values, (origins[:, None] + np.array(ahead)).ravel()).reshape(guesses[LAST].middle.shape)
    known = counts[None] & ~np.isnan(came)
    for least in (1, 5):
        chance = model.chance(BOOSTED, guesses[BOOSTED], ahead, least)
        print(f"  at least {least} free: told, came, cases")
        for low in np.arange(0, 1, 0.1):
            here = known & (chance >= low) & (chance < low + 0.1 + (low > 0.85))
            if here.sum() > 50:
                print(f"    {chance[here].mean():8.1%} {(came[here] >= least).mean():8.1%} {int(here.sum()):8,}")
    chance = model.chance(BOOSTED, guesses[BOOSTED], ahead, 1)[:, :, 1]
    for number, name in enumerate(names):
        mask = known[number, :, 1]
        full, told = came[number, mask, 1] < 1, chance[number, mask] < 0.5
        print(f"    {name[:34]:34} full {int(full.sum()):5} of {int(mask.sum())}, missed {int((full & ~told).sum()):4},"
              f" wrongly told {int((~full & told).sum()):4}")  # fmt: skip


ALL: dict[str, Callable[[int], None]] = {"parking": parking, "bicycles": bicycles, "weather": weather}


def main() -> None:
    """Those that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", choices=[*ALL, []], help="which recordings")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    if not Path(RECORDING).exists():
        print("the captured data are not here: nothing is judged")
        return
    for name in given.data or ALL:
        ALL[name](given.threads)


if __name__ == "__main__":
    main()

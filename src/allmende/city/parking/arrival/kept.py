"""The back-test that stands on the page: a table of the profile, as ``--toml`` of the command writes it."""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from allmende.city.parking.arrival.backtest import Report
from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError

TABLE = "arrival"
"""Its name among the tables of ``[services.parking]``."""


class Short(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a judgement, in short; see :class:`~.backtest.Report`."""

    split: int
    until: int
    relearn: int
    below: list[float]
    held: list[float]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A report, and what it is of."""

    recording: str
    made: str
    """The day on which it was made, ISO 8601."""
    report: Report
    """Of the newest days that were judged."""
    all: list[Short] = []
    """Of these and of others, in the order of time: one judgement of one month is no proof."""


def kept_with(before: Kept | None, recording: str, made: str, report: Report) -> Kept:
    """What was kept, with one judgement more; one of the same days and the same rhythm takes the other's place."""
    short = Short(**{name: getattr(report, name) for name in Short.__struct_fields__})
    others = [] if before is None or before.recording != recording else before.all
    shorts = [each for each in others if (each.split, each.relearn) != (short.split, short.relearn)]
    newest = report
    if before is not None and before.recording == recording:
        known = before.report
        # Of the same days the one that learned anew, as the house does.
        if (known.split, known.relearn > 0) > (report.split, report.relearn > 0):
            newest = known
    ordered = sorted([*shorts, short], key=lambda each: (each.split, each.relearn))
    return Kept(recording=recording, made=made, report=newest, all=ordered)


def read_kept(path: Path) -> Kept | None:
    """What a file holds; None where there is none. Raises InvalidInput."""
    if not path.exists():
        return None
    try:
        return msgspec.convert(_without_nan(tomllib.loads(path.read_text("utf-8"))), Kept)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput("is no report of a back-test: %(error)s", error=error, where=str(path)) from None


def kept_of(profile: Profile) -> Kept | None:
    """The report of a city; None where there is none. Raises ProfileError for one that is none."""
    said = profile.services.get("parking", {}).get("tables", {})
    body = said.get(TABLE) if isinstance(said, Mapping) else None
    if not body:
        return None
    try:
        return msgspec.convert(_without_nan(dict(body)), Kept)
    except msgspec.ValidationError as error:
        raise ProfileError(TABLE, "is no report of a back-test: %(error)s", error=error) from None


def as_table(kept: Kept) -> str:
    """As TOML, which knows no null: what is not known is ``nan`` there."""
    head = f"# Made by python -m allmende.city.parking.arrival {kept.recording} on {kept.made}. Not to be edited.\n\n"
    return head + tomli_w.dumps(_replaced(msgspec.to_builtins(kept), None, math.nan))


def _without_nan(said: Any) -> Any:
    return _replaced(said, math.nan, None)


def _replaced(said: Any, one: float | None, other: float | None) -> Any:
    if isinstance(said, Mapping):
        return {key: _replaced(value, one, other) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_replaced(value, one, other) for value in said]
    unknown = said is None if one is None else isinstance(said, float) and math.isnan(said)
    return other if unknown else said

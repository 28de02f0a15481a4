"""``retention``: what would go by its age, and doing it."""

from collections.abc import Sequence
from typing import Any

from allmende.web.cli.opened import Opened, actor, open_house
from allmende.web.cli.output import print_json, print_table
from allmende.web.intake import now_micros

_SHOWN = 50


def preview(as_json: bool) -> None:
    """What would go at this moment."""
    house = open_house()
    from allmende.web import retention as module

    judged = module.preview(module.retention_work(house.profile), now_micros())
    _tell(house, judged, as_json, "would go")


def apply(as_json: bool) -> None:
    """Do it; the audit log says who did."""
    house = open_house()
    from allmende.web import retention as module
    from allmende.web.accounts.audit import record

    size = _size()
    judged = module.apply(module.retention_work(house.profile), now_micros())
    gone, made = sum(one.gone for one in judged), sum(one.made for one in judged)
    record(actor(), "retention.apply", "observations", streams=len(judged), gone=gone, made=made)
    _tell(house, judged, as_json, "went", size)


def _size() -> int:
    """About how many bytes a reading takes."""
    from allmende.web import retention as module

    return module.bytes_of_reading(sum(volume.readings for volume in module.volumes().values()))


def _tell(house: Opened, judged: Sequence[Any], as_json: bool, went: str, size: int | None = None) -> None:
    size = _size() if size is None else size
    streams = [
        {"stream": one.stream, "source": one.source, "rule": one.rule, "readings": one.gone, "instead": one.made,
         "bytes": (one.gone - one.made) * size}
        for one in sorted(judged, key=lambda one: one.made - one.gone)
    ]  # fmt: skip
    sources: dict[tuple[str, str], dict[str, Any]] = {}
    for one in streams:
        known = sources.setdefault(
            (one["source"], one["rule"]),
            {"source": one["source"], "rule": one["rule"], "streams": 0, "readings": 0, "instead": 0, "bytes": 0},
        )
        known["streams"] += 1
        for name in ("readings", "instead", "bytes"):
            known[name] += one[name]
    total = {name: sum(one[name] for one in streams) for name in ("readings", "instead", "bytes")}
    if as_json:
        print_json({**total, "sources": list(sources.values()), "streams": streams})
        return
    if not house.profile.retention:
        print("The city has no rules of retention: everything is kept. They stand in city.toml as [retention.NAME].")
        return
    if not streams:
        print("There is nothing to do.")
        return
    numbers = ("streams", "readings", "instead", "MB, about")
    rows = [
        [one["source"] or "(clients)", one["rule"], one["streams"], one["readings"], one["instead"], _mb(one["bytes"])]
        for one in sources.values()
    ]
    print_table(("source", "rule", *numbers), rows, numbers=numbers)
    print()
    rows = [[one["stream"], one["rule"], one["readings"], one["instead"], _mb(one["bytes"])] for one in streams]
    print_table(("stream", "rule", *numbers[1:]), rows[:_SHOWN], numbers=numbers)
    if len(rows) > _SHOWN:
        print(f"{len(rows)} streams; the first {_SHOWN} are shown, --json gives all.")
    print(
        f"{total['readings']:,} readings {went}, {total['instead']:,} in their place: about {_mb(total['bytes'])} MB"
        " of room in the database for what comes."
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f}"

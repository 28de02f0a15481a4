"""``dump`` and ``export``: data to files."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allmende.domain.errors import Conflict, NotFound
from allmende.domain.policy import house_reader
from allmende.domain.selection import read_selection
from allmende.faces.files.formats import format_of
from allmende.faces.files.make import make_file
from allmende.faces.files.readings import Source
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.opened import actor, open_house
from allmende.web.cli.output import print_json
from allmende.web.intake import now_micros


def dump(datasets: Sequence[str], as_json: bool) -> int:
    """Make what is missing or stale; says what could not be made."""
    house = open_house()
    from allmende.web.downloads.dumping import Dumper
    from allmende.web.downloads.marking import Marker, dumped

    there = dumped(house.profile)
    for name in datasets:
        if name not in there:
            raise NotFound(f'there is no open dataset "{name}"; there are {", ".join(there) or "none"}')
    Marker(house.store).look(house.profile, house.config, now_micros())
    done = Dumper(house.store, house.config).round(house.profile, only=set(datasets) or None)
    if as_json:
        print_json({"made": done.made, "kept": done.kept, "failed": done.failed})
    else:
        print(f"{done.made} files were made, {done.kept} are as they were: {house.config.home / 'dumps'}")
        for line in done.failed:
            print(f"not made: {line}")
    return int(ExitCode.FAILED if done.failed else ExitCode.OK)


def export(said: Mapping[str, Any], format_: str, path: Path, as_json: bool) -> None:
    """Write one file; what is not whole is not there."""
    house = open_house()
    from allmende.web.accounts.audit import record
    from allmende.web.downloads.describing import describe_file
    from allmende.web.downloads.folder import settle, workshop

    chosen, selection = format_of(format_), read_selection(said, house.profile.time_zone)
    dataset = house.profile.datasets.get(selection.dataset)
    if dataset is None:
        known = ", ".join(house.profile.datasets) or "none"
        raise NotFound(f'there is no dataset "{selection.dataset}"; there are {known}')
    if path.exists():
        raise Conflict(f"{path} is there already; nothing is overwritten")
    source = Source(
        store=house.store, reader=house_reader("export"), zone=house.profile.time_zone, simulated=dataset.simulated
    )
    about = describe_file(house.profile, house.config, selection, house.profile.languages[0])
    place = workshop(path.name, path.absolute().parent)
    try:
        made = place / f"file.{chosen.suffix}"
        rows = make_file(source, about, chosen, made, lambda rows: None)
        if dataset.access != "open":
            record(actor(), "export", f"dataset:{dataset.id}", **selection.told())
        size, digest = settle(made, path)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if as_json:
        print_json({"file": str(path), "rows": rows, "bytes": size, "sha256": digest})
    else:
        print(f"{rows:,} rows, {size:,} bytes: {path}")

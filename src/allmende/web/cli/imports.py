"""``import``: files become readings, with everything accounted for."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import BinaryIO

from allmende.domain.batch import Receipt
from allmende.domain.errors import NotFound
from allmende.web.cli.errors import ExitCode, code_of, sentence
from allmende.web.cli.opened import actor, open_house
from allmende.web.cli.output import print_json
from allmende.web.intake import Intake


def import_files(source: str, files: list[str], as_json: bool) -> int:
    """Take the files one after the other; gives the exit code. What was counted is committed, whatever comes then."""
    paths = [_existing(file) for file in files]
    house = open_house()
    intake = Intake(house.store, house.profile, house.config)
    intake.source(source)
    total = Receipt()
    began = time.perf_counter()
    trouble: BaseException | None = None
    try:
        for path in paths:
            _import_file(intake, source, path, total, quiet=as_json)
    except (Exception, KeyboardInterrupt) as error:
        trouble = error
    seconds = time.perf_counter() - began
    _note(source, paths, total)
    return _tell(source, total, seconds, trouble, as_json)


def _import_file(intake: Intake, source: str, path: Path | None, total: Receipt, *, quiet: bool) -> None:
    """Take one file; ``total`` grows by what was committed, also where this raises."""
    so_far = Receipt()
    try:
        with _open(path) as (stream, name), _bar(stream, name, quiet=quiet) as show:

            def progress(receipt: Receipt) -> None:
                nonlocal so_far
                so_far = copy(receipt)
                show(receipt.read)

            intake.take_file(source, stream, progress, name=name)
    finally:
        total.add(so_far)


def _existing(file: str) -> Path | None:
    """The file's path, or None for standard input. Raises NotFound before anything is read."""
    if file == "-":
        return None
    path = Path(file)
    if not path.is_file():
        raise NotFound(f"there is no such file: {file}" if not path.is_dir() else f"{file} is a directory, not a file")
    return path


@contextmanager
def _open(path: Path | None) -> Iterator[tuple[BinaryIO, str]]:
    if path is None:
        yield sys.stdin.buffer, "standard input"
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise NotFound(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    with stream:
        yield stream, path.name


@contextmanager
def _bar(stream: BinaryIO, name: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left on a terminal; nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda _readings: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    size = stream.seek(0, 2) if stream.seekable() else None
    if size is not None:
        stream.seek(0)
    began = time.perf_counter()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[readings]:,} readings, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=size, readings=0, rate=0.0)

        def show(readings: int) -> None:
            # The place in the file, compressed or not, runs a little ahead of what is committed.
            done = stream.tell() if size is not None else 0
            rate = readings / max(time.perf_counter() - began, 1e-6)
            bar.update(task, completed=done, readings=readings, rate=rate)

        yield show


def _note(source: str, paths: list[Path | None], total: Receipt) -> None:
    from allmende.web.accounts.audit import record

    names = [path.name if path else "-" for path in paths]
    try:
        record(actor(), "import", f"source:{source}", files=names, accepted=total.accepted, corrected=total.corrected)
    except Exception as error:  # the counts must be told, also where the disk takes no more
        print(f"allmende: the audit log could not be written: {sentence(error)}", file=sys.stderr)


def _tell(source: str, total: Receipt, seconds: float, trouble: BaseException | None, as_json: bool) -> int:
    code = ExitCode.OK
    if trouble is not None:
        code = code_of(trouble)
    elif total.rejected and total.rejected == total.read:
        code = ExitCode.FAILED
    if as_json:
        counts: dict[str, object] = {
            "read": total.read,
            "accepted": total.accepted,
            "repeated": total.repeated,
            "corrected": total.corrected,
            "rejected": total.rejected,
            "gone": total.gone,
            "seconds": round(seconds, 3),
        }
        print_json(counts if trouble is None else {**counts, "error": sentence(trouble), "code": int(code)})
    else:
        print(
            f"{total.read:,} read in {seconds:.1f} s: {total.accepted:,} accepted, {total.repeated:,} repeated,"
            f" {total.corrected:,} corrected, {total.rejected:,} rejected"
        )
        if total.gone:
            print(f"{total.gone:,} that were known were not in it: they have gone.")
        if total.rejected:
            print(f"`allmende rejections list --source {source}` shows what was rejected, and why.")
    if trouble is not None:
        print(f"allmende: {sentence(trouble)}", file=sys.stderr)
        if total.read:
            print("What is counted above is stored; the same import may be given again.", file=sys.stderr)
    return int(code)

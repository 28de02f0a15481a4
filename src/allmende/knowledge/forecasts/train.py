"""Learning in a process of its own: ``python -m allmende.knowledge.forecasts.train FOLDER``.

It reads what its folder holds (``task.json``, ``panel.npz``), writes the model beside it, and knows no database. Before
it reads anything it bounds its own memory and time: where it oversteps, it ends, and nobody else.
"""

import json
import os
import resource
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

TASK, PANEL, WORDS = "task.json", "panel.npz", "failed.txt"
FAILED, TOO_LITTLE = 1, 3
"""Exit codes; 3: nothing can be learned of so little."""


def bound(memory: int, seconds: int) -> None:
    """Let this process have no more memory (bytes of address space) and time (seconds of all cores together), and let
    everybody else go first."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def write_task(folder: Path, panel: Any, task: Any, days: Mapping[str, Any], memory: int, seconds: int) -> None:
    """Lay down what is to be learned from. ``days`` is what the calendar of the panel was made from: ``zone``,
    ``public`` and ``school`` (ISO dates)."""
    import msgspec
    import numpy as np

    arrays = {
        "values": panel.values,
        "low": panel.low,
        "high": panel.high,
        "whole": panel.whole,
        "facts": panel.facts,
    }
    arrays |= {f"seen/{name}": row for name, row in panel.seen.items()}
    foretold = {}
    for name, known in panel.foretold.items():
        foretold[name] = known.spacing
        arrays |= {f"{part}/{name}": getattr(known, part) for part in ("valid", "run", "value")}
    np.savez(folder / PANEL, **arrays)
    said = {
        "memory": memory,
        "seconds": seconds,
        "task": msgspec.to_builtins(task),
        "streams": panel.streams,
        "start": panel.start,
        "step": panel.step,
        "columns": len(panel.calendar.slot),
        "foretold": foretold,
        "days": dict(days),
    }
    (folder / TASK).write_text(json.dumps(said), "utf-8")


def read_panel(folder: Path, said: Mapping[str, Any]) -> Any:
    """The panel as it was laid down."""
    import numpy as np

    from allmende.knowledge.forecasts.panel import Foretold, Panel, make_calendar

    with np.load(folder / PANEL, allow_pickle=False) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    days = said["days"]
    public, school = (frozenset(map(date.fromisoformat, days[name])) for name in ("public", "school"))
    start, step = said["start"], said["step"]
    foretold = {
        name: Foretold(
            start=start,
            step=step,
            spacing=spacing,
            **{part: kept[f"{part}/{name}"] for part in ("valid", "run", "value")},
        )
        for name, spacing in said["foretold"].items()
    }
    return Panel(
        streams=said["streams"],
        start=start,
        step=step,
        **{name: kept[name] for name in ("values", "low", "high", "whole", "facts")},
        calendar=make_calendar(start, step, said["columns"], days["zone"], public, school),
        seen={name.removeprefix("seen/"): row for name, row in kept.items() if name.startswith("seen/")},
        foretold=foretold,
    )


def main(folder: Path) -> int:
    """Learn; gives the exit code."""
    said = json.loads((folder / TASK).read_text("utf-8"))
    bound(said["memory"], said["seconds"])
    import msgspec

    from allmende.domain.errors import InvalidInput
    from allmende.knowledge.forecasts.learning import Task, learn

    try:
        learn(read_panel(folder, said), msgspec.convert(said["task"], Task)).save(folder)
    except InvalidInput as error:
        (folder / WORDS).write_text(str(error), "utf-8")
        return TOO_LITTLE
    except MemoryError:
        (folder / WORDS).write_text("memory", "utf-8")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

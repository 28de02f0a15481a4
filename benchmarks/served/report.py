"""Measured tables into docs/performance.md, each between marks of its own, with the date and the machine."""

import os
import platform
import re
from datetime import UTC, datetime

import psutil

from benchmarks.served.load import Load
from benchmarks.setting import ROOT

PAGE = ROOT / "docs" / "performance.md"


def machine(observations: int, load: Load) -> str:
    """Where and when it was measured, in words."""
    memory = round(psutil.virtual_memory().total / 2**30)
    busy = os.getloadavg()[2]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), {memory} GB of memory, load"
        f" generator and database included; {load.connections} connections for {load.seconds} s each,"
        f" {observations:,} observations in {load.things} of {load.things * load.each} streams;"
        f" the machine's load over the last 15 minutes {busy:.1f}."
    )


def write_section(name: str, text: str) -> None:
    """Put a text between ``<!-- name -->`` and ``<!-- end of name -->``; raises ValueError where they are missing."""
    page = PAGE.read_text("utf-8")
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(marks[0])}.*?{re.escape(marks[1])}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE.name} has no place for {name!r}")
    PAGE.write_text(pattern.sub(lambda _: f"{marks[0]}\n{text}\n{marks[1]}", page), "utf-8")

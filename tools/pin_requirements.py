"""Pin what set-up installs: requirements/run.txt, dev.txt and docs.txt, from the ranges in pyproject.toml.

    .venv/bin/python tools/pin_requirements.py

pip resolves each group on top of the one before it, so that they fit together. The files name versions alone: where
packages come from is the business of the machine that installs them.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GROUPS = {
    "run": ("the running house and the building of its pages", ("build", "files", "forecasts", "reports", "sql")),
    "dev": ("tests and checks", ("test", "check", "gtfs")),
    "docs": ("the documentation", ("docs",)),
}


def main() -> int:
    """Write the three files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned: dict[str, str] = {}
    for group, (purpose, extras) in GROUPS.items():
        wanted = list(project["dependencies"]) if group == "run" else []
        for extra in extras:
            wanted += project["optional-dependencies"][extra]
        found = resolve(wanted, pinned)
        own = {name: version for name, version in found.items() if name not in pinned}
        lines = [
            f"# For {purpose}. Written by tools/pin_requirements.py; the ranges stand in pyproject.toml.",
            *(f"{name}=={version}" for name, version in sorted(own.items())),
        ]
        (ROOT / "requirements" / f"{group}.txt").write_text("\n".join(lines) + "\n", "utf-8")
        print(f"{group}: {len(own)} packages")
        pinned |= own
    return 0


def resolve(wanted: list[str], pinned: dict[str, str]) -> dict[str, str]:
    """Name to version of all that ``wanted`` needs, with what is pinned already left as it is."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in pinned.items()))
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        subprocess.run([*command, "--report", report, "-c", constraints, *wanted], check=True)
        installs = json.loads(report.read_text("utf-8"))["install"]
    return {item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"] for item in installs}


if __name__ == "__main__":
    sys.exit(main())

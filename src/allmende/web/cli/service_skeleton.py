"""``service new``: a service that is complete and passes, for somebody to make their own of."""

import re
from datetime import date
from pathlib import Path

from allmende.domain.errors import Conflict, InvalidInput, NotFound

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\Z", re.ASCII)
_FILES = Path(__file__).parent / "skeletons" / "service"
_ENDING = ".skel"
"""Behind the names of the files, so that nothing takes them for code or texts of ours."""


def make_service(name: str, folder: Path, day: date) -> list[Path]:
    """Write the package ``allmende-NAME`` into a folder; gives its files. Raises InvalidInput for the name, Conflict
    where it is there already."""
    words = _words(name, f"allmende_{name}", day)
    root = folder / f"allmende-{words['dashed']}"
    places = {"alone": root, "package": root / words["package"], "tests": root / "tests"}
    return _write(places, words, root)


def make_own_service(name: str, house: Path, day: date) -> list[Path]:
    """Write a service into a checkout of this house, beside the ones that it has; gives its files. Raises InvalidInput
    for the name, NotFound where that is no checkout, Conflict where it is there already."""
    words = _words(name, f"allmende.city.{name}", day)
    if not (house / "pyproject.toml").is_file() or not (house / "src" / "allmende" / "city").is_dir():
        raise NotFound(f"{house} is no checkout of Allmende")
    root = house / "src" / "allmende" / "city" / name
    made = _write({"package": root, "tests": house / "tests" / "city" / name}, words, root)
    package = house / "tests" / "city" / name / "__init__.py"
    package.touch()
    return [*made, package]


def _words(name: str, package: str, day: date) -> dict[str, str]:
    if not _NAME.match(name) or len(name) > 40:
        raise InvalidInput(f"{name!r} is no name for a service: small letters, digits, single underscores between")
    return {
        "name": name,
        "dashed": name.replace("_", "-"),
        "Name": name.replace("_", " ").capitalize(),
        "Class": name.replace("_", " ").title().replace(" ", ""),
        "package": package,
        "day": day.isoformat(),
    }


def _write(places: dict[str, Path], words: dict[str, str], root: Path) -> list[Path]:
    if root.exists():
        raise Conflict(f"{root} is there already")
    made = []
    for part, place in places.items():
        for file in sorted((_FILES / part).rglob(f"*{_ENDING}")):
            path = place / _filled(str(file.relative_to(_FILES / part)).removesuffix(_ENDING), words)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(file.read_text("utf-8"), words), "utf-8")
            made.append(path)
    return made


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub("«([A-Za-z]+)»", lambda match: words[match[1]], text)

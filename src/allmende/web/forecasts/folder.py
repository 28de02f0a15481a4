"""Where what was learned lies: in the home, a folder for each forecast, in it one for each time that it learned."""

import shutil
import tempfile
import time
from pathlib import Path

from allmende.domain.errors import InvalidInput
from allmende.knowledge.forecasts.model import Model, load_model
from allmende.web.config import Config

_KEPT = 2
_PART = ".part"
_LEFT_SECONDS = 86_400.0


def place_of(config: Config, forecast: str) -> Path:
    """The folder of a forecast; made where it is missing. (Its id is one of the profile: small letters and hyphens.)"""
    place = config.home / "forecasts" / forecast
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def workshop(config: Config, forecast: str) -> Path:
    """An empty folder in which a model is made; what a killed worker left there a day ago is gone."""
    place = place_of(config, forecast)
    for left in place.glob(f"*{_PART}"):
        if left.stat().st_mtime < time.time() - _LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="made-", suffix=_PART, dir=place))


def drop(made: Path) -> None:
    """Delete what came to nothing."""
    shutil.rmtree(made, ignore_errors=True)


def settle(config: Config, forecast: str, made: Path) -> Model:
    """Put what was learned to its place, in one step, and forget all but the last ones. Raises InvalidInput where it
    cannot be read: then everything is as it was."""
    model = load_model(made)
    place = place_of(config, forecast)
    goal = place / f"{model.said.trained:020}"
    for name in ("task.json", "panel.npz", "words.txt", "failed.txt"):
        (made / name).unlink(missing_ok=True)
    shutil.rmtree(goal, ignore_errors=True)
    made.rename(goal)
    for old in _versions(place)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return model


def newest(config: Config, forecast: str, digest: str, threads: int) -> Model | None:
    """What was last learned for a definition; None where there is nothing that can be read."""
    for folder in reversed(_versions(place_of(config, forecast))):
        try:
            model = load_model(folder, threads)
        except InvalidInput:
            continue
        if model.said.digest == digest:
            return model
    return None


def newest_time(config: Config, forecast: str) -> int:
    """When the newest was learned, by its name alone; 0 where there is none."""
    names = [path.name for path in _versions(place_of(config, forecast)) if path.name.isdigit()]
    return int(names[-1]) if names else 0


def forget_others(config: Config, kept: set[str]) -> None:
    """Delete what was learned of forecasts that the profile has no more."""
    root = config.home / "forecasts"
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _versions(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir() and path.suffix != _PART)

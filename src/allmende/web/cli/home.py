"""``init``: a home with a city."""

import os
import re
import tomllib
from pathlib import Path

import msgspec

from allmende.domain.errors import ConfigurationError
from allmende.web.cli.opened import actor
from allmende.web.cli.output import print_json
from allmende.web.config import load_config
from allmende.web.profiles import available_profiles, load_profile

_CITY = re.compile(r"^[ \t]*city[ \t]*=.*$", re.MULTILINE)


def init(city: str, home: Path | None, force: bool, as_json: bool) -> None:
    """Choose the city, make the home, bring its database up to date. Safe to repeat."""
    if home is not None:
        os.environ["ALLMENDE_HOME"] = str(home.expanduser().absolute())
    chosen = city if city in available_profiles() else str(Path(city).expanduser().absolute())
    profile = load_profile(chosen)
    said = os.environ.get("ALLMENDE_CITY", "")
    if said and said != city and said != chosen:
        raise ConfigurationError(f'the environment says "{said}", not "{city}"; unset it first', where="ALLMENDE_CITY")
    config = load_config()
    known = _known_city(config.home)
    if known and known != chosen and not force:
        raise ConfigurationError(
            f'the home holds the city "{known}" already; choose another home with --home, or say --force',
            where=str(config.home / "config.toml"),
        )
    from allmende.web.serve import make_home

    make_home(config.home)
    _write_city(config.home / "config.toml", chosen)
    from allmende.web.accounts.audit import record
    from allmende.web.parts import prepare

    config = load_config()
    applied = prepare(config)
    if known != chosen:
        record(actor(), "init", f"city:{profile.id}")
    if as_json:
        print_json({"home": str(config.home), "city": profile.id, "migrations": applied})
        return
    print(f"{config.home} is the house of {profile.name}.")
    serve = "allmende serve" if home is None else f"ALLMENDE_HOME={config.home} allmende serve"
    print(f"Next: `{serve}`, then open {config.url}")


def _known_city(home: Path) -> str:
    try:
        return str(tomllib.loads((home / "config.toml").read_text("utf-8")).get("city", ""))
    except FileNotFoundError:
        return ""


def _write_city(path: Path, city: str) -> None:
    """Set the city and keep every other line."""
    line = f"city = {msgspec.json.encode(city).decode()}"
    text = (
        path.read_text("utf-8")
        if path.exists()
        else "# Settings of this house; docs/reference/settings.md lists them.\n"
    )
    text = _CITY.sub(lambda _: line, text, count=1) if _CITY.search(text) else f"{line}\n{text}"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(path)) from None

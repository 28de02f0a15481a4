"""Every setting of the house, read once from the environment.

A setting comes from its environment variable, or from ``config.toml`` in the home (the field's name as the key), or
else from its safe default. Secrets come from a file too: ``ALLMENDE_SECRET_KEY_FILE`` names one. What is wrong raises
ConfigurationError, which names the variable, says what was wrong and what would be right.

This module imports neither Django nor anything slow: every command reads it first.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec

from allmende.domain.errors import ConfigurationError
from allmende.web.map_settings import MapSettings, check_embed_hosts
from allmende.web.message_settings import check_create_topics
from allmende.web.setting import Setting, as_text, parse
from allmende.web.setting import describe as _setting

_FIRST = ("Address", "Place", "Messages", "Map")
"""Sections of the page that describes all settings; the others come in the order in which they stand here."""


class Config(MapSettings, frozen=True, kw_only=True):
    """All settings. Sizes are in bytes, times in seconds unless a field says otherwise."""

    # The address
    host: Annotated[str, _setting("HOST", "Address", "Address that web server and broker listen on.")] = "127.0.0.1"
    port: Annotated[int, _setting("PORT", "Address", "Port of the web server.", low=1, high=65535)] = 8000
    allowed_hosts: Annotated[
        tuple[str, ...],
        _setting(
            "ALLMENDE_ALLOWED_HOSTS",
            "Address",
            "Names under which the house may be called, separated by commas. `*` allows all. "
            "The address in `HOST` and this machine's loopback names are always allowed.",
        ),
    ] = ()
    https: Annotated[
        bool,
        _setting(
            "ALLMENDE_HTTPS",
            "Address",
            "The house is reached by HTTPS, through a proxy that sets `X-Forwarded-Proto`: cookies are then sent by "
            "HTTPS alone, and browsers are told to stay there (HSTS).",
        ),
    ] = False

    public_url: Annotated[
        str,
        _setting(
            "ALLMENDE_PUBLIC_URL",
            "Address",
            "Where others reach the house, e.g. `https://city.example/`: links in MQTT messages begin so. "
            "Empty: the address in `HOST` and `PORT`.",
            schemes=("http", "https"),
        ),
    ] = ""
    anonymous_writes: Annotated[
        bool,
        _setting(
            "ALLMENDE_ANONYMOUS_WRITES",
            "Address",
            "For trials: anybody on this machine may write without a token. Refused where `HOST` is not the loopback.",
        ),
    ] = False

    # The place
    home: Annotated[Path, _setting("ALLMENDE_HOME", "Place", "Directory that holds all state.")] = Path("var")
    city: Annotated[
        str,
        _setting(
            "ALLMENDE_CITY",
            "Place",
            "The city's profile: a name under `cities/`, or the path of a directory with a `city.toml`. "
            "`allmende init --city` writes it into the home.",
        ),
    ] = ""
    database_url: Annotated[
        str,
        _setting(
            "ALLMENDE_DATABASE_URL",
            "Place",
            "`sqlite:///path/of/the/file`, or `postgres://user:password@host/database` (PostgreSQL 15 or newer). "
            "Empty: `allmende.sqlite3` in the home.",
            shown="sqlite in the home",
            secret=True,
        ),
    ] = ""
    secret_key: Annotated[
        str,
        _setting(
            "ALLMENDE_SECRET_KEY",
            "Place",
            "Signs sessions and tokens of forms; at least 32 characters. "
            "Empty: made once and kept in `secret_key` in the home, readable by its owner alone.",
            secret=True,
            shown="made once, in the home",
        ),
    ] = ""

    # The map
    base_map: Annotated[
        str,
        _setting(
            "ALLMENDE_BASE_MAP",
            "Map",
            "Address of a base map (raster tiles with `{z}/{x}/{y}`, or a MapLibre style). Empty: the city's districts "
            "and waters from its profile, and no request leaves the host.",
            schemes=("http", "https"),
        ),
    ] = ""

    # Processes
    web_workers: Annotated[
        int,
        _setting(
            "ALLMENDE_WEB_WORKERS",
            "Processes",
            "Processes of the web server. 0: one for each core, at most 4.",
            low=0,
            high=64,
        ),
    ] = 0
    web_threads: Annotated[
        int, _setting("ALLMENDE_WEB_THREADS", "Processes", "Threads of each of them.", low=1, high=256)
    ] = 8
    web_cores: Annotated[
        bool,
        _setting(
            "ALLMENDE_WEB_CORES",
            "Processes",
            "Whether each process of the web server keeps to a core of its own, where there are enough of them.",
        ),
    ] = True
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _setting("ALLMENDE_LOG_LEVEL", "Processes", "What is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"],
        _setting("ALLMENDE_LOG_FORMAT", "Processes", "`auto` is console on a terminal and JSON elsewhere."),
    ] = "auto"
    metrics_token: Annotated[
        str,
        _setting(
            "ALLMENDE_METRICS_TOKEN",
            "Processes",
            "Bearer token for `/metrics` from elsewhere; without it, loopback alone is answered.",
            secret=True,
        ),
    ] = ""
    debug: Annotated[
        bool,
        _setting("ALLMENDE_DEBUG", "Processes", "Shows errors with their code in the browser. Never in public."),
    ] = False

    @property
    def embedded_broker(self) -> bool:
        """Whether `allmende serve` starts the broker of the house."""
        return not self.broker_url and bool(self.mqtt_port or self.mqtt_websocket_port)

    @property
    def mqtt_creates(self) -> bool:
        """Whether entities can be created by MQTT."""
        return self.embedded_broker or bool(self.broker_url and self.mqtt_create_topics)

    @property
    def api_root(self) -> str:
        """The root of the API as others reach it, for links that no request asked for."""
        return f"{(self.public_url or self.url).rstrip('/')}/sta/v1.1"

    @property
    def postgres(self) -> bool:
        """Whether the database is PostgreSQL."""
        return self.database_url.startswith(("postgres://", "postgresql://"))

    @property
    def web_processes(self) -> int:
        """How many processes the web server has."""
        return self.web_workers or min(os.cpu_count() or 1, 4)

    @property
    def database_path(self) -> Path:
        """File of the SQLite database; with PostgreSQL there is none, and its folder is the home."""
        if not self.database_url or self.postgres:
            return self.home / "allmende.sqlite3"
        return Path(self.database_url.removeprefix("sqlite:///")).absolute()

    @property
    def url(self) -> str:
        """Where the house is reached from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104  asked, not bound
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}/"


def settings() -> Iterator[Setting]:
    """Every setting, in the order of the page that describes them."""
    hints = get_type_hints(Config, include_extras=True)
    fields = msgspec.structs.fields(Config)
    sections = {field.name: get_args(hints[field.name])[1].extra["section"] for field in fields}
    order = [*_FIRST, *dict.fromkeys(sections[field.name] for field in fields)]
    for field in sorted(fields, key=lambda field: order.index(sections[field.name])):
        type_, meta = get_args(hints[field.name])
        extra = meta.extra
        yield Setting(
            name=field.name,
            env=extra["env"],
            section=extra["section"],
            text=meta.description,
            type=type_,
            default=field.default,
            extra=extra,
        )


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """The settings of this process, from ``environ`` (the process's own by default) and the home's config.toml.

    Creates nothing. Raises ConfigurationError; an unknown variable that begins with ``ALLMENDE_`` is an error too,
    since a misspelt limit would else be no limit.
    """
    environ = os.environ if environ is None else environ
    known = {setting.env: setting for setting in settings()}
    _refuse_unknown(environ, known)
    home = Path(environ.get("ALLMENDE_HOME") or "var").expanduser().absolute()
    kept = _read_home(home)
    values: dict[str, Any] = {}
    for setting in known.values():
        text = _text_of(setting, environ)
        if text is not None:
            values[setting.name] = parse(setting, text, setting.env)
        elif setting.name in kept:
            where = f"{home / 'config.toml'}, {setting.name}"
            values[setting.name] = parse(setting, as_text(kept[setting.name]), where)
    values["home"] = home
    config = Config(**values)
    _check_together(config)
    return config


_ALSO_KNOWN = re.compile(r"ALLMENDE_(TEST|SHARED|BENCH|BROWSER|CHROMIUM|CI|PART|COUNTS)(_|\Z)")


def _refuse_unknown(environ: Mapping[str, str], known: Mapping[str, Setting]) -> None:
    import difflib

    files = {f"{env}_FILE" for env, setting in known.items() if setting.secret}
    for name in environ:
        if name.startswith("ALLMENDE_") and name not in known and name not in files and not _ALSO_KNOWN.match(name):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; see docs/reference/settings.md"
            raise ConfigurationError(f"there is no such setting{hint}", where=name)


def _read_home(home: Path) -> dict[str, Any]:
    path = home / "config.toml"
    try:
        kept = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", where=str(path)) from None
    allowed = {setting.name for setting in settings() if setting.name != "home"}
    for name in kept:
        if name not in allowed:
            raise ConfigurationError(f"there is no setting {name!r}; see docs/reference/settings.md", where=str(path))
    return kept


def _text_of(setting: Setting, environ: Mapping[str, str]) -> str | None:
    text = environ.get(setting.env)
    if not setting.secret:
        return text if text else None
    path = environ.get(f"{setting.env}_FILE")
    if not path:
        return text if text else None
    if text:
        raise ConfigurationError(f"give either this or {setting.env}_FILE, not both", where=setting.env)
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the file cannot be read: {error}", where=f"{setting.env}_FILE") from None


def _check_together(config: Config) -> None:
    """What no field can know alone."""
    if config.page_size > config.page_size_max:
        raise ConfigurationError(
            f"{config.page_size} is more than ALLMENDE_PAGE_SIZE_MAX ({config.page_size_max})",
            where="ALLMENDE_PAGE_SIZE",
        )
    if config.anonymous_writes and config.host not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigurationError(
            f"writing without a token is for trials on this machine alone, and HOST is {config.host}; "
            "listen on 127.0.0.1, or make a token: `allmende token create NAME --write`",
            where="ALLMENDE_ANONYMOUS_WRITES",
        )
    if config.hub_url and not config.public_url:
        raise ConfigurationError(
            "a hub keeps the addresses that it is told: say the one under which others reach the house",
            where="ALLMENDE_PUBLIC_URL",
        )
    check_create_topics(config)
    check_embed_hosts(config.embed_hosts)
    if config.security_contact and not re.match(r"(mailto:|tel:|https://)\S+\Z", config.security_contact):
        raise ConfigurationError(
            "write it as mailto:NAME@HOST, https://… or tel:+49…", where="ALLMENDE_SECURITY_CONTACT"
        )
    if config.secret_key and len(config.secret_key) < 32:
        raise ConfigurationError("it has to have at least 32 characters", where="ALLMENDE_SECRET_KEY")
    if config.database_url and not config.postgres and not re.match(r"sqlite:///.", config.database_url):
        raise ConfigurationError(
            "write it as sqlite:///path/of/the/file or postgres://user:password@host/database",
            where="ALLMENDE_DATABASE_URL",
        )
    ports = {"PORT": config.port}
    if config.embedded_broker:
        ports |= {"ALLMENDE_MQTT_PORT": config.mqtt_port, "ALLMENDE_MQTT_WEBSOCKET_PORT": config.mqtt_websocket_port}
    seen: dict[int, str] = {}
    for env, port in ports.items():
        if port and port in seen:
            raise ConfigurationError(f"port {port} is taken by {seen[port]} already; choose another", where=env)
        seen[port] = env

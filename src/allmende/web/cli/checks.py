"""``check``: looks at everything that an operator can get wrong, and says how to mend it."""

import errno
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator

import msgspec

from allmende.domain.errors import AllmendeError
from allmende.domain.profile import Profile
from allmende.web.cli.errors import ExitCode, sentence
from allmende.web.cli.output import print_json
from allmende.web.config import Config, load_config
from allmende.web.serve import trouble_with


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``mend`` says what would help; empty where nothing is wrong."""

    part: str
    text: str
    mend: str = ""

    @property
    def wrong(self) -> bool:
        """Whether something has to be done."""
        return bool(self.mend)


def check(as_json: bool) -> int:
    """Look at all of it; gives the exit code: 3 where settings or profile are wrong, 1 where something else is."""
    findings: list[Finding] = []
    code = ExitCode.OK
    try:
        config = load_config()
        findings.append(Finding(part="settings", text="in order"))
        findings += _home(config)
        profile = _profile(config)
        findings.append(Finding(part="profile", text=f"{profile.name}, in order"))
    except AllmendeError as error:
        findings.append(Finding(part="settings", text=sentence(error), mend="see docs/reference/settings.md"))
        code = ExitCode.CONFIGURATION
    else:
        database = list(_database(config))
        released, profile = _office(config, profile) if not any(f.wrong for f in database) else ([], profile)
        findings += released
        looks: tuple[Callable[[], Iterator[Finding]], ...] = (
            lambda: _sources(profile),
            lambda: _rules(profile),
            lambda: _pages(profile),
            lambda: _alerts(profile, ready=not any(f.wrong for f in database)),
            lambda: _disk(config),
            lambda: _clients(config),
            lambda: _ports(config),
            lambda: _broker(config),
            lambda: iter(database),
        )
        for look in looks:
            findings += look()
        if any(finding.wrong for finding in findings):
            code = ExitCode.FAILED
    _tell(findings, as_json)
    return int(code)


def _tell(findings: list[Finding], as_json: bool) -> None:
    if as_json:
        plain = [{"part": f.part, "ok": not f.wrong, "text": f.text, "mend": f.mend} for f in findings]
        print_json({"ok": not any(f.wrong for f in findings), "findings": plain})
        return
    for finding in findings:
        print(f"{'wrong' if finding.wrong else 'ok':<6} {finding.part}: {finding.text}")
        if finding.wrong:
            print(f"       to mend it: {finding.mend}")


def _home(config: Config) -> Iterator[Finding]:
    home = config.home
    if not home.is_dir():
        yield Finding(part="home", text=f"there is none at {home}", mend="`allmende init --city NAME` makes one")
        return
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(part="home", text=f"{home} cannot be written", mend="give it to the account that runs the house")
        return
    loose = [name for name in ("secret_key",) if (home / name).exists() and (home / name).stat().st_mode & 0o077]
    if loose:
        names = ", ".join(loose)
        yield Finding(part="home", text=f"others can read {names}", mend=f"chmod 600 {home}/{{{','.join(loose)},}}")
    else:
        yield Finding(part="home", text=str(home))


def _profile(config: Config) -> Profile:
    from allmende.domain.errors import ConfigurationError
    from allmende.web.profiles import find_profile, load_profile
    from allmende.web.services import switched_on

    if not config.city:
        raise ConfigurationError("no city is chosen; `allmende init --city NAME` does it", where="ALLMENDE_CITY")
    profile = load_profile(config.city)
    switched_on(find_profile(config.city))
    return profile


def _office(config: Config, profile: Profile) -> tuple[list[Finding], Profile]:
    """What was released over the folder, and the profile with it. The database is up to date."""
    from allmende.web.live import released_changes
    from allmende.web.profiles import find_profile, read_profile

    changes = released_changes()
    if not changes:
        return [], profile
    try:
        profile = read_profile(find_profile(config.city)).under(changes).parse()
    except AllmendeError as error:
        text = f"the folder and what was released do not go together: {sentence(error)}"
        mend = "mend the folder, or take a release back: `allmende office list`, `allmende office undo KIND KEY`"
        return [Finding(part="office", text=text, mend=mend)], profile
    return [Finding(part="office", text=f"{len(changes)} tables are released over the folder")], profile


def _rules(profile: Profile) -> Iterator[Finding]:
    from allmende.knowledge.prepare import prepare_rules

    if not profile.rules:
        return
    prepared = prepare_rules(profile)
    yield Finding(part="rules", text=f"{len(prepared.rules)} in order")
    for rule, problem in prepared.problems.items():
        yield Finding(part=f"rule {rule}", text=problem, mend="mend it in the file that is named")


def _pages(profile: Profile) -> Iterator[Finding]:
    """Boards and stories: what their tiles' kinds say of them."""
    from allmende.web.parts import open_django

    open_django()
    from django.utils.translation import override

    from allmende.web.boards import kinds
    from allmende.web.stories.blocks import wrongs

    mend = "mend it in the file that is named"
    for board in profile.boards.values():
        for number, tile in enumerate(board.content.tiles):
            kind = kinds.find(tile.kind)
            known = ", ".join(each.name for each in kinds.all_kinds())
            fault = kind.check(tile.settings) if kind else f'there is no kind "{tile.kind}"; there are {known}'
            if fault:
                yield Finding(part="boards", text=f"{board.place}.tiles[{number}]: {fault}", mend=mend)
    for story in profile.stories.values():
        for language, text in story.content.texts.items():
            with override("en"):  # as all that the command line says
                found = wrongs(text.body)
            for wrong in found:
                where = f"{story.folder}{story.id}.{language}.md, line {wrong.line} of the text"
                yield Finding(part="stories", text=f"{where}: {wrong.words}", mend=mend)


def _sources(profile: Profile) -> Iterator[Finding]:
    from allmende.web.sources import prepare_sources

    for prepared in prepare_sources(profile).values():
        part = f"source {prepared.source.id}"
        state = "" if prepared.profile.enabled else ", switched off"
        if not prepared.problems:
            yield Finding(part=part, text=f"connector {prepared.source.connector}{state}")
        for problem in prepared.problems:
            if not prepared.profile.enabled:
                yield Finding(part=part, text=f"switched off; first to be mended: {problem}")
                continue
            mend = "install the package that brings it, or name another one in city.toml"
            if prepared.connector is not None:
                mend = "mend it in the connector's folder, or in city.toml"
            yield Finding(part=part, text=problem, mend=mend)


def _alerts(profile: Profile, *, ready: bool) -> Iterator[Finding]:
    """Alerts that are not in order, channels whose secret is not there, and messages that were given up: of these the
    database tells, where it is ``ready``."""
    from allmende.domain.errors import ConfigurationError
    from allmende.knowledge.alerts.prepare import prepare_alerts
    from allmende.web.alerts.delivery import given_up
    from allmende.web.alerts.secrets import secret_of

    if not profile.alerts:
        return
    prepared = prepare_alerts(profile)
    for name, error in prepared.errors.items():
        yield Finding(part=f"alert {name}", text=str(error), mend="correct it in the profile, or in the back office")
    for channel in profile.channels.values():
        if channel.enabled and channel.secret:
            try:
                secret_of(channel.secret)
            except ConfigurationError as error:
                yield Finding(part=f"channel {channel.id}", text=str(error), mend="set it where the worker runs")
    lost = given_up() if ready else 0
    text = f"{len(prepared.alerts)} are watched for"
    if lost:
        text += f"; {lost} messages could not be told and were given up"
    yield Finding(part="alerts", text=text, mend="see /office/alerts/deliveries/, and acknowledge them" if lost else "")


def _disk(config: Config) -> Iterator[Finding]:
    from allmende.web.disk import free_bytes

    try:
        free = free_bytes(config)
    except OSError:
        return  # the home was told of already
    text = f"{free // 2**20:,} MiB free, the floor is {config.disk_floor // 2**20:,} MiB"
    mend = "make room, or lower ALLMENDE_DISK_FLOOR" if free < config.disk_floor else ""
    if not mend and config.disk_floor and free < config.disk_floor + config.disk_warning:
        mend = "make room soon: `allmende retention preview` shows what would go by its age (ALLMENDE_DISK_WARNING)"
    yield Finding(part="disk", text=text, mend=mend)
    if config.postgres and config.database_bytes:
        yield from _database_size(config)


def _database_size(config: Config) -> Iterator[Finding]:
    """How far a PostgreSQL database is from the size from which on nothing new is taken."""
    from django.db import DatabaseError

    from allmende.web.disk import database_bytes
    from allmende.web.retention import nears_limit

    try:
        size = database_bytes()
    except DatabaseError:
        return  # the database was told of already
    text = f"{size // 2**20:,} MiB, the limit is {config.database_bytes // 2**20:,} MiB"
    mend = "make room, or raise ALLMENDE_DATABASE_BYTES" if size >= config.database_bytes else ""
    if not mend and nears_limit(config, size):
        mend = "make room soon: `allmende retention preview` shows what would go by its age (ALLMENDE_DISK_WARNING)"
    yield Finding(part="database size", text=text, mend=mend)


def _clients(config: Config) -> Iterator[Finding]:
    """Limits that would count all visitors as one, and addresses that mail would lead to."""
    if config.https and not config.proxies and config.rate_limit:
        text = "behind a proxy, yet ALLMENDE_PROXIES is 0: all visitors count as one client"
        yield Finding(part="limits", text=text, mend="set ALLMENDE_PROXIES=1, and let the proxy set X-Forwarded-For")
    if config.mail_url and not config.public_url:
        text = "links in mail take the name that a visitor calls"
        yield Finding(part="mail", text=text, mend="set ALLMENDE_PUBLIC_URL")


def _ports(config: Config) -> Iterator[Finding]:
    ports = {"PORT": config.port}
    if config.embedded_broker:
        ports |= {"ALLMENDE_MQTT_PORT": config.mqtt_port, "ALLMENDE_MQTT_WEBSOCKET_PORT": config.mqtt_websocket_port}
    ours = _is_served(config)
    for setting, port in ports.items():
        if not port:
            continue
        trouble = trouble_with(config.host, port)
        if trouble is None:
            yield Finding(part=f"port {port}", text="free")
        elif trouble.errno == errno.EADDRINUSE and ours:
            yield Finding(part=f"port {port}", text="in use; this house is being served")
        elif trouble.errno == errno.EADDRINUSE:
            mend = f"stop that program, or choose another port, e.g. {setting}={port + 1}"
            yield Finding(part=f"port {port}", text="in use by another program", mend=mend)
        else:
            text = f"cannot listen on {config.host}:{port}: {trouble.strerror}"
            yield Finding(part=f"port {port}", text=text, mend="set HOST to an address of this machine")


def _is_served(config: Config) -> bool:
    """Whether a supervisor holds the home's lock."""
    import fcntl

    try:
        with (config.home / "serve.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _broker(config: Config) -> Iterator[Finding]:
    if not config.broker_url:
        return
    from allmende.web.worker.brokers import door

    there = door(config)
    if there is None:
        return
    try:
        socket.create_connection((there.host, there.port), timeout=5).close()
    except OSError as error:
        text = f"{there.host}:{there.port} does not answer: {error}"
        yield Finding(part="broker", text=text, mend="start it, or correct ALLMENDE_BROKER_URL")
    else:
        yield Finding(part="broker", text=f"{there.host}:{there.port} answers")


def _database(config: Config) -> Iterator[Finding]:
    if config.postgres:
        yield from _postgres(config)
        return
    path = config.database_path
    again = f"`allmende init --city {config.city}` does it"
    if not path.exists():
        yield Finding(part="database", text=f"there is none at {path} yet", mend=again)
        return
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        result = str(error)
    if result != "ok":
        yield Finding(part="database", text=f"{path} is damaged: {result}", mend="restore a backup")
        return
    yield from _migrations(str(path), again)


def _postgres(config: Config) -> Iterator[Finding]:
    import psycopg

    try:
        # Not through the pool, which would go on trying.
        with psycopg.connect(config.database_url, connect_timeout=5) as connection:
            version = connection.info.server_version // 10_000
            places = connection.execute(
                "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'postgis'),"
                " to_regclass('stream_state_area') IS NOT NULL"
            ).fetchone()
    except psycopg.Error as error:
        text = f"PostgreSQL does not answer: {str(error).strip().splitlines()[0]}"
        yield Finding(part="database", text=text, mend="start it, or correct ALLMENDE_DATABASE_URL")
        return
    if version < 15:
        yield Finding(part="database", text=f"PostgreSQL {version} is too old", mend="use version 15 or newer")
        return
    again = f"`allmende init --city {config.city}` does it"
    yield from _migrations(f"PostgreSQL {version}", again)
    extension, indexed = places or (None, False)
    if extension is None:
        yield Finding(
            part="places",
            text="there is no PostGIS, spatial filters are answered with 501; a superuser may CREATE EXTENSION postgis,"
            " then `allmende init` does the rest",
        )
    elif indexed:
        yield Finding(part="places", text=f"PostGIS {extension}")
    else:
        yield Finding(part="places", text=f"PostGIS {extension}, but not used yet", mend=again)


def _migrations(place: str, again: str) -> Iterator[Finding]:
    from allmende.web.cli.opened import missing_migrations
    from allmende.web.parts import open_django

    open_django()
    missing = missing_migrations()
    text = f"{missing} migrations are not applied" if missing else f"{place}, up to date"
    yield Finding(part="database", text=text, mend=again if missing else "")
    if not missing:
        yield from _audit()


def _audit() -> Iterator[Finding]:
    """The newest entries alone: the whole log takes its time, and has a command of its own."""
    from allmende.web.accounts.verifying import look_at_newest

    verdict = look_at_newest()
    if verdict.break_ is None:
        yield Finding(part="audit log", text=f"the newest {verdict.entries:,} entries hold together")
        return
    place = "" if verdict.break_.entry is None else f"entry {verdict.break_.entry}: "
    mend = "find out who wrote to the database past the house; a backup has the log as it was"
    yield Finding(part="audit log", text=f"{place}{verdict.break_.what}", mend=mend)

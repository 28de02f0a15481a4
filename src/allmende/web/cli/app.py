"""The commands' names, arguments and words; what they do stands in the modules beside this one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from allmende.web.cli.address_commands import addresses
from allmende.web.cli.audit_commands import audit
from allmende.web.cli.errors import ExitCode, code_of, sentence
from allmende.web.cli.file_commands import dump, export
from allmende.web.cli.office_commands import office
from allmende.web.cli.people_commands import organisation, token, user
from allmende.web.cli.retention_commands import retention
from allmende.web.cli.rule_commands import rule, rules
from allmende.web.cli.service_commands import service
from allmende.web.cli.source_commands import source

app = typer.Typer(
    name="allmende",
    help="Run a city's knowledge commons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
rejections = typer.Typer(help="What could not be taken: see it, and take it again.", no_args_is_help=True)
database = typer.Typer(help="How and where the data is kept.", no_args_is_help=True)
app.add_typer(database, name="database")
app.add_typer(rejections, name="rejections")
app.add_typer(user, name="user")
app.add_typer(organisation, name="organisation")
app.add_typer(token, name="token")
app.add_typer(office, name="office")
app.add_typer(retention, name="retention")
app.add_typer(rule, name="rule")
app.add_typer(source, name="source")
app.add_typer(service, name="service")
app.add_typer(audit, name="audit")
app.add_typer(addresses, name="addresses")
app.command("rules")(rules)
app.command("dump")(dump)
app.command("export")(export)

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]
JsonLog = Annotated[bool, typer.Option("--json", help="Log and messages as JSON, one object a line.")]
Source = Annotated[str, typer.Option("--source", help="Of this source alone.")]
Code = Annotated[str, typer.Option("--code", help="With this code alone, e.g. unknown-family.")]
Text = Annotated[str, typer.Option("--text", help="That hold this, in what is said of them or in their bytes.")]
_debug = False


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code. Whatever goes wrong is said in one line, with --debug in full."""
    global _debug
    given = list(sys.argv[1:] if arguments is None else arguments)
    _debug = False
    try:
        result = typer.main.get_command(app).main(args=given, prog_name="allmende", standalone_mode=False)
        sys.stdout.flush()
        return int(result or 0)
    except BrokenPipeError:
        # Whoever read our output has seen enough, e.g. `| head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except typer.Abort:
        return _say("interrupted", ExitCode.INTERRUPTED, given)
    except (Exception, KeyboardInterrupt) as error:
        if hasattr(error, "format_message"):  # wrong use: typer's own errors
            if not error.format_message():  # no command at all: its help was printed
                return int(ExitCode.USAGE)
            context = getattr(error, "ctx", None)
            hint = f"; see `{context.command_path} --help`" if context else ""
            return _say(f"{error.format_message().rstrip('.')}{hint}", ExitCode.USAGE, given)
        if _debug:
            raise
        return _say(sentence(error), code_of(error), given)


def _say(message: str, code: ExitCode, given: Sequence[str]) -> int:
    if "--json" in given:
        from allmende.web.cli.output import print_json

        print_json({"error": message, "code": int(code)})
    print(f"allmende: {message}", file=sys.stderr)
    return int(code)


@app.callback()
def common(debug: Annotated[bool, typer.Option("--debug", help="Show errors with their code.")] = False) -> None:
    """Settings come from the environment (ALLMENDE_HOME, …) and from config.toml in the home."""
    global _debug
    _debug = debug


@app.command()
def version(as_json: Json = False) -> None:
    """Say which version this is."""
    import platform

    import allmende

    if as_json:
        from allmende.web.cli.output import print_json

        print_json({"version": allmende.__version__, "python": platform.python_version()})
    else:
        print(f"allmende {allmende.__version__} (Python {platform.python_version()})")


@app.command()
def init(
    city: Annotated[str, typer.Option("--city", help="Name of a bundled city, or path of a folder with a city.toml.")],
    home: Annotated[Path | None, typer.Option("--home", help="Instead of ALLMENDE_HOME.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Even where the home holds another city.")] = False,
    as_json: Json = False,
) -> None:
    """Make a home for a city; bring its database up to date."""
    from allmende.web.cli import home as module

    module.init(city, home, force, as_json)


@app.command()
def serve(
    as_json: JsonLog = False,
    anonymous_writes: Annotated[
        bool, typer.Option("--anonymous-writes", help="For trials: write from this machine without a token.")
    ] = False,
) -> None:
    """Run the whole house: web server, worker, broker. Ctrl-C ends it."""
    if anonymous_writes:
        os.environ["ALLMENDE_ANONYMOUS_WRITES"] = "yes"  # the parts are processes of their own
    config = _settled(as_json)
    from allmende.web.cli.output import print_json
    from allmende.web.serve import serve as run_all

    run_all(config, (lambda line: print_json({"message": line})) if as_json else _print_now)


@app.command()
def web(as_json: JsonLog = False) -> None:
    """Run the web server alone."""
    _run_part("web", as_json)


@app.command()
def worker(as_json: JsonLog = False) -> None:
    """Run the worker alone: asks sources for data, publishes, tidies up. A second one waits."""
    _run_part("worker", as_json)


@app.command(hidden=True)
def broker(as_json: JsonLog = False) -> None:
    """Run the embedded MQTT broker alone."""
    _run_part("broker", as_json)


def _run_part(name: str, as_json: bool) -> None:
    config = _settled(as_json)
    from allmende.web import parts
    from allmende.web.cli.opened import demand_migrations

    parts.open_django()
    demand_migrations(config)
    getattr(parts, f"run_{name}")(config)


def _settled(as_json: bool) -> Any:
    from allmende.web.cli.opened import settled

    if as_json:
        os.environ["ALLMENDE_LOG_FORMAT"] = "json"  # in the environment, for the processes that are started
    return settled()


def _print_now(line: str) -> None:
    print(line, flush=True)


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="The source's id in the city's profile.")],
    files: Annotated[list[str], typer.Argument(help="Files, compressed by gzip or not; - is standard input.")],
    as_json: Json = False,
) -> int:
    """Take files in for a source. The same file again changes nothing."""
    from allmende.web.cli.imports import import_files

    return import_files(source, files, as_json)


@app.command()
def sources(as_json: Json = False) -> None:
    """How each source fares: state, age, counts, last error."""
    from allmende.web.cli import listing

    listing.sources(as_json)


@app.command()
def forecast(
    name: Annotated[str, typer.Argument(help="A forecast of the city; all without one.")] = "",
    learn: Annotated[bool, typer.Option("--learn", help="Learn anew now, and issue a run.")] = False,
    as_json: Json = False,
) -> int:
    """How each forecast fares: what speaks for how many streams, and how often it hit."""
    from allmende.web.cli import forecasting

    return forecasting.forecast(name, learn=learn, as_json=as_json)


@app.command()
def harvest(
    name: Annotated[str, typer.Argument(help="A harvest of the city; all that are switched on without one.")] = "",
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would change; keep nothing.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Withdraw what vanished, however much it is; look first with --dry-run.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Take over catalogues of others now, as the worker does by itself: what is new, changed and gone."""
    from allmende.web.cli import harvesting

    return harvesting.harvest(name, dry=dry, accept=accept, as_json=as_json)


@rejections.command("list")
def rejections_list(
    source: Source = "",
    code: Code = "",
    text: Text = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest first."""
    from allmende.web.cli import listing

    listing.list_rejections(source, code, text, limit, as_json)


@rejections.command("show")
def rejections_show(
    number: Annotated[int, typer.Argument(help="As `rejections list` gives it.")],
    raw: Annotated[bool, typer.Option("--raw", help="The bytes alone, as they came.")] = False,
    as_json: Json = False,
) -> None:
    """One of them with its content."""
    from allmende.web.cli import listing

    listing.show_rejection(number, raw, as_json)


@rejections.command("replay")
def rejections_replay(
    number: Annotated[int | None, typer.Argument(help="As `rejections list` gives it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
    source: Source = "",
    code: Code = "",
    text: Text = "",
    as_json: Json = False,
) -> int:
    """Take what was rejected in again, after its cause was mended."""
    if (number is None) == (not every):
        raise typer.BadParameter("give either a number or --all")
    from allmende.web.cli import listing

    return listing.replay(number, source, code, text, as_json)


@database.command("status")
def database_status(as_json: Json = False) -> None:
    """Engine, layout, sizes, parts, and a copy that was begun."""
    from allmende.web.cli import databases

    databases.status(as_json)


@database.command("layout")
def database_layout(
    layout: Annotated[str, typer.Argument(help="plain, citus or timescale.")] = "",
    years: Annotated[
        str, typer.Option("--years", help="First and last year with a part of its own, e.g. 2015-2035.")
    ] = "",
    stop: Annotated[bool, typer.Option("--stop", help="Give up a copy that was begun.")] = False,
    as_json: Json = False,
) -> None:
    """Copy the observations into another layout of PostgreSQL and swap, while the house is running.

    Killed, it goes on where it was when the same command is given again. It needs as much room again as the
    observations have, and says how much.
    """
    from allmende.web.cli import databases

    databases.change_layout(layout, years, stop, as_json)


@database.command("recount")
def database_recount(as_json: Json = False) -> None:
    """Count the observations of every stream, and set right what is known of it where that is wrong.

    The house may go on running. A stream is set right in a transaction of its own.
    """
    from allmende.web.cli import databases

    databases.recount_streams(as_json)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A new file; nothing is overwritten.")],
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Then delete backups of this city in the same folder that are older than ALLMENDE_BACKUP_KEPT_DAYS.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the whole house, while it is running, to one file that either engine can restore."""
    from allmende.web.cli import backups

    backups.backup(file, prune, as_json)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="As `allmende backup` wrote it, on either engine.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete everything that this house holds, in the same transaction.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup into this house: all of it, or nothing."""
    from allmende.web.cli import backups

    backups.restore(file, replace, as_json)


@app.command()
def check(as_json: Json = False) -> int:
    """Look at settings, profile, sources, ports, disk and database; say what is wrong and how to mend it."""
    from allmende.web.cli.checks import check as look

    return look(as_json)


def commands() -> dict[str, Any]:
    """Every command by its full name, for the reference."""
    found: dict[str, Any] = {}

    def walk(group: Any, path: str) -> None:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                walk(command, f"{path} {name}")
            elif not command.hidden:
                found[f"{path} {name}"] = command

    walk(typer.main.get_command(app), "allmende")
    return found

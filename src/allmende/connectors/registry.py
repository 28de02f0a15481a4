"""Finds the connectors that are installed, ours and those of others, by the entry points of one group.

A connector that cannot be loaded does not stop the others: it stands in the list with its problems, and what is sent
to it is kept as rejections, to be replayed when it is mended.
"""

from collections.abc import Mapping
from importlib import import_module, resources
from importlib.metadata import EntryPoint, entry_points

from allmende.connectors import checks
from allmende.domain.connector import Connector, Manifest, Payload, Source
from allmende.domain.errors import ConfigurationError, NotFound
from allmende.domain.records import Parsed, Rejection

GROUP = "allmende.connectors"


def connectors() -> Mapping[str, Connector]:
    """Every installed connector by its name. Reads the installed packages anew: keep what you get."""
    found: dict[str, Connector] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            connector = open_entry(entry)
        except ConfigurationError as error:
            connector = _broken(entry.name, str(error))
        if entry.name in found:
            first = found[entry.name]
            twice = f"{entry.value} has the name {entry.name} too and is not used"
            found[entry.name] = Connector(
                manifest=first.manifest,
                parse=first.parse,
                fetch=first.fetch,
                readme=first.readme,
                problems=(*first.problems, twice),
            )
        else:
            found[entry.name] = connector
    return found


def load(name: str) -> Connector:
    """One connector. Raises NotFound where none has this name, ConfigurationError where it cannot be loaded."""
    for entry in entry_points(group=GROUP, name=name):
        return open_entry(entry)
    known = ", ".join(sorted({entry.name for entry in entry_points(group=GROUP)})) or "none"
    raise NotFound(f"no connector is called {name!r}; installed: {known}")


def open_entry(entry: EntryPoint) -> Connector:
    """The connector of an entry point, with its problems. Raises ConfigurationError where it cannot be loaded."""
    # Whatever a foreign package raises while it is imported must become words for its operator.
    try:
        folder = resources.files(entry.module)
        manifest = checks.read_manifest(folder, where=f"{entry.module}/manifest.toml")
        parse = import_module(f"{entry.module}.parse").parse
        fetch = import_module(f"{entry.module}.fetch").fetch if folder.joinpath("fetch.py").is_file() else None
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{type(error).__name__}: {error}", where=f"connector {entry.name}") from error
    readme = folder.joinpath("README.md")
    problems = checks.problems(folder, manifest, parse=parse, fetch=fetch)
    if manifest.name != entry.name:
        problems.append(f"manifest.toml says name = {manifest.name!r}, the entry point {entry.name!r}")
    return Connector(
        manifest=manifest,
        parse=parse,
        fetch=fetch,
        readme=readme.read_text("utf-8") if readme.is_file() else "",
        problems=problems,
    )


def _broken(name: str, problem: str) -> Connector:
    def keep(payload: Payload, source: Source) -> Parsed:
        return Parsed((), (Rejection(reason=problem, body=payload.body, code="broken-connector"),))

    manifest = Manifest(name=name, title={"de": name, "en": name}, description={}, maturity="experimental", gives=[])
    return Connector(manifest=manifest, parse=keep, problems=(problem,))

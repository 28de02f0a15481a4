"""``office``: what was released over the profile's folder, taking it back, and the profile as a folder."""

from pathlib import Path

import msgspec

from allmende.domain.errors import NotFound
from allmende.web.cli.opened import actor, demand_migrations, settled
from allmende.web.cli.output import print_json, print_table
from allmende.web.config import Config


def _open() -> Config:
    """Without a look at the profile, which may be what is wrong."""
    config = settled()
    from allmende.web.observability import logs
    from allmende.web.parts import open_django

    logs.configure(msgspec.structs.replace(config, log_level="warning"), "cli")
    open_django()
    demand_migrations(config)
    return config


def list_revisions(as_json: bool) -> None:
    """In force, and open."""
    _open()
    from allmende.web.office.models import OPEN, RELEASED, Revision

    listed = [
        {
            "kind": each.kind,
            "key": each.key,
            "number": each.number,
            "state": each.state,
            "removes": each.removes,
            "by": each.author.get_username() if each.author else "",
            "changed": f"{each.changed:%Y-%m-%dT%H:%M:%SZ}",
            "reason": each.reason,
        }
        for each in Revision.objects.filter(state__in=(RELEASED, *OPEN)).select_related("author").order_by("changed")
    ]
    if as_json:
        print_json(listed)
    elif not listed:
        print("Nothing was changed in the browser: the profile is its folder.")
    else:
        names = ("kind", "key", "number", "state", "by", "changed", "reason")
        print_table(names, [[one[name] for name in names] for one in listed], numbers=("number",))


def undo(kind: str, key: str, to: int | None, reason: str, as_json: bool) -> None:
    """Take back one table."""
    _open()
    from allmende.web.office import revisions

    found = revisions.released(kind, key)
    if found is None:
        raise NotFound(f"nothing is released over the {kind} {key}; `allmende office list` shows what is")
    (made,) = revisions.undo(found, actor(), to=to, reason=reason)
    if as_json:
        print_json({"kind": kind, "key": key, "number": made.number, "removes": made.removes})
    else:
        print(f"The {kind} {key} is as it was before (revision {made.number}).")


def export(folder: Path, as_json: bool) -> None:
    """Write the profile."""
    _open()
    from allmende.web.live import live
    from allmende.web.office.export import write_profile

    names = write_profile(live().plain(), folder)
    if as_json:
        print_json({"folder": str(folder), "files": names})
    else:
        print(f"{len(names)} files are in {folder}; `allmende init --city {folder}` makes a house of them.")

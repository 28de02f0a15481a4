"""``harvest``: take over catalogues of others now, or see what that would do."""

from typing import Any

import msgspec

from allmende.domain.errors import InvalidInput
from allmende.domain.harvest import HarvestProfile
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.opened import Opened, actor, open_house
from allmende.web.cli.output import print_json, print_table
from allmende.web.intake import now_micros

_COUNTS = ("new", "changed", "unchanged", "withdrawn", "own", "refused")


def harvest(name: str, *, dry: bool, accept: bool, as_json: bool) -> int:
    """Run a pass over one catalogue, or over all that are switched on. Gives the exit code: 1 where one fails."""
    house = open_house()
    chosen = _chosen(house, name)
    found = [_run(house, each, dry=dry, accept=accept) for each in chosen]
    if as_json:
        print_json(found)
    elif not found:
        print("The city harvests no catalogue. They stand in city.toml as [harvests.NAME].")
    else:
        rows = [[each["harvest"], *(each[count] for count in _COUNTS), each["held"]] for each in found]
        print_table(("catalogue", *_COUNTS, "held"), rows, numbers=(*_COUNTS, "held"))
        for each in found:
            for fault in each["faults"]:
                print(f"{each['harvest']}: {fault}")
            if each["error"]:
                print(f"{each['harvest']}: {each['error']}")
    return int(ExitCode.FAILED if any(each["error"] for each in found) else ExitCode.OK)


def _chosen(house: Opened, name: str) -> list[HarvestProfile]:
    known = house.profile.harvests
    if not name:
        return [each for each in known.values() if each.enabled]
    if name not in known:
        raise InvalidInput(f"there is no such harvest; there are {', '.join(known) or 'none'}", where=name)
    return [known[name]]


def _run(house: Opened, harvest: HarvestProfile, *, dry: bool, accept: bool) -> dict[str, Any]:
    from allmende.connectors.gathering import Refused
    from allmende.web.accounts.audit import record
    from allmende.web.harvest.passing import limits_of, pass_over, root_of
    from allmende.web.harvest.run import HeldError, Pass
    from allmende.web.worker.trouble import in_words

    if not dry:
        outcome, error = pass_over(harvest, house.profile, house.config, now_micros(), accept=accept)
        if accept and outcome.withdrawn:
            record(actor(), "harvest.accept", f"harvest:{harvest.id}", withdrawn=outcome.withdrawn)
    else:
        work = Pass(harvest, house.profile, limits_of(house.config), root_of(house.config), now_micros(), dry=True,
                    accept=accept)  # fmt: skip
        error = ""
        try:
            work.run()
        except HeldError as held:
            error = str(held)
        except Refused as refused:
            error = refused.reason
        except Exception as trouble:  # a stranger's server and document: said in words, as the worker does
            error = in_words(trouble, harvest.address)
        outcome = work.outcome
    return {"harvest": harvest.id, **msgspec.to_builtins(outcome), "error": error}

"""CreateObservations (18-088, 12.2): many new observations in one request, as data arrays."""

from typing import Any

from allmende.domain.arrays import Refused, plan_rows
from allmende.domain.batch import Batch, Rows
from allmende.domain.creation import encode
from allmende.domain.errors import AllmendeError, InvalidInput, LimitExceeded
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.policy import COMMONS
from allmende.domain.store import Store
from allmende.faces.sensorthings.answers import content_kind, decode_body, refuse, require_writer
from allmende.faces.sensorthings.rows import entity_link

PATH = "CreateObservations"
PATHS = (PATH, "BulkObservations")
"""The standard's name for it, and istSOS's for the same."""
Group = tuple[Rows, Refused, int]


def create_observations(request: Request, store: Store, limits: FaceLimits) -> Response:
    """Create what can be created; 201 with a link, or ``error …``, for each row in the order of the request.

    The good rows of a request are committed together. A request that cannot be understood is refused whole.
    """
    require_writer(request)
    if content_kind(request) != "application/json":
        return refuse(415, f"{content_kind(request)} is not taken; send application/json")
    body = decode_body(request)
    if not isinstance(body, list):
        raise InvalidInput("a list of groups is asked for, each with a Datastream, components and a dataArray")
    _check_number(body, limits)
    groups: list[Group] = [
        plan_rows(group, now=request.now, bounds=limits.bounds, where=f"[{place}]") for place, group in enumerate(body)
    ]
    outcomes: list[list[str | AllmendeError]] = [[] for _ in groups]
    good = [place for place, (rows, _, _) in enumerate(groups) if rows.starts]
    if good:
        receipt = store.append(
            Batch(
                origin=request.reader.name,
                dataset=COMMONS,
                reader=request.reader,
                received_at=request.now,
                rows=[groups[place][0] for place in good],
                name=request.path,
            )
        )
        for place, outcome in zip(good, receipt.rows, strict=True):
            outcomes[place] = outcome
    told = [
        line for group, outcome in zip(groups, outcomes, strict=True) for line in _tell(group, outcome, request.root)
    ]
    return Response(status=201, body=encode(told).encode())


def _check_number(body: list[Any], limits: FaceLimits) -> None:
    """Raise LimitExceeded for more rows than one transaction may hold; a group counts as one at least."""
    arrays = (group.get("dataArray") if isinstance(group, dict) else None for group in body)
    rows = sum(max(1, len(array)) if isinstance(array, list) else 1 for array in arrays)
    if rows > limits.bulk_rows:
        raise LimitExceeded(f"{rows} rows in one request; send them in parts", setting="ALLMENDE_BULK_ROWS")


def _tell(group: Group, outcome: list[str | AllmendeError], root: str) -> list[str]:
    """A line for each row of a group."""
    rows, refused, count = group
    lines = [""] * count
    for place, error in refused.items():
        lines[place] = f"error {error}"
    head = f"{root}/Observations("
    for place, name in zip(rows.places, outcome, strict=True):
        if not isinstance(name, str):
            lines[place] = f"error {name}"
        else:
            lines[place] = f"{head}{name})" if name.isdigit() else f"{root}/{entity_link('Observations', name)}"
    return lines

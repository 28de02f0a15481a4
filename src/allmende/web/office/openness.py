"""What a change makes more open than it was: then a second person has to say that they know it, whoever else may what.

It is judged by the tables alone, so that it can be said also where the profile as a whole is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from allmende.domain.errors import AllmendeError
from allmende.domain.privacy import span_of
from allmende.web.office.looking import current, said_by
from allmende.web.office.models import Revision

Body = Mapping[str, Any] | None
What = Literal["access", "known", "counts", "forgets", "moved", "opens", "suppress"]
_CLOSED = {"open": 0, "restricted": 1, "protected": 2}


class Opening(NamedTuple):
    """One thing that becomes more open: ``access`` of a dataset, that it is ``known``, smaller ``counts`` of people,
    data about people that it ``forgets`` later, what was ``moved`` to a more open dataset, what a rule or an
    alert ``opens``, counts that it does not ``suppress`` any more. ``other`` is the dataset that is meant besides."""

    kind: str
    key: str
    what: What
    other: str = ""


def openings(several: Iterable[Revision]) -> list[Opening]:
    """What becomes more open where revisions come in force together."""
    listed = [(each.kind, each.key, said_by(each, each.kind, each.key)) for each in several]
    said = {(kind, key): body for kind, key, body in listed}

    def closed(dataset: str) -> int:
        body = said.get(("dataset", dataset), current("dataset", dataset))
        return _access(body)

    return [one for kind, key, body in listed for one in compare(kind, key, current(kind, key), body, closed)]


def compare(kind: str, key: str, old: Body, new: Body, closed: Callable[[str], int]) -> Iterator[Opening]:
    """What one table makes more open; ``closed`` says how closed another dataset is then."""
    if new is None:
        return
    if kind == "dataset" and old is not None:
        yield from _dataset(key, old, new)
    elif kind == "source" and old is not None:
        yield from _moved(kind, key, old, new, closed)
    elif kind in ("rule", "alert"):
        yield from _rule(kind, key, old or {}, new, closed)


def _dataset(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Opening]:
    if _access(new) < _access(old):
        yield Opening("dataset", key, "access")
    elif new.get("public_description") and not old.get("public_description") and _access(new):
        yield Opening("dataset", key, "known")
    least, now = _number(old.get("counts_of_people")), _number(new.get("counts_of_people"))
    if least and now < least:
        yield Opening("dataset", key, "counts")
    if _forgets_later(old.get("personal"), new.get("personal")):
        yield Opening("dataset", key, "forgets")


def _forgets_later(old: Any, new: Any) -> bool:
    if not isinstance(old, Mapping):
        return False
    if not isinstance(new, Mapping):
        return True
    try:
        return span_of(str(new.get("delete_after", "")), "") > span_of(str(old.get("delete_after", "")), "")
    except AllmendeError:  # one of them is wrong; whatever is not plainly as strict counts as looser
        return old.get("delete_after") != new.get("delete_after")


def _moved(
    kind: str, key: str, old: Mapping[str, Any], new: Mapping[str, Any], closed: Callable[[str], int]
) -> Iterator[Opening]:
    before, after = str(old.get("dataset", "")), str(new.get("dataset", ""))
    if before != after and closed(after) < closed(before):
        yield Opening(kind, key, "moved", before)


def _rule(
    kind: str, key: str, old: Mapping[str, Any], new: Mapping[str, Any], closed: Callable[[str], int]
) -> Iterator[Opening]:
    if old:
        yield from _moved(kind, key, old, new, closed)
    known = old.get("opens") or {}
    for dataset in new.get("opens") or {}:
        if dataset not in known:
            yield Opening(kind, key, "opens", str(dataset))
    before, after = old.get("suppress") or {}, new.get("suppress") or {}
    if before and (_number(after.get("below")) < _number(before.get("below")) or _step(after) < _step(before)):
        yield Opening(kind, key, "suppress")


def _step(said: Mapping[str, Any]) -> float:
    return _number(said.get("nearest")) or _number(said.get("below"))


def _access(body: Body) -> int:
    return _CLOSED.get(str((body or {}).get("access", "open")), 0)


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0

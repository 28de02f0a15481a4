"""Which process runs which tests, where several do."""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]
_GROUP = re.compile(r"pytest\.mark\.xdist_group\(\"([a-z]+)\"\)")
_LONG = "pytest.mark.timeout("


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # untyped
    """One process runs the files of a group (``pytest.mark.xdist_group`` of a module) one behind the other, and each
    other file as a whole: what their tests share is set up once.

    Groups come first, then files with a time limit of their own, then by the number of tests: what takes long must not
    begin when the other processes have nothing left to do.

    xdist's own ``loadgroup`` writes the group into a field of the test that pytest 9.2 no longer reads, and spreads all
    tests one by one (pytest-xdist, issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _read(file)[1] or file

    def _assign_work_unit(self, node: object) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=_rank), last=False)
        super()._assign_work_unit(node)


def _rank(scope: str) -> int:
    """Less is earlier; in the order of before where it is the same."""
    return 0 if not scope.endswith(".py") else 1 if _read(scope)[0] else 2


@cache
def _read(file: str) -> tuple[bool, str]:
    """Whether a file of tests takes long, and the group that it names."""
    text = (ROOT / file).read_text("utf-8")
    found = _GROUP.search(text)
    return _LONG in text, found[1] if found else ""

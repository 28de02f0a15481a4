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

    Groups come first, then files with a time limit of their own: what takes long must not begin when the other
    processes have nothing left to do. The others come folder by folder, for what a folder's tests share.

    xdist's own ``loadgroup`` writes the group into a field of the test that pytest 9.2 no longer reads, and spreads all
    tests one by one (pytest-xdist, issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _read(file)[1] or file

    def _assign_work_unit(self, node: object) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=_rank), last=False)
        super()._assign_work_unit(node)


def _rank(scope: str) -> tuple[int, str]:
    """Less is earlier; where it is the same, the file with more tests."""
    if not scope.endswith(".py"):
        return 0, ""
    return (1, "") if _read(scope)[0] else (2, scope.rpartition("/")[0])


@cache
def _read(file: str) -> tuple[bool, str]:
    """Whether a file of tests takes long, and the group that it names."""
    text = (ROOT / file).read_text("utf-8")
    found = _GROUP.search(text)
    return _LONG in text, found[1] if found else ""

"""How tests are given out to several processes."""

from collections import OrderedDict
from types import SimpleNamespace

from tests.scheduling import ROOT, ByGroup

BROWSER = "tests/browser/test_pages.py::test_page_is_sound[/]"
PLAIN = ["tests/domain/test_times.py::test_a", "tests/web/test_portal.py::test_b", "tests/domain/test_steps.py::test_c"]
LONG = "tests/web/test_backup.py::test_d"


class Node:
    """A process that takes what it is given."""

    shutting_down = False

    def __init__(self) -> None:
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices


def test_groups_begin_and_files_stay_together() -> None:
    asked = SimpleNamespace(
        getvalue=lambda name: ["popen"], option=SimpleNamespace(loadscopereorder=True, tx=["popen"])
    )
    scheduler = ByGroup(asked)
    node = Node()
    collected = [*PLAIN, PLAIN[0] + "2", LONG, BROWSER]
    scheduler.registered_collections[node] = collected
    scheduler.workqueue = OrderedDict()
    for test in collected:
        scheduler.workqueue.setdefault(scheduler._split_scope(test), {})[test] = False
    while scheduler.workqueue:
        scheduler._assign_work_unit(node)
    order = [collected[index] for index in node.given]
    assert set(order[:2]) == {BROWSER, LONG}, "both are of a group"
    assert order[2:] == [PLAIN[0], PLAIN[0] + "2", PLAIN[2], PLAIN[1]]


def test_every_group_is_found() -> None:
    """One that is written in another way would be lost without a word."""
    scheduler = ByGroup.__new__(ByGroup)
    for file in (ROOT / "tests").rglob("test_*.py"):
        if "xdist_group(" in file.read_text("utf-8") and file.name != "test_scheduling.py":
            name = file.relative_to(ROOT).as_posix()
            assert not scheduler._split_scope(f"{name}::test").endswith(".py"), name

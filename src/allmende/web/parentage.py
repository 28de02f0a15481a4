"""Processes that do not outlive the one that started them, however it ends (Linux)."""

import ctypes
import os
import signal
import sys

PARENT = "ALLMENDE_PART_OF"
"""Process id of the parent, in the environment of a child."""

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; end at once where it has ended already.

    The kill is a hard one, because the parent that could have asked politely is gone. Nothing is lost by it: what was
    acknowledged is committed. Does nothing where the environment names no parent, or on another system than Linux.
    """
    parent = os.environ.get(PARENT, "")
    if not parent.isdigit() or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the call: then nobody would tell us any more.
    if os.getppid() != int(parent):
        os._exit(1)


def environment_of_child() -> dict[str, str]:
    """The environment for a child that has to end with this process."""
    return {**os.environ, PARENT: str(os.getpid())}

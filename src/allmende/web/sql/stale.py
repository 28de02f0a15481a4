"""Answers that are no longer true, or no longer may be given."""

import time

from allmende.web.house import open_profile
from allmende.web.sql.data import shelf
from allmende.web.sql.kept import drop_others, sweep


def prune() -> int:
    """Delete what was answered from files that are others now, or gone. (Nobody is given it from the second on in which
    they are.)"""
    return drop_others(f"state-{shelf(open_profile()).state}") + sweep(time.time())

"""Who asks. Every Query carries a Reader; there is no default, so nobody can forget it."""

import msgspec

COMMONS = "commons"
"""The dataset of what belongs to nobody alone: observed properties, and what clients create without a dataset."""


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who reads or writes, and what they may see.

    ``datasets`` holds the ids of datasets that are not open and that this reader may see; ``sees_all`` is for the
    house's own work (publishing, checks, backup), never for a request from outside.
    """

    name: str
    """Who it is in logs and the audit log, e.g. ``anonymous``, ``user:anna``, ``token:12``."""
    datasets: frozenset[str] = frozenset()
    sees_all: bool = False
    may_write: bool = False
    writes: frozenset[str] = frozenset({COMMONS})
    """Ids of the datasets that it may write to, if it may write at all. By default what belongs to nobody alone: a
    client cannot put a value beside those of a source."""

    def may_write_to(self, dataset: str) -> bool:
        """Whether it may create or change something in a dataset."""
        return self.may_write and (self.sees_all or dataset in self.writes)


ANONYMOUS = Reader(name="anonymous")


def house_reader(part: str) -> Reader:
    """The reader for work that the house does itself; ``part`` is shown in logs."""
    return Reader(name=f"house:{part}", sees_all=True, may_write=True)

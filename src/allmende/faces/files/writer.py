"""What all formats have in common."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from allmende.faces.files.about import About
from allmende.faces.files.fields import Batch, Field


class Writer(Protocol):
    """Writes one file, batch after batch. What is not closed is no file, and is thrown away by who opened it."""

    def write(self, batch: Batch) -> None:
        """Add rows; the batch has the columns of the writer's fields."""

    def close(self) -> None:
        """Write what belongs at the end. The file is whole then."""

    def drop(self) -> None:
        """Let go of what is open; the file is of no use."""


class Open(Protocol):
    """Begins a file. Temporary files lie beside it."""

    def __call__(self, path: Path, said: About, fields: Sequence[Field]) -> Writer: ...

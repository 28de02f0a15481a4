"""Files are the same from every engine."""

from tests.storage.conftest import store

__all__ = ["store"]

"""A holding that is the rows of one table: see :mod:`allmende.city.rows`, which services use too."""

from allmende.city.rows import Rows

__all__ = ["Rows"]

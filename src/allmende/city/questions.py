"""Questions in SQL to begin with: an application says in its AppConfig ``questions = (example(…), …)`` what may be
asked of its data. They are offered where their tables are there."""

from typing import NamedTuple

from django.utils.functional import Promise


class Example(NamedTuple):
    """A question that runs where its tables are there."""

    title: Promise | str
    needs: frozenset[str]
    query: str
    chart: dict[str, str]


def example(title: Promise | str, needs: str, query: str, **chart: str) -> Example:
    """``needs`` are names of tables with spaces between; ``chart`` says how the answer is drawn: kind, x, y."""
    return Example(title, frozenset(needs.split()), query, chart)

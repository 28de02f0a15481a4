"""Streams over any span of time, for whoever draws or compares them: see :func:`read_series`."""

from allmende.knowledge.series.lines import Chart, Line, as_document
from allmende.knowledge.series.read import POINTS, STREAMS, read_series

__all__ = ["POINTS", "STREAMS", "Chart", "Line", "as_document", "read_series"]

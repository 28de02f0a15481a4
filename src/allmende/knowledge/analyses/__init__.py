"""Analyses of streams: the typical week, heat maps of the calendar, correlation, before and after an event.

Each is a function of what one reader may see, over :func:`allmende.knowledge.analyses.values.read_values`; none has a
clock. What it rests on (values, gaps, what was left out) is part of every answer: a
:class:`allmende.knowledge.analyses.values.Basis`.
"""

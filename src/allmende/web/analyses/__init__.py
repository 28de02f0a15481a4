"""Analyses as pages: the typical week, heat maps of the calendar, correlation, before and after an event.

What is asked stands in the address, so that every page can be sent to others; each answer is a sentence in plain words,
a chart drawn by the server, a table, a file, and what it rests on.
"""

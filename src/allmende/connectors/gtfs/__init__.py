"""Timetables as GTFS: stops and routes as objects."""

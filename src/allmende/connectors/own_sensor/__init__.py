"""Sensors that citizens give."""

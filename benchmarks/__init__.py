"""Measurements of the house, each beside the raw limit."""

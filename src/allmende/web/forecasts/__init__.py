"""Forecasts as a part of the running house: learning, issuing and judging in the worker, and their pages."""

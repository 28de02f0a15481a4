"""Allmende: a city's knowledge commons and the services that live on it."""

__version__ = "0.1.0"

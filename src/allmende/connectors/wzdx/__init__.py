"""Roadworks of the Work Zone Data Exchange (WZDx), version 4."""

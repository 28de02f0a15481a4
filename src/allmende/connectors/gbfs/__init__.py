"""Shared bicycles and scooters: stations, and free-floating vehicles counted by area (GBFS 2.3 and 3.0)."""

"""Delays, vehicles and alerts of public transport, by line and by stop (GTFS-Realtime)."""

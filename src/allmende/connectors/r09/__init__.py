"""Requests of buses and trams to traffic signals: VDV R09.16 telegrams."""

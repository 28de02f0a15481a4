"""Alerts: kept, told, acknowledged, and shown."""

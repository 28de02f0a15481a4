"""Parking: where is a free space now."""

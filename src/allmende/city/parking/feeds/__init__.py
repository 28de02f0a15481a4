"""Parking sites for programs of others: ParkAPI, DATEX II and CSV. What each says of itself stands in its module."""

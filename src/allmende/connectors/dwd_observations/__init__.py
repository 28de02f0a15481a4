"""Observations of the German weather service at its stations, every ten minutes or every hour."""

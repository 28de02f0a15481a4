"""The point forecasts of the German weather service (MOSMIX), by station and run."""

"""Fine dust, weather and noise of citizens' sensors (Sensor.Community)."""

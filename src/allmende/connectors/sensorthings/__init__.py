"""A mirror of another SensorThings server: its streams under a prefix, its readings as they come."""

"""OGC SensorThings 1.1 (18-088): one file for each requirement class, named after it."""

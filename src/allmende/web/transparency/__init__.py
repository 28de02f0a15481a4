"""What the city measures, said to whoever stands before a sensor."""

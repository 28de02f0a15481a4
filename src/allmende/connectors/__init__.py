"""How data comes in: one folder a source, all of one shape."""

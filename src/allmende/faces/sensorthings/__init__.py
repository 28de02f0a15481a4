"""OGC SensorThings API 1.1 (18-088): a thin parser and a thin renderer around the house's one query language."""

"""OGC API - Features and - Tiles, by their requirements, on both engines."""

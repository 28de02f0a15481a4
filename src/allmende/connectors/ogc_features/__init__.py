"""Features of others: OGC API - Features, WFS, GeoJSON."""

"""How answers look besides plain JSON: data arrays (18-088, 12.1), CSV, GeoJSON, Parquet and Arrow."""

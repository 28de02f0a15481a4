"""Vector files: GeoJSON, GeoPackage, Shapefile, FlatGeobuf, GML."""

"""Car parks, areas and bays of any city that lists them: CSV, XLSX, GeoJSON, records of JSON, NGSI, ArcGIS."""

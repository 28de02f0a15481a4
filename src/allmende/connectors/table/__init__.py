"""Readings from tables: CSV, XLSX, Parquet."""

"""Water levels and discharges of Thuringia's gauges, from the flood centre's table."""

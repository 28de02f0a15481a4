"""Water levels of the federal waterways (PEGELONLINE)."""

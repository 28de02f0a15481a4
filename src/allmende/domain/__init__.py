"""What the city knows. Plain Python: no web, no database, no clock, no network."""

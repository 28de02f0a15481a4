"""Tags of analyses."""

"""Who read what is not open: noted before the answer goes out, and written into the audit log hour by hour."""

"""Django's SQLite backend with one file lock around every write (docs/decisions/0004)."""

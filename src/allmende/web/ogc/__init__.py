"""OGC API - Features and - Tiles over HTTP."""

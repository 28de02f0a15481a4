"""What the bytes of a stranger are, and which connector reads them with which settings."""

"""A register of trees, or of other objects, as a table."""

"""Tables of questions."""

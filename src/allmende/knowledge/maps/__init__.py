"""What a map of the city knows: where addresses are, in which district a place lies, into which classes values fall."""

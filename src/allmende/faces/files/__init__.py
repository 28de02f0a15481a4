"""A selection as one file: read by the Query a page at a time, written a batch at a time, with licence and provenance
inside. Memory does not grow with the file."""

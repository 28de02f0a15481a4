"""Car parks of a running ParkAPI server, version 3."""

"""Traffic cameras: how many of each class are in view, what passed, which zones are occupied. No tracks, no ids."""

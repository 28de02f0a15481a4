"""The map of the city: layers of things with their values and of objects, now and as they were, and the list that says
the same."""

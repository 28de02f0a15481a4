"""Free spaces of Jena's car parks: the live feed, its description, and the change-only recording."""

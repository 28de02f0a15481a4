"""Car parks of any city that publishes them as DATEX II, version 2 or 3."""

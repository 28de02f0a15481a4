"""The one search over all that the portal has; applications say by :mod:`allmende.city.finding` what they add."""

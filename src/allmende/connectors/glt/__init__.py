"""Building control of the city: points of its sites, polled with a look-back."""

"""The page of the instruments; applications say by :mod:`allmende.city.instruments` that they are one."""

"""Public holidays, by the library ``holidays`` (MIT): it knows the laws of each country and state."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays

from allmende.domain.errors import ConfigurationError


def public_holidays(country: str, state: str, years: Iterable[int]) -> frozenset[date]:
    """The days of some years. Of a country that the library does not know there are none.

    Raises ConfigurationError for a state that the country has not.
    """
    return _days(country, state, tuple(sorted(years)))


@lru_cache(maxsize=64)
def _days(country: str, state: str, years: tuple[int, ...]) -> frozenset[date]:
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        return frozenset()
    if state and state not in known[country]:
        raise ConfigurationError(
            '"%(state)s" is no state of %(country)s; there are %(known)s',
            where="calendar.state",
            state=state,
            country=country,
            known=", ".join(known[country]) or "none",
        )
    return frozenset(holidays.country_holidays(country, subdiv=state or None, years=years))

"""Free when you arrive: what is expected of a car park at the time of arrival, and how good such words have been.

- :mod:`.expect` reads what the house forecast, for a site and a moment;
- :mod:`.recording` and :mod:`.backtest` judge it on a recording, as issue 7 asks; ``python -m
  allmende.city.parking.arrival RECORDING`` prints the table.

How a forecast is made is the platform's (:mod:`allmende.knowledge.forecasts`): ``[forecasts.NAME]`` of the profile.
"""

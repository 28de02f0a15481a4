"""Forecasts of regular streams: chosen by back-test among simple and learned candidates, with intervals, and judged as
their times come.

- :mod:`.reading` makes a panel of what the store holds, :mod:`.panel` says what one is;
- :mod:`.baselines` and :mod:`.boosting` forecast, :mod:`.spread` says how far off they may be;
- :mod:`.learning` back-tests, chooses and learns, in a process of its own (:mod:`.train`); :mod:`.model` is what is
  kept;
- :mod:`.run` issues, :mod:`.keeping` writes and reads the streams, :mod:`.hits` judges.

Nothing here reads a clock; only :mod:`.reading` and :mod:`.keeping` ask the store.
"""

from allmende.knowledge.forecasts.keeping import Shown, latest

__all__ = ["Shown", "latest"]

"""What forecasts leave out: an application that knows when readings tell nothing says in its AppConfig ``left_out =
function``. It is asked for spans before a forecast learns, is issued and is judged; what lies in them is unknown then.
"""

from collections.abc import Callable, Mapping, Sequence

from allmende.city.house import House

Spans = Mapping[str, Sequence[tuple[int, int]]]
"""By the id of a stream its spans, each from a moment until before another; microseconds."""
LeavesOut = Callable[[House, Sequence[str], int, int], Spans]
"""Gets the house, the ids of streams and a span; streams that it does not know it leaves away."""

"""What services know of readings that tell nothing: it is taken out of what forecasts learn from and are judged by."""

from collections.abc import Iterator

import msgspec
import numpy as np
import structlog
from django.conf import settings

from allmende.city.leaving import LeavesOut
from allmende.knowledge.forecasts.panel import Panel
from allmende.web.house import house_for_job
from allmende.web.portal.context import app_of

log = structlog.get_logger("allmende.forecasts")


def without_left_out(panel: Panel) -> Panel:
    """The panel as if nothing were known in spans that a service leaves out."""
    end = panel.time(panel.columns)
    values = None
    for name, ask in _services():
        try:
            spans = ask(house_for_job("forecasts"), panel.streams, panel.start, end)
        except Exception:  # a service's code, whatever it is: forecasts go on without what it knows
            log.exception("a service could not say what forecasts leave out", service=name)
            continue
        for row, stream in enumerate(panel.streams):
            for begin, until in spans.get(stream, ()):
                values = panel.values.copy() if values is None else values
                first, last = (-(-(moment - panel.start) // panel.step) for moment in (begin, until))
                values[row, max(0, first) : max(0, last)] = np.nan
    return panel if values is None else msgspec.structs.replace(panel, values=values)


def _services() -> Iterator[tuple[str, LeavesOut]]:
    for service in settings.SERVICES:
        ask = getattr(app_of(service), "left_out", None)
        if ask is not None:
            yield service.name, ask

"""Reading a stream for a page: what cannot be answered is noted as a fault of the question."""

from typing import cast

from django.utils.translation import gettext as _

from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.spans import Head
from allmende.knowledge.analyses.values import Span, Take, Values, read_values
from allmende.web.analyses.asking import Asked, wrong

WIDTHS = {"hour": times.HOUR, "quarter": 15 * times.MINUTE, "day": times.DAY}


def read(asked: Asked, stream: Head, span: Span, width: str) -> Values | None:
    """The stream in buckets of a width; None, and a fault, where that cannot be."""
    house = asked.house
    try:
        return read_values(
            house.store,
            house.reader,
            stream,
            span,
            WIDTHS[width],
            asked.zone,
            take=take_of(asked),
            limits=asked.limits,
        )
    except InvalidInput as error:
        wrong(asked, error)
        return None


def take_of(asked: Asked) -> Take:
    """Means, or sums for what is counted."""
    return cast(Take, asked.choice("take", ("mean", "sum")))


def no_values(stream: Head) -> str:
    """What is said of a stream that has none."""
    return _("No value of this stream has ever come.") if stream.last is None else ""

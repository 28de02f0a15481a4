"""Times of the camera: ISO 8601 with an offset."""

from typing import Any

from allmende.connectors.messages import Refused
from allmende.domain.errors import InvalidInput
from allmende.domain.times import parse_instant


def read_moment(text: Any) -> int:
    """Microseconds. Raises Refused."""
    if not isinstance(text, str):
        raise Refused("no-time", "the message has no time")
    try:
        return parse_instant(text)
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None

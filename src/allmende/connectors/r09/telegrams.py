"""The bytes of an R09.16 telegram.

    byte 0    9 | 1            mode and type
    byte 1    ZV ZW ZW ZW | 6  sign and amount of the deviation from the timetable; bytes behind the third
    byte 2-3  MP               reporting point, 16 bits
    byte 4-5  PR HA | LN LN LN priority, requested direction (2 bits each); line, three decimal digits
    byte 6    KN KN            run, two decimal digits: says whose duty it is, and is not read
    byte 7-8  ZN ZN ZN | R ZL  destination, three decimal digits; length of the train (3 bits)
    byte 9-10                  check, where the receiver leaves it on

Checked against 2,272 telegrams that receivers published with their contents.
"""

from typing import NamedTuple

from allmende.connectors.messages import Refused

_LENGTH = 9
_WITH_CHECK = 11
RUN = 6
"""The byte that holds the run."""
_POLYNOMIAL = 0x6F63


class Telegram(NamedTuple):
    """What is read of it."""

    point: int
    """All 16 bits: the number above, the kind of request in the last two."""
    line: int
    destination: int
    deviation: int
    """Code of the deviation from the timetable, -7 to 7, below 0 early."""
    priority: int
    length: int


def read_telegram(body: bytes) -> Telegram:
    """The contents. Raises Refused for another kind of telegram, digits that are none, a check that fails."""
    if len(body) not in (_LENGTH, _WITH_CHECK):
        raise Refused("unreadable", f"an R09.16 telegram has {_LENGTH} bytes, or {_WITH_CHECK} with its check")
    if body[0] != 0x91 or body[1] & 0x0F != 6:
        raise Refused("other-telegram", f"this is no R09.16 but begins with {body[:2].hex()}")
    if len(body) == _WITH_CHECK and not _checks(body):
        raise Refused("bad-check", "the check of the telegram fails: it was not received well")
    amount = body[1] >> 4 & 7
    return Telegram(
        point=body[2] << 8 | body[3],
        line=_decimal(body[4] & 0xF, body[5] >> 4, body[5] & 0xF),
        destination=_decimal(body[7] >> 4, body[7] & 0xF, body[8] >> 4),
        deviation=-amount if body[1] & 0x80 else amount,
        priority=body[4] >> 6,
        length=body[8] & 7,
    )


def _decimal(*digits: int) -> int:
    found = 0
    for digit in digits:
        if digit > 9:
            raise Refused("bad-digit", f"{digit:X} is no decimal digit")
        found = found * 10 + digit
    return found


def _checks(body: bytes) -> bool:
    """Whether the remainder is 0; the two bytes of the check are sent inverted."""
    rest = 0
    for byte in body[:-2] + bytes(byte ^ 0xFF for byte in body[-2:]):
        for place in range(8):  # as they are sent: the low bit first
            rest = rest << 1 | byte >> place & 1
            if rest & 0x10000:
                rest ^= 0x10000 | _POLYNOMIAL
    return rest == 0

"""Ids: strings that a source gives and keeps, or numbers that the house gives. '7' and 7 are one id."""

import re

from allmende.domain.errors import InvalidInput

MAX_LENGTH = 255
MAX_NUMBER = 2**63 - 1
_NUMBER = re.compile(r"(?:0|-?[1-9][0-9]{0,18})\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and halves of a pair of UTF-16, which no encoding can write."""


def normalise(value: object) -> str:
    """The id as it is kept: the text of it. Raises InvalidInput for what cannot be an id."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InvalidInput(f"an id is a string or a whole number, not {value!r}")
    if isinstance(value, int) and abs(value) >= 10**MAX_LENGTH:
        raise InvalidInput(f"an id has 1 to {MAX_LENGTH} characters, this number has more")
    text = str(value)
    if not text or len(text) > MAX_LENGTH:
        raise InvalidInput(f"an id has 1 to {MAX_LENGTH} characters, this one {len(text)}")
    if _CONTROL.search(text):
        raise InvalidInput(f"an id holds no control characters: {text!r}")
    return text


def is_number(text: str) -> bool:
    """Whether a kept id is shown as a number: the one way to write a 64-bit whole number, no leading zeros."""
    return _NUMBER.match(text) is not None and -MAX_NUMBER <= int(text) <= MAX_NUMBER


def shown(text: str) -> int | str:
    """The id as JSON shows it: a number where it is one."""
    return int(text) if is_number(text) else text


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slug(name: str) -> str:
    """A name as a part of an address: small letters, digits and hyphens; never empty."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name.lower().translate(_UMLAUTS))
    return "-".join(part for part in plain.split("-") if part) or "unknown"

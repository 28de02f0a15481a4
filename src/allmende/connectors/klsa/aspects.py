"""Codes of the signal control in words."""

STATES = {0: "no-connection", 1: "controlled", 2: "fallback"}
"""``status``."""

_FAST = 0x40
"""Set where the lamps flash twice a second instead of once; a steady aspect may bear it too."""

ASPECTS = {
    0x00: "dark",
    0x03: "red",
    0x0C: "amber",
    0x30: "green",
    0x0F: "red-amber",
    0x01: "red-flashing",
    0x02: "red-flashing",
    0x04: "amber-flashing",
    0x08: "amber-flashing",
    0x10: "green-flashing",
    0x20: "green-flashing",
}
"""OCIT-C: two bits for each lamp, from red in the lowest to green; both set is steady, one alone is half a period."""


def aspect(code: int) -> tuple[str, str]:
    """The word for an OCIT-C code and a flag or ""; a code without a word is kept as its number."""
    word = ASPECTS.get(code & ~_FAST) if 0 <= code <= 0x7F else None
    return (word, "") if word else (f"code-{code}", "unknown-category")

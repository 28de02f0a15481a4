"""Places for values that are not known yet, while a statement is made for all questions of one shape.

A slot can be bound as a parameter and nothing else. Whatever looks into it, to compare, to calculate, to choose a way,
raises :class:`LookedInto`: code that would make another statement for another value can never make one from a slot.
"""

from collections.abc import Callable
from typing import Any, Literal, NoReturn

Form = Literal["", "whole", "text", "numeral"]
"""What is known of a value by its shape: a whole number, a text without NUL, one that is a number in digits; or a
number of any sort."""


class LookedInto(Exception):
    """Code asked for a value that stands for any."""


class Slot:
    """The value at ``place``, once it is there, as ``how`` turns it."""

    __slots__ = ("form", "how", "place")

    def __init__(self, place: int, form: Form = "", how: Callable[[Any], Any] | None = None) -> None:
        self.place = place
        self.form = form
        self.how = how

    @property  # type: ignore[misc]  # mypy takes __class__ for a fixed attribute
    def __class__(self) -> Any:
        """isinstance() asks for it where the type itself does not answer; only isinstance(…, Slot) is answered."""
        raise LookedInto


def _refuse(*_: object) -> NoReturn:
    raise LookedInto


_LOOKS = (
    "eq ne lt le gt ge hash bool str repr format bytes len iter next contains getitem getattr call reversed "
    "int float complex index round trunc floor ceil abs neg pos invert add radd sub rsub mul rmul truediv rtruediv "
    "floordiv rfloordiv mod rmod divmod rdivmod pow rpow lshift rlshift rshift rrshift and rand or ror xor rxor "
    "reduce_ex copy deepcopy"
)
for _name in _LOOKS.split():
    setattr(Slot, f"__{_name}__", _refuse)


def turned(how: Callable[[Any], Any], value: Any) -> Any:
    """``how(value)``, now or when it is bound. ``how`` takes any value of the shape without an error."""
    if isinstance(value, Slot):
        if value.how is not None:
            raise LookedInto
        return Slot(value.place, value.form, how)
    return how(value)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number; of a slot its shape tells."""
    return value.form == "whole" if isinstance(value, Slot) else isinstance(value, int)


class Filler:
    """Puts values into the slots among parameters."""

    __slots__ = ("_constants", "_slots")

    def __init__(self, params: tuple[Any, ...]) -> None:
        self._constants = [None if isinstance(p, Slot) else p for p in params]
        self._slots = [(at, p.place, p.how) for at, p in enumerate(params) if isinstance(p, Slot)]

    def __call__(self, values: list[Any]) -> tuple[Any, ...]:
        """The parameters."""
        filled = self._constants.copy()
        for at, place, how in self._slots:
            filled[at] = values[place] if how is None else how(values[place])
        return tuple(filled)

"""What can go wrong between a program and a house.

::

    HouseError
    ├── Unreachable    no answer: the name, the network, the time
    ├── WrongInput     the question was not understood, or is too much; the house says why
    ├── Missing        there is no such thing, or it is not open to you
    ├── Refused        a token is needed, or has not the right
    └── NotNow         too often or too much at once: ask again after ``seconds``
"""


class HouseError(Exception):
    """Base of all; ``status`` is that of the answer, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(HouseError):
    """No answer came."""


class WrongInput(HouseError):
    """A mistake of the one who asks; the message names it."""


class Missing(HouseError):
    """Nothing is there that you may see."""


class Refused(HouseError):
    """Without a token, or with one that may not do this."""


class NotNow(HouseError):
    """Ask again later."""

    def __init__(self, message: str, status: int = 0, seconds: float = 0.0) -> None:
        super().__init__(message, status)
        self.seconds = seconds

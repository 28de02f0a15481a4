"""The one tree of errors. Each face maps it once.

::

    AllmendeError
    ├── InvalidInput            a user's mistake: says what was wrong, where, and what would be right
    │   ├── InvalidQuery        … in a question; ``where`` points into its text
    │   └── LimitExceeded       … too large, too deep, too much; names the setting
    ├── NotFound                no such thing, or hidden from this reader: the two are not told apart
    ├── NotSupported            right by the standard, not built yet
    ├── Forbidden               the reader may not do this
    ├── Conflict                it exists already, or does not go together with what there is
    │   └── ChangedMeanwhile    … somebody else was faster: look again, and decide anew
    ├── ConfigurationError      the operator's mistake: names the setting or the place in a file
    └── StorageError            the house's trouble
        ├── StorageBusy         no turn to write within the time limit; try again
        │   └── LostRace        … two writers stood in each other's way; who began the transaction runs it again
        └── StorageFull         the disk has reached its floor, or is full
"""


class AllmendeError(Exception):
    """Base of every error that Allmende raises on purpose.

    With ``arguments`` the message is a template (``'"%(value)s" is no id'``): by it pages find the words of another
    language, as they do for their own texts. Without, it is the message itself.
    """

    def __init__(self, message: str, *, where: str = "", **arguments: object) -> None:
        super().__init__(message)
        self.template = message
        self.arguments = arguments
        self.message = message % arguments if arguments else message
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InvalidInput(AllmendeError):
    """What was sent cannot be taken; nothing of it was stored."""


class InvalidQuery(InvalidInput):
    """A question that cannot be understood; ``where`` names option and position."""


class LimitExceeded(InvalidInput):
    """A limit was passed; ``setting`` is its name, so that an operator can change it."""

    def __init__(self, message: str, *, setting: str, where: str = "", **arguments: object) -> None:
        super().__init__(message, where=where, **arguments)
        self.message = f"{self.message} (limit: {setting})"
        self.setting = setting


class NotFound(AllmendeError):
    """There is nothing here that this reader may see."""


class NotSupported(AllmendeError):
    """Part of the standard that this release does not have."""


class Forbidden(AllmendeError):
    """The reader lacks the right."""


class Conflict(AllmendeError):
    """An entity with this id exists already, or it was changed meanwhile."""


class ChangedMeanwhile(Conflict):
    """The entity is no longer as it was seen."""


class ConfigurationError(AllmendeError):
    """A setting or a file of the operator is wrong."""


class StorageError(AllmendeError):
    """The storage could not do its work; nothing was half done."""


class StorageBusy(StorageError):
    """No turn to write within the time limit."""


class LostRace(StorageBusy):
    """Two transactions stood in each other's way inside of one that somebody else began, and that has to run again."""


class StorageFull(StorageError):
    """No room on the disk."""

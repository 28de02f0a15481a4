"""How a command ends: a code for scripts, one line for people."""

from enum import IntEnum
from types import MappingProxyType

from allmende.domain.errors import AllmendeError, ConfigurationError, NotFound, StorageError


class ExitCode(IntEnum):
    """What a script can tell apart; MEANINGS says when each comes."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    NOT_FOUND = 4
    STORAGE = 5
    RUNNING = 6
    INTERRUPTED = 130


MEANINGS = MappingProxyType(
    {
        ExitCode.OK: "It is done.",
        ExitCode.FAILED: "It could not be done, or not all of it (an import of which every reading was rejected, too);"
        " the message says why.",
        ExitCode.USAGE: "The command was called in a wrong way.",
        ExitCode.CONFIGURATION: "A setting, the city's profile or the home is wrong or missing.",
        ExitCode.NOT_FOUND: "There is no such source, file, rejection, user, token or dataset.",
        ExitCode.STORAGE: "The disk is full, or the database was busy for too long; what was counted is stored, and the"
        " same command may be given again.",
        ExitCode.RUNNING: "The home is served already by another process.",
        ExitCode.INTERRUPTED: "Ctrl-C; what was counted is stored.",
    }
)


def code_of(error: BaseException) -> ExitCode:
    """The exit code of what went wrong."""
    # By name, since its module is heavy and only `serve` raises it.
    if type(error).__name__ == "AlreadyRunning":
        return ExitCode.RUNNING
    if isinstance(error, ConfigurationError):
        return ExitCode.CONFIGURATION
    if isinstance(error, NotFound):
        return ExitCode.NOT_FOUND
    if isinstance(error, StorageError):
        return ExitCode.STORAGE
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    return ExitCode.FAILED


def sentence(error: BaseException) -> str:
    """What is wrong, in one line."""
    if isinstance(error, AllmendeError):
        return " ".join(str(error).split())
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return " ".join(f"{type(error).__name__}: {error}".split())

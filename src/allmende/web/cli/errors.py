"""How a command ends: a code for scripts, one line for people."""

from enum import IntEnum

from allmende.domain.errors import AllmendeError, ConfigurationError, NotFound, StorageError


class ExitCode(IntEnum):
    """docs/reference/command-line.md lists them; a test holds the two together."""

    OK = 0
    """It is done."""
    FAILED = 1
    """It could not be done, or not all of it; the message says why."""
    USAGE = 2
    """The command was called in a wrong way."""
    CONFIGURATION = 3
    """A setting, the city's profile or the home is wrong or missing."""
    NOT_FOUND = 4
    """There is no such source, file, rejection, user or token."""
    STORAGE = 5
    """The disk is full, or the database was busy for too long; the same command may be given again."""
    RUNNING = 6
    """The home is served already by another process."""
    INTERRUPTED = 130
    """Ctrl-C; what was acknowledged before is kept."""


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

"""The command ``allmende``. Nothing heavy is imported before a command needs it."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives its exit code. ``arguments`` default to the process's own."""
    from allmende.web.cli.app import run

    return run(arguments)

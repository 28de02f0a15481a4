"""Write docs/reference/command-line.md from the commands themselves; ``--check`` only says whether it is up to date."""

import sys
from pathlib import Path
from typing import Any

from allmende.web.cli.app import commands
from allmende.web.cli.errors import MEANINGS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "command-line.md"

HEAD = """# Command line

<!-- Written by tools/command_page.py from src/allmende/web/cli/. -->

Every command takes its settings from the environment and from `config.toml` in the home (see
[settings](settings.md)): `ALLMENDE_HOME=/srv/allmende allmende sources`. With `--json` it prints one JSON value on
standard output. What goes wrong is said in one line on standard error; with `--json` also as an object with `error` and
`code`. `allmende --debug COMMAND` shows the code where it happened. What a command changes stands in the audit log,
under the account of the operating system that gave it.

## Exit codes

| Code | Meaning |
|---|---|
"""

IMPORT = """
With `--json` it ends with one object: `{"read", "accepted", "repeated", "corrected", "rejected", "seconds"}`. The four
counts sum to `read`, counted in readings; an unreadable message counts as one. Where it could not go on to the end,
`error` and `code` stand beside them. What is counted is stored, and the same import given again changes nothing but
what was missing.
"""


def page() -> str:
    """The page's text."""
    lines = [
        HEAD.rstrip("\n"),
        *(f"| {int(code)} | {text} |" for code, text in MEANINGS.items()),
        "",
        "## Commands",
        "",
    ]
    for name, command in commands().items():
        arguments = [p for p in command.params if not _is_option(p)]
        options = [p for p in command.params if _is_option(p)]
        words = " ".join(_argument(p) for p in arguments)
        lines += [f"### `{name}{' ' + words if words else ''}`", "", command.help, ""]
        lines += [f"- `{p.name.upper()}`: {p.help}" for p in arguments]
        lines += [f"- {_option(p)}: {p.help}" for p in options]
        lines += [""]
        if name == "allmende import":
            lines += [IMPORT.strip(), ""]
    return "\n".join(lines).rstrip() + "\n"


def _is_option(parameter: Any) -> bool:
    return any(name.startswith("-") for name in parameter.opts)


def _argument(parameter: Any) -> str:
    word = parameter.name.upper() + ("…" if parameter.nargs == -1 else "")
    return word if parameter.required else f"[{word}]"


def _option(parameter: Any) -> str:
    names = "/".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f" {parameter.name.upper().replace('PASSWORD_', '')}"
    return f"`{names}{value}`" + (" (needed)" if parameter.required else "")


def main() -> int:
    """Write, or check."""
    text = page()
    if "--check" in sys.argv:
        if PAGE.is_file() and PAGE.read_text("utf-8") == text:
            return 0
        print(f"{PAGE.name} is not up to date; run: python tools/command_page.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

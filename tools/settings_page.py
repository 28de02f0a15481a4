"""Write docs/reference/settings.md from the settings themselves; ``--check`` only says whether it is up to date."""

import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from allmende.web.config import settings
from allmende.web.setting import Setting

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "settings.md"

HEAD = """# Settings

<!-- Written by tools/settings_page.py from src/allmende/web/config.py. -->

Every setting has a safe default; a house runs without any. A setting is taken from its environment variable, else from
`config.toml` in the home (there its name is the one in the third column), else from its default. An unknown variable
that begins with `ALLMENDE_` is refused, so that a misspelt limit is not silently no limit. `allmende check` says what
is wrong.

Sizes are in bytes and may end in `K`, `M` or `G` (powers of 1024); times are in seconds unless it says otherwise;
switches are `yes` or `no`. A secret may stand in a file instead, named by the variable with `_FILE` appended.
"""


def page() -> str:
    """The page's text."""
    lines = [HEAD]
    section = ""
    for setting in settings():
        if setting.section != section:
            section = setting.section
            lines += [f"## {section}", "", "| Variable | Default | In `config.toml` | Meaning |", "|---|---|---|---|"]
        lines.append(row(setting))
        lines += [""] if is_last(setting) else []
    return "\n".join(lines).rstrip() + "\n"


def row(setting: Setting) -> str:
    """The setting's line."""
    variable = f"`{setting.env}`" + (f"<br>`{setting.env}_FILE`" if setting.secret else "")
    name = "" if setting.name == "home" else f"`{setting.name}`"
    return f"| {variable} | {default(setting)} | {name} | {meaning(setting)} |"


def is_last(setting: Setting) -> bool:
    """Whether the section ends with this one."""
    names = [other.name for other in settings() if other.section == setting.section]
    return names[-1] == setting.name


def default(setting: Setting) -> str:
    """The default as an operator would write it."""
    value: Any = setting.default
    if "shown" in setting.extra:
        return str(setting.extra["shown"])
    if isinstance(value, bool):
        return "no" if not value else "yes"
    if isinstance(value, int) and value >= 1024 and value % 1024 == 0:
        return f"{value // 2**20}M" if value % 2**20 == 0 else f"{value // 1024}K"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value not in ("", ()) else "none"


def meaning(setting: Setting) -> str:
    """The setting's description with its choices or range."""
    text = setting.text.replace("|", "\\|")
    if get_origin(setting.type) is Literal:
        return f"{text} One of {', '.join(f'`{choice}`' for choice in get_args(setting.type))}."
    low, high = setting.extra.get("low"), setting.extra.get("high")
    if low is not None and high is not None:
        return f"{text} From {low} to {high}."
    return text


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            print("docs/reference/settings.md is not up to date: python tools/settings_page.py", file=sys.stderr)
            return 1
        return 0
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

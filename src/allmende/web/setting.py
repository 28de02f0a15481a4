"""One setting: what is known of it, and how its text becomes a value."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from allmende.domain.errors import ConfigurationError

KIB, MIB = 1024, 1024 * 1024


def describe(env: str, section: str, text: str, **extra: Any) -> Meta:
    """What stands beside a field of Config: its variable, its section of the page, what it is for, its bounds."""
    return Meta(description=text, extra={"env": env, "section": section, **extra})


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one field of Config."""

    name: str
    env: str
    section: str
    text: str
    type: Any
    default: Any
    extra: Mapping[str, Any]

    @property
    def secret(self) -> bool:
        return bool(self.extra.get("secret"))


def as_text(value: Any) -> str:
    """A value of config.toml as the environment would hold it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def parse(setting: Setting, text: str, where: str) -> Any:
    """The value; raises ConfigurationError that names ``where``, what is wrong and what would be right."""
    text = text.strip()
    shown = "the value" if setting.secret else repr(text)
    kind = setting.type
    if kind is bool:
        choices = {
            "1": True,
            "yes": True,
            "true": True,
            "on": True,
            "0": False,
            "no": False,
            "false": False,
            "off": False,
        }
        if text.lower() not in choices:
            raise ConfigurationError(f"{shown} is neither yes nor no", where=where)
        return choices[text.lower()]
    if kind in (int, float):
        return _number(setting, text, shown, where)
    if get_origin(kind) is Literal:
        if text.lower() not in get_args(kind):
            raise ConfigurationError(f"{shown} is none of {', '.join(get_args(kind))}", where=where)
        return text.lower()
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is Path:
        return Path(text).expanduser().absolute()
    if any(ord(sign) < 32 for sign in text):
        raise ConfigurationError("control characters are not allowed", where=where)
    schemes = setting.extra.get("schemes")
    if schemes and text:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.netloc:
            raise ConfigurationError(f"{shown} is no address that begins with {'://, '.join(schemes)}://", where=where)
    return text


_SIZES = {"": 1, "k": KIB, "m": MIB, "g": 1024 * MIB}


def _number(setting: Setting, text: str, shown: str, where: str) -> int | float:
    """A number; sizes may end in K, M or G (powers of 1024)."""
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)([kmg]?)(?:i?b)?", text.replace("_", ""), re.IGNORECASE)
    whole = setting.type is int
    if match is None or (whole and "." in match[1]):
        raise ConfigurationError(f"{shown} is no {'whole number' if whole else 'number'}", where=where)
    if match[2] and "bytes" not in setting.env.lower() and setting.name not in ("disk_floor", "disk_warning"):
        raise ConfigurationError(f"{shown} has a unit; write the bare number", where=where)
    number = (int(match[1]) if whole else float(match[1])) * _SIZES[match[2].lower()]
    low, high = setting.extra.get("low", 0), setting.extra.get("high", math.inf)
    if not low <= number <= high:
        limits = f"between {low} and {high}" if high != math.inf else f"at least {low}"
        raise ConfigurationError(f"{shown} is out of range: it has to be {limits}", where=where)
    return number

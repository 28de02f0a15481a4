"""Topic names and filters (MQTT 3.1.1, chapter 4.7)."""

_MOST_BYTES = 4096
_MOST_LEVELS = 32


def is_topic(name: str) -> bool:
    """Whether somebody may publish to it: no wildcard, no ``$``, no NUL, of a sane length."""
    return _is_sane(name) and "+" not in name and "#" not in name and not name.startswith("$")


def is_filter(text: str) -> bool:
    """Whether somebody may subscribe to it: wildcards stand alone in their level, ``#`` in the last one."""
    if not _is_sane(text):
        return False
    levels = text.split("/")
    for place, level in enumerate(levels):
        if len(level) > 1 and ("+" in level or "#" in level):
            return False
        if level == "#" and place != len(levels) - 1:
            return False
    return True


def _is_sane(text: str) -> bool:
    return (
        0 < len(text.encode("utf-8", "surrogatepass")) <= _MOST_BYTES
        and "\x00" not in text
        and text.count("/") < _MOST_LEVELS
    )


def is_wild(filter_: str) -> bool:
    """Whether it takes more than one topic."""
    return any(level in ("+", "#") for level in filter_.split("/"))


def matches(filter_: str, topic: str) -> bool:
    """Whether a filter takes a topic. Wildcards at the start do not take topics that begin with ``$``."""
    if topic.startswith("$") and filter_[:1] in ("+", "#"):
        return False
    return covers(filter_, topic)


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic that ``narrow`` (a filter) takes is taken by ``wide`` too."""
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    for place, level in enumerate(wide_levels):
        if level == "#":
            return True
        if place >= len(narrow_levels):
            return False
        other = narrow_levels[place]
        if other == "#" or (level not in ("+", other)):
            return False
    # `a/#` also takes `a` itself, which `a/+` and `a` treat apart; equal length is what is left to ask.
    return len(wide_levels) == len(narrow_levels)

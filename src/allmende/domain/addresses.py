"""Addresses with secrets in them, as others may see them. A secret belongs into the environment; some stand here."""

import re

_LOGIN = re.compile(r"(?<=://)[^/?#\s@]*@")
_PARAMETER = re.compile(
    r"([?&;][^=&#\s]*(?:key|token|secret|passw|pwd|auth|signature|sig|credential|session|jwt)[^=&#\s]*=)"
    r"(?!\$\{)([^&#\s'\"<>)]+)",
    re.IGNORECASE,
)


def hide_secrets(text: str) -> str:
    """A text with what looks like a secret in its addresses replaced: names and passwords, parameters called ``token``
    and the like. Names of variables (``${SOURCE_TOKEN}``) stay."""
    if "://" not in text:
        return text
    return _PARAMETER.sub(r"\1***", _LOGIN.sub("***@", text))


def holds_secret(address: str) -> bool:
    """Whether something in an address looks like a secret."""
    return hide_secrets(address) != address

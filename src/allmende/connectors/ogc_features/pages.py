"""How a page of a complete delivery is named, so that ``parse`` can tell it from one that somebody saved by itself."""

import re

_PAGE = re.compile(r"#page=\d+\Z", re.ASCII)


def page_name(address: str, number: int) -> str:
    """The name of a payload that is one of the pages that ``fetch`` gets."""
    return f"{address}#page={number}"


def is_page(name: str) -> bool:
    """Whether a payload is one of them: the others come with it, or the delivery fails."""
    return _PAGE.search(name) is not None

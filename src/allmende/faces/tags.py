"""Entity tags, for every face: which state of an answer was seen."""

import xxhash


def etag_of(body: bytes) -> str:
    """The entity tag of an answer: of its bytes, so that any difference is one.

    It guards against mistakes, not against forgers, so that the fastest hash will do.
    """
    return f'"{xxhash.xxh3_128_hexdigest(body)}"'


def names_tag(header: str, tag: str) -> bool:
    """Whether an If-Match or If-None-Match names the tag.

    ``W/`` is looked over: a proxy that compresses puts it there, and the tag says the same of the entity.
    """
    listed = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in listed or tag in listed

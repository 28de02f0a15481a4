"""Resource paths (18-088, 9.2): ``Things('a')/Datastreams(7)/Observations``, to any depth.

Ids stand in quotes or bare; a bare one may hold slashes and parentheses, since the bracket that ends it stands before
a slash or at the end.
"""

import re
from functools import lru_cache

import msgspec

from allmende.domain.errors import InvalidInput, NotFound
from allmende.domain.ids import normalise
from allmende.domain.model import ENTITIES, SETS, EntityType
from allmende.domain.query import Step

MAX_STEPS = 32
_SEGMENT = re.compile(
    r"(?P<name>\$?@?[A-Za-z][A-Za-z0-9._]*)"
    r"(?:\((?:'(?P<quoted>(?:[^']|'')*)'|(?P<bare>[^'][^/]*?(?:/[^/]*?)*?))\))?(?=/|\Z)"
)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What a path names: a set, one entity, or a property of it."""

    entity: str
    path: tuple[Step, ...] = ()
    id: str | None = None
    to_one: bool = False
    """Led to by a to-one relation: one entity without an id of its own."""
    attribute: str | None = None
    raw: bool = False
    """``/$value``."""
    reference: bool = False
    """``/$ref``."""

    @property
    def single(self) -> bool:
        """Whether it names one entity."""
        return self.id is not None or self.to_one


@lru_cache(maxsize=2_000)
def parse_address(text: str) -> Address:
    """The address of a decoded path without the root; raises NotFound for what cannot exist."""
    segments = _segments(text)
    if len(segments) > MAX_STEPS:
        raise InvalidInput(f"a path has at most {MAX_STEPS} steps, this one {len(segments)}")
    name, identifier = segments[0]
    entity = SETS.get(name)
    if entity is None:
        raise NotFound(f"there is no {name!r}; sets are {', '.join(SETS)}")
    path: list[Step] = []
    to_one = False
    for place, (name, key) in enumerate(segments[1:], 1):
        last = place == len(segments) - 1
        if name in ("$ref", "$value") or entity.attribute(name) or name in ("id", "@iot.id"):
            return _ending(entity, tuple(path), identifier, to_one, segments[place:])
        relation = entity.relation(name)
        if relation is None:
            raise NotFound(f"{entity.name} has no {name!r}")
        if identifier is None and not to_one:
            raise NotFound(f"{name} belongs to one {entity.name}: write {entity.set_name}(id)/{name}")
        if key is not None and not relation.many:
            raise NotFound(f"{name} is one entity and takes no id")
        path.append(Step(entity.name, identifier, name))
        entity, identifier, to_one = ENTITIES[relation.target], key, not relation.many
        if identifier is None and not to_one and not last and not segments[place + 1][0].startswith("$"):
            raise NotFound(f"{segments[place + 1][0]!r} belongs to one {entity.name}: write {name}(id)/…")
    return Address(entity=entity.name, path=tuple(path), id=identifier, to_one=to_one)


def _ending(
    entity: EntityType, path: tuple[Step, ...], identifier: str | None, to_one: bool, rest: list[tuple[str, str | None]]
) -> Address:
    """A property, its raw value, or references."""
    names = [name for name, _ in rest]
    single = identifier is not None or to_one
    if names == ["$ref"]:
        return Address(entity=entity.name, path=path, id=identifier, to_one=to_one, reference=True)
    if single and names[0] != "$value" and names[1:] in ([], ["$value"]):
        return Address(
            entity=entity.name, path=path, id=identifier, to_one=to_one, attribute=names[0], raw=len(names) == 2
        )
    raise NotFound(f"{'/'.join(names)!r} leads nowhere")


def _segments(text: str) -> list[tuple[str, str | None]]:
    text = text.strip("/")
    found: list[tuple[str, str | None]] = []
    at = 0
    while at < len(text):
        match = _SEGMENT.match(text, at)
        if match is None:
            raise NotFound(f"{text[at:][:60]!r} is no part of a path")
        quoted, bare = match["quoted"], match["bare"]
        key = quoted.replace("''", "'") if quoted is not None else bare
        if key is not None:
            try:
                key = normalise(key)
            except InvalidInput as error:
                raise NotFound(error.message) from None
        found.append((match["name"], key))
        at = match.end() + 1
    if not found:
        raise NotFound("an empty path")
    return found

"""MQTT topics (18-088, clause 14): an address behind ``v1.1/``, perhaps with ``$select``, ``$expand`` and ``$filter``.

A topic is kept literally as the client wrote it; what it asks for is parsed here.
"""

from urllib.parse import unquote

import msgspec

from allmende.domain.errors import InvalidQuery
from allmende.domain.face import FaceLimits
from allmende.domain.ids import is_number
from allmende.domain.logs import EntityChange
from allmende.domain.model import ENTITIES, STREAMS
from allmende.domain.policy import Reader
from allmende.domain.query import Page, Query
from allmende.faces.sensorthings.address import Address, parse_address
from allmende.faces.sensorthings.face import value_json
from allmende.faces.sensorthings.options import Asked, parse_options
from allmende.faces.sensorthings.render import render_rows
from allmende.faces.sensorthings.rows import text

PREFIX = "v1.1/"
ERRORS = "v1.1/errors"
"""What was wrong with a message; each client hears of its own alone."""
_OPTIONS = ("$select", "$expand", "$filter")
_ESCAPED = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "%+#/?"})
"""What means something else in a topic. Everything else stands in it as it is."""


Stream = tuple[str, str]
"""Its entity type and its id."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic asks for, with the rights of its reader."""

    topic: str
    address: Address
    asked: Asked

    @property
    def entity(self) -> str:
        """The type of the entities that it is about."""
        return self.address.entity

    @property
    def stream(self) -> Stream | None:
        """The one stream whose Observations it is about."""
        step = self.address.path[-1] if self.address.path else None
        if step is None or step.id is None or self.entity != "Observation" or step.entity not in STREAMS:
            return None
        return step.entity, step.id

    @property
    def canonical(self) -> bool:
        """Whether it asks for a stream's Observations and nothing else: the topic that everybody uses."""
        plain = self.stream is not None and not self.asked.texts
        return plain and not self.address.single and self.address.attribute is None

    @property
    def computed(self) -> bool:
        """Whether it is about a property that follows from a stream's observations."""
        attribute = ENTITIES[self.entity].attribute(self.address.attribute or "")
        return self.entity in STREAMS and attribute is not None and attribute.computed

    def wants(self, change: EntityChange) -> bool:
        """Whether a change may concern it, as far as one sees without asking."""
        if change.entity != self.entity or self.address.id not in (None, change.id):
            return False
        attribute = self.address.attribute
        return attribute is None or change.kind == "create" or attribute in change.fields

    def question(self, identifier: str) -> Query:
        """Whether one entity is among what it asks for, and what is said of it."""
        return msgspec.structs.replace(self.asked.query, id=identifier, top=1)

    def messages(self, page: Page, root: str) -> list[bytes]:
        """The message of each row of an answer."""
        name = self.address.attribute
        if name is None:
            return [row.encode() for row in render_rows(page, self.asked, root)]
        rows = (msgspec.structs.replace(page, rows=[row]) for row in page.rows)
        return [f"{{{text(name)}:{value_json(row, page.query, name) or 'null'}}}".encode() for row in rows]


def parse_subscription(topic: str, *, reader: Reader, limits: FaceLimits) -> Subscription:
    """What a topic asks for. Raises NotFound or an InvalidQuery for what cannot be asked."""
    path, _, options = topic.removeprefix(PREFIX).partition("?")
    address = parse_address(unquote(path))
    if address.raw or address.reference:
        raise InvalidQuery("a topic is a set, an entity or a property", where=path)
    asked = parse_options(address, options, reader=reader, limits=limits)
    for option in asked.texts:
        if option not in _OPTIONS:
            raise InvalidQuery(f"goes with reading; a topic takes {', '.join(_OPTIONS)}", where=option)
    if address.attribute is not None:
        query = msgspec.structs.replace(asked.query, select=(address.attribute,), expand=())
        asked = msgspec.structs.replace(asked, query=query, expands={})
    return Subscription(topic=topic, address=address, asked=asked)


def creation_path(topic: str) -> str:
    """The address of the set that a client publishes to: what stands behind the (last) ``v1.1/``."""
    return unquote(topic[topic.rindex(PREFIX) + len(PREFIX) :]) if PREFIX in topic else topic


def entity_topic(entity: str, identifier: str) -> str:
    """The topic of one entity, e.g. ``v1.1/Things('a')``."""
    shown = identifier if is_number(identifier) else "'" + identifier.replace("'", "''").translate(_ESCAPED) + "'"
    return f"{PREFIX}{ENTITIES[entity].set_name}({shown})"


def observations_topic(stream: str, entity: str = "Datastream") -> str:
    """The topic of a stream's readings, e.g. ``v1.1/Datastreams('a')/Observations``."""
    return f"{entity_topic(entity, stream)}/Observations"

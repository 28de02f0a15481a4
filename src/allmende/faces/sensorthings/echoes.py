"""Entities that a client sends back whole where their id would do.

Clients that keep entities as objects (FROST's among them) send each related one with its id and all that they know of
it. An entity that is there already is meant, not a second one to be made; what is said of it beside its id is looked
over, as FROST-Server does. One that is not there is made, under that id.
"""

from typing import Any

from allmende.domain import ids
from allmende.domain.errors import InvalidInput
from allmende.domain.model import ENTITIES, EntityType
from allmende.domain.policy import Reader
from allmende.domain.query import Query
from allmende.domain.store import Store


def settle_echoes(entity: str, body: Any, store: Store, reader: Reader, most: int) -> Any:
    """The body with ``{"@iot.id": …}`` in place of each inline entity that this reader can see already.

    Asks the store once for each inline entity with an id and more, and for none beyond ``most`` of them: so many are
    not created at once anyway.
    """
    try:
        return _Settling(store, reader, most).inside(ENTITIES[entity], body)
    except RecursionError:
        return body  # too deep: who reads it next refuses it


class _Settling:
    def __init__(self, store: Store, reader: Reader, most: int) -> None:
        self.store = store
        self.reader = reader
        self.left = most

    def inside(self, entity: EntityType, body: Any) -> Any:
        """An entity's body, with its relations settled."""
        if not isinstance(body, dict):
            return body
        settled = body
        for relation in entity.relations:
            value = body.get(relation.name)
            if not isinstance(value, dict | list):
                continue
            target = ENTITIES[relation.target]
            if settled is body:
                settled = dict(body)
            settled[relation.name] = (
                [self._one(target, item) for item in value] if isinstance(value, list) else self._one(target, value)
            )
        return settled

    def _one(self, target: EntityType, item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        said = item.get("@iot.id", item.get("id"))
        if said is not None and len(item) > 1 and self._is_there(target, said):
            return {"@iot.id": said}
        return self.inside(target, item)

    def _is_there(self, target: EntityType, said: Any) -> bool:
        try:
            identifier = ids.normalise(said)
        except InvalidInput:
            return False  # refused with its place by who reads it next
        if not self.left:
            return False
        self.left -= 1
        question = Query(entity=target.name, reader=self.reader, id=identifier, top=1, select=("id",))
        return bool(self.store.find(question).rows)

"""What stands inside of a condition: values of a known type, and the way to them along relations."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from re import split
from typing import Literal, NamedTuple

from allmende.domain.creation import GEOJSON
from allmende.domain.errors import AllmendeError, InvalidQuery
from allmende.domain.model import ENTITIES, Attribute, Kind
from allmende.domain.query import Expression, Path, ResultKind
from allmende.storage.connections import Dialect, JsonKind
from allmende.storage.relations import JOINS, key_of
from allmende.storage.schema import COLUMNS
from allmende.storage.sql import Scope, Sql, all_of, attribute_expressions, id_text, related

Type = Literal["number", "string", "boolean", "instant", "interval", "duration", "clock", "geometry", "null", "free"]
WORDS: Mapping[Type, str] = {
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "instant": "a time",
    "interval": "a time",
    "duration": "a duration",
    "clock": "a time of day",
    "geometry": "a geometry",
    "null": "null",
    "free": "JSON",
}
Keys = tuple[str | int, ...]
MOST_STEPS = 10
"""Relations in one path of a filter: each is a join, and no engine plans many of them in good time."""


class Typed(NamedTuple):
    """A piece of SQL that gives one type.

    Numbers are doubles, texts compare by code points, booleans are conditions, times are microseconds (an interval's
    end stands in ``last``, its start where it is an instant), times of day are microseconds since midnight. ``free``
    are results and parts of JSON, which have any type in each row: ``each`` gives the value where it is of a type,
    and ``sql`` is the condition that there is none.
    """

    kind: Type
    sql: Sql
    last: Sql | None = None
    each: Callable[[JsonKind], Sql] | None = None


class Here(NamedTuple):
    """An entity within a scope."""

    scope: Scope
    entity: str
    alias: str


class Item(NamedTuple):
    """An item of a list in JSON, as JSON."""

    body: str


class Place:
    """Where one condition stands: the entity it is asked of, variables of any(), and to-many relations on its way.

    A condition over a to-many relation asks whether any of them fulfils it; the same relation, named twice in one
    condition, means the same entity.
    """

    def __init__(
        self,
        here: Here,
        variables: Mapping[str, Here | Item] | None = None,
        columns: Mapping[Keys, "Typed"] | None = None,
    ) -> None:
        self.here = here
        self.variables = dict(variables or {})
        self.columns = columns
        """Where it is not asked of an entity, but of a row of an aggregation: its columns by their names."""
        self._many: dict[tuple[str, str], tuple[Here, list[Sql]]] = {}

    @property
    def dialect(self) -> Dialect:
        """The engine's words."""
        return self.here.scope.dialect

    def fresh(self) -> "Place":
        """For a condition of its own."""
        return Place(self.here, self.variables, self.columns)

    def binding(self, name: str, here: Here | Item) -> "Place":
        """The same with one more variable."""
        return Place(self.here, {**self.variables, name: here}, self.columns)

    @property
    def asks_many(self) -> bool:
        """Whether a to-many relation was walked along."""
        return bool(self._many)

    def column(self, path: Path) -> "Typed | None":
        """A column of an aggregation; None where entities are asked."""
        if self.columns is None:
            return None
        found = self.columns.get(path.parts)
        if found is None:
            known = ", ".join("/".join(map(str, name)) for name in self.columns)
            said = "/".join(map(str, path.parts))
            raise InvalidQuery(f"there is no column {said!r} here; there are {known}", where=at(path))
        return found

    def walk(self, path: Path) -> tuple[Here, tuple[str | int, ...]]:
        """The entity that has the property, and the rest of the path."""
        here, parts = self._follow(path)
        if not parts:
            raise InvalidQuery(
                f"{path.parts[-1]} is an entity; name a property of it, e.g. {path.parts[-1]}/id", where=at(path)
            )
        return here, parts

    def item(self, path: Path) -> Item | None:
        """The item of a list that the path begins with, by the name of its variable."""
        found = self.variables.get(str(path.parts[0]))
        return found if isinstance(found, Item) else None

    def is_list(self, path: Path) -> bool:
        """Whether a path leads into JSON and not to related entities."""
        return self.item(path) is not None or bool(self._follow(path)[1])

    def walk_many(self, path: Path) -> Here:
        """The entities that any() ranges over."""
        here, parts = self._follow(path)
        if parts or (here.alias not in {h.alias for h, _ in self._many.values()}):
            raise InvalidQuery(
                "any() asks of related entities that are many, e.g. Datastreams/any(d: …)", where=at(path)
            )
        return here

    def wrap(self, condition: Sql) -> Sql:
        """The condition as it holds for any of the entities on its way."""
        for here, rules in reversed(self._many.values()):
            listed = all_of([*rules, condition])
            condition = "EXISTS (SELECT 1 FROM " + here.scope.tables() + " WHERE " + listed + ")"
        return condition

    def _follow(self, path: Path) -> tuple[Here, tuple[str | int, ...]]:
        parts = path.parts
        if self.columns is not None:
            raise InvalidQuery("columns are numbers, texts and times, without parts or relations", where=at(path))
        if len(parts) > MOST_STEPS + 10:
            raise InvalidQuery(f"this path is too deep: more than {MOST_STEPS} relations", where=at(path))
        here = self.here
        named = self.variables.get(str(parts[0]))
        if isinstance(named, Item):
            raise InvalidQuery(f"{parts[0]} is an item of a list", where=at(path))
        if named is not None:
            here, parts = named, parts[1:]
        while parts:
            relation = ENTITIES[here.entity].relation(str(parts[0]))
            if relation is None:
                break
            parts = parts[1:]
            if relation.many:
                here = self._enter(here, relation.name, relation.target)
            else:
                joined = here.scope.to_one(here.entity, here.alias, relation.name)
                here = Here(here.scope, relation.target, joined)
        return here, parts

    def _enter(self, here: Here, relation: str, target: str) -> Here:
        known = self._many.get((here.alias, relation))
        if known is not None:
            return known[0]
        inner = here.scope.inner(target)
        parent = Sql(f"{here.alias}.{key_of(here.entity)}")
        rules = [related(JOINS[here.entity, relation], target, inner.alias, parent)]
        rules += inner.visible(target, inner.alias)
        entered = Here(inner, target, inner.alias)
        self._many[here.alias, relation] = entered, rules
        return entered


def read_path(place: Place, path: Path) -> Typed:
    """A property as a value."""
    column = place.column(path)
    if column is not None:
        return column
    item = place.item(path)
    if item is not None:
        return _free_json(place.dialect, item.body, path.parts[1:])
    here, parts = place.walk(path)
    name, keys = str(parts[0]), parts[1:]
    if name in ("id", "@iot.id"):
        return Typed("string", Sql(id_text(here.entity, here.alias)))
    attribute = attribute_of(here.entity, name, path)
    dialect = place.dialect
    columns = attribute_expressions(here.entity, here.alias, name, dialect)
    if keys or attribute.kind is Kind.JSON:
        return _free_json(dialect, body_of(attribute, columns, path), keys)
    if attribute.kind is Kind.RESULT:
        alias = here.alias
        return Typed(
            "free",
            Sql(f"{alias}.result_kind = {ResultKind.NULL}"),
            each=lambda kind: Sql(dialect.result_as(alias, kind)),
        )
    if attribute.kind is Kind.STRING:
        return Typed("string", Sql(columns[0]))
    if attribute.kind is Kind.INSTANT:
        return Typed("instant", Sql(columns[0]))
    if attribute.kind is Kind.INTERVAL:
        return Typed("interval", Sql(columns[0]), last=Sql(f"coalesce({columns[-1]}, {columns[0]})"))
    if attribute.kind is Kind.GEOMETRY:
        if kept := dialect.places.get((here.entity, name)):
            return Typed("geometry", Sql(f"{here.alias}.{kept}"))
        return Typed("geometry", call(dialect, "geojson", _geojson(here, name, columns[0])))
    raise InvalidQuery(f"{name} cannot be compared as a whole", where=at(path))


def _geojson(here: Here, name: str, column: str) -> Sql:
    """A geometry, null where it is kept in another encoding."""
    if "encodingType" not in COLUMNS[here.entity]:
        return Sql(column)
    encoding = f"{here.alias}.{COLUMNS[here.entity]['encodingType']}"
    known = sorted(GEOJSON)
    return Sql(f"(CASE WHEN {encoding} IN ({', '.join('?' * len(known))}) THEN {column} END)", tuple(known))


def _free_json(dialect: Dialect, body: str, keys: tuple[str | int, ...]) -> Typed:
    def each(kind: JsonKind) -> Sql:
        found = Sql(*dialect.json_at(body, keys, kind))
        return call(dialect, "real", found) if kind == "number" else found

    return Typed("free", Sql(*dialect.json_missing(body, keys)), each=each)


def json_of(place: Place, path: Path) -> tuple[str, Keys]:
    """The JSON that a path leads into, and the keys inside of it; raises InvalidQuery where there is none."""
    item = place.item(path)
    if item is not None:
        return item.body, path.parts[1:]
    here, parts = place.walk(path)
    attribute = attribute_of(here.entity, str(parts[0]), path)
    columns = attribute_expressions(here.entity, here.alias, attribute.name, place.dialect)
    return body_of(attribute, columns, path), parts[1:]


def attribute_of(entity: str, name: str, path: Path) -> Attribute:
    """The attribute of that name, or an error that says which there are."""
    attribute = ENTITIES[entity].attribute(name)
    if attribute is None:
        known = ", ".join(["id", *(a.name for a in ENTITIES[entity].attributes)])
        raise InvalidQuery(f"{entity} has no property {name!r}; it has {known}", where=at(path))
    return attribute


def body_of(attribute: Attribute, columns: tuple[str, ...], path: Path) -> str:
    """The JSON of an attribute, or an error that it has no parts."""
    body = json_column(attribute, columns)
    if body is None:
        raise InvalidQuery(f"{attribute.name} has no parts", where=at(path))
    return body


def json_column(attribute: Attribute, columns: tuple[str, ...]) -> str | None:
    """The JSON of an attribute, null where a result is none; None for attributes that never are JSON."""
    if attribute.kind is Kind.RESULT:
        return f"(CASE WHEN {columns[0]} >= {ResultKind.JSON} THEN {columns[1]} END)"
    return columns[-1] if attribute.kind in (Kind.OBJECT, Kind.LIST, Kind.JSON) else None


def call(dialect: Dialect, function: str, *arguments: Sql) -> Sql:
    """One of the dialect's functions over its arguments."""
    made = Sql("")
    for place, piece in enumerate(split(r"\{(\d)\}", dialect.functions[function])):
        made = made + (arguments[int(piece)] if place % 2 else piece)
    return made


@contextmanager
def told(option: str) -> Iterator[None]:
    """Mistakes in expressions of another option than ``$filter`` are told as its."""
    try:
        yield
    except AllmendeError as error:
        if not error.where.startswith("$filter"):
            raise
        error.where = option + error.where.removeprefix("$filter")
        raise


def at(node: Expression) -> str:
    """Where a node stands, for messages."""
    return f"$filter, character {getattr(node, 'at', 0) + 1}"

"""Where derived streams come from, as they say it themselves: readable by everybody, and by us after a restart."""

from typing import Any

import msgspec

from allmende.domain.policy import Reader
from allmende.domain.query import Compare, Expand, Logic, Path, Query, Value
from allmende.domain.records import ThingDeclaration
from allmende.domain.store import Store
from allmende.knowledge.groups import Group
from allmende.knowledge.prepare import Rule

_PAGE = 1_000


class _Said(msgspec.Struct):
    rule: str
    group: str
    output: str
    inputs: list[str]


class Lineage(msgspec.Struct):
    """The derived streams that there are."""

    readers: dict[str, set[tuple[str, str]]] = {}
    """Of each stream that is read: rule and group that give something of it."""
    outputs: dict[tuple[str, str], dict[str, str]] = {}
    """Of each rule and group: the ids of its streams by output."""
    things: dict[tuple[str, str], str] = {}

    def note(self, rule: str, group: str, output: str, stream: str, thing: str, inputs: list[str]) -> None:
        """Remember a derived stream."""
        self.outputs.setdefault((rule, group), {})[output] = stream
        self.things[rule, group] = thing
        for name in inputs:
            self.readers.setdefault(name, set()).add((rule, group))

    def thing(self, rule: str, group: str) -> ThingDeclaration:
        """The thing that a rule's streams for a group hang on."""
        return ThingDeclaration(id=self.things[rule, group], name="", kept=True)


def read_lineage(store: Store, reader: Reader) -> Lineage:
    """What the derived streams say of themselves."""
    named = [Compare("ne", Path(("properties", key)), Value(None, "null")) for key in ("rule", "output")]
    things = Query(entity="Thing", reader=reader, select=("id",))
    query = Query(
        entity="Datastream",
        reader=reader,
        filter=Logic("and", tuple(named)),
        select=("properties",),
        expand=(Expand(relation="Thing", query=things),),
        top=_PAGE,
    )
    lineage = Lineage()
    while True:
        page = store.find(query)
        for pk, stream, text in (row[:3] for row in page.rows):
            properties = msgspec.json.decode(text) if text else {}
            thing = page.expanded["Thing"][pk].rows
            try:
                said = msgspec.convert(properties, _Said)
            except msgspec.ValidationError:
                continue  # somebody else's words
            if thing:
                lineage.note(said.rule, said.group, said.output, str(stream), str(thing[0][1]), said.inputs)
        if page.next is None:
            return lineage
        query = msgspec.structs.replace(query, after=page.next)


def describe(rule: Rule, group: Group, output: str) -> dict[str, Any]:
    """What a derived stream says of itself, in its properties."""
    said = rule.profile.outputs[output]
    found: dict[str, Any] = {
        "derived": True,
        "rule": rule.id,
        "rule_title": dict(rule.profile.title),
        "version": rule.edition,
        "output": output,
        "group": group.key,
        "inputs": [stream for stream in group.streams if stream not in group.kept],
        "dataset": rule.profile.dataset,
    }
    found["steps"] = dict(rule.profile.steps)
    if said.cases:
        found["cases"] = [{"when": case.when, "then": case.then} for case in said.cases]
    else:
        found["expression"] = said.expression
    if rule.profile.window.every:
        found["window"] = rule.profile.window.every
    return {key: value for key, value in found.items() if value not in ({}, "")}

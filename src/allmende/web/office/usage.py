"""Where words are used: what names an observed property, and the datasets of an organisation."""

from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.domain.policy import house_reader
from allmende.domain.profile import Profile
from allmende.domain.query import Compare, Path, Query, Value
from allmende.domain.retention import listed
from allmende.web.house import open_store
from allmende.web.portal.sources import spoken

SHOWN = 10
_MOST = 1_000
_READER = house_reader("office")


class Use(NamedTuple):
    """One line: where a word is used."""

    what: str
    names: list[str]
    more: int = 0
    """How many more than are named."""


def uses_of(kind: str, key: str, profile: Profile) -> list[Use]:
    """Where a table is used by others, as far as the office looks for it."""
    if kind == "property":
        return list(_of_property(key, profile))
    if kind == "organisation" and key in profile.organisations:
        name = profile.organisations[key].name
        found = [spoken(each.title) for each in profile.datasets.values() if each.publisher == name]
    elif kind == "policy":
        found = [spoken(each.title) for each in profile.datasets.values() if each.licence == key]
    else:
        return []
    return [Use(_("Datasets"), found)] if found else []


def _of_property(key: str, profile: Profile) -> Iterator[Use]:
    page = open_store().find(
        Query(
            entity="Datastream",
            reader=_READER,
            filter=Compare("eq", Path(("ObservedProperty", "id")), Value(key, "string")),
            select=("name",),
            top=SHOWN,
            count=True,
        )
    )
    total = page.count or 0
    if total:
        words = ngettext("%(n)d stream", "%(n)d streams", total) % {"n": total}
        yield Use(words, [str(row[2]) for row in page.rows], max(0, total - SHOWN))
    merged = [name for name, each in profile.properties.items() if each.merged_into == key]
    rules = [
        spoken(rule.title) or rule.id
        for rule in profile.rules.values()
        if any(key in listed(put.property) for put in rule.inputs.values())
        or any(output.property.id == key for output in rule.outputs.values())
    ]
    kept = [rule.id for rule in profile.retention.values() if key in listed(rule.property)]
    ranges = [
        spoken(source.title) for source in profile.sources.values() if key in (source.contract.get("ranges") or {})
    ]
    for words, names in (
        (_("Merged into it"), merged),
        (_("Rules"), rules),
        (_("Retention rules"), kept),
        (_("Plausible values of sources"), ranges),
    ):
        if names:
            yield Use(words, names)


def undescribed(profile: Profile) -> list[tuple[str, str]]:
    """Ids and names of observed properties that are in use and that the city has no words for yet."""
    page = open_store().find(Query(entity="ObservedProperty", reader=_READER, select=("name",), top=_MOST))
    return [(str(id_), str(name)) for _key, id_, name in page.rows if id_ not in profile.properties]

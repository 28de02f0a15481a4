"""The questions that CKAN hands to Solr, as far as clients ask them: words, ``field:value``, ranges of times, minus."""

import re
from typing import NamedTuple

from allmende.domain.errors import InvalidQuery
from allmende.domain.search.index import Index
from allmende.faces.ckan.packages import Dict

FACETS = ("organization", "groups", "tags", "license_id", "res_format")
LONGEST = 2000
_TOKEN = re.compile(
    r"""(?P<sign>[+-]?)(?:(?P<field>[a-z_]+):)?
    (?:"(?P<quoted>[^"]*)"|\[(?P<low>\S+)\s+TO\s+(?P<high>\S+)\]|\((?P<many>[^()]*)\)|(?P<word>[^\s"()\[\]]+))""",
    re.VERBOSE,
)
_DATES = ("metadata_modified", "metadata_created")


class Condition(NamedTuple):
    """One part of a question: all of them have to hold."""

    field: str
    """"" for anywhere in the description."""
    values: tuple[str, ...]
    """One of them has to fit."""
    low: str = ""
    high: str = ""
    unwanted: bool = False


def parse(text: str) -> list[Condition]:
    """The conditions of ``q`` or ``fq``. Raises InvalidQuery for what cannot be understood, instead of finding all."""
    if len(text) > LONGEST:
        raise InvalidQuery(f"is longer than {LONGEST} characters", where="q")
    found, place = [], 0
    text = text.strip()
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            raise InvalidQuery(f"cannot be understood at {text[place : place + 20]!r}", where="q")
        place = match.end()
        condition = _condition(match)
        if condition is not None:
            found.append(condition)
    return found


def _condition(match: "re.Match[str]") -> Condition | None:
    parts = match.groupdict()
    field, word = parts["field"] or "", parts["word"]
    if word in ("AND", "*:*", "*") and not field:
        return None
    if word == "OR":
        raise InvalidQuery("OR stands in brackets behind a field here: tags:(a OR b)", where="q")
    unwanted = parts["sign"] == "-"
    if parts["low"]:
        if field not in _DATES:
            raise InvalidQuery(f"a range is of {' or '.join(_DATES)}", where="q")
        return Condition(field, (), parts["low"], parts["high"], unwanted)
    if parts["many"] is not None:
        inner = [piece.strip().strip('"') for piece in re.split(r"\s+OR\s+", parts["many"])]
        return Condition(field, tuple(piece for piece in inner if piece), unwanted=unwanted)
    value = parts["quoted"] if parts["quoted"] is not None else word
    if field and value == "*":
        return None
    return Condition(field, (value,), unwanted=unwanted)


def score(index: Index, conditions: list[Condition], scores: dict[str, float]) -> dict[str, float]:
    """Of the scored names those for which all conditions on words hold, with what these add."""
    for condition in conditions:
        hits: dict[str, float] = {}
        for value in condition.values:
            text = value.replace('"', " ").rstrip("*")
            for name, more in index.search(f'"{text}"' if " " in text else text).scores.items():
                hits[name] = max(hits.get(name, 0.0), more)
        if condition.unwanted:
            scores = {name: own for name, own in scores.items() if name not in hits}
        else:
            scores = {name: own + hits[name] for name, own in scores.items() if name in hits}
    return scores


def fits(found: Dict, condition: Condition) -> bool:
    """Whether a package holds what a condition asks."""
    if condition.low:
        own = str(found.get(condition.field) or "")[:19]
        low, high = (end.rstrip("Z")[:19] for end in (condition.low, condition.high))
        hit = bool(own) and (low == "*" or own >= low) and (high == "*" or own <= high)
    else:
        values = values_of(found, condition.field)
        hit = any(_matches(value, wanted, exact=condition.field not in ("title", "notes"))
                  for wanted in condition.values for value in values)  # fmt: skip
    return hit != condition.unwanted


def _matches(value: str, wanted: str, *, exact: bool) -> bool:
    own, sought = value.casefold(), wanted.casefold()
    if sought.endswith("*"):
        return own.startswith(sought[:-1]) if exact else sought[:-1] in own
    return own == sought if exact else sought in own


def values_of(found: Dict, field: str) -> list[str]:
    """The values of a field, by Solr's names in CKAN."""
    plural = {
        "organization": [found["organization"]["name"]],
        "groups": [group["name"] for group in found["groups"]],
        "tags": [tag["name"] for tag in found["tags"]],
        "res_format": [resource["format"] for resource in found["resources"] if resource["format"]],
        "dataset_type": ["dataset"],
    }
    if field in plural:
        return plural[field]
    value = found.get(field)
    return [] if value is None or isinstance(value, list | dict) else [str(value).lower() if value in (True, False)
                                                                      else str(value)]  # fmt: skip


def sort_key(text: str) -> list[tuple[str, bool]]:
    """``name asc, metadata_modified desc`` as fields and whether they descend; what is not known is passed over."""
    keys = []
    for part in text.split(",")[:5]:
        words = part.split()
        if words and words[0] in ("name", "title", "title_string", "id", *_DATES):
            field = "title" if words[0] == "title_string" else words[0]
            keys.append((field, len(words) > 1 and words[1].lower() == "desc"))
    return keys


def facet(found: list[Dict], field: str, most: int) -> list[Dict]:
    """The values of a field with how many packages have them, the most frequent first."""
    counts: dict[str, int] = {}
    titles: dict[str, str] = {}
    for each in found:
        for name in dict.fromkeys(values_of(each, field)):
            counts[name] = counts.get(name, 0) + 1
        titles.update({group["name"]: group["title"] for group in each["groups"]})
        titles[each["organization"]["name"]] = each["organization"]["title"]
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    named = field in ("organization", "groups")
    return [
        {"name": name, "display_name": titles[name] if named else name, "count": counts[name]}
        for name in (ordered if most < 0 else ordered[:most])
    ]

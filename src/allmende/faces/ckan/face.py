"""CKAN's actions by name: parameters in, JSON out."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.errors import InvalidQuery, NotFound
from allmende.domain.face import Response
from allmende.domain.search.datasets import make_index
from allmende.domain.search.index import Index
from allmende.domain.tombstones import Tombstone, in_words
from allmende.faces.ckan import packages, search
from allmende.faces.ckan.packages import Dict

VERSION = "2.10.0"
"""Whose answers these are like; clients look at it to know what they may ask."""
ROWS, ROWS_MAX = 10, 1000
Parameters = Mapping[str, Any]
Action = Callable[[Catalogue, Parameters], Any]


class Invalid(Exception):
    """A parameter is wrong: by its name, what of it."""

    def __init__(self, **faults: str) -> None:
        super().__init__(str(faults))
        self.faults = faults


def answer(action: str, parameters: Parameters, catalogue: Catalogue, index: Index | None = None) -> Response:
    """Run an action; errors are CKAN's own. ``index`` is of that catalogue; without one it is made here."""
    help_ = f"{catalogue.root}/api/3/action/help_show?name={action}"
    found = ACTIONS.get(action)
    if found is None:
        if action.endswith(_WRITING):
            return _refuse(403, help_, {"__type": "Authorization Error", "message": "This catalogue is for reading"})
        return _json(400, f"Bad request - Action name not known: {action}")
    try:
        if found is package_show:
            stone = _tombstone(catalogue, _wanted(parameters))
            if stone is not None:
                # clients know what is not there by __type; 410 and the rest are for whoever reads on
                words = packages.text_in(stone.reason, catalogue)
                error = {"__type": "Not Found Error", "message": "Withdrawn", **in_words(stone, words)}
                return _refuse(410, help_, error)
        if found is package_search:
            result = package_search(catalogue, parameters, index)
        else:
            result = found(catalogue, parameters)
    except NotFound:
        return _refuse(404, help_, {"__type": "Not Found Error", "message": "Not found"})
    except Invalid as error:
        faults = {name: [fault] for name, fault in error.faults.items()}
        return _refuse(409, help_, {"__type": "Validation Error", **faults})
    except InvalidQuery as error:
        return _refuse(409, help_, {"__type": "Search Query Error", "message": str(error)})
    return _json(200, {"help": help_, "success": True, "result": result})


_WRITING = ("_create", "_update", "_delete", "_patch", "_purge", "_upsert")


def _refuse(status: int, help_: str, error: Dict) -> Response:
    return _json(status, {"help": help_, "success": False, "error": error})


def _json(status: int, body: Any) -> Response:
    return Response(status=status, body=msgspec.json.encode(body), content_type="application/json; charset=utf-8")


def _number(parameters: Parameters, name: str, default: int, *, most: int | None = None) -> int:
    value = parameters.get(name)
    if value in (None, ""):
        return default
    try:
        number = int(str(value)[:12])
    except ValueError:
        raise Invalid(**{name: "Invalid integer"}) from None
    if number < 0:
        raise Invalid(**{name: "Must be a natural number"})
    return number if most is None else min(number, most)


def _yes(parameters: Parameters, name: str) -> bool:
    return str(parameters.get(name, "")).lower() in ("true", "1", "yes", "on", "t", "y")


def _wanted(parameters: Parameters, name: str = "id") -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(**{name: "Missing value"})
    return value


def _page(listed: list[Any], parameters: Parameters) -> list[Any]:
    begin = _number(parameters, "offset", 0)
    return listed[begin : begin + _number(parameters, "limit", len(listed), most=len(listed))]


def package_list(catalogue: Catalogue, parameters: Parameters) -> list[str]:
    """The names of all datasets."""
    return _page([entry.id for entry in catalogue.entries], parameters)


def current_package_list_with_resources(catalogue: Catalogue, parameters: Parameters) -> list[Dict]:
    """All datasets, the newest first."""
    found = sorted(catalogue.entries, key=lambda entry: (entry.modified, entry.id), reverse=True)
    return [packages.package(entry, catalogue) for entry in _page(found, parameters)]


def package_show(catalogue: Catalogue, parameters: Parameters) -> Dict:
    """A dataset by name or id."""
    return packages.package(_entry(catalogue, _wanted(parameters)), catalogue)


def _tombstone(catalogue: Catalogue, name: str) -> Tombstone | None:
    return next((each for each in catalogue.tombstones if name in (each.id, packages.key_of(each.address))), None)


def _entry(catalogue: Catalogue, name: str) -> Entry:
    for entry in catalogue.entries:
        if name in (entry.id, packages.key_of(entry.address)):
            return entry
    raise NotFound(name)


def package_search(catalogue: Catalogue, parameters: Parameters, index: Index | None = None) -> Dict:
    """Datasets by words, conditions and facets. Words are searched as in the pages, the best hits first."""
    conditions = search.parse(_text(parameters, "q"))
    conditions += search.parse(_text(parameters, "fq"))
    for each in _listed(parameters, "fq_list"):
        conditions += search.parse(each)
    words = [condition for condition in conditions if condition.field in ("", "text")]
    others = [condition for condition in conditions if condition not in words]
    scores = dict.fromkeys((entry.id for entry in catalogue.entries), 0.0)
    if words:
        scores = search.score(index or make_index(catalogue, {}), words, scores)
    every = [packages.package(entry, catalogue) for entry in catalogue.entries if entry.id in scores]
    found = [each for each in every if all(search.fits(each, condition) for condition in others)]
    sort = _text(parameters, "sort") or ("score desc, " if words else "") + "metadata_modified desc"
    if sort.startswith("score desc"):
        found.sort(key=lambda each: each["metadata_modified"] or "", reverse=True)
        found.sort(key=lambda each: -scores[each["name"]])
        return _answer(found, sort, parameters)
    for field, descending in reversed(search.sort_key(sort)):
        found.sort(key=lambda each: str(each.get(field) or ""), reverse=descending)
    return _answer(found, sort, parameters)


def _answer(found: list[Dict], sort: str, parameters: Parameters) -> Dict:
    begin = _number(parameters, "start", 0)
    fields = [field for field in _listed(parameters, "facet.field") if field in search.FACETS]
    most = 50 if parameters.get("facet.limit") in (None, "") else _limit(parameters)
    facets = {field: search.facet(found, field, most) for field in fields}
    return {
        "count": len(found),
        "sort": sort,
        "results": found[begin : begin + _number(parameters, "rows", ROWS, most=ROWS_MAX)],
        "facets": {field: {item["name"]: item["count"] for item in items} for field, items in facets.items()},
        "search_facets": {field: {"title": field, "items": items} for field, items in facets.items()},
    }


def _limit(parameters: Parameters) -> int:
    return -1 if str(parameters["facet.limit"]) == "-1" else _number(parameters, "facet.limit", 50)


def _text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(**{name: "Must be a text"})
    return value


def _listed(parameters: Parameters, name: str) -> list[str]:
    """A list, or JSON or a Python-like text of one, as clients send it by GET."""
    value = parameters.get(name)
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value.replace("'", '"')) if value else []
        except msgspec.DecodeError:
            value = [value]
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(**{name: "Not a list"})
    return [str(each) for each in value[:50]]


def _organisations(catalogue: Catalogue) -> dict[str, tuple[Dict, list[Entry]]]:
    found: dict[str, tuple[Dict, list[Entry]]] = {}
    for entry in catalogue.entries:
        publisher = packages.organisation(entry.publisher, catalogue)
        found.setdefault(publisher["name"], (publisher, []))[1].append(entry)
    return dict(sorted(found.items()))


def _groups(catalogue: Catalogue) -> dict[str, tuple[Dict, list[Entry]]]:
    found: dict[str, tuple[Dict, list[Entry]]] = {}
    for key in vocabulary.vocabulary(vocabulary.THEMES).terms:
        entries = [entry for entry in catalogue.entries if key in entry.dataset.themes]
        if entries:
            theme = packages.group(key, catalogue)
            found[theme["name"]] = (theme, entries)
    return found


def _list(found: dict[str, tuple[Dict, list[Entry]]], parameters: Parameters) -> list[Any]:
    if not _yes(parameters, "all_fields"):
        return _page(list(found), parameters)
    return _page([{**said, "package_count": len(entries)} for said, entries in found.values()], parameters)


def _show(found: dict[str, tuple[Dict, list[Entry]]], catalogue: Catalogue, parameters: Parameters) -> Dict:
    name = _wanted(parameters)
    for said, entries in found.values():
        if name in (said["name"], said["id"]):
            shown = {**said, "package_count": len(entries), "users": [], "extras": [], "tags": [], "groups": []}
            if _yes(parameters, "include_datasets"):
                shown["packages"] = [packages.package(entry, catalogue) for entry in entries]
            return shown
    raise NotFound(name)


def tag_list(catalogue: Catalogue, parameters: Parameters) -> list[Any]:
    """All keywords."""
    sought = _text(parameters, "query").casefold()
    tags = sorted({tag for entry in catalogue.entries for tag in packages.tags_of(entry, catalogue)})
    found = [tag for tag in tags if sought in tag.casefold()]
    if _yes(parameters, "all_fields"):
        return [{"id": packages.key_of(f"tag:{tag}"), "name": tag, "display_name": tag, "vocabulary_id": None}
                for tag in found]  # fmt: skip
    return found


def license_list(catalogue: Catalogue, parameters: Parameters) -> list[Dict]:
    """All licences that are known here."""
    return [packages.licence(key, catalogue) for key in vocabulary.vocabulary(vocabulary.LICENCES).terms]


def resource_show(catalogue: Catalogue, parameters: Parameters) -> Dict:
    """One way to data by its id."""
    name = _wanted(parameters)
    for entry in catalogue.entries:
        for place, way in enumerate(entry.distributions):
            if packages.key_of(f"{entry.address}#{way.name}") == name:
                return packages.resource(way, place, entry, catalogue)
    raise NotFound(name)


def status_show(catalogue: Catalogue, parameters: Parameters) -> Dict:
    """What this is."""
    return {
        "ckan_version": VERSION,
        "site_url": catalogue.root,
        "site_title": packages.text_in(catalogue.title, catalogue),
        "site_description": packages.text_in(catalogue.description, catalogue),
        "locale_default": catalogue.languages[0],
        "error_emails_to": None,
        "extensions": [],
    }


ACTIONS: Mapping[str, Action] = {
    "package_list": package_list,
    "current_package_list_with_resources": current_package_list_with_resources,
    "package_show": package_show,
    "package_search": package_search,
    "organization_list": lambda catalogue, parameters: _list(_organisations(catalogue), parameters),
    "organization_show": lambda catalogue, parameters: _show(_organisations(catalogue), catalogue, parameters),
    "group_list": lambda catalogue, parameters: _list(_groups(catalogue), parameters),
    "group_show": lambda catalogue, parameters: _show(_groups(catalogue), catalogue, parameters),
    "tag_list": tag_list,
    "license_list": license_list,
    "resource_show": resource_show,
    "status_show": status_show,
    "site_read": lambda catalogue, parameters: True,
}

"""CKAN's actions as paths of an OpenAPI document, each with its parameters."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from allmende.faces.ckan.face import ACTIONS, ROWS, ROWS_MAX
from allmende.faces.ckan.search import FACETS

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_ID = {"id": {**_TEXT, "minLength": 1}}
_PAGE = {"limit": _COUNT, "offset": _COUNT}
_LISTED = {**_PAGE, "all_fields": _FLAG}
_SHOWN = {**_ID, "include_datasets": _FLAG}
_LIST_TEXT = {**_TEXT, "description": "A list as JSON, or one text."}
PARAMETERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "package_list": _PAGE,
        "current_package_list_with_resources": _PAGE,
        "package_show": _ID,
        "package_search": {
            "q": {**_TEXT, "maxLength": 2000},
            "fq": {**_TEXT, "maxLength": 2000},
            "fq_list": _LIST_TEXT,
            "sort": _TEXT,
            "start": _COUNT,
            "rows": {**_COUNT, "maximum": ROWS_MAX, "default": ROWS},
            "facet.field": {**_LIST_TEXT, "description": f"A list as JSON of {', '.join(FACETS)}."},
            "facet.limit": {"type": "integer", "minimum": -1},
        },
        "organization_list": _LISTED,
        "organization_show": _SHOWN,
        "group_list": _LISTED,
        "group_show": _SHOWN,
        "tag_list": {"query": _TEXT, "all_fields": _FLAG},
        "license_list": {},
        "resource_show": _ID,
        "status_show": {},
        "site_read": {},
    }
)
"""By action. All may stand in the body of a POST as JSON, too."""


def _refusal() -> dict[str, Any]:
    said = {"help": _TEXT, "success": {"const": False}, "error": {"type": "object", "required": ["__type"]}}
    return {"type": "object", "required": list(said), "properties": said}


def paths(refusals: Mapping[str, Any]) -> dict[str, Any]:
    """Below the root of the site; ``refusals`` are the responses that every address of the house may give."""
    return {f"/api/3/action/{name}": {"get": _operation(name, refusals)} for name in ACTIONS}


def _operation(name: str, refusals: Mapping[str, Any]) -> dict[str, Any]:
    parameters = PARAMETERS[name]
    answer = {
        "type": "object",
        "required": ["help", "success", "result"],
        "properties": {"help": {"type": "string"}, "success": {"const": True}, "result": {}},
    }
    refused = {
        "description": "What is wrong, in CKAN's words.",
        "content": {"application/json": {"schema": _refusal()}},
    }
    found = {"404": refused, "410": refused} if "id" in parameters else {}
    wrong = {"409": refused} if parameters else {}
    return {
        "operationId": name,
        "summary": (ACTIONS[name].__doc__ or name).strip().split("\n")[0] if ACTIONS[name].__name__ == name else name,
        "tags": ["CKAN"],
        "parameters": [
            {"name": each, "in": "query", "required": each == "id", "schema": schema}
            for each, schema in parameters.items()
        ],
        "responses": {
            "200": {"description": "The result.", "content": {"application/json": {"schema": answer}}},
            **found,
            **wrong,
            **refusals,
        },
    }

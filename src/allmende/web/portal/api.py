"""The developers' page: every address of the API as a list that needs no script, and a form that tries them out."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.domain.model import SETS, EntityType
from allmende.faces.sensorthings.openapi import PATH, describe
from allmende.web.sta import face_limits


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The page, from the same document that ``…/v1.1/api`` gives."""
    described = describe(face_limits())
    groups = [_group(described["paths"], entity) for entity in SETS.values()]
    options = [
        # Every second piece is code, as in Markdown.
        {"name": parameter["name"], "pieces": parameter["description"].split("`")}
        for parameter in described["components"]["parameters"].values()
        if parameter["in"] == "query" and parameter["name"] != "$skiptoken"
    ]
    values = {
        "groups": groups,
        "options": options,
        "others": list(_others(described["paths"])),
        "examples": _examples(),
        "root": request.build_absolute_uri("/sta/v1.1"),
        "document": PATH,
    }
    return render(request, "portal/api.html", values)


def _group(paths: Mapping[str, Any], entity: EntityType) -> dict[str, Any]:
    """What one set offers; properties are named together, each has the same two addresses."""
    attributes = [attribute.name for attribute in entity.attributes]
    operations = []
    for path, item in paths.items():
        head, _slash, tail = path.removeprefix(f"/{entity.set_name}").partition("/")
        if not path.startswith(f"/{entity.set_name}") or head not in ("", "({id})") or tail.split("/")[0] in attributes:
            continue
        operations += [
            {
                "method": method.upper(),
                "path": path.lstrip("/"),
                "words": _words(method, head, tail),
                "body": _body(item[method]),
            }
            for method in ("get", "post", "patch", "put", "delete")
            if method in item
        ]
    return {"name": entity.set_name, "attributes": attributes, "operations": operations}


def _others(paths: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What belongs to no set, besides the root; in the document's own words."""
    for path, item in paths.items():
        if path == "/" or path.lstrip("/").partition("(")[0].partition("/")[0] in SETS:
            continue
        for method, operation in item.items():
            if method != "parameters":
                yield {
                    "method": method.upper(),
                    "path": path.lstrip("/"),
                    "words": operation["summary"],
                    "body": _body(operation),
                }


def _words(method: str, head: str, tail: str) -> str:
    """What an operation does, by the shape of its address."""
    if tail == "$ref":
        return _("Read its address") if head else _("List the addresses alone")
    if tail:
        return _("Create one that belongs to it") if method == "post" else _("Read what belongs to it")
    one = {
        "get": _("Read one"),
        "patch": _("Change what the body says"),
        "put": _("Replace it by the body"),
        "delete": _("Delete it, and what hangs on it"),
    }
    many = {
        "get": _("List all, in pages"),
        "post": _("Create one, with what hangs on it if you like"),
        "delete": _("Delete those that a filter picks"),
    }
    return (one if head else many)[method]


def _body(operation: Mapping[str, Any]) -> str:
    """An example of what is sent, as JSON; empty where nothing is."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return json.dumps(content["example"], indent=2, ensure_ascii=False) if "example" in content else ""


def _examples() -> list[tuple[str, str]]:
    """Addresses to begin with, and what they give."""
    return [
        ("Things?$top=3", _("Three things that are measured")),
        ("Things?$expand=Locations,Datastreams&$top=3", _("… with their places and measurements")),
        (
            "Datastreams?$select=name,unitOfMeasurement&$expand=Observations($top=1;$orderby=phenomenonTime desc)",
            _("The newest value of each measurement"),
        ),
        ("Observations?$filter=result gt 100&$orderby=phenomenonTime desc&$top=5", _("The newest values above 100")),
        ("Datastreams?$filter=substringof('frei',name)&$count=true&$top=1", _("How many measurements are called so")),
    ]

"""A rule as fields of a form: from its table to fields, and from what was typed back to its table.

What the form has no field for (what an input's thing has to be beside texts) stays as it was.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from allmende.domain.actions import EXPRESSION, ActionProfile
from allmende.web.office.plainly import read_value, write_value

LANGUAGES = ("de", "en")
ROWS = 12
"""Inputs, and outputs, that the form can have."""
_PUT_TEXTS = ("type", "unit", "take", "age", "hold")
_PUT_TRUTHS = ("single", "implausible")
_PUT_USUAL = {"type": "number", "take": "latest"}
_OUT_TEXTS = ("stream", "unit", "unit_name", "type", "missing")
_OUT_USUAL = {"type": "measurement", "missing": "nothing"}
_ACTION_TEXTS = ("capability", "when", "age")
_ACTION_USUAL = {"age": ActionProfile(capability="", when="").age}
_LIMIT = ActionProfile(capability="", when="").limit
_SUPPRESS = ("below", "nearest")
_WINDOW = {"every": "", "length": "", "stamp": "start", "grace": ""}


class FieldFault(msgspec.Struct, frozen=True):
    """What is wrong in a field, in words; ``name`` is the field's."""

    name: str
    message: str


def to_fields(body: Mapping[str, Any]) -> dict[str, str]:
    """Field by name; of the n-th input ``input-n-unit``, and so on."""
    fields: dict[str, str] = {}
    for language in LANGUAGES:
        fields[f"title-{language}"] = _text(body.get("title"), language)
        fields[f"description-{language}"] = _text(body.get("description"), language)
    fields["dataset"] = str(body.get("dataset", ""))
    fields["by"] = str(body.get("by", "thing"))
    thing = body.get("thing") or {}
    fields |= {"thing-id": str(thing.get("id", "")), "thing-name": str(thing.get("name", ""))}
    window = body.get("window") or {}
    fields |= {f"window-{name}": str(window.get(name, usual)) for name, usual in _WINDOW.items()}
    fields["window-count"] = str(window.get("count") or "")
    fields["enabled"] = "" if body.get("enabled") is False else "on"
    fields["parameters"] = "\n".join(
        f"{name} = {write_value(value)}" for name, value in (body.get("parameters") or {}).items()
    )
    fields["steps"] = "\n".join(f"{name} = {text}" for name, text in (body.get("steps") or {}).items())
    for number, (name, put) in enumerate((body.get("inputs") or {}).items()):
        fields |= {f"input-{number}-{key}": value for key, value in _put_fields(name, put).items()}
    for number, (name, output) in enumerate((body.get("outputs") or {}).items()):
        fields |= {f"output-{number}-{key}": value for key, value in _output_fields(name, output).items()}
    for number, (dataset, reason) in enumerate((body.get("opens") or {}).items()):
        fields |= {f"open-{number}-name": dataset, f"open-{number}-reason": str(reason)}
    fields |= {f"suppress-{name}": str((body.get("suppress") or {}).get(name) or "") for name in _SUPPRESS}
    for number, (name, action) in enumerate((body.get("actions") or {}).items()):
        fields |= {f"action-{number}-{key}": value for key, value in _action_fields(name, action).items()}
    return fields


def _text(texts: Any, language: str) -> str:
    return str((texts or {}).get(language, ""))


def _put_fields(name: str, put: Mapping[str, Any]) -> dict[str, str]:
    way = next((way for way in ("property", "rule", "streams") if put.get(way)), "property")
    selected = put.get(way, "")
    fields = {
        "name": name,
        "was": name,
        "way": way,
        "selector": "\n".join(selected) if isinstance(selected, list) else str(selected),
        "thing": "\n".join(f"{key} = {write_value(value)}" for key, value in (put.get("thing") or {}).items()),
        "trigger": "" if put.get("trigger") is False else "on",
    }
    fields |= {key: str(put.get(key, _PUT_USUAL.get(key, ""))) for key in _PUT_TEXTS}
    return fields | {key: "on" if put.get(key) else "" for key in _PUT_TRUTHS}


def _output_fields(name: str, output: Mapping[str, Any]) -> dict[str, str]:
    said = output.get("property") or {}
    fields = {"name": name, "was": name, "property": str(said.get("id", ""))}
    fields |= {f"name-{language}": _text(said.get("name"), language) for language in LANGUAGES}
    fields |= {key: str(output.get(key, _OUT_USUAL.get(key, ""))) for key in _OUT_TEXTS}
    fields["expression"] = str(output.get("expression", ""))
    fields["cases"] = "\n".join(
        f"{case['when']} -> {case['then']}" if case.get("when") else f"else -> {case.get('then', '')}"
        for case in output.get("cases") or ()
    )
    return fields


def _action_fields(name: str, action: Mapping[str, Any]) -> dict[str, str]:
    given = action.get("parameters") or {}
    fixed = {key: value for key, value in given.items() if not _is_expression(value)}
    fields = {key: str(action.get(key, _ACTION_USUAL.get(key, ""))) for key in _ACTION_TEXTS}
    return fields | {
        "name": name,
        "was": name,
        "fixed": "\n".join(f"{key} = {write_value(value)}" for key, value in fixed.items()),
        "computed": "\n".join(f"{key} = {value[EXPRESSION]}" for key, value in given.items() if key not in fixed),
        "limit": str(action.get("limit", _LIMIT)),
        "each": "on" if action.get("each") else "",
        "real": "on" if action.get("dry_run") is False else "",
    }


def _is_expression(value: Any) -> bool:
    return isinstance(value, Mapping) and list(value) == [EXPRESSION]


# --- back ---


def to_body(fields: Mapping[str, str], before: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldFault]]:
    """The table that was typed, over what it was ``before``, and what cannot be understood in it.

    Its version is that of ``before``.
    """
    faults: list[FieldFault] = []
    body: dict[str, Any] = {**before, "version": before.get("version", 1)}
    for name in ("title", "description"):
        known = {key: text for key, text in (before.get(name) or {}).items() if key not in LANGUAGES}
        _put(body, name, known | {lang: got for lang in LANGUAGES if (got := _got(fields, f"{name}-{lang}"))})
    body["dataset"], body["by"] = _got(fields, "dataset"), _got(fields, "by") or "thing"
    _put(body, "thing", _thing(fields, before.get("thing") or {}) if body["by"] == "all" else {})
    window = {name: got for name in _WINDOW if (got := _got(fields, f"window-{name}")) and got != _WINDOW[name]}
    _put(body, "window", window)
    if count := _whole(fields, "window-count", faults):
        body["window"] = {**window, "count": count}
    body.pop("enabled", None)
    if not _got(fields, "enabled"):
        body["enabled"] = False
    _put(body, "parameters", {k: read_value(v) for k, v in _lines(fields, "parameters", faults)})
    _put(body, "steps", dict(_lines(fields, "steps", faults)))
    body["inputs"] = _several(fields, "input", before.get("inputs") or {}, _to_put, faults)
    body["outputs"] = _several(fields, "output", before.get("outputs") or {}, _to_output, faults)
    opened = _several(fields, "open", {}, _to_reason, faults)
    _put(body, "opens", opened)
    suppress = {name: _whole(fields, f"suppress-{name}", faults) for name in _SUPPRESS}
    _put(body, "suppress", {name: value for name, value in suppress.items() if value})
    _put(body, "actions", _several(fields, "action", before.get("actions") or {}, _to_action, faults))
    return body, faults


def _got(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name, "").replace("\r\n", "\n").strip()


def _whole(fields: Mapping[str, str], name: str, faults: list[FieldFault], head: str = "") -> int:
    """A whole number; 0 where there is none."""
    text = _got(fields, name)
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    if text:
        faults.append(FieldFault(f"{head}{name}", _("is a whole number")))
    return 0


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    """What is empty is left out."""
    body.pop(name, None)
    if value:
        body[name] = value


def _thing(fields: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
    thing = {**before, "id": _got(fields, "thing-id")}
    _put(thing, "name", _got(fields, "thing-name"))
    return thing


def _lines(fields: Mapping[str, str], name: str, faults: list[FieldFault]) -> list[tuple[str, str]]:
    """Lines of ``name = value``."""
    found: dict[str, str] = {}
    for number, line in enumerate(_got(fields, name).splitlines(), 1):
        if not line.strip():
            continue
        key, mark, value = (part.strip() for part in line.partition("="))
        if not mark or not key or not value:
            faults.append(FieldFault(name, _("line %(number)s: write name = value") % {"number": number}))
        elif key in found:
            faults.append(
                FieldFault(name, _("line %(number)s: %(name)s is there twice") % {"number": number, "name": key})
            )
        else:
            found[key] = value
    return list(found.items())


def _several(
    fields: Mapping[str, str], what: str, before: Mapping[str, Any], read: Any, faults: list[FieldFault]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number in range(ROWS):
        head = f"{what}-{number}-"
        own = {name.removeprefix(head): value for name, value in fields.items() if name.startswith(head)}
        name = _got(own, "name")
        if not name:
            continue
        if name in found:
            faults.append(FieldFault(f"{head}name", _("is there twice")))
            continue
        found[name] = read(own, before.get(_got(own, "was")) or {}, head, faults)
    return found


def _to_put(own: Mapping[str, str], before: Mapping[str, Any], head: str, faults: list[FieldFault]) -> dict[str, Any]:
    put = {key: value for key, value in before.items() if key not in ("streams", "property", "rule")}
    way, selector = _got(own, "way") or "property", _got(own, "selector")
    several = selector.split()
    # Of a property one is written as such, several as a list; ids are a list always.
    _put(put, way, several if way == "streams" or (way == "property" and len(several) > 1) else selector)
    things: list[FieldFault] = []
    _put(put, "thing", {key: read_value(value) for key, value in _lines(own, "thing", things)})
    faults += [FieldFault(f"{head}thing", fault.message) for fault in things]
    for key in _PUT_TEXTS:
        said = _got(own, key)
        _put(put, key, said if said != _PUT_USUAL.get(key) else "")
    for key in _PUT_TRUTHS:
        _put(put, key, bool(_got(own, key)))
    put.pop("trigger", None)
    if not _got(own, "trigger"):
        put["trigger"] = False
    return put


def to_put(own: Mapping[str, str]) -> dict[str, Any]:
    """The table of one input, of its fields by their short names; what cannot be read is left out."""
    return _to_put(own, {}, "", [])


def _to_output(
    own: Mapping[str, str], before: Mapping[str, Any], head: str, faults: list[FieldFault]
) -> dict[str, Any]:
    output = dict(before)
    said = dict(before.get("property") or {})
    said["id"] = _got(own, "property")
    names = {key: text for key, text in (said.get("name") or {}).items() if key not in LANGUAGES}
    said["name"] = names | {lang: got for lang in LANGUAGES if (got := _got(own, f"name-{lang}"))}
    output["property"] = said
    for key in _OUT_TEXTS:
        text = _got(own, key)
        _put(output, key, text if text != _OUT_USUAL.get(key) else "")
    _put(output, "expression", _got(own, "expression"))
    cases = []
    for number, line in enumerate(_got(own, "cases").splitlines(), 1):
        if not line.strip():
            continue
        when, mark, then = (part.strip() for part in line.rpartition("->"))
        if not mark or not then or not when:
            faults.append(
                FieldFault(
                    f"{head}cases",
                    _("line %(number)s: write condition -> value, or else -> value") % {"number": number},
                )
            )
            continue
        cases.append({"then": then} if when == "else" else {"when": when, "then": then})
    _put(output, "cases", cases)
    return output


def _to_reason(own: Mapping[str, str], _before: Mapping[str, Any], head: str, faults: list[FieldFault]) -> str:
    reason = _got(own, "reason")
    if not reason:
        faults.append(FieldFault(f"{head}reason", _("is missing")))
    return reason


def _to_action(
    own: Mapping[str, str], before: Mapping[str, Any], head: str, faults: list[FieldFault]
) -> dict[str, Any]:
    action = dict(before)
    for key in _ACTION_TEXTS:
        text = _got(own, key)
        _put(action, key, text if text != _ACTION_USUAL.get(key) else "")
    wrong: list[FieldFault] = []
    given = {key: read_value(text) for key, text in _lines(own, "fixed", wrong)}
    for key, text in _lines(own, "computed", wrong):
        if key in given:
            wrong.append(FieldFault("computed", _("%(name)s is there twice") % {"name": key}))
        given[key] = {EXPRESSION: text}
    known = [key for key in before.get("parameters") or {} if key in given]
    _put(action, "parameters", {key: given[key] for key in dict.fromkeys((*known, *given))})
    faults += [FieldFault(f"{head}{fault.name}", fault.message) for fault in wrong]
    limit = _whole(own, "limit", faults, head)
    _put(action, "limit", limit if limit != _LIMIT else 0)
    _put(action, "each", bool(_got(own, "each")))
    action.pop("dry_run", None)
    if _got(own, "real"):
        action["dry_run"] = False
    return action


def field_of(place: str, body: Mapping[str, Any]) -> str:
    """The field that a place in the table is typed in; "" where it has none: ``inputs.level.unit``."""
    head, _, rest = place.partition(".")
    if head in ("title", "description"):
        return f"{head}-{rest or LANGUAGES[0]}"
    if head in ("window", "thing", "suppress"):
        return f"{head}-{rest}" if rest else {"suppress": "suppress-below"}.get(head, head)
    if head == "opens":
        names = list(body.get(head) or {})
        return f"open-{names.index(rest)}-reason" if rest in names else ""
    if head in ("inputs", "outputs", "actions"):
        name, _, key = rest.partition(".")
        names = list(body.get(head) or {})
        if name not in names:
            return ""
        key = key.partition("[")[0].partition(".")[0]
        if head == "actions":
            inner = rest.partition(".")[2].split(".")
            known = (body[head][name].get("parameters") or {}).get(inner[1]) if len(inner) > 1 else None
            key = {"parameters": "computed" if _is_expression(known) else "fixed", "dry_run": "real"}.get(key, key)
        key = {"streams": "selector", "rule": "selector"}.get(key, key)
        if head == "inputs" and key == "property":
            key = "selector"
        return f"{head[:-1]}-{names.index(name)}-{key or 'name'}"
    if head in ("parameters", "steps", "dataset", "by"):
        return head
    return ""

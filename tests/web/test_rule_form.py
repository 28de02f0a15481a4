"""A rule in the form and back: nothing of it is lost, and what is typed wrongly is told at its field."""

import tomllib
from pathlib import Path

import pytest
from django.utils import translation

from allmende.web.rulebook.form import field_of, to_body, to_fields

RULES = Path(__file__).resolve().parents[2] / "cities" / "jena" / "rules"
BODIES = {
    name: body
    for path in sorted(RULES.glob("*.toml"))
    for name, body in tomllib.loads(path.read_text("utf-8")).get("rules", {}).items()
}


@pytest.mark.parametrize("name", BODIES)
def test_jenas_rules_come_back_as_they_were(name):
    body, faults = to_body(to_fields(BODIES[name]), BODIES[name])
    assert faults == []
    assert body == BODIES[name]


def test_what_is_typed_is_taken():
    fields = to_fields(BODIES["soil-site"])
    fields["output-2-cases"] = "mean < 1.8 -> 'blue'\r\nmean <= 3.8 -> 'yellow'\r\nelse -> 'red'\r\n"
    fields["input-0-age"] = "P3D"
    fields["input-1-name"], fields["input-1-way"], fields["input-1-selector"] = "rain", "property", "rain"
    fields["steps"] = "mean = mean(pf)\nwet = mean = 1"
    fields["window-every"] = "PT1H"
    body, faults = to_body(fields, BODIES["soil-site"])
    assert faults == []
    assert body["outputs"]["colour"]["cases"] == [
        {"when": "mean < 1.8", "then": "'blue'"}, {"when": "mean <= 3.8", "then": "'yellow'"}, {"then": "'red'"},
    ]  # fmt: skip
    assert body["inputs"]["pf"] == {"rule": "soil-pf.pf", "age": "P3D"}
    assert body["inputs"]["rain"] == {"property": "rain", "trigger": False}
    assert body["steps"]["wet"] == "mean = 1"
    assert body["window"] == {"every": "PT1H"}


def test_what_the_form_does_not_know_stays():
    before = {**BODIES["soil-site"], "window": {"every": "PT1H"}, "later": {"more": 1}}
    fields = to_fields(before)
    fields["output-0-name"] = "other"
    body, _ = to_body(fields, before)
    assert body["later"] == {"more": 1}
    assert list(body["outputs"]) == ["other", "depths", "colour"]


ACTION = {
    "capability": "valve-{group}",
    "when": "colour = 'red'",
    "parameters": {"minutes": 15, "litres": {"expression": "mean * 10"}, "code": "5", "on": True, "days": [1, 2]},
    "each": True,
    "dry_run": False,
    "limit": 2,
    "age": "PT1H",
}
PEOPLE = {"opens": {"cameras": "only sums of a day are given"}, "suppress": {"below": 10, "nearest": 5}}


@pytest.mark.parametrize("more", [{"actions": {"water": ACTION, "tell": {"capability": "x", "when": "true"}}}, PEOPLE])
def test_actions_and_what_protects_people_come_back_as_they_were(more):
    before = {**BODIES["soil-site"], **more}
    assert to_body(to_fields(before), before) == (before, [])


def test_actions_and_what_protects_people_are_typed():
    fields = to_fields(BODIES["soil-site"]) | {
        "action-0-name": "water", "action-0-capability": "valve-{group}", "action-0-when": "colour = 'red'",
        "action-0-fixed": "minutes = 15\ncode = '5'", "action-0-computed": "litres = mean * 10", "action-0-limit": "",
        "open-0-name": "cameras", "open-0-reason": "only sums of a day are given",
        "suppress-below": "10", "suppress-nearest": "",
    }  # fmt: skip
    body, faults = to_body(fields, BODIES["soil-site"])
    assert faults == []
    assert body["actions"] == {
        "water": {
            "capability": "valve-{group}", "when": "colour = 'red'",
            "parameters": {"minutes": 15, "code": "5", "litres": {"expression": "mean * 10"}},
        }
    }  # fmt: skip
    assert body["opens"] == PEOPLE["opens"]
    assert body["suppress"] == {"below": 10}
    gone, _ = to_body(to_fields(body) | {"action-0-name": "", "open-0-name": "", "suppress-below": ""}, body)
    assert not {"actions", "opens", "suppress"} & gone.keys()
    _, faults = to_body(fields | {"suppress-below": "few", "action-0-limit": "-1", "open-0-reason": ""}, body)
    assert {fault.name for fault in faults} == {"suppress-below", "action-0-limit", "open-0-reason"}


def test_lines_that_say_nothing_are_told():
    fields = to_fields(BODIES["soil-site"])
    fields |= {"parameters": "limit", "steps": "a = 1\na = 2", "window-count": "many", "output-2-cases": "red"}
    with translation.override("en"):
        _, faults = to_body(fields, BODIES["soil-site"])
    assert {(fault.name, fault.message) for fault in faults} == {
        ("parameters", "line 1: write name = value"),
        ("steps", "line 2: a is there twice"),
        ("window-count", "is a whole number"),
        ("output-2-cases", "line 1: write condition -> value, or else -> value"),
    }


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ("inputs.pf.unit", "input-0-unit"), ("inputs.pf.rule", "input-0-selector"), ("inputs.pf", "input-0-name"),
        ("outputs.colour.cases[1].when", "output-2-cases"), ("outputs.pf.expression", "output-0-expression"),
        ("steps.mean", "steps"), ("window.every", "window-every"), ("title", "title-de"), ("version", ""),
        ("inputs.gone.unit", ""), ("outputs.pf.property.id", "output-0-property"),
    ],
)  # fmt: skip
def test_a_place_is_led_to_its_field(place, field):
    assert field_of(place, BODIES["soil-site"]) == field

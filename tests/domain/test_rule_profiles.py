"""Files of rules: their shape is checked before the house starts, and every error names file and key."""

import pytest

from allmende.domain.profile_checks import ProfileError
from allmende.domain.rule_files import parse_rules

RULE = """
[rules.wet]
version = 1
title = { de = "Nass", en = "Wet" }
dataset = "soil"
[rules.wet.inputs.level]
property = "level"
[rules.wet.outputs.wet]
property = { id = "wet", name = { de = "Nass", en = "Wet" } }
type = "truth"
expression = "level > 3"
"""
AREAS = (
    b'{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": "1", "name": "One", "n": 3},'
    b' "geometry": {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}}]}'
)
GROUPS = """
[groups.site]
table = "sites.csv"
kind = "site"
title = { de = "Standort", en = "Site" }
source = "constructed"
date = "2026"
prefix = "site-"
facts = ["depth"]
"""
SITES = b"id,name,lon,lat,member,depth\n7,Seven,11.5,50.9,dev-1 dev-2,30\n7,Seven,11.5,50.9,dev-3,30\n8,,,,,\n"


def read(text: str, **files: bytes):
    beside = {f"rules/{name.replace('__', '.')}": body for name, body in files.items()}
    return parse_rules({"rules/soil.toml": text.encode(), **beside})


def test_a_rule_is_read():
    _, rules = read(RULE)
    assert rules["wet"].file == "rules/soil.toml"
    assert rules["wet"].outputs["wet"].type == "truth"
    assert rules["wet"].edition({}).startswith("1+")


def test_another_word_is_another_edition():
    _, one = read(RULE)
    _, other = read(RULE.replace("> 3", "> 4"))
    assert one["wet"].edition({}) != other["wet"].edition({})
    assert read(RULE)[1]["wet"].edition({}) == one["wet"].edition({})


def test_another_row_of_its_table_is_another_edition():
    rule = RULE.replace('dataset = "soil"', 'dataset = "soil"\nby = "site"')
    editions = set()
    for sites in (SITES, SITES.replace(b"dev-2", b"dev-4"), SITES):
        groups, rules = read(GROUPS + rule, sites__csv=sites)
        editions.add(rules["wet"].edition(groups))
    assert len(editions) == 2


def test_rows_of_a_table_with_the_same_key_are_one_group():
    groups, _ = read(GROUPS, sites__csv=SITES)
    seven, eight = groups["site"].groups
    assert (seven.key, seven.thing, seven.lon, seven.facts) == ("7", "site-7", 11.5, {"depth": "30"})
    assert seven.members == {"dev-1", "dev-2", "dev-3"}
    assert (eight.name, eight.lon, eight.members) == ("8", None, frozenset())


def test_outlines_come_as_geojson():
    text = GROUPS.replace("sites.csv", "areas.geojson").replace('["depth"]', '["n"]') + 'match = "inside"\n'
    groups, _ = read(text, areas__geojson=AREAS)
    (one,) = groups["site"].groups
    assert one.outline is not None
    assert one.facts == {"n": 3}


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (("version = 1", "version = 0"), ".version", "begins with 1"),
        (("version = 1\n", ""), ".version", "is missing"),
        (("[rules.wet]", "[rules.wet]\nby = 'street'"), ".by", "neither of"),
        (("[rules.wet]", "[rules.wet]\nwindow = { every = 'PT' }"), ".window.every", "no ISO 8601"),
        (("[rules.wet]", "[rules.wet]\nwindow = { evry = 'PT1H' }"), ".window.evry", "no known key"),
        (("[rules.wet]", "[rules.wet]\nsteps = { 'a-b' = '1' }"), ".a-b", "without hyphens"),
        (("[rules.wet]", "[rules.wet]\nparameters = { level = 1 }"), ".level", "of its own"),
        (("[rules.wet]", "[rules.wet]\nby = 'all'"), ".thing", 'by = "all"'),
        (('property = "level"', 'property = "level"\nrule = "a.b"'), ".inputs.level", "by one of"),
        (('property = "level"', 'property = "level"\nage = "1 day"'), ".inputs.level.age", "no ISO 8601"),
        (('property = "level"', 'property = "level"\ntake = "readings"'), ".inputs.level.take", "window"),
        (('property = "level"', 'rule = "other"'), ".inputs.level.rule", "RULE.OUTPUT"),
        (('property = "level"', 'property = "level"\nunite = "m"'), ".inputs.level.unite", "no known key"),
        (('expression = "level > 3"\n', ""), ".outputs.wet", "an expression or cases"),
        (('type = "truth"', 'type = "maybe"'), ".outputs.wet.type", "maybe"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(change, place, words):
    assert change[0] in RULE
    with pytest.raises(ProfileError, match=words) as caught:
        read(RULE.replace(*change))
    assert caught.value.place.startswith("rules/soil.toml: rules.wet")
    assert caught.value.place.endswith(place)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[rules", "rules/soil.toml"),
        ("[rule.a]\n", "rules/soil.toml: rule"),
        ("[rules.A]\n", "rules/soil.toml: rules.A"),
        (GROUPS, "rules/soil.toml: groups.site.table"),
        (GROUPS.replace('source = "constructed"', 'source = ""'), "rules/soil.toml: groups.site.source"),
    ],
)
def test_files_that_cannot_be_read_are_named(text, place):
    with pytest.raises(ProfileError) as caught:
        read(text)
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"name,lon\nSeven,1\n", "table, row 1"),
        (b"id,name\n7,Seven\n", "table, row 1"),
        (b"id,name,depth,lon,lat\n7,Seven,30,east,1\n", "table, row 1"),
        (b"\xff", "table"),
    ],
)
def test_rows_of_a_table_that_are_wrong_are_named(body, place):
    with pytest.raises(ProfileError) as caught:
        read(GROUPS, sites__csv=body)
    assert caught.value.place == f"rules/soil.toml: groups.site.{place}"


def test_the_same_rule_in_two_files_is_refused():
    with pytest.raises(ProfileError, match="twice") as caught:
        read(RULE, more__toml=RULE.encode())
    assert caught.value.place == "rules/soil.toml: rules.wet"

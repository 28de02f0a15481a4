"""WZDx 4.2, as Washington State publishes it (captured), and a feed constructed from its schema."""

import json

from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    features,
    kept_features,
    manifest_settings,
    payload,
    sample,
)
from allmende.connectors.wzdx.parse import parse
from allmende.domain.connector import Source
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.wzdx"
SOURCE = Source(id="works", connector="wzdx", dataset="d", settings=manifest_settings(HERE))
BODY = sample(HERE, "feed-constructed.json")
FOREVER = ("the year 9999", "the year 0001")
"""How some say "for ever" and "since ever": not to be told from a time."""


def test_washington():
    parsed = assert_sound(parse, payload(captured("roadworks/wzdx_wsdot.json")), SOURCE)
    assert not parsed.rejections
    assert list(kept_features(parsed)) == ["40615-W", "14636-N"]
    works = features(parsed)["40615-W"]
    assert works.valid_from == parse_instant("2025-04-25T00:00:00Z")
    assert works.properties["description"] == "I-5, SR 524, and SR 525 - Fish Passages"
    assert works.properties["is_start_date_verified"] is True
    assert "core_details" not in works.properties


def test_other_versions_mean_other_things():
    for version in ("3.1", "5.0", None):
        feed = json.loads(BODY)
        feed["feed_info"]["version"] = version
        parsed = parse(payload(json.dumps(feed).encode()), SOURCE)
        assert [r.code for r in parsed.rejections] == (["other-version"] if version else [])


def test_an_event_without_details_is_rejected_alone():
    feed = json.loads(BODY)
    feed["features"].append({**feed["features"][0], "id": "j-18", "properties": {}})
    parsed = assert_sound(parse, payload(json.dumps(feed).encode()), SOURCE)
    assert list(features(parsed)) == ["j-17"]
    assert [r.code for r in parsed.rejections] == ["bad-feature"]
    assert parsed.records[1].unread == ["j-18"]


def test_damaged_feeds():
    assert assert_withstands(parse, BODY, SOURCE, unless=FOREVER) > 300


def test_damaged_captured_feeds():
    assert assert_withstands(parse, captured("roadworks/wzdx_wsdot.json"), SOURCE, unless=FOREVER) > 300

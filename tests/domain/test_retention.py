"""Rules of retention: what is wrong in them is named, and what they make of a moment."""

from typing import Any

import pytest

from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.profile_checks import ProfileError
from allmende.domain.query import ResultKind
from allmende.domain.retention import Fate, Retention, StreamFacts, before, check_names, parse_retention
from allmende.domain.thinning import Reading, judge_bucket, thinned_of

NOW = times.parse_instant("2024-03-31T12:07:00Z")
QUARTERS = {"after": "P30D", "bucket": "PT15M"}


def at(text: str) -> int:
    return times.parse_instant(text)


@pytest.mark.parametrize(
    ("rule", "place", "words"),
    [
        ({}, "retention.r", "names no dataset"),
        ({"stream": "*", "keep": "30 days"}, "retention.r.keep", '"forever" or "latest"'),
        ({"stream": "*", "keep": "PT0S"}, "retention.r.keep", "no time at all"),
        ({"stream": "*", "keeps": "P1D"}, "retention.r.keeps", "no known key"),
        ({"stream": "*", "keep": "latest", "thin": [QUARTERS]}, "retention.r.thin", "nothing to thin"),
        ({"stream": "*", "keep": "P30D", "thin": [QUARTERS]}, "retention.r.keep", "ends before"),
        ({"stream": "*", "thin": [{**QUARTERS, "bucket": "PT7M"}]}, "retention.r.thin[0].bucket", "PT10M"),
        ({"stream": "*", "thin": [{**QUARTERS, "take": "median"}]}, "retention.r.thin[0].take", "median"),
        ({"stream": "*", "thin": [QUARTERS, QUARTERS]}, "retention.r.thin[1].after", "youngest first"),
        (
            {"stream": "*", "thin": [QUARTERS, {"after": "P1Y", "bucket": "PT20M"}]},
            "retention.r.thin[1].bucket",
            'not made of whole "PT15M"',
        ),
        (
            {"stream": "*", "thin": [QUARTERS, {"after": "P1Y", "bucket": "P1D", "take": "sum"}]},
            "retention.r.thin[1].take",
            "all take the same",
        ),
    ],
)
def test_what_is_wrong_is_named(rule: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(ProfileError, match=words.replace("(", r"\(")) as caught:
        parse_retention({"r": rule})
    assert caught.value.place == place


def test_a_name_that_nothing_bears_is_told() -> None:
    rules = parse_retention({"r": {"source": ["gate", "rule/soil", "gat"]}})
    with pytest.raises(ProfileError, match='no source "gat"; there are gate, rule/soil'):
        check_names(rules, ["air"], ["gate", "rule/soil"])


def test_spans_meet_at_whole_buckets_the_oldest_first() -> None:
    rules = parse_retention({
        "r": {"stream": "*", "keep": "P1Y", "thin": [QUARTERS, {"after": "P3M", "bucket": "P1D"}]}
    })  # fmt: skip
    fates = Retention(rules, "Europe/Berlin").judge(rules["r"], NOW)
    assert fates == [
        Fate("delete", None, at("2023-03-31T12:07:00Z")),
        # The day that begins at midnight of the city behind the cut, to the last midnight three months ago.
        Fate("thin", at("2023-03-31T22:00:00Z"), at("2023-12-30T23:00:00Z"), 1),
        Fate("thin", at("2023-12-30T23:00:00Z"), at("2024-03-01T12:00:00Z"), 0),
    ]


def test_months_are_the_calendars() -> None:
    assert before(NOW, "P1M", "UTC") == at("2024-02-29T12:07:00Z")
    with pytest.raises(InvalidInput, match="outside"):
        before(NOW, "P3000Y", "UTC")


def test_streams_are_chosen_by_all_that_is_said() -> None:
    rules = parse_retention({
        "aspects": {"property": ["aspect", "state"], "stream": "K*~*_1~state"},
        "air": {"dataset": "air", "source": "sensors"},
    })  # fmt: skip
    retention = Retention(rules, "UTC")

    def chosen(name: str, **facts: Any) -> str:
        known = {"dataset": "d", "source": "s", "properties": ("p",), **facts}
        rule = retention.rule_of(StreamFacts(id=name, **known))
        return rule.id if rule else ""

    assert chosen("K440~K1_1~state", properties=("other", "state")) == "aspects"
    assert chosen("K440~K1_1~state.2", properties=("state",)) == ""
    assert chosen("x", dataset="air", source="sensors") == "air"
    assert chosen("x", dataset="air") == ""


def reading(second: int, value: Any, kind: int = ResultKind.DECIMAL, **more: Any) -> Reading:
    known: dict[str, Any] = {
        "disc": 0, "number": second, "end": None, "result_time": None, "received_at": second, "quality": None,
        "flag": "", "parameters": None, "feature": None, "origin": 1,
    }  # fmt: skip
    return Reading(start=second, kind=kind, value=value, **{**known, **more})


def test_numbers_beyond_all_measure_give_no_infinity() -> None:
    huge = [reading(0, 1.7e308), reading(1, 1.7e308)]
    verdict = judge_bucket(huge, 0, 60, "r", "PT1M", "mean")
    assert verdict.made is not None
    assert verdict.made.value == pytest.approx(1.7e308)
    assert judge_bucket(huge, 0, 60, "r", "PT1M", "sum").made is None
    whole = [reading(n, 2**62, ResultKind.INTEGER) for n in range(4)]
    total = judge_bucket(whole, 0, 60, "r", "PT1M", "sum").made
    assert total is not None
    assert (total.kind, total.value) == (ResultKind.DECIMAL, float(2**64))


@pytest.mark.parametrize(
    "said", ['{"thinned": 5}', '{"thinned": {"rule": "r"}}', '["thinned"]', '{"a": "\\"thinned\\""}', "{"]
)
def test_what_clients_say_of_thinning_is_no_thinning(said: str) -> None:
    assert thinned_of(said) is None


def test_what_was_merged_another_way_or_spans_more_is_left_alone() -> None:
    first = judge_bucket([reading(0, 1.0), reading(1, 3.0)], 0, 60, "r", "PT1M", "mean").made
    assert first is not None
    other = reading(0, first.value, end=60, parameters=first.parameters)
    wide = reading(5, 7.0, end=100)
    assert judge_bucket([other, wide, reading(7, 1.0)], 0, 60, "r", "PT1M", "sum").gone == ()

"""People in data: what a dataset has to say that tells of them, and when it forgets.

A dataset tells of people who can be known (:class:`Personal`), or counts them (``counts_of_people``). The first has a
purpose, a legal basis and an end; the house deletes its readings then, whoever forgot to declare it. The second is not
open; what may be told of it, rules tell with ``suppress``.
"""

from collections.abc import Mapping

from allmende.domain.dataset import DatasetProfile
from allmende.domain.errors import InvalidInput
from allmende.domain.profile_checks import ProfileError
from allmende.domain.retention import FOREVER, LATEST, RetentionProfile, listed
from allmende.domain.times import DAY, parse_duration, parse_months

_SMALLEST = 2
_MONTH = 31 * DAY
"""The longest: a limit in months is not passed by a rule in days that looks the same."""
PREFIX = "personal-"
"""How the id of a rule of retention begins that follows from a dataset's ``personal``."""
OBJECTS = "-objects"
"""How it ends where it is for collections of features."""


def check_privacy(datasets: Mapping[str, DatasetProfile], languages: list[str]) -> None:
    """Raises ProfileError where a dataset that tells of people does not say what it has to."""
    for key, dataset in datasets.items():
        place = f"datasets.{key}"
        if dataset.counts_of_people:
            if dataset.counts_of_people < _SMALLEST:
                raise ProfileError(f"{place}.counts_of_people", "is the least count that may be told: 2 or more")
            if dataset.access == "open":
                raise ProfileError(
                    f"{place}.counts_of_people",
                    "lies in a dataset that is not open; rules tell of it, with suppress",
                )
        if dataset.personal is None:
            continue
        for language in languages:
            if not dataset.personal.purpose.get(language, "").strip():
                raise ProfileError(f"{place}.personal.purpose.{language}", "is missing: what are the data for?")
            if not dataset.legal_basis.get(language, "").strip():
                raise ProfileError(f"{place}.legal_basis.{language}", "is missing: what allows data about people?")
        if span_of(dataset.personal.delete_after, f"{place}.personal.delete_after") <= 0:
            raise ProfileError(f"{place}.personal.delete_after", "is no time at all")


def with_deletion(
    retention: Mapping[str, RetentionProfile], datasets: Mapping[str, DatasetProfile]
) -> dict[str, RetentionProfile]:
    """The rules of retention, before them those for each dataset that tells of people and has none that are as strict:
    one for its readings, and one for features that have gone and what was said of them.

    Raises ProfileError where a rule names such a dataset and keeps it for longer, or the newest reading for ever.
    """
    added: dict[str, RetentionProfile] = {}
    for key, dataset in datasets.items():
        if dataset.personal is None:
            continue
        limit = span_of(dataset.personal.delete_after, f"datasets.{key}.personal.delete_after")
        own = [rule for rule in retention.values() if key in listed(rule.dataset)]
        for rule in own:
            if rule.keep == LATEST and not rule.collection:
                # the newest reading of a stream that has ended would stay for good
                raise ProfileError(
                    f"retention.{rule.id}.keep",
                    'keeps the newest for ever, and datasets.%(dataset)s tells of people: say how long, e.g. "PT1H"',
                    dataset=key,
                )
            if rule.keep == FOREVER or (
                rule.keep != LATEST and span_of(rule.keep, f"retention.{rule.id}.keep") > limit
            ):
                raise ProfileError(
                    f"retention.{rule.id}.keep",
                    'is longer than datasets.%(dataset)s.personal.delete_after ("%(limit)s")',
                    dataset=key,
                    limit=dataset.personal.delete_after,
                )
        keep = dataset.personal.delete_after
        if not any(_is_whole(rule) for rule in own if not rule.collection):
            added[f"{PREFIX}{key}"] = RetentionProfile(id=f"{PREFIX}{key}", dataset=key, keep=keep)
        # of features what they are now is never touched: it stands in the last delivery
        if not any(not rule.source and "*" in listed(rule.collection) for rule in own):
            name = f"{PREFIX}{key}{OBJECTS}"
            added[name] = RetentionProfile(id=name, dataset=key, collection="*", keep=keep)
    # Those that say something of some of its streams go before: they are as strict.
    strict = {name: rule for name, rule in retention.items() if set(listed(rule.dataset)) & _personal(datasets)}
    rest = {name: rule for name, rule in retention.items() if name not in strict}
    return {**strict, **added, **rest}


def _personal(datasets: Mapping[str, DatasetProfile]) -> set[str]:
    return {key for key, dataset in datasets.items() if dataset.personal is not None}


def _is_whole(rule: RetentionProfile) -> bool:
    """Whether all streams of the datasets that it names fit."""
    return not (rule.source or rule.property or rule.stream)


def span_of(text: str, place: str) -> int:
    """Microseconds of an ISO 8601 duration; months as the longest. Raises ProfileError."""
    months = parse_months(text)
    if months is not None:
        return months * _MONTH
    try:
        return parse_duration(text)
    except InvalidInput as error:
        raise ProfileError(place, "%(error)s", error=error) from None

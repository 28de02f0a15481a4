"""What somebody made becomes a change of the profile: a source, and its dataset where it is new. Two people's eyes, the
check of all it says, undo and history are the office's (:mod:`allmende.web.office.revisions`)."""

from typing import Any

from django.db import transaction
from django.http import QueryDict

from allmende.domain.errors import Conflict, InvalidInput, NotFound
from allmende.domain.profile_checks import ProfileError, check_duration, check_id
from allmende.domain.recognition.plan import settings_of
from allmende.domain.times import SECOND, parse_duration
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.house import open_profile
from allmende.web.making.models import PROPOSED, Making
from allmende.web.making.preview import asks_itself, source_of
from allmende.web.making.uploads import network_settings
from allmende.web.office import revisions
from allmende.web.office.models import RELEASED, Revision

LEAST = 60.0
"""Seconds between two questions at least."""
INTERVALS = ("PT5M", "PT15M", "PT1H", "P1D", "P7D")
LICENCES = ("dl-de/by-2-0", "dl-de/zero-2-0", "CC-BY-4.0", "CC0-1.0", "ODbL-1.0")
_LONG = 300
_TEXTS = ("publisher", "licence", "attribution", "description")


def take_about(making: Making, said: QueryDict) -> None:
    """What the form says of the source and its dataset. Raises InvalidInput with the field as ``where``."""
    about = making.about
    languages = open_profile().languages
    about["id"] = said.get("id", about["id"]).strip()
    about["title"] = {
        each: said.get(f"title_{each}", about["title"].get(each, "")).strip()[:_LONG] for each in languages
    }
    about["dataset"] = said.get("dataset", about["dataset"]).strip()
    new = about["new"]
    new["id"] = said.get("new_id", new["id"]).strip()
    for name in _TEXTS:
        new[name] = said.get(f"new_{name}", new[name]).strip()[:2000]
    _check_id(about["id"], "id")
    for language in languages:
        if not about["title"][language]:
            raise InvalidInput("say what it is called", where=f"title_{language}")
    if about["dataset"]:
        if about["dataset"] not in open_profile().datasets:
            raise InvalidInput("there is no such dataset", where="dataset")
        return
    _check_id(new["id"], "new_id")
    if new["id"] in open_profile().datasets:
        raise InvalidInput("there is a dataset of this id already", where="new_id")
    for name in ("publisher", "licence"):
        if not new[name]:
            raise InvalidInput("has to be said", where=f"new_{name}")


def take_timing(making: Making, said: QueryDict) -> None:
    """Whether it is taken in once, or asked again and again. Raises InvalidInput."""
    about = making.about
    mode = said.get("mode", about["mode"])
    about["mode"] = mode if mode in modes(making) else modes(making)[0]
    about["interval"] = said.get("interval", about["interval"]).strip()
    if about["mode"] == "schedule":
        check_duration(about["interval"], "interval")
        if parse_duration(about["interval"]) < LEAST * SECOND:
            raise InvalidInput(f"more often than every {LEAST:g} seconds is not asked", where="interval")


def modes(making: Making) -> list[str]:
    """How it can be taken: a file once; an address again and again, and once where a file of it is kept."""
    if not making.address:
        return ["once"]
    _, connector = source_of(making)
    return ["schedule"] if asks_itself(making, connector) else ["schedule", "once"]


@transaction.atomic
def propose(making: Making, by: User, reason: str) -> None:
    """Draft and propose the source, with its dataset where it is new.

    Raises Unfit, ProfileError, ChangedMeanwhile, Conflict, Forbidden, LimitExceeded; then nothing was proposed.
    """
    about, name = making.about, making.about["id"]
    known = revisions.current("source", name)
    mine = Revision.objects.filter(kind="source", key=name, bundle=making.bundle).exists()
    if known is not None and not mine:
        raise Conflict("the city has a source of this id already", where="id")
    if not about["dataset"]:
        _draft("dataset", about["new"]["id"], _dataset(making), making, by)
    draft = _draft("source", name, _source(making), making, by)
    revisions.propose(draft, by=by, seen=draft.turn, reason=reason)
    making.touch(state=PROPOSED, report={})
    record(f"user:{by.get_username()}", "making.propose", f"source:{name}", mode=about["mode"])


def _draft(kind: str, key: str, body: dict[str, Any], making: Making, by: User) -> Revision:
    there = revisions.open_revision(kind, key)
    if there is not None and there.bundle != making.bundle:
        raise Conflict(f"somebody else has a draft of the {kind} {key}", where="id" if kind == "source" else "new_id")
    return revisions.save_draft(kind, key, body, by, seen=there.turn if there else 0, bundle=making.bundle)


def _dataset(making: Making) -> dict[str, Any]:
    about, new = making.about, making.about["new"]
    return {
        "title": about["title"],
        "description": {each: new["description"] or title for each, title in about["title"].items()},
        "publisher": new["publisher"],
        "licence": new["licence"],
        "attribution": new["attribution"] or new["publisher"],
    }


def _source(making: Making) -> dict[str, Any]:
    about, plan = making.about, making.plan
    if plan is None:
        raise NotFound("no connector reads it")
    asked = about["mode"] == "schedule"
    said = {**settings_of(plan), **(network_settings() if asked else {})}
    if plan.shape == "objects":
        said["title"] = about["title"]
    timed = {"address": making.recognition.address or making.address, "interval": about["interval"]} if asked else {}
    return {
        "connector": plan.connector,
        "title": about["title"],
        "enabled": True,
        "dataset": about["dataset"] or about["new"]["id"],
        **timed,
        "settings": said,
    }


def stand_of(making: Making) -> Revision | None:
    """The newest revision of the source that came of it."""
    found = Revision.objects.filter(kind="source", key=making.about.get("id", ""), bundle=making.bundle)
    return found.order_by("-number").first()


def is_released(making: Making) -> bool:
    """Whether the source of it is in force."""
    stand = stand_of(making)
    return stand is not None and stand.state == RELEASED and not stand.removes


def _check_id(text: str, where: str) -> None:
    try:
        check_id(text, where)
    except ProfileError as error:
        raise InvalidInput(error.message, where=where) from None

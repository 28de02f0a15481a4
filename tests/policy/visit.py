"""Builds one of the towns in a home of its own and asks it, as somebody from outside; run as a program.

On standard input: JSON with ``secret`` and ``probes``, each [who, method, path, headers]. On standard output: for
each probe its status, headers and body; and, when something has happened to what is hidden, once more for anybody's.
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from allmende.domain.batch import Batch
from allmende.domain.bounds import Bounds
from allmende.domain.feature_checks import check_features
from allmende.domain.policy import house_reader
from allmende.domain.records import (
    Collection,
    Declaration,
    Feature,
    Features,
    Position,
    Property,
    Rejection,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from tests.policy.town import CANARY, NUMBER

AT = 1_700_000_000_000_000
_PASSING = (
    (re.compile(rb'(csrfmiddlewaretoken" value=")[^"]+'), rb"\1"),
    (re.compile(rb'("?request_id"?[=:] ?"?)[0-9a-f]+'), rb"\1"),
    (re.compile(rb"20(?:2[6-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+"), b"now"),  # the data are of 2023
    (re.compile(rb"(_:|nodeID=.)\w+"), rb"\1"),
    (re.compile(rb'(data-push data-key=")[\w-]+'), rb"\1"),  # each house has a key of its own
)
_UNORDERED = ("text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples")


def _told(stream: str, thing: ThingDeclaration, name: str, kind: str = "people") -> Declaration:
    return Declaration(
        stream=stream,
        name=name,
        thing=thing,
        sensor=SensorDeclaration(id=f"{name}-counter", name=f"{name} counter"),
        observed_property=Property(id=kind, name=kind, definition=f"https://example.org/{kind}"),
        unit=Unit("1", "1"),
        observation_type="any",
        properties={"source": name},
    )


def _send(store: Any, dataset: str, *declared: Declaration, values: list[Any], at: int = AT, **more: Any) -> None:
    series = [
        Series(stream=d.stream, times=[at + 60_000_000 * n for n in range(len(values))], results=values)
        for d in declared
    ]
    store.append(
        Batch(
            origin=more.pop("origin", "test"), dataset=dataset, reader=house_reader("test"), received_at=at,
            declarations=declared, series=series, **more,
        )
    )  # fmt: skip


def _trees(name: str, label: str, count: int = 3) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [-12.01, 38.001]}
    # they begin, so that they are told to who subscribes
    items = [
        Feature(id=f"{label}-{n}", geometry=point, properties={"kind": label}, valid_from=AT) for n in range(count)
    ]
    found, faults = check_features(Features(collection=name, items=items), Bounds())
    assert not faults
    return {"collections": [Collection(id=name, title=label)], "features": [found]}


def furnish(store: Any, secret: bool) -> None:
    """What both have, and what one has besides."""
    gate = ThingDeclaration(id="gate", name="Gate", position=Position(-12.0, 38.0))
    park = ThingDeclaration(id="parking-altmarkt", name="Altmarkt", position=Position(-12.0112, 38.0021))
    _send(store, "sensors", _told("gate~people", gate, "open"), values=[1, 2, 3], **_trees("trees", "oak"))
    _send(store, "sensors", _told("parking-altmarkt~free", park, "open", "free-parking-spaces"), values=[17, 18])
    if not secret:
        return
    _hide(store, AT, trees=3)
    people = ThingDeclaration(id=f"{CANARY}-door", name=CANARY, position=Position(-12.002, 38.0005))
    values = [NUMBER, CANARY, {"k": CANARY}]
    _send(store, f"{CANARY}-people", _told(f"{CANARY}-door~people", people, f"{CANARY}-camera"), values=values)
    store.note_attempt(f"{CANARY}-source", AT, f"{CANARY} does not answer")
    _alarm()


def _alarm() -> None:
    """Alerts that last: one on what is hidden, and one on open data that is for the house alone."""
    from allmende.web.alerts.models import Event

    said = {
        "key": f"{CANARY}~people",
        "severity": "severe",
        "category": "Other",
        "since": AT,
        "raised": AT,
        "edition": "-",
    }
    said |= {"noted": AT, "changed": AT, "title": {"de": CANARY, "en": CANARY}, "thing_name": CANARY}
    Event.objects.create(id=f"{CANARY}-alert~1", alert=f"{CANARY}-alert", dataset=CANARY, public=True, **said)
    Event.objects.create(id=f"{CANARY}-inside~1", alert="inside", dataset="sensors", public=False, **said)


def happen(store: Any) -> None:
    """What nobody from outside may notice: readings, objects that came and went, a thing that moved, a rejection."""
    later = AT + 180_000_000
    _hide(store, later, trees=2, place=Position(-12.5, 38.5))
    store.note_attempt(f"{CANARY}-source", later, "")


def _hide(store: Any, at: int, *, trees: int, place: Position = Position(-12.001, 38.0005)) -> None:  # noqa: B008
    kept = ThingDeclaration(id="gate", name="gate", kept=True)
    altmarkt = ThingDeclaration(id="parking-altmarkt", name="parking-altmarkt", kept=True)
    own = ThingDeclaration(id=f"{CANARY}-thing", name=CANARY, position=place)
    _send(
        store,
        CANARY,
        _told(f"{CANARY}~people", own, CANARY),
        _told(f"{CANARY}~gate", kept, CANARY),
        _told(f"{CANARY}~free", altmarkt, CANARY, "free-parking-spaces"),
        values=[NUMBER, CANARY, {"k": CANARY}],
        at=at,
        origin=f"{CANARY}-source",
        rejections=[Rejection(reason=CANARY, body=CANARY.encode(), where=CANARY)],
        **_trees(f"{CANARY}-trees", CANARY, trees),
    )


def make_dumps(config: Any) -> None:
    """Of all that is open, as the worker does at night; at the same moment in both."""
    from allmende.web.downloads import describing
    from allmende.web.downloads.dumping import Dumper
    from allmende.web.downloads.models import Dump
    from allmende.web.house import open_profile, open_store

    describing.now_micros = lambda: AT
    assert not Dumper(open_store(), config).round(open_profile()).failed
    Dump.objects.update(made=datetime.fromtimestamp(AT / 1e6, UTC))


def tell_of_what_happened(store: Any) -> None:
    """As the worker does: what is told to who subscribes; on the same day in both."""
    from allmende.web.house import open_profile
    from allmende.web.subscriptions.ledger import collect
    from allmende.web.subscriptions.models import Happened

    now = int(datetime.now(UTC).timestamp())
    collect(open_profile(), store, now * 1_000_000, days=90)
    assert Happened.objects.exists()
    today = (now - now % 86_400) * 1_000_000
    Happened.objects.update(changed=today)
    for each in Happened.objects.filter(kind="datasets"):  # described when the house began, which is another moment
        Happened.objects.filter(pk=each.pk).update(body={**each.body, "since": today, "changed": today})


def ask(probes: list[list[Any]]) -> Iterator[dict[str, Any]]:
    """Answers, without what is another in each."""
    from django.test import Client

    from allmende.web.accounts.models import User

    mallory, _ = User.objects.get_or_create(username="mallory")
    head = User.objects.filter(username="head").first() or User.objects.create_superuser("head")
    clients = {who: Client(REMOTE_ADDR="203.0.113.9") for who in ("anybody", "mallory", "head")}
    clients["mallory"].force_login(mallory)
    clients["head"].force_login(head)
    for who, method, path, headers in probes:
        answer = clients[who].generic(method, path, headers=headers)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        for pattern, instead in _PASSING:
            body = pattern.sub(instead, body)
        tags = {}
        if answer.headers.get("Content-Type", "").startswith(_UNORDERED):
            # Their tag and date are those of the moment at which the house heard of the dataset.
            tags = {name: answer.headers.pop(name, "") for name in ("ETag", "Last-Modified")}
            body = b"\n".join(sorted(body.splitlines()))
        passing = ("Set-Cookie", "Expires", "Date", "X-Request-ID", "Content-Length", "ETag")
        kept = {name: value for name, value in answer.headers.items() if name not in passing}
        if "csrfmiddlewaretoken" not in body.decode("utf-8", "replace") and "ETag" in answer.headers:
            kept["ETag"] = answer.headers["ETag"]
        yield {"status": answer.status_code, "headers": kept, "body": body.decode("utf-8", "replace"), "tags": tags}


def main() -> None:
    """Build, ask, tell."""
    asked = json.load(sys.stdin)
    from allmende.web.config import load_config
    from allmende.web.observability import logs
    from allmende.web.parts import prepare

    config = load_config()
    config.home.mkdir(parents=True, exist_ok=True)
    logs.configure(config, "cli")
    prepare(config)
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    from allmende.web.house import House, open_store

    House.now = lambda _: datetime.fromtimestamp(AT / 1e6 + 300, UTC)  # type: ignore[method-assign]  same in both
    furnish(open_store(), asked["secret"])
    make_dumps(config)
    tell_of_what_happened(open_store())
    first = list(ask(asked["probes"]))
    if asked["secret"]:
        happen(open_store())
        tell_of_what_happened(open_store())
    again = [probe for probe in asked["probes"] if probe[0] == "anybody"] if asked["secret"] else []
    json.dump([first, list(ask(again))], sys.stdout)


if __name__ == "__main__":
    main()

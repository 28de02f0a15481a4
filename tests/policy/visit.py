"""Builds one of the towns in a home of its own and asks it, as somebody from outside; run as a program.

On standard input: JSON with ``secret`` and ``probes``, each [who, method, path, headers]. On standard output: for
each probe its status, headers and body.
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.policy.town import CANARY, NUMBER

AT = 1_700_000_000_000_000
_PASSING = (
    (re.compile(rb'(csrfmiddlewaretoken" value=")[^"]+'), rb"\1"),
    (re.compile(rb'("?request_id"?[=:] ?"?)[0-9a-f]+'), rb"\1"),
    (re.compile(rb"20(?:2[6-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+"), b"now"),  # the data are of 2023
    (re.compile(rb"(_:|nodeID=.)\w+"), rb"\1"),
)
_UNORDERED = ("text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples")


def furnish(store: Any, secret: bool) -> None:
    """What both have, and what one has besides."""
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

    def told(stream: str, thing: ThingDeclaration, name: str, kind: str = "people", **more: Any) -> Declaration:
        return Declaration(
            stream=stream,
            name=name,
            thing=thing,
            sensor=SensorDeclaration(id=f"{name}-counter", name=f"{name} counter"),
            observed_property=Property(id=kind, name=kind, definition=f"https://example.org/{kind}"),
            unit=Unit("1", "1"),
            observation_type="any",
            properties={"source": name, **more},
        )

    def send(dataset: str, *declared: Declaration, values: list[Any], **more: Any) -> None:
        series = [
            Series(stream=d.stream, times=[AT + 60_000_000 * n for n in range(len(values))], results=values)
            for d in declared
        ]
        reader = house_reader("test")
        store.append(
            Batch(
                origin=more.pop("origin", "test"), dataset=dataset, reader=reader, received_at=AT,
                declarations=declared, series=series, **more,
            )
        )  # fmt: skip

    def trees(name: str, label: str) -> dict[str, Any]:
        point = {"type": "Point", "coordinates": [-12.01, 38.001]}
        items = [Feature(id=f"{label}-{n}", geometry=point, properties={"kind": label}) for n in range(3)]
        found, faults = check_features(Features(collection=name, items=items), Bounds())
        assert not faults
        return {"collections": [Collection(id=name, title=label)], "features": [found]}

    gate = ThingDeclaration(id="gate", name="Gate", position=Position(-12.0, 38.0))
    park = ThingDeclaration(id="parking-altmarkt", name="Altmarkt", position=Position(-12.0112, 38.0021))
    send("sensors", told("gate~people", gate, "open"), values=[1, 2, 3], **trees("trees", "oak"))
    send("sensors", told("parking-altmarkt~free", park, "open", "free-parking-spaces"), values=[17, 18])
    if not secret:
        return
    kept = ThingDeclaration(id="gate", name="gate", kept=True)
    altmarkt = ThingDeclaration(id="parking-altmarkt", name="parking-altmarkt", kept=True)
    own = ThingDeclaration(id=f"{CANARY}-thing", name=CANARY, position=Position(-12.001, 38.0005))
    values = [NUMBER, CANARY, {"k": CANARY}]
    send(
        CANARY,
        told(f"{CANARY}~people", own, CANARY),
        told(f"{CANARY}~gate", kept, CANARY),
        told(f"{CANARY}~free", altmarkt, CANARY, "free-parking-spaces"),
        values=values,
        origin=f"{CANARY}-source",
        rejections=[Rejection(reason=CANARY, body=CANARY.encode(), where=CANARY)],
        **trees(f"{CANARY}-trees", CANARY),
    )
    people = ThingDeclaration(id=f"{CANARY}-door", name=CANARY, position=Position(-12.002, 38.0005))
    send(f"{CANARY}-people", told(f"{CANARY}-door~people", people, f"{CANARY}-camera"), values=values)
    store.note_attempt(f"{CANARY}-source", AT, f"{CANARY} does not answer")


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
        if answer.headers.get("Content-Type", "").startswith(_UNORDERED):
            # Their tag and date are those of the moment at which the house heard of the dataset.
            for name in ("ETag", "Last-Modified"):
                del answer.headers[name]
            body = b"\n".join(sorted(body.splitlines()))
        passing = ("Set-Cookie", "Expires", "Date", "X-Request-ID", "Content-Length", "ETag")
        kept = {name: value for name, value in answer.headers.items() if name not in passing}
        if "csrfmiddlewaretoken" not in body.decode("utf-8", "replace") and "ETag" in answer.headers:
            kept["ETag"] = answer.headers["ETag"]
        yield {"status": answer.status_code, "headers": kept, "body": body.decode("utf-8", "replace")}


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
    json.dump(list(ask(asked["probes"])), sys.stdout)


if __name__ == "__main__":
    main()

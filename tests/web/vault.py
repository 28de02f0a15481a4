"""A stream that is open and one in a dataset that nobody from outside may see, and people with roles."""

import pytest
from django.test import Client

from allmende.domain.batch import Batch
from allmende.domain.policy import house_reader
from allmende.domain.records import (
    Declaration,
    Property,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.store import DatasetRecord
from allmende.web.accounts.models import User
from allmende.web.accounts.people import give_role
from allmende.web.house import furnish, open_profile, open_store

HOUSE = house_reader("test")
AT = 1_700_000_000_000_000


@pytest.fixture(autouse=True)
def streams(db) -> None:
    """One stream of a dataset that is open, and one of a dataset that nobody from outside may see."""
    furnish(open_store(), open_profile())
    open_ = next(each.id for each in open_profile().datasets.values() if each.access == "open" and not each.simulated)
    open_store().put_datasets([DatasetRecord(id="vault", title={"de": "Tresor"}, access="restricted")])
    for dataset, stream, thing in ((open_, "yard~t", "Yard"), ("vault", "cellar~t", "Cellar of the vault")):
        told = Declaration(
            stream=stream,
            name=f"{thing} warmth",
            thing=ThingDeclaration(id=stream.partition("~")[0], name=thing),
            sensor=SensorDeclaration(id=f"{thing}-s", name="s"),
            observed_property=Property(id="warmth", name="Warmth", definition="https://example.org/warmth"),
            unit=Unit("degree", "Cel"),
            observation_type="measurement",
            properties={},
        )
        series = Series(stream=stream, times=[AT, AT + 60_000_000], results=[12.5, 13.5])
        open_store().append(
            Batch(origin="test", dataset=dataset, reader=HOUSE, received_at=AT, declarations=(told,), series=(series,))
        )


def person(name: str, role: str = "contributor", **more: str) -> tuple[User, Client]:
    user = User.objects.create_user(name, f"{name}@city.example")
    give_role(user, role, actor="test", **more)
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    client.force_login(user)
    return user, client

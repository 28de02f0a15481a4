"""An own sensor as a source: its connector with what was registered as settings, and its dataset."""

import time
from functools import cache
from importlib import metadata, resources
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from allmende.connectors import checks
from allmende.connectors.own_sensor.parse import parse
from allmende.connectors.own_sensor.streams import Streams
from allmende.connectors.own_sensor.vocabulary import OWN_PROPERTY, vocabulary
from allmende.domain.batch import Batch
from allmende.domain.connector import Connector, Source
from allmende.domain.policy import Reader, house_reader
from allmende.domain.profile import SourceProfile
from allmende.domain.store import DatasetRecord
from allmende.web.citizens.models import OPEN, OwnSensor
from allmende.web.house import open_profile, open_store
from allmende.web.sources import PreparedSource, merge_settings

CONNECTOR = "own_sensor"


@cache
def connector() -> Connector:
    """The house's own; another package cannot take its place."""
    package = "allmende.connectors.own_sensor"
    return Connector(manifest=checks.read_manifest(resources.files(package), where=package), parse=parse)


@cache
def _version() -> str:
    return f"allmende {metadata.version('allmende')}"


def source_of(sensor: OwnSensor) -> PreparedSource:
    """The source as it is registered now."""
    language = open_profile().languages[0]
    place = sensor.place
    facts: dict[str, Any] = {
        "citizens": True,
        "verified": False,
        "indoor": sensor.indoor,
        "coarseness": place.precision,
        # Null where there is none: what was said before is taken back by it.
        "district": place.district or None,
        "giver": sensor.shown_name or None,
    }
    chosen = {
        "name": sensor.name,
        "description": sensor.description,
        "measures": {name: measure_of(name, said, language) for name, said in sensor.measures.items()},
        "facts": facts,
        "most": settings.ALLMENDE.own_readings,
        "licence": sensor.licence,
        **({"lon": place.position.lon, "lat": place.position.lat} if place.position else {}),
    }
    id_ = sensor.id_
    return PreparedSource(
        source=Source(
            id=id_,
            connector=CONNECTOR,
            dataset=id_,
            time_zone=open_profile().time_zone,
            language=language,
            settings=merge_settings(connector().manifest.settings, chosen),
        ),
        profile=SourceProfile(id=id_, connector=CONNECTOR, title={language: sensor.name}, enabled=True, dataset=id_),
        connector=connector(),
        version=_version(),
        problems=(),
    )


def measure_of(name: str, said: dict[str, Any], language: str) -> dict[str, Any]:
    """What is known of one thing that a sensor measures: ``property``, ``name``, ``unit``, ``shown``, bounds."""
    known = vocabulary().get(name)
    if known is None or said:
        return {"property": OWN_PROPERTY, "shown": said.get("unit", ""), **said}
    title = known.de if language == "de" else known.en
    return {
        "property": known.property,
        "name": title,
        "unit": known.unit,
        "shown": known.shown,
        "low": known.low,
        "high": known.high,
    }


def dataset_of(sensor: OwnSensor) -> DatasetRecord:
    """Its dataset: open once it was released, and never without saying whose data it is."""
    title, publisher = {}, ""
    for language in open_profile().languages:
        with override(language):
            title[language] = _("Citizens' data: %(name)s") % {"name": sensor.name}
            publisher = publisher or sensor.shown_name or _("a citizen")
    return DatasetRecord(
        id=sensor.id_,
        title=title,
        description={language: sensor.description for language in title if sensor.description},
        publisher=publisher,
        licence=sensor.licence,
        attribution=sensor.shown_name,
        access="open" if sensor.state == OPEN else "restricted",
    )


def declare(sensor: OwnSensor) -> None:
    """Make its thing and streams known to the store as they are registered now, whether it has sent anything or not."""
    prepared = source_of(sensor)
    streams = Streams(prepared.source)
    open_store().append(
        Batch(
            origin=sensor.id_,
            dataset=sensor.id_,
            reader=house_reader("citizens"),
            received_at=time.time_ns() // 1000,
            version=prepared.version,
            declarations=[streams.declare(name) for name in sensor.measures],
        )
    )


def reader_of(sensor: OwnSensor, name: str) -> Reader:
    """Somebody who may see it while it is held: its giver, or who reviews it."""
    return Reader(name=name, datasets=frozenset({sensor.id_}))

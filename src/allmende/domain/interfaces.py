"""The house's own interfaces, as the catalogue tells of them: each as a service, and as a way to a dataset's data."""

from collections.abc import Iterable, Sequence

from allmende.domain.catalogue import Distribution, Service
from allmende.domain.dataset import DatasetProfile
from allmende.domain.features import KeptCollection
from allmende.domain.figures import DatasetFigures

FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
STA = "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel"


def stream_distributions(
    dataset: DatasetProfile, figures: DatasetFigures, collections: Sequence[KeptCollection], root: str
) -> Iterable[Distribution]:
    """The ways to a dataset's streams: a list with the newest values as CSV and JSON, and the interface itself."""
    if not figures.streams:
        return
    address = f"{root}/dataset/{dataset.id}/streams"
    words = {"de": "Messreihen mit neuesten Werten", "en": "Streams with newest values"}
    for format_ in ("CSV", "JSON"):
        file = f"{address}.{format_.lower()}"
        title = {language: f"{text} ({format_})" for language, text in words.items()}
        yield Distribution(name=f"streams-{format_.lower()}", title=title, address=file, download=file, format=format_)
    yield Distribution(
        name="sensorthings",
        title={"de": "Alle Messwerte (OGC SensorThings API)", "en": "All readings (OGC SensorThings API)"},
        address=f"{root}/sta/v1.1",
        format="JSON",
        service="sensorthings",
        conforms_to=(STA,),
    )


def sensorthings_service(root: str) -> Service:
    """The interface to all readings."""
    return Service(
        name="sensorthings",
        title={"de": "OGC SensorThings API 1.1", "en": "OGC SensorThings API 1.1"},
        endpoint=f"{root}/sta/v1.1",
        description=f"{root}/sta/v1.1/api",
        documentation=f"{root}/api/",
        conforms_to=(STA,),
    )


def feature_distributions(
    dataset: DatasetProfile, figures: DatasetFigures, collections: Sequence[KeptCollection], root: str
) -> Iterable[Distribution]:
    """The objects of each collection, and the things of the streams, over OGC API - Features."""
    named = [(kept.id, {"de": kept.title, "en": kept.title}) for kept in collections]
    if figures.streams:
        things = {"de": "Orte der Messreihen", "en": "Places of the streams"}
        named.append((f"things:{dataset.id}", things))
    for place, (name, title) in enumerate(named, 1):
        yield Distribution(
            name=f"features-{place}",
            title={language: f"{text} (OGC API Features)" for language, text in title.items()},
            address=f"{root}/ogc/v1/collections/{name}/items?f=json",
            format="GEOJSON",
            service="features",
            conforms_to=(FEATURES,),
        )


def features_service(root: str) -> Service:
    """The interface to objects."""
    return Service(
        name="features",
        title={"de": "OGC API Features", "en": "OGC API Features"},
        endpoint=f"{root}/ogc/v1",
        description=f"{root}/ogc/v1/api",
        conforms_to=(FEATURES,),
    )

"""What the face offers of a dataset, for the catalogue."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from allmende.domain.catalogue import Distribution, Service
from allmende.domain.dataset import DatasetProfile
from allmende.domain.features import KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.faces.ogc.layers import THINGS

PATH = "ogc/v1"
STANDARD = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"


def features_distributions(
    dataset: DatasetProfile, figures: DatasetFigures, collections: Sequence[KeptCollection], root: str
) -> Iterable[Distribution]:
    """The dataset's collections, and its things with their newest values."""
    for collection in collections:
        words = f"{collection.title} (OGC API Features)"
        yield _distribution(collection.id, f"features-{collection.id}", {"de": words, "en": words}, root)
    if figures.streams:
        titles = {
            "de": "Messstellen mit neuesten Werten (OGC API Features)",
            "en": "Measuring stations with newest values (OGC API Features)",
        }
        yield _distribution(f"{THINGS}{dataset.id}", "features-things", titles, root)


def _distribution(collection: str, name: str, titles: dict[str, str], root: str) -> Distribution:
    return Distribution(
        name=name,
        title=titles,
        address=f"{root}/{PATH}/collections/{quote(collection, safe=':~')}/items",
        format="GEOJSON",
        service="ogc-features",
        conforms_to=(STANDARD,),
    )


def features_service(root: str) -> Service:
    """The interface to all features."""
    return Service(
        name="ogc-features",
        title={"de": "OGC API Features", "en": "OGC API Features"},
        endpoint=f"{root}/{PATH}",
        description=f"{root}/{PATH}/api",
        conforms_to=(STANDARD,),
    )

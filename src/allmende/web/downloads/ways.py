"""Dumps as ways to a dataset's data, for the catalogue in all its forms."""

from collections.abc import Iterable, Sequence

from django.conf import settings

from allmende.domain.catalogue import Adder, Distribution
from allmende.domain.dataset import DatasetProfile
from allmende.domain.features import KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.web.downloads.dumping import OBJECTS
from allmende.web.downloads.marking import STREAMS
from allmende.web.downloads.models import Dump

DUMP = "dump-"
"""How the names of these distributions begin."""


def address_of(root: str, dump: Dump) -> str:
    """The stable address of a dump."""
    return f"{root}/dumps/{dump.dataset}/{dump.name}.parquet"


def current() -> dict[str, list[Dump]]:
    """What can be fetched now, by dataset, the newest month first; whether the dataset is open is asked elsewhere."""
    found: dict[str, list[Dump]] = {}
    if settings.ALLMENDE.dumps:
        for dump in Dump.objects.filter(size__gt=0, withdrawn=False).order_by("dataset", "-name"):
            found.setdefault(dump.dataset, []).append(dump)
    return found


def dump_adder(root: str) -> Adder:
    """Gives the dumps of a dataset, from one look at all of them."""
    known = current()

    def add(
        dataset: DatasetProfile, figures: DatasetFigures, collections: Sequence[KeptCollection], _: str
    ) -> Iterable[Distribution]:
        if dataset.access != "open" or dataset.simulated:
            return
        titles = {kept.id: kept.title for kept in collections}
        for dump in known.get(dataset.id, ()):
            yield Distribution(
                name=f"{DUMP}{dump.name}",
                title={language: f"{words} (Parquet)" for language, words in words_for(dump, titles).items()},
                address=address_of(root, dump),
                download=address_of(root, dump),
                format="PARQUET",
                size=dump.size,
                sha256=dump.digest,
            )

    return add


def words_for(dump: Dump, titles: dict[str, str]) -> dict[str, str]:
    """What is in it. ``titles`` of collections by id."""
    if dump.name == STREAMS:
        return {"de": "Messreihen", "en": "Streams"}
    if dump.name.startswith(OBJECTS):
        name = dump.name.removeprefix(OBJECTS)
        title = titles.get(name, name)
        return {"de": f"Objekte: {title}", "en": f"Objects: {title}"}
    return {"de": f"Messwerte {dump.name}", "en": f"Readings {dump.name}"}

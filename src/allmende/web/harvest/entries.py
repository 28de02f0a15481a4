"""What was taken over as entries of the catalogue, kept in the process while it is the same in the database."""

import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Distribution, Entry
from allmende.domain.dataset import DatasetProfile, Organisation
from allmende.domain.harvest import HarvestProfile, Origin, Said
from allmende.domain.ids import slug
from allmende.domain.profile import Profile
from allmende.web.harvest.models import Harvested, Page, State

_MOST_IN_QUESTION = 500


class _Made(NamedTuple):
    versions: dict[str, int]
    profile: Profile
    root: str
    entries: tuple[Entry, ...]
    rest: tuple[tuple[str, bytes], ...]


class Keeper:
    """Gives the graphs of what was taken over: :class:`allmende.domain.harvest.Kept`."""

    def __init__(self, rest: tuple[tuple[str, bytes], ...]) -> None:
        self._rest = rest

    def lines(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """N-Triples by our ids."""
        found = {}
        for begin in range(0, len(names), _MOST_IN_QUESTION):
            kept = Harvested.objects.filter(dataset__in=names[begin : begin + _MOST_IN_QUESTION])
            for name, lines in kept.values_list("dataset", "lines"):
                found[name] = zlib.decompress(lines)
        return found

    def rest(self) -> Iterable[tuple[str, bytes]]:
        """By harvest: what the catalogues say beside their datasets."""
        return self._rest


_made: _Made | None = None
_lock = threading.Lock()


def harvested(profile: Profile, root: str) -> tuple[tuple[Entry, ...], Keeper]:
    """All that is there of the profile's harvests, each dataset once. One question to the database where nothing
    changed."""
    global _made  # one of each process
    if not profile.harvests:
        return (), Keeper(())
    versions = dict(State.objects.filter(harvest__in=profile.harvests).values_list("harvest", "version"))
    with _lock:
        made = _made
    if made is None or made.versions != versions or made.profile is not profile or made.root != root:
        made = _Made(versions, profile, root, tuple(_entries(profile, root)), _rest(profile))
        with _lock:
            _made = made
    return made.entries, Keeper(made.rest)


def _rest(profile: Profile) -> tuple[tuple[str, bytes], ...]:
    found: dict[str, set[bytes]] = {}
    for harvest, lines in Page.objects.filter(harvest__in=profile.harvests).values_list("harvest", "rest"):
        if lines:
            found.setdefault(harvest, set()).update(zlib.decompress(lines).splitlines())
    return tuple((harvest, b"\n".join(sorted(lines))) for harvest, lines in sorted(found.items()))


def _entries(profile: Profile, root: str) -> Iterable[Entry]:
    """In the order of the profile's harvests: of one dataset that two catalogues give, the first is taken."""
    fields = ("dataset", "harvest", "node", "digest", "names", "said", "page", "first", "changed")
    own = {name for dataset in profile.datasets.values() for name in dataset.other_ids if name.strip()}
    known: set[str] = set(own)
    for harvest in profile.harvests.values():
        kept = Harvested.objects.filter(harvest=harvest.id, gone__isnull=True).order_by("first", "dataset")
        for row in kept.only(*fields).iterator(500):
            if known.isdisjoint(row.names):
                known.update(row.names)
                yield _entry(row, harvest, root)


def _entry(row: Harvested, harvest: HarvestProfile, root: str) -> Entry:
    said = msgspec.convert(row.said, Said)
    licence = said.licence or harvest.licence
    term = vocabulary.find(vocabulary.LICENCES, harvest.licence)
    publisher = said.publisher or harvest.title.get("de") or next(iter(harvest.title.values()))
    uri = "" if row.node.startswith("_:") else row.node
    dataset = DatasetProfile(
        id=row.dataset,
        title=dict(said.title) or {"de": uri or row.dataset},
        description=dict(said.description) or {"de": ""},
        publisher=publisher,
        licence=licence,
        attribution=said.attribution,
        themes=list(said.themes),
        keywords={language: list(words) for language, words in said.keywords.items()},
        contact=said.contact,
        geocoding=list(said.geocoding),
        landing_page=said.landing_page,
        documentation=list(said.documentation),
        legal_basis=dict(said.legal_basis),
        legislation=list(said.legislation),
        high_value=list(said.high_value),
        availability=said.availability,
        series=said.series,
        other_ids=[uri] if uri else [],
    )
    return Entry(
        dataset=dataset,
        address=f"{root}/dataset/{row.dataset}",
        publisher=Organisation(
            id=slug(publisher), name=publisher, page=said.publisher_page, mail=said.publisher_mail
        ),
        contact=said.contact,
        periodicity=said.periodicity,
        provenance=said.provenance,
        start=said.start,
        end=said.end,
        bbox=said.bbox,
        issued=said.issued,
        modified=said.modified or said.issued,
        distributions=tuple(
            Distribution(
                name=f"origin-{place}", title=way.title or {"de": way.download or way.address}, address=way.address,
                download=way.download, format=way.format, licence="" if way.licence == licence else way.licence,
            )
            for place, way in enumerate(said.ways, 1)
        ),
        origin=Origin(
            harvest=harvest.id, title=harvest.title, uri=uri, node=row.node, page=row.page, digest=row.digest,
            access=said.access, first=row.first, changed=row.changed,
            licence=(term.uri if term else harvest.licence),
        ),
    )  # fmt: skip


def gone_one(name: str, profile: Profile) -> Harvested | None:
    """A dataset that was taken over once and is no more."""
    row = Harvested.objects.filter(dataset=name).defer("lines", "source").first()
    return row if row is not None and (row.gone is not None or row.harvest not in profile.harvests) else None

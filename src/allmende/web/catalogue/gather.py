"""The catalogue of this house for one reader, put together from profile, store and what is remembered."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest

from allmende.domain.catalogue import Catalogue
from allmende.domain.cataloguing import build_catalogue
from allmende.domain.contract import Contract
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.catalogue.notes import read_notes
from allmende.web.catalogue.own import described
from allmende.web.catalogue.ways import ADDERS, SERVICES
from allmende.web.downloads.ways import dump_adder
from allmende.web.harvest.entries import harvested
from allmende.web.house import open_sources


def root_of(request: HttpRequest) -> str:
    """The house's address as catalogues keep it: the public one where it is set, else the one in the address bar."""
    known: str = settings.ALLMENDE.public_url
    return known.rstrip("/") or f"{request.scheme}://{request.get_host()}"


def contracts() -> Mapping[str, Contract]:
    """What each source promises now."""
    return {id_: found.source.contract for id_, found in open_sources().items()}


def gather(
    store: Store, profile: Profile, reader: Reader, root: str, *, simulated: bool = False, others: bool = True
) -> Catalogue:
    """All that the reader may know of, with the sensors that citizens gave. Simulated datasets are in it where they
    are asked for; ``others``: with what was taken over from other catalogues."""
    entries, kept = harvested(profile, root) if others else ((), None)
    return build_catalogue(
        described(profile),
        reader,
        root=root,
        figures=store.figures(reader),
        collections=store.collections(reader, simulated=simulated),
        notes=read_notes(),
        contracts=contracts(),
        adders=[*ADDERS, dump_adder(root)],
        services=[make(root) for make in SERVICES],
        simulated=simulated,
        harvested=entries,
        kept=kept,
    )


def catalogue_for(request: HttpRequest, *, simulated: bool = False) -> Catalogue:
    """The catalogue for whoever asks."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    return gather(house.store, house.profile, house.reader, root_of(request), simulated=simulated)

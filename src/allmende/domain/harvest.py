"""Catalogues of others that this house takes over: what a profile says of them, and what is kept of one dataset.

A harvested dataset is a description alone: it is open, has no data here, and its ways to data lead to its origin.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from allmende.domain import vocabulary
from allmende.domain.dataset import Contact, Texts
from allmende.domain.features import Box
from allmende.domain.profile_checks import (
    ProfileError,
    check_address,
    check_duration,
    check_responsible,
    check_variables,
)

Kind = Literal["", "dcat", "ckan", "piveau"]
"""What speaks at an address; "" is to be found out."""


class HarvestProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A catalogue of others, asked again and again."""

    id: str
    title: dict[str, str]
    address: str
    """RDF (``dcat``), the root of a CKAN (``ckan``), or a hub's ``/catalogues/ID`` (``piveau``)."""
    kind: Kind = ""
    enabled: bool = True
    interval: str = "PT6H"
    """ISO 8601 duration between two passes."""
    complete: str = "P1D"
    """CKAN alone, which can be asked for what is new: how often it is asked for all, so that deletions are noticed."""
    licence: str = ""
    """Of what states none: a key of :data:`allmende.domain.vocabulary.LICENCES`, or an address. Not said: none is
    made up."""
    publishers: list[str] = []
    """Take only what one of these publishes: a name, an address, or the id of an organisation in CKAN."""
    themes: list[str] = []
    """Take only what has one of these: keys of :data:`allmende.domain.vocabulary.THEMES`."""
    language: str = ""
    """Of texts that do not say theirs; not said: the city's first."""
    most_withdrawn: float = 0.2
    """Share of the datasets that may vanish in one pass; if more do, none is withdrawn and the responsible is told."""
    headers: dict[str, str] = {}
    """Of requests; ``${SOURCE_…}`` stands for an environment variable."""
    responsible: str = ""
    """Whom to tell of trouble: an e-mail address; empty: whom the house's settings name."""


def check_harvests(harvests: Mapping[str, HarvestProfile]) -> None:
    """What no types say. Raises ProfileError with the place."""
    for key, harvest in harvests.items():
        place = f"harvests.{key}"
        if len(key) > MAX_ID:
            raise ProfileError(place, "has an id of more than %(max_id)s signs", max_id=MAX_ID)
        if not harvest.address.startswith(("http://", "https://")):
            raise ProfileError(f"{place}.address", "begins with http:// or https://")
        check_address(harvest.address, f"{place}.address")
        check_variables(harvest.headers, {}, place)
        check_duration(harvest.interval, f"{place}.interval")
        check_duration(harvest.complete, f"{place}.complete")
        check_responsible(harvest.responsible, f"{place}.responsible")
        for theme in harvest.themes:
            if vocabulary.find(vocabulary.THEMES, theme) is None:
                known = ", ".join(vocabulary.vocabulary(vocabulary.THEMES).terms)
                raise ProfileError(f"{place}.themes", '"%(theme)s" is none of %(known)s', theme=theme, known=known)
        _check_licence(harvest.licence, f"{place}.licence")
        if not 0 <= harvest.most_withdrawn <= 1:
            raise ProfileError(f"{place}.most_withdrawn", "is a share between 0 and 1")


def _check_licence(licence: str, place: str) -> None:
    named = not licence or licence.startswith(("http://", "https://"))
    if not named and vocabulary.find(vocabulary.LICENCES, licence) is None:
        known = ", ".join(vocabulary.vocabulary(vocabulary.LICENCES).terms)
        raise ProfileError(
            place, '"%(licence)s" is neither an address nor one of %(known)s', licence=licence, known=known
        )


MAX_ID = 50
"""Signs of a harvest's id, which is a part of its datasets' ids."""


class Way(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A distribution as its origin describes it."""

    address: str
    title: Texts = {}
    download: str = ""
    format: str = ""
    """A key of :data:`allmende.domain.vocabulary.FORMATS`, "" for one that the list does not have."""
    licence: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What pages, search and CKAN tell of a harvested dataset; nothing here is needed to give out its RDF again.

    Texts are by language, days are ISO text, words are keys of this house's lists.
    """

    title: Texts = {}
    description: Texts = {}
    publisher: str = ""
    publisher_page: str = ""
    publisher_mail: str = ""
    contact: Contact | None = None
    licence: str = ""
    attribution: str = ""
    themes: tuple[str, ...] = ()
    keywords: Mapping[str, tuple[str, ...]] = {}
    geocoding: tuple[str, ...] = ()
    bbox: Box | None = None
    start: str = ""
    end: str = ""
    periodicity: str = ""
    provenance: Texts = {}
    landing_page: str = ""
    documentation: tuple[str, ...] = ()
    legal_basis: Texts = {}
    legislation: tuple[str, ...] = ()
    high_value: tuple[str, ...] = ()
    availability: str = ""
    access: str = ""
    """What the origin says of who may have the data: a key of :data:`allmende.domain.vocabulary.ACCESS_RIGHTS`, or its
    words. It is shown; it rules nothing here."""
    issued: str = ""
    modified: str = ""
    version: str = ""
    series: bool = False
    ways: tuple[Way, ...] = ()


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset of a catalogue, cut out of it."""

    key: str
    """Its URI; where it has none its ``dct:identifier``."""
    node: str
    """How it is called in ``lines``: its URI, or ``_:…``."""
    digest: str
    """Of what is said, whatever blank nodes are called."""
    lines: bytes
    """All that the origin says of it, as N-Triples. Blank nodes have names that no other piece of the house has,
    but for those that several pieces of one page share."""
    names: tuple[str, ...]
    """All by which it may be known in other catalogues: URIs, DOIs, UUIDs."""
    said: Said
    page: str = ""
    """Where people read of it at its origin."""
    name: str = ""
    """CKAN's name of it."""
    publishers: tuple[str, ...] = ()
    """Other names of its publisher, e.g. CKAN's id of the organisation."""
    source: bytes = b""
    """What the lines were made of, where that is no RDF: CKAN's JSON."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where an entry of the catalogue was taken over from."""

    harvest: str
    """Id in the profile."""
    title: Texts
    uri: str
    """The dataset's URI there, "" where it has none."""
    node: str
    page: str
    """Where people read of it there, "" where nobody says."""
    digest: str
    access: str = ""
    first: int = 0
    changed: int = 0
    """When it was first seen, and when it was last seen to be another; microseconds."""
    licence: str = ""
    """URI of the licence that the profile gives to distributions that state none."""


class Kept(Protocol):
    """Gives the graphs of harvested datasets, when they are written."""

    def lines(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """N-Triples by our ids."""

    def rest(self) -> Iterable[tuple[str, bytes]]:
        """By harvest: what the catalogues say beside their datasets, as N-Triples."""

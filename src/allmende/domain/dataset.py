"""How a dataset is described: the one place of truth for profiles, forms, pages and every catalogue outside.

Texts are by language. What is not known is left out: nothing here has to be said but what a licence needs, and what can
be measured (extent, periodicity, quality) is measured where it is not said (:mod:`allmende.domain.catalogue`).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date as Date  # noqa: N812  fields below have that name
from typing import Any, Literal

import msgspec

from allmende.domain import vocabulary
from allmende.domain.profile_checks import ProfileError, check_id, check_outline, check_position

Texts = Mapping[str, str]

_DAY = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?\Z", re.ASCII)
_WEB = re.compile(r"https?://[^\s/@<>\"{}|\\^`]+(?:/[^\s<>\"{}|\\^`]*)?\Z")
_MAIL = re.compile(r"[^\s@<>\"{}|\\^`]+@[^\s@<>\"{}|\\^`]+\Z")
_PHONE = re.compile(r"\+[0-9][0-9 -]*\Z", re.ASCII)
_CONTRIBUTOR = "http://dcat-ap.de/def/contributors/"


class Described(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of a description have in common: a key that is not known is an error."""


class Contact(Described, frozen=True, kw_only=True):
    """Whom to ask: one of ``mail``, ``page`` and ``phone`` is needed."""

    name: str
    mail: str = ""
    page: str = ""
    phone: str = ""
    """International, e.g. ``+49 3641 49-0``."""


class Organisation(Described, frozen=True, kw_only=True):
    """Who publishes, makes or looks after data. Datasets name it by ``name``."""

    id: str
    name: str
    type: str = ""
    """A key of :data:`allmende.domain.vocabulary.PUBLISHER_TYPES`."""
    page: str = ""
    mail: str = ""
    address: str = ""
    """Postal, in one line."""


class Period(Described, frozen=True, kw_only=True):
    """From and to, both belonging to it: ``2023``, ``2023-11`` or ``2023-11-07``; empty is open."""

    start: str = ""
    end: str = ""


class Version(Described, frozen=True, kw_only=True):
    """One state of a dataset, and why it is another than the one before."""

    number: str
    date: str
    reason: Texts


class Download(Described, frozen=True, kw_only=True):
    """A file that lies elsewhere or beside the pages, as it is offered."""

    title: Texts
    address: str
    format: str
    """A key of :data:`allmende.domain.vocabulary.FORMATS`."""


class Withdrawal(Described, frozen=True, kw_only=True):
    """That a dataset is no longer given out, since when and why."""

    date: str
    reason: Texts
    successor: str = ""
    """Id of the dataset that took its place."""


class Personal(Described, frozen=True, kw_only=True):
    """That a dataset tells of people who can be known. It needs a ``legal_basis`` too."""

    purpose: Texts
    delete_after: str
    """ISO 8601 duration after which the house deletes its readings."""


class DatasetProfile(Described, frozen=True, kw_only=True):
    """What belongs together under one licence. Texts are by language."""

    id: str
    title: dict[str, str]
    description: dict[str, str]
    publisher: str
    licence: str
    attribution: str
    access: Literal["open", "restricted", "protected"] = "open"
    simulated: bool = False
    public_description: bool = False
    """Whether everybody may know of a dataset that not everybody may see."""
    personal: Personal | None = None
    counts_of_people: int = 0
    """It holds counts of people, of which none smaller than this is told to others; 0: it holds none. See
    :mod:`allmende.domain.privacy`."""
    themes: list[str] = []
    """Keys of :data:`allmende.domain.vocabulary.THEMES`."""
    keywords: dict[str, list[str]] = {}
    contact: Contact | None = None
    creator: str = ""
    maintainer: str = ""
    originator: str = ""
    contributors: list[str] = []
    """Names of organisations, like the publisher's."""
    geocoding: list[str] = []
    """Keys of territory, e.g. ``municipalityKey/16053000``."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; not said: measured."""
    outline: str | dict[str, Any] = ""
    """A GeoJSON FeatureCollection, or the name of a file with one: the area, where a box says too little."""
    period: Period | None = None
    """Not said: measured."""
    periodicity: str = ""
    """A key of :data:`allmende.domain.vocabulary.FREQUENCIES`; not said: by the contracts of its sources."""
    provenance: dict[str, str] = {}
    """Not said: the sources and rules that it comes from."""
    conforms_to: list[str] = []
    """Addresses of standards that the data keep to."""
    landing_page: str = ""
    """Where the publisher tells of it; the page of the house is always named."""
    documentation: list[str] = []
    legal_basis: dict[str, str] = {}
    legislation: list[str] = []
    """ELI addresses of the law that makes somebody publish it."""
    high_value: list[str] = []
    """Keys of :data:`allmende.domain.vocabulary.HIGH_VALUE`; the regulation is named by itself then."""
    availability: str = ""
    """A key of :data:`allmende.domain.vocabulary.AVAILABILITIES`."""
    issued: str = ""
    versions: list[Version] = []
    """The oldest first; the last is the one that holds."""
    part_of: str = ""
    """Id of the series that it belongs to."""
    series: bool = False
    """Whether it is a series itself: it has members, and no data of its own."""
    related: list[str] = []
    """Ids of datasets, or addresses."""
    downloads: list[Download] = []
    other_ids: list[str] = []
    """How others call it, e.g. an id in another catalogue or a DOI."""
    withdrawn: Withdrawal | None = None

    @property
    def version(self) -> Version | None:
        """The version that holds, if any was named."""
        return self.versions[-1] if self.versions else None


class CatalogueProfile(Described, frozen=True, kw_only=True):
    """The catalogue as a whole. Everything follows from the city where it is not said."""

    title: dict[str, str] = {}
    description: dict[str, str] = {}
    publisher: str = ""
    contact: Contact | None = None
    licence: str = "CC0-1.0"
    """Of the descriptions; data have licences of their own."""
    geocoding: list[str] = []
    contributor: str = ""
    """The id that GovData gave to the one who delivers: ``http://dcat-ap.de/def/contributors/…``."""


def check_datasets(datasets: Mapping[str, DatasetProfile]) -> None:
    """What no dataset's types say: words of lists, addresses, dates, names that point to each other.

    Raises ProfileError with the place.
    """
    for key, dataset in datasets.items():
        place = f"datasets.{key}"
        _check_words(dataset, place)
        _check_addresses(dataset, place)
        _check_times(dataset, place)
        for language, words in dataset.keywords.items():
            if any(not word.strip() for word in words):
                raise ProfileError(f"{place}.keywords.{language}", "holds an empty word")
        if dataset.contact is not None:
            check_contact(dataset.contact, f"{place}.contact")
        for index, code in enumerate(dataset.geocoding):
            _check_geocoding(code, f"{place}.geocoding[{index}]")
        if dataset.bbox is not None:
            _check_box(dataset.bbox, f"{place}.bbox")
        if dataset.outline:
            check_outline(dataset.outline, f"{place}.outline")
        _check_kin(dataset, datasets, place)


def _check_words(dataset: DatasetProfile, place: str) -> None:
    if not dataset.licence.strip():
        raise ProfileError(f"{place}.licence", "is empty; nobody may use data without a licence")
    for name, listed, words in (
        ("themes", vocabulary.THEMES, dataset.themes),
        ("high_value", vocabulary.HIGH_VALUE, dataset.high_value),
        ("periodicity", vocabulary.FREQUENCIES, [dataset.periodicity] if dataset.periodicity else []),
        ("availability", vocabulary.AVAILABILITIES, [dataset.availability] if dataset.availability else []),
        ("downloads.format", vocabulary.FORMATS, [each.format for each in dataset.downloads]),
    ):
        for word in words:
            _check_word(listed, word, f"{place}.{name}")


def _check_word(listed: str, word: str, place: str) -> None:
    if vocabulary.find(listed, word) is None:
        known = ", ".join(vocabulary.vocabulary(listed).terms)
        raise ProfileError(place, '"%(word)s" is none of %(known)s', word=word, known=known)


def _check_addresses(dataset: DatasetProfile, place: str) -> None:
    for name, addresses in (
        ("landing_page", [dataset.landing_page] if dataset.landing_page else []),
        ("conforms_to", dataset.conforms_to),
        ("documentation", dataset.documentation),
        ("legislation", dataset.legislation),
        ("downloads.address", [each.address for each in dataset.downloads]),
    ):
        for address in addresses:
            _check_web(address, f"{place}.{name}")


def _check_web(address: str, place: str) -> None:
    if not _WEB.match(address):
        raise ProfileError(place, '"%(address)s" is no address that begins with http:// or https://', address=address)


def _check_times(dataset: DatasetProfile, place: str) -> None:
    period = dataset.period or Period()
    days = {"issued": dataset.issued, "period.start": period.start, "period.end": period.end}
    days |= {f"versions[{index}].date": version.date for index, version in enumerate(dataset.versions)}
    if dataset.withdrawn is not None:
        days["withdrawn.date"] = dataset.withdrawn.date
    for name, day in days.items():
        needed = name.endswith(".date")
        if (day or needed) and not _is_day(day):
            raise ProfileError(f"{place}.{name}", '"%(day)s" is no date: 2025, 2025-02 or 2025-02-01', day=day)
    if dataset.period is not None and not (period.start or period.end):
        raise ProfileError(f"{place}.period", "says neither start nor end")
    if period.start and period.end and period.end < period.start[: len(period.end)]:
        raise ProfileError(f"{place}.period", "ends before it begins")
    for index, version in enumerate(dataset.versions):
        if not version.number.strip() or not any(text.strip() for text in version.reason.values()):
            raise ProfileError(f"{place}.versions[{index}]", "has a number and a reason")


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.match(text) and Date.fromisoformat((text + "-01-01")[:10]))
    except ValueError:
        return False


def _check_geocoding(key: str, place: str) -> None:
    fault = vocabulary.geocoding_fault(key)
    if fault:
        raise ProfileError(place, fault)


def _check_box(box: tuple[float, float, float, float], place: str) -> None:
    west, south, east, north = box
    check_position(west, south, place)
    check_position(east, north, place)
    if south > north or west > east:
        raise ProfileError(place, "is west, south, east, north; the first two are the lesser ones")


def _check_kin(dataset: DatasetProfile, datasets: Mapping[str, DatasetProfile], place: str) -> None:
    if dataset.part_of:
        series = datasets.get(dataset.part_of)
        if series is None or not series.series:
            raise ProfileError(
                f"{place}.part_of", 'there is no dataset "%(part_of)s" that says series = true', part_of=dataset.part_of
            )
        if dataset.series:
            raise ProfileError(f"{place}.part_of", "a series is part of none")
    for index, other in enumerate(dataset.related):
        if other not in datasets and not _WEB.match(other):
            raise ProfileError(
                f"{place}.related[{index}]", '"%(other)s" is neither a dataset here nor an address', other=other
            )
    if dataset.withdrawn is not None and dataset.withdrawn.successor not in ("", *datasets):
        raise ProfileError(
            f"{place}.withdrawn.successor", 'there is no dataset "%(successor)s"', successor=dataset.withdrawn.successor
        )


def check_contact(contact: Contact, place: str) -> None:
    """Raises ProfileError where a contact leads nowhere."""
    if not contact.name.strip():
        raise ProfileError(f"{place}.name", "is empty")
    if not (contact.mail or contact.page or contact.phone):
        raise ProfileError(place, "has neither mail nor page nor phone: nobody can be reached")
    if contact.mail and not _MAIL.match(contact.mail):
        raise ProfileError(f"{place}.mail", '"%(mail)s" is no e-mail address', mail=contact.mail)
    if contact.page:
        _check_web(contact.page, f"{place}.page")
    if contact.phone and not _PHONE.match(contact.phone):
        raise ProfileError(
            f"{place}.phone", '"%(phone)s" is no international number, e.g. +49 3641 49-0', phone=contact.phone
        )


def check_organisations(organisations: Iterable[Organisation]) -> None:
    """Raises ProfileError where one is wrong, or two have one name."""
    seen: set[str] = set()
    for organisation in organisations:
        place = f"organisations.{organisation.id}"
        check_id(organisation.id, place)
        if not organisation.name.strip() or organisation.name in seen:
            raise ProfileError(f"{place}.name", "is empty, or another organisation has it")
        seen.add(organisation.name)
        if organisation.type:
            _check_word(vocabulary.PUBLISHER_TYPES, organisation.type, f"{place}.type")
        if organisation.page:
            _check_web(organisation.page, f"{place}.page")
        if organisation.mail and not _MAIL.match(organisation.mail):
            raise ProfileError(f"{place}.mail", '"%(mail)s" is no e-mail address', mail=organisation.mail)


def check_catalogue(catalogue: CatalogueProfile) -> None:
    """Raises ProfileError where what is said of the catalogue as a whole is wrong."""
    if catalogue.contact is not None:
        check_contact(catalogue.contact, "catalogue.contact")
    for index, code in enumerate(catalogue.geocoding):
        _check_geocoding(code, f"catalogue.geocoding[{index}]")
    if catalogue.contributor and not re.fullmatch(rf"{re.escape(_CONTRIBUTOR)}[A-Za-z0-9_-]+", catalogue.contributor):
        raise ProfileError("catalogue.contributor", "begins with %(contributor)s", contributor=_CONTRIBUTOR)

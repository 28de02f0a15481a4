"""Catalogues to try: a city's with figures that could be, and any that random valid metadata make."""

from typing import Any

from hypothesis import strategies as st
from rdflib import Graph

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Distribution, Note
from allmende.domain.cataloguing import build_catalogue
from allmende.domain.dataset import (
    CatalogueProfile,
    Contact,
    DatasetProfile,
    Download,
    Organisation,
    Period,
    Version,
    check_catalogue,
    check_datasets,
    check_organisations,
)
from allmende.domain.face import Request
from allmende.domain.figures import DatasetFigures
from allmende.domain.interfaces import (
    feature_distributions,
    features_service,
    sensorthings_service,
    stream_distributions,
)
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.profile import Geography, Profile
from allmende.domain.quality import Quality
from allmende.faces.dcat.face import answer_catalogue
from allmende.faces.dcat.formats import FORMATS, Format

ROOT = "https://city.example"
DAY = 86_400_000_000
NOW = 20_000 * DAY
PARSED = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld", "nt": "nt"}


def ask(query: str = "", **more: Any) -> Request:
    return Request(method="GET", path="", query=query, root=ROOT, reader=ANONYMOUS, now=NOW, **more)


def catalogue_of(profile: Profile, reader: Reader = ANONYMOUS, *, filled: bool = True, **more: Any) -> Catalogue:
    """The catalogue of a profile; ``filled`` as if readings had come of all."""
    figures = DatasetFigures(
        streams=3, readings=900, first=NOW - 90 * DAY, newest=NOW - 60_000_000, bbox=(11.55, 50.91, 11.6, 50.95)
    )
    quality = Quality(
        measured_at=NOW, start=NOW - 7 * DAY, end=NOW, streams=3, counted=90, expected=100, completeness=0.9,
        timeliness=2 / 3, plausibility=1.0, judged=3, on_time=2,
    )  # fmt: skip
    notes = {name: Note(issued=NOW - 100 * DAY, changed=NOW - DAY, quality=quality) for name in profile.datasets}
    return build_catalogue(
        profile,
        reader,
        root=ROOT,
        figures=dict.fromkeys(profile.datasets, figures) if filled else {},
        notes=notes if filled else {},
        adders=[stream_distributions, feature_distributions, _dump],
        services=[sensorthings_service(ROOT), features_service(ROOT)],
        **more,
    )


def _dump(dataset: DatasetProfile, *_: Any) -> list[Distribution]:
    """A file whose size and checksum are known."""
    address = f"{ROOT}/dumps/{dataset.id}/2024-05.parquet"
    title = {"de": "Messwerte 2024-05", "en": "Readings 2024-05"}
    return [
        Distribution(
            name="dump-2024-05", title=title, address=address, download=address, format="PARQUET", size=4_096,
            sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        )
    ]  # fmt: skip


def graph_of(catalogue: Catalogue, query: str = "", format_: Format = FORMATS[0]) -> Graph:
    """What a client reads of it."""
    answer = answer_catalogue(ask(query), catalogue, format_)
    assert answer.status == 200, answer.body
    return Graph().parse(data=answer.body, format=PARSED[format_.suffix])


def _keys(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(vocabulary.vocabulary(name).terms))


def _some(each: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(each, max_size=most, unique=True)


_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), min_size=1, max_size=30
).filter(lambda text: bool(text.strip()))
_texts = st.fixed_dictionaries({"de": _text, "en": _text})
_name = st.sampled_from(["Stadt", "Werke & Söhne <GmbH>", 'Amt "für" Daten', "Ministerium"])
_web = st.sampled_from(["https://a.example", "http://b.example/x?y=1&z=ä", "https://c.example/d/(e)#f"])
_day = st.dates().map(lambda day: day.isoformat())
_date = st.builds(lambda day, length: day[:length], _day, st.sampled_from([4, 7, 10])).filter(lambda d: d >= "1000")
_contact = st.builds(
    Contact, name=_text, mail=st.sampled_from(["", "a+b@c.example"]), page=_web,
    phone=st.sampled_from(["", "+49 3641 49-0"]),
)  # fmt: skip
_key = st.sampled_from(["municipalityKey/16053000", "regionalKey/160530000000", "districtKey/16053", "stateKey/16"])
_box = st.builds(
    lambda lon, lat, width, height: (lon, lat, min(lon + width, 180.0), min(lat + height, 90.0)),
    st.floats(-180, 180), st.floats(-90, 90), st.floats(0, 5), st.floats(0, 5),
)  # fmt: skip
_outline = st.just(
    {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [11, 50]}}]}
)  # fmt: skip


def _datasets(name: str, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[DatasetProfile]:
    said: dict[str, st.SearchStrategy[Any]] = {
        "title": _texts, "description": _texts, "publisher": _name, "licence": _keys(vocabulary.LICENCES) | _text,
        "attribution": st.just("") | _text, "access": st.sampled_from(["open", "restricted", "protected"]),
        "public_description": st.just(True), "themes": _some(_keys(vocabulary.THEMES)),
        "keywords": st.fixed_dictionaries({"de": _some(_text)}), "contact": st.none() | _contact,
        "creator": st.just("") | _name, "maintainer": st.just("") | _name, "originator": st.just("") | _name,
        "contributors": _some(_name), "geocoding": _some(_key), "bbox": st.none() | _box,
        "outline": st.just("") | _outline,
        "period": st.none() | st.builds(Period, start=_date) | st.builds(Period, end=_date),
        "periodicity": st.just("") | _keys(vocabulary.FREQUENCIES), "provenance": st.just({}) | _texts,
        "conforms_to": _some(_web), "landing_page": st.just("") | _web, "documentation": _some(_web),
        "legal_basis": st.just({}) | _texts, "legislation": _some(_web),
        "high_value": _some(_keys(vocabulary.HIGH_VALUE)),
        "availability": st.just("") | _keys(vocabulary.AVAILABILITIES), "issued": st.just("") | _date,
        "versions": _some(st.builds(Version, number=_text, date=_date, reason=_texts).map(_Same), 3).map(
            lambda found: [each.value for each in found]),
        "related": _some(st.sampled_from(["a", "b"]) | _web),
        "downloads": st.lists(
            st.builds(Download, title=_texts, address=_web, format=_keys(vocabulary.FORMATS)), max_size=2),
        "other_ids": _some(_text),
    }  # fmt: skip
    return st.builds(DatasetProfile, id=st.just(name), **{**said, **fixed})


_EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}
_NOWHERE = Geography(
    center=(0.0, 0.0), zoom=1.0, boundary=_EMPTY, districts=_EMPTY, waters=_EMPTY, attribution="nobody"
)


class _Same:
    """A value that is unique by itself: structs with dictionaries have no hash."""

    def __init__(self, value: Any) -> None:
        self.value = value


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """A city with any valid metadata: two datasets and a series that may hold the first."""
    part_of = st.sampled_from(["", "s"])
    datasets = {
        "a": draw(_datasets("a", part_of=part_of)),
        "b": draw(_datasets("b")),
        "s": draw(_datasets("s", series=st.just(True), versions=st.just([]))),
    }
    organisation = Organisation(
        id="stadt", name="Stadt", type=draw(st.just("") | _keys(vocabulary.PUBLISHER_TYPES)),
        page=draw(st.just("") | _web), mail=draw(st.sampled_from(["", "x@y.example"])),
        address=draw(st.just("") | _text),
    )  # fmt: skip
    about = CatalogueProfile(
        title=draw(st.just({}) | _texts), description=draw(st.just({}) | _texts), contact=draw(st.none() | _contact),
        geocoding=draw(_some(_key)), contributor="http://dcat-ap.de/def/contributors/someCity",
    )  # fmt: skip
    check_datasets(datasets)
    check_organisations([organisation])
    check_catalogue(about)
    return Profile(
        id="town", name="Town", country="DE", time_zone="Europe/Berlin", languages=["de", "en"], geography=_NOWHERE,
        datasets=datasets, catalogue=about, organisations={"stadt": organisation},
    )  # fmt: skip

"""``/datasets/``: the search over all datasets that the reader may know of. Its address says all that was asked."""

from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.errors import InvalidQuery
from allmende.domain.features import Box
from allmende.domain.search.datasets import FACETS, ORDERS, Found, Question, search
from allmende.domain.search.index import LONGEST, highlight
from allmende.web.catalogue.extent import SIDES, districts_of, fields, map_texts, read_extent, side_of
from allmende.web.catalogue.finding import index_for
from allmende.web.catalogue.gather import catalogue_for
from allmende.web.portal.sources import spoken

ROWS = 20
"""Datasets in a page."""
_MOST_CHOSEN = 20
_TERMS = {"theme": vocabulary.THEMES, "periodicity": vocabulary.FREQUENCIES, "licence": vocabulary.LICENCES}
Pieces = list[tuple[str, bool]]


class Listed(NamedTuple):
    """A dataset in the list, in words of the active language."""

    entry: Entry
    title: str
    description: str
    licence: str
    themes: list[str]
    periodicity: str
    title_pieces: Pieces
    """The title with what was found in it."""
    description_pieces: Pieces


class Value(NamedTuple):
    """A value of a facet, and where choosing it or letting it go leads."""

    label: str
    number: int
    chosen: bool
    link: str


class Facet(NamedTuple):
    """A facet with its values."""

    key: str
    name: str
    values: list[Value]
    chosen: bool


def listed(entry: Entry, stems: frozenset[str] = frozenset()) -> Listed:
    """An entry for the list; ``stems`` are those of the words that were found."""
    dataset = entry.dataset
    frequency = vocabulary.find(vocabulary.FREQUENCIES, entry.periodicity)
    themes = vocabulary.vocabulary(vocabulary.THEMES).terms
    title, description = spoken(dataset.title), spoken(dataset.description)
    return Listed(
        entry=entry,
        title=title,
        description=description,
        licence=spoken(entry.licence.label),
        themes=[spoken(themes[key].label) for key in dataset.themes],
        periodicity=spoken(frequency.label) if frequency else "",
        title_pieces=highlight(title, _language(), stems),
        description_pieces=highlight(description, _language(), stems),
    )


@require_safe
def datasets(request: HttpRequest) -> HttpResponse:
    """The page; 400 where the map extent is no extent, with what is wrong of it."""
    asked, fault = request.GET, None
    simulated = asked.get("simulated") == "1"
    districts = districts_of(request.house.profile.geography)  # type: ignore[attr-defined]  # set by HouseMiddleware
    try:
        bbox = read_extent(asked)
        bbox = bbox or districts.get(_district(asked, districts))
    except InvalidQuery as error:
        bbox, fault = None, error
    question = Question(
        text=asked.get("q", "")[:LONGEST].strip(),
        chosen={facet: tuple(asked.getlist(facet)[:_MOST_CHOSEN]) for facet in FACETS if asked.getlist(facet)},
        bbox=bbox,
        order=asked.get("order", "") if asked.get("order") in ORDERS else "relevance",
    )
    catalogue = catalogue_for(request, simulated=simulated)
    found = search(catalogue, index_for(request, catalogue), question, _language())
    pages = max(1, -(-len(found.entries) // ROWS))
    page = min(_number(asked.get("page", "")), pages)
    hidden = sum(each.simulated and each.withdrawn is None for each in request.house.profile.datasets.values())  # type: ignore[attr-defined]
    district = (
        "" if fault or read_extent(asked) is not None or asked.get("district") not in districts else asked["district"]
    )
    link = _Links(question, simulated, district)
    values = {
        "listed": [listed(entry, found.hits.stems) for entry in found.entries[(page - 1) * ROWS : page * ROWS]],
        "total": len(found.entries),
        "harvests": bool(request.house.profile.harvests),  # type: ignore[attr-defined]
        "text": question.text,
        "question": question,
        "kept": link.pairs(without=("q", "order", "district", *SIDES)),
        "facets": _facets(found, catalogue, question, link),
        "instead": [(word, ", ".join(words[:3])) for word, words in found.hits.instead.items()],
        "orders": [(key, name, question.order == key) for key, name in _orders().items()],
        "districts": [(name, name == district) for name in districts],
        "texts": map_texts(),
        "sides": fields(asked, None if district else bbox, wrong=fault is not None),
        "fault": fault,
        "page": page,
        "pages": pages,
        "before": link.to(page=page - 1) if page > 1 else "",
        "after": link.to(page=page + 1) if page < pages else "",
        "everything": link.everything(),
        "narrowed": bool(question.text or question.chosen or bbox),
        "simulated": simulated,
        "hidden": hidden,
        "other_simulated": _Links(question, not simulated, district).to(),
    }  # fmt: skip
    return render(request, "catalogue/datasets.html", values, status=400 if fault else 200)


class _Links:
    """Addresses of this page that differ in one thing."""

    def __init__(self, question: Question, simulated: bool, district: str = "") -> None:
        self._question = question
        self._simulated = simulated
        self._district = district

    def pairs(self, *, without: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        """What is asked now, as name and value."""
        question = self._question
        found = [("q", question.text)] if question.text else []
        found += [(facet, value) for facet, values in question.chosen.items() for value in values]
        if self._district:
            found.append(("district", self._district))
        elif question.bbox:
            found += [(side, side_of(question.bbox, place)) for place, side in enumerate(SIDES)]
        found += [("order", question.order)] if question.order != "relevance" else []
        found += [("simulated", "1")] if self._simulated else []
        return [pair for pair in found if pair[0] not in without]

    def to(self, *, page: int = 1) -> str:
        """Another page of the same."""
        return "?" + urlencode(self.pairs() + ([("page", str(page))] if page > 1 else []))

    def toggled(self, facet: str, value: str) -> str:
        """With a value more, or without it where it was chosen."""
        pairs = self.pairs()
        one = (facet, value)
        return "?" + urlencode([pair for pair in pairs if pair != one] if one in pairs else [*pairs, one])

    def everything(self) -> str:
        """Without any of it."""
        return "?simulated=1" if self._simulated else "?"


def _facets(found: Found, catalogue: Catalogue, question: Question, link: _Links) -> list[Facet]:
    publishers = {entry.publisher.id: entry.publisher.name for entry in catalogue.entries}
    licences = {entry.licence.key: spoken(entry.licence.label) for entry in catalogue.entries}
    access = {"open": _("open"), "restricted": _("restricted"), "protected": _("protected")}
    names = {
        "theme": _("Theme"), "publisher": _("Publisher"), "licence": _("Licence"), "format": _("Format"),
        "access": _("Access"), "periodicity": _("Updated"), "municipality": _("Area"),
    }  # fmt: skip
    facets = []
    for facet in FACETS:
        chosen = question.chosen.get(facet, ())
        values = []
        for value, count in found.facets[facet].items():
            term = vocabulary.find(_TERMS[facet], value) if facet in _TERMS else None
            known = {"publisher": publishers, "licence": licences, "access": access}.get(facet, {})
            label = spoken(term.label) if term else known.get(value, value)
            values.append(Value(label, count, value in chosen, link.toggled(facet, value)))
        # one value that all have narrows nothing
        if chosen or len(values) > 1:
            facets.append(Facet(facet, names[facet], values, bool(chosen)))
    return facets


def _orders() -> dict[str, str]:
    return {"relevance": _("Best hits first"), "newest": _("Newest change first"), "title": _("By title")}


def _district(asked: QueryDict, districts: dict[str, Box]) -> str:
    """The one that is asked for; fields say more than a name."""
    name = asked.get("district", "")
    return name if name in districts and read_extent(asked) is None else ""


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _language() -> str:
    return (get_language() or "de").split("-")[0]

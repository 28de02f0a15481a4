"""``/search/``: one question, answers by kind."""

from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.city.finding import Findable
from allmende.domain.search.datasets import Question, search
from allmende.domain.search.index import LONGEST, highlight
from allmende.web.catalogue.finding import index_for
from allmende.web.catalogue.gather import catalogue_for
from allmende.web.finding.shelves import asked, everything, kinds
from allmende.web.portal.sources import spoken

FEW, ROWS = 5, 25
"""Answers of a kind among all kinds, and on a page of its own."""
MOST = 100
"""Answers that an index of its own is asked for."""
Pieces = list[tuple[str, bool]]


class Answer(NamedTuple):
    """One line: what was found in it is marked."""

    address: str
    title: Pieces
    summary: Pieces


class Group(NamedTuple):
    """The answers of one kind; ``rest`` are more of them, ``link`` leads there."""

    name: str
    title: str
    number: int
    answers: list[Answer]
    link: str
    rest: int


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """The page; without a question it says what can be found. ``?kind=`` shows one kind, ``?page=`` its pages."""
    text = request.GET.get("q", "")[:LONGEST].strip()
    wanted = request.GET.get("kind", "")
    page = _number(request.GET.get("page", ""))
    groups, instead = _ask(request, text, wanted, page) if text else ([], [])
    groups = [group for group in groups if group.number and wanted in ("", group.name)]
    values = {
        "text": text,
        "groups": groups,
        "wanted": wanted if groups else "",
        "total": sum(group.number for group in groups),
        "instead": instead if any(group.number for group in groups) else [],
        "everything": f"{reverse('finding:find')}?{urlencode({'q': text})}",
        "before": _link(text, wanted, page - 1) if wanted and page > 1 else "",
    }
    return render(request, "finding/find.html", values)


def _ask(request: HttpRequest, text: str, wanted: str, page: int) -> tuple[list[Group], list[tuple[str, str]]]:
    """The answers by kind, and what was taken in the place of words that nothing is called."""
    known, language = everything(request), _language()
    hits = known.index.search(text)
    ordered = sorted(hits.scores, key=lambda key: (-hits.scores[key], known.found[key][1].title.casefold(), key))

    def answer(one: Findable) -> Answer:
        marked = (highlight(said, language, hits.stems) for said in (one.title, one.summary))
        return Answer(one.address, *marked)

    groups: list[tuple[int, Group]] = []
    for kind in kinds():
        found = [known.found[key][1] for key in ordered if known.found[key][0] is kind]
        shown, rest, link = _cut(len(found), kind.name, wanted, text, page)
        group = Group(kind.name, str(kind.title), len(found), [answer(one) for one in found[shown]], link, rest)
        groups.append((kind.order, group))
    for each in asked():
        told = each.ask(request, text, MOST)
        shown, rest, link = _cut(len(told), each.name, wanted, text, page)
        group = Group(each.name, str(each.title), len(told), [answer(one) for one in told[shown]], link, rest)
        groups.append((each.order, group))
    groups.sort(key=lambda pair: pair[0])
    datasets, slips = _datasets(request, text, wanted, page)
    groups.insert(1, (0, datasets))  # behind the services
    return [group for _order, group in groups], [
        (word, ", ".join(words[:3])) for word, words in ({**slips, **hits.instead}).items()
    ]


def _datasets(request: HttpRequest, text: str, wanted: str, page: int) -> tuple[Group, dict[str, tuple[str, ...]]]:
    catalogue = catalogue_for(request)
    found = search(catalogue, index_for(request, catalogue), Question(text=text), _language())
    shown, rest, link = _cut(len(found.entries), "datasets", wanted, text, page)
    language, stems = _language(), found.hits.stems
    answers = [
        Answer(
            reverse("catalogue:dataset", args=[entry.id]),
            highlight(spoken(entry.dataset.title), language, stems),
            highlight(spoken(entry.dataset.description), language, stems),
        )
        for entry in found.entries[shown]
    ]
    return Group("datasets", _("Datasets"), len(found.entries), answers, link, rest), dict(found.hits.instead)


def _cut(number: int, kind: str, wanted: str, text: str, page: int) -> tuple[slice, int, str]:
    """What of a kind is shown, how many come behind it, and where they are."""
    if kind != wanted:
        return slice(0, FEW), max(0, number - FEW), _link(text, kind, 1)
    start = (page - 1) * ROWS
    return slice(start, start + ROWS), max(0, number - start - ROWS), _link(text, kind, page + 1)


def _link(text: str, kind: str, page: int) -> str:
    return f"{reverse('finding:find')}?{urlencode({'q': text, 'kind': kind, **({'page': page} if page > 1 else {})})}"


def _number(text: str) -> int:
    return max(1, int(text[:6])) if text.isascii() and text.isdecimal() else 1


def _language() -> str:
    return (get_language() or "de").split("-")[0]

"""``/explorer/correlation/``: whether streams go together, at which shift best, and that this is no cause."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from allmende.city.drawing import FOOT, Axis, Line, Plot, Tick, height, path, percent
from allmende.domain.spans import Head
from allmende.knowledge.analyses.correlation import LEAST_PAIRS, Coefficient, Lag, Pairing, correlate
from allmende.knowledge.analyses.values import Values
from allmende.web.analyses import answering, words
from allmende.web.analyses.asking import Asked
from allmende.web.analyses.reading import read

MOST = 4
USUAL_DAYS = 28
_SHIFTS = {"hour": 48, "quarter": 96, "day": 14}
_STRONG = ((0.1, "none"), (0.3, "weak"), (0.5, "moderate"), (0.7, "clear"))


class Told(NamedTuple):
    """A pair of streams in words."""

    names: tuple[str, str]
    sentence: str
    pairs: str
    pearson: str
    spearman: str
    effective: str
    best: str


class Dot(NamedTuple):
    """A pair in the plot."""

    x: str
    y: str


class Box(NamedTuple):
    """Many pairs in the plot."""

    x: str
    y: str
    wide: str
    high: str
    style: str
    words: str


@require_safe
def correlation(request: HttpRequest) -> HttpResponse:
    """The page, or the same as a file."""
    asked = Asked(request)
    form = answering.wants_file(asked)
    streams = asked.streams("stream", MOST)
    width = asked.choice("width", ("hour", "quarter", "day"))
    asked.choice("take", ("mean", "sum"))
    shift = asked.number("shift", _SHIFTS[width], 0, 500)
    found: list[tuple[Values, Values, Pairing]] = []
    if len(streams) > 1:
        span = asked.span(asked.newest_days(streams, USUAL_DAYS))
        if span is not None and asked.ready:
            values = [each for each in (read(asked, stream, span, width) for stream in streams) if each is not None]
            if asked.ready:
                found = [(a, b, correlate(a, b, shifts=shift)) for a, b in combinations(values, 2)]
    # A link to this page may bring the first stream alone; who sent the form wants an answer.
    if len(streams) < 2 and asked.ready and (form or (streams and "width" in request.GET)):
        asked.faults["stream"] = _("Two streams are needed.")
    if form:
        return answering.as_file(asked, form, "correlation", _table(found), _body(found))
    shown: dict[str, Any] = {"pair": streams, "width": width, "shift": shift, "fields": _fields(streams)}
    if found:
        shown |= _shown(asked, found, width)
    fixed = answering.fixed_days(streams, found[0][0].basis) if found else {}
    return answering.page(request, "analyses/correlation.html", asked, streams, fixed, **shown)


def _fields(streams: Sequence[Head]) -> list[tuple[str, int, str]]:
    """The fields for streams, with id, number and value: two, and one more than are filled."""
    filled = [each.id for each in streams]
    filled += [""] * max(2 - len(filled), 1 if len(filled) < MOST else 0)
    return [(f"stream-{number}", number, identifier) for number, identifier in enumerate(filled, 1)]


def _shown(asked: Asked, found: Sequence[tuple[Values, Values, Pairing]], width: str) -> dict[str, Any]:
    first, second, pairing = found[0]
    bases = {values.stream.id: values for each in found for values in each[:2]}
    return {
        "from": first.basis.span.first,
        "to": first.basis.span.last,
        "told": [_told(*each, width) for each in found],
        "scatter": _scatter(first, second, pairing) if pairing.pairs else None,
        "lags": _lags(pairing, width) if pairing.lags else None,
        "lag_rows": [(_shift_words(lag.shift, width), words.number(lag.value), lag.pairs) for lag in pairing.lags],
        "bases": [
            (words.name_of(values.stream), words.told_basis(values.basis, asked.zone)) for values in bases.values()
        ],
        "few": pairing.few,
        "least": LEAST_PAIRS,
    }


def _told(first: Values, second: Values, pairing: Pairing, width: str) -> Told:
    names = (words.name_of(first.stream), words.name_of(second.stream))
    return Told(
        names=names,
        sentence=_sentence(names, pairing),
        pairs=words.number(pairing.pairs),
        pearson=_coefficient(pairing.pearson),
        spearman=_coefficient(pairing.spearman),
        effective=words.number(round(pairing.pearson.effective)) if pairing.pearson else "–",
        best=_best(pairing.best, width),
    )


def _sentence(names: tuple[str, str], pairing: Pairing) -> str:
    if pairing.few:
        return _("Too few values: only %(pairs)s pairs of values are there at the same time. Nothing can be said.") % {
            "pairs": pairing.pairs
        }
    found = pairing.pearson
    if found is None:
        return _("One of the two never changes in this span. Nothing can be said.")
    strength = next((name for bound, name in _STRONG if abs(found.value) < bound), "strong")
    told = {
        "none": _("“%(first)s” and “%(second)s” hardly go together."),
        "weak": _("“%(first)s” and “%(second)s” go together weakly"),
        "moderate": _("“%(first)s” and “%(second)s” go together moderately"),
        "clear": _("“%(first)s” and “%(second)s” clearly go together"),
        "strong": _("“%(first)s” and “%(second)s” go together strongly"),
    }[strength] % {"first": names[0], "second": names[1]}
    if strength != "none":
        told += (
            _(": the more of the one, the more of the other.")
            if found.value > 0
            else _(": the more of the one, the less of the other.")
        )
    if found.low is None or found.high is None:
        return told + " " + _("Too few of the pairs are independent to say how sure this is.")
    if found.low <= 0 <= found.high:
        return told + " " + _("It may be chance: no connection at all is possible, too.")
    return told


def _coefficient(found: Coefficient | None) -> str:
    if found is None:
        return "–"
    told = words.number(round(found.value, 2))
    if found.low is None or found.high is None:
        return told
    return _("%(value)s (%(low)s to %(high)s)") % {
        "value": told,
        "low": words.number(round(found.low, 2)),
        "high": words.number(round(found.high, 2)),
    }


def _best(best: Lag | None, width: str) -> str:
    if best is None:
        return "–"
    return f"{_shift_words(best.shift, width)}: {words.number(round(best.value, 2))}"


def _shift_words(shift: int, width: str) -> str:
    if not shift:
        return _("no shift")
    number = abs(shift) * 15 if width == "quarter" else abs(shift)
    length = {
        "hour": ngettext("%(n)d hour", "%(n)d hours", number),
        "quarter": ngettext("%(n)d minute", "%(n)d minutes", number),
        "day": ngettext("%(n)d day", "%(n)d days", number),
    }[width] % {"n": number}
    return (_("second %(length)s later") if shift > 0 else _("second %(length)s earlier")) % {"length": length}


def _scatter(first: Values, second: Values, pairing: Pairing) -> dict[str, Any]:
    if pairing.points:
        x, y = Axis([each[0] for each in pairing.points]), Axis([each[1] for each in pairing.points])
    else:
        x = Axis([edge for each in pairing.bins for edge in (each.x, each.x + each.wide)])
        y = Axis([edge for each in pairing.bins for edge in (each.y, each.y + each.high)])
    most = max((each.pairs for each in pairing.bins), default=1)
    span = (100 - FOOT) / 100
    return {
        "dots": [Dot(percent(x.share(a)), height(y.share(b))) for a, b in pairing.points],
        "boxes": [
            Box(
                percent(x.share(each.x)),
                height(y.share(each.y + each.high)),
                percent(x.share(each.x + each.wide) - x.share(each.x)),
                percent((y.share(each.y + each.high) - y.share(each.y)) * span),
                # one crowded place would leave all others pale
                f"heat-{round(8 * math.log(each.pairs) / math.log(max(most, 2)))}",
                ngettext("%(n)d pair", "%(n)d pairs", each.pairs) % {"n": each.pairs},
            )
            for each in pairing.bins
        ],
        "most": most,
        "up": [Tick(height(y.share(value)), words.number(value)) for value in y.ticks()],
        "along": [Tick(percent(x.share(value)), words.number(value)) for value in x.ticks()[:-1]],
        "foot": f"{100 - FOOT:.0f}%",
        "x_name": _with_unit(first.stream),
        "y_name": _with_unit(second.stream),
    }


def _with_unit(stream: Head) -> str:
    unit = words.unit_of(stream)
    return f"{words.name_of(stream)} ({unit})" if unit else words.name_of(stream)


def _lags(pairing: Pairing, width: str) -> Plot:
    low, high = pairing.lags[0].shift, pairing.lags[-1].shift
    by_shift = {lag.shift: lag.value for lag in pairing.lags}
    values = [by_shift.get(shift) for shift in range(low, high + 1)]
    axis = Axis([-1.0, 1.0])
    places = sorted({low, low // 2, 0, high // 2})
    return Plot(
        lines=[Line("plot__line plot__line--a", path(values, axis))],
        up=[Tick(height(axis.share(value)), words.number(value)) for value in axis.ticks()],
        along=[
            Tick(percent((place - low + 0.5) / len(values)), words.number(place * (15 if width == "quarter" else 1)))
            for place in places
            if low <= place <= high
        ],
        foot=f"{100 - FOOT:.0f}%",
    )


def _table(found: Sequence[tuple[Values, Values, Pairing]]) -> list[list[Any]]:
    """Every pair of values, bucket by bucket."""
    if not found:
        return [["time"]]
    values = list({each.stream.id: each for pair in found for each in pair[:2]}.values())
    head = ["time", *(each.stream.id for each in values)]
    rows = zip(values[0].starts, *(each.values for each in values), strict=True)
    return [head, *([answering.instant(row[0]), *row[1:]] for row in rows)]


def _body(found: Sequence[tuple[Values, Values, Pairing]]) -> dict[str, Any]:
    return {
        "pairs": [
            {
                "streams": [answering.stream_body(each.stream) for each in pair[:2]],
                "basis": [answering.basis_body(each.basis) for each in pair[:2]],
                "pairs": pair[2].pairs,
                "pearson": pair[2].pearson,
                "spearman": pair[2].spearman,
                "lags": pair[2].lags,
                "best": pair[2].best,
                "points": pair[2].points,
                "bins": pair[2].bins,
            }
            for pair in found
        ]
    }

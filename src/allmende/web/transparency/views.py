"""The pages on transparency: all sensors, one of them, and the label to put on it."""

import io
from typing import Any
from urllib.parse import quote

import segno
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allmende.domain.catalogue import may_read
from allmende.domain.policy import ANONYMOUS
from allmende.web.catalogue.gather import root_of
from allmende.web.catalogue.sketch import draw
from allmende.web.transparency.facts import Sensor, Told, datasets_of, told_datasets

SHOWN = 25
"""Sensors of a dataset on the page of all; its own page has them all, up to MOST."""
MOST = 2000


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """``/transparency/``, and with ``?dataset=ID`` all sensors of one dataset."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    name = request.GET.get("dataset", "")
    told = told_datasets(house, [name] if name else None)
    if name and not told:
        raise Http404(name)
    most = MOST if name else SHOWN
    places = [sensor.place for each in told for sensor in each.sensors if sensor.place]
    values = {
        "listed": [(each, each.sensors[:most], max(0, len(each.sensors) - most)) for each in told],
        "single": bool(name),
        "sketch": draw(house.profile.geography, None, dict.fromkeys(places), most=MOST) if places else None,
        "places": len(dict.fromkeys(places)),
    }
    return render(request, "transparency/overview.html", values)


@require_safe
def thing(request: HttpRequest, thing_id: str) -> HttpResponse:
    """One sensor: what it records, why, for how long."""
    return render(request, "transparency/thing.html", _values(request, thing_id))


@require_safe
def label(request: HttpRequest, thing_id: str) -> HttpResponse:
    """What is printed and put on the device."""
    return render(request, "transparency/label.html", _values(request, thing_id))


@require_safe
def code(request: HttpRequest, thing_id: str) -> HttpResponse:
    """The QR code that leads to the sensor's page."""
    _find(request, thing_id)
    drawn = io.BytesIO()
    # Level M stands a scratched label; light is white, so that it is read in dark mode too.
    segno.make(address_of(request, thing_id), error="m", micro=False).save(
        drawn, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=True
    )
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml")


def address_of(request: HttpRequest, thing_id: str) -> str:
    """The whole address, as the code holds it."""
    return f"{root_of(request)}/transparency/{quote(thing_id, safe='~')}/"


def _find(request: HttpRequest, thing_id: str) -> list[tuple[Told, Sensor]]:
    """The thing in each dataset that has readings of it; 404 where there is none."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    names = datasets_of(house, thing_id)
    told = told_datasets(house, names) if names else []
    found = [(each, sensor) for each in told for sensor in each.sensors if sensor.id == thing_id]
    if not found:
        raise Http404(thing_id)
    return found


def _values(request: HttpRequest, thing_id: str) -> dict[str, Any]:
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    found = _find(request, thing_id)
    place = next((sensor.place for _, sensor in found if sensor.place), None)
    sensor = found[0][1]._replace(
        place=place,
        records=list(dict.fromkeys(word for _, each in found for word in each.records)),
        kept=list(dict.fromkeys(word for _, each in found for word in each.kept)),
    )
    return {
        "found": found,
        "told": found[0][0],
        "sensor": sensor,
        "address": address_of(request, thing_id),
        "subscribable": any(may_read(told.dataset, ANONYMOUS) for told, _ in found),
        "sketch": draw(house.profile.geography, None, [place]) if place else None,
    }

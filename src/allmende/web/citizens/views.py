"""Pages of citizens' sensors: for all who look, and for those who give one."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import LimitExceeded
from allmende.domain.policy import ANONYMOUS
from allmende.web.accounts.roles import asks_for, may
from allmende.web.citizens import keeping
from allmende.web.citizens.door import receive
from allmende.web.citizens.forms import PlaceForm, RegisterForm, WordsForm
from allmende.web.citizens.models import DELETE, LEAVE, LICENCES, OPEN, OwnSensor
from allmende.web.citizens.seeing import (
    DAYS,
    courses_of,
    feature_of,
    problems_of,
    say_place,
    say_state,
    values_of,
)
from allmende.web.citizens.source import reader_of
from allmende.web.citizens.texts import snippets, texts_of_map

PAGE = 50
_MAP = 2000
_READ = ("GET", "HEAD")


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Every sensor that was released, with its newest values."""
    page = Paginator(OwnSensor.objects.filter(state=OPEN), PAGE).get_page(request.GET.get("page"))
    listed = [_row(sensor) for sensor in page]
    values = {"listed": listed, "page": page, "texts": texts_of_map(), **_roles(request)}
    return render(request, "citizens/list.html", values)


def _row(sensor: OwnSensor) -> dict[str, Any]:
    return {"it": sensor, "values": values_of(sensor, ANONYMOUS), "place": say_place(sensor)}


@require_safe
def map_json(request: HttpRequest) -> HttpResponse:
    """The same for the map, as GeoJSON."""
    found = OwnSensor.objects.filter(state=OPEN)[:_MAP]
    features = [feature_of(each, url=reverse("citizens:sensor", args=[each.pk])) for each in found]
    body = {"type": "FeatureCollection", "features": [each for each in features if each is not None]}
    return JsonResponse(body, content_type="application/geo+json")


# A device has no session to forge a request in; what it sends is taken by its token alone.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest, number: int) -> HttpResponse:
    """Where the sensor's device sends; a person who looks at the address is led to the page."""
    if request.method == "POST":
        return receive(request, str(number))
    return HttpResponseRedirect(reverse("citizens:sensor", args=[number]))


@require_safe
def show(request: HttpRequest, number: int) -> HttpResponse:
    """One sensor: for all once it was released, before that for its giver."""
    sensor = OwnSensor.objects.filter(pk=number).first()
    own = sensor is not None and _is_own(request, sensor)
    if sensor is None or not (own or sensor.state == OPEN):
        raise Http404(str(number))
    reader = reader_of(sensor, request.house.reader.name) if own else ANONYMOUS  # type: ignore[attr-defined]
    words, colour = say_state(sensor)
    values: dict[str, Any] = {
        "sensor": sensor,
        "own": own,
        "place": say_place(sensor),
        "licence": LICENCES[sensor.licence],
        "state": words,
        "badge": colour,
        "courses": courses_of(sensor, reader),
        "days": DAYS,
    }
    if own:
        values["problems"] = problems_of(sensor)
        values["snippets"] = _snippets(request, sensor, "TOKEN")
    return render(request, "citizens/sensor.html", values)


@require_safe
@asks_for("sensors.give")
def mine(request: HttpRequest) -> HttpResponse:
    """The sensors of whoever is logged in."""
    listed = []
    for sensor in OwnSensor.objects.filter(user=_user(request)):
        words, colour = say_state(sensor)
        found = values_of(sensor, reader_of(sensor, request.house.reader.name))  # type: ignore[attr-defined]
        listed.append({"it": sensor, "values": found, "state": words, "badge": colour, "place": say_place(sensor)})
    return render(request, "citizens/mine.html", {"listed": listed, **_roles(request)})


@require_http_methods([*_READ, "POST"])
@asks_for("sensors.give")
def register(request: HttpRequest) -> HttpResponse:
    """A new sensor; when it is kept, its token is shown, this once."""
    if not settings.ALLMENDE.own_sensors:
        raise PermissionDenied("own sensors are switched off")
    form = RegisterForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _form(request, "citizens/new.html", form)
    sensor = OwnSensor(measures=form.cleaned_data["measured"], **form.words())
    sensor.place = form.cleaned_data["place"]
    try:
        secret = keeping.register(_user(request), sensor, settings.ALLMENDE)
    except LimitExceeded:
        return _form(request, "citizens/new.html", form, full=settings.ALLMENDE.own_each)
    return _show_token(request, sensor, secret, new=True)


@require_http_methods([*_READ, "POST"])
@asks_for("sensors.give")
def words(request: HttpRequest, number: int) -> HttpResponse:
    """Change what is said of a sensor."""
    sensor = _own(request, number)
    if request.method == "POST":
        form = WordsForm(request.POST)
        if form.is_valid():
            keeping.change_words(_user(request), sensor, form.words())
            return _back(sensor)
    else:
        fields = ("name", "description", "shown_name", "licence", "afterwards")
        said = {name: getattr(sensor, name) for name in fields}
        form = WordsForm(initial={**said, "indoor": "yes" if sensor.indoor else "no"})
    return _form(request, "citizens/words.html", form, sensor=sensor)


@require_http_methods([*_READ, "POST"])
@asks_for("sensors.give")
def place(request: HttpRequest, number: int) -> HttpResponse:
    """Tell the place otherwise."""
    sensor = _own(request, number)
    initial = {"precision": sensor.precision, "district": sensor.district}
    form = PlaceForm(request.POST if request.method == "POST" else None, initial=initial, known=sensor.place)
    if request.method == "POST" and form.is_valid():
        keeping.change_place(_user(request), sensor, form.cleaned_data["place"])
        return _back(sensor)
    return _form(request, "citizens/place.html", form, sensor=sensor, place=say_place(sensor))


@require_POST
@asks_for("sensors.give")
def token(request: HttpRequest, number: int) -> HttpResponse:
    """A new token in place of the one before, shown this once."""
    sensor = _own(request, number)
    return _show_token(request, sensor, keeping.renew_token(_user(request), sensor), new=False)


@require_POST
@asks_for("sensors.give")
def pause(request: HttpRequest, number: int) -> HttpResponse:
    """Stop taking readings, or go on."""
    sensor = _own(request, number)
    keeping.pause(_user(request), sensor, request.POST.get("paused") == "yes")
    return _back(sensor)


@require_http_methods([*_READ, "POST"])
@asks_for("sensors.give")
def delete(request: HttpRequest, number: int) -> HttpResponse:
    """Take it back, with its readings or without."""
    sensor = _own(request, number)
    if request.method == "POST" and request.POST.get("afterwards") in (DELETE, LEAVE):
        keeping.delete(_user(request), sensor, request.POST["afterwards"])
        return HttpResponseRedirect(reverse("citizens:mine"))
    return render(request, "citizens/delete.html", {"sensor": sensor, "unchosen": request.method == "POST"})


def _form(request: HttpRequest, template: str, form: Any, **more: Any) -> HttpResponse:
    status = 422 if form.errors or more.get("full") else 200
    return render(request, template, {"form": form, "texts": texts_of_map(), **more}, status=status)


def _show_token(request: HttpRequest, sensor: OwnSensor, secret: str, *, new: bool) -> HttpResponse:
    """Not by a redirect: the token is written down nowhere, so that there is nothing that a second page could show."""
    values = {"sensor": sensor, "token": secret, "new": new, "snippets": _snippets(request, sensor, secret)}
    response = render(request, "citizens/token.html", values)
    response["Cache-Control"] = "no-store"
    return response


def _snippets(request: HttpRequest, sensor: OwnSensor, secret: str) -> Any:
    return snippets(sensor, settings.ALLMENDE, request.get_host(), request.is_secure(), secret)


def _back(sensor: OwnSensor) -> HttpResponse:
    return HttpResponseRedirect(reverse("citizens:sensor", args=[sensor.pk]))


def _own(request: HttpRequest, number: int) -> OwnSensor:
    """A sensor of whoever is logged in; anybody else's is not there."""
    sensor = OwnSensor.objects.filter(pk=number, user=_user(request)).first()
    if sensor is None:
        raise Http404(str(number))
    return sensor


def _is_own(request: HttpRequest, sensor: OwnSensor) -> bool:
    return bool(request.user.is_authenticated and sensor.user_id == request.user.pk)


def _user(request: HttpRequest) -> Any:
    """Guarded views alone: somebody is logged in."""
    return request.user


def _roles(request: HttpRequest) -> dict[str, bool]:
    may_give = bool(settings.ALLMENDE.own_sensors)
    return {
        "may_give": may_give,
        "gives": may(request.user, "sensors.give"),
        "reviews": may(request.user, "sensors.review"),
    }

"""The pages of forecasts: all of them, and one with the newest run of a stream and its hit rate so far."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allmende.web.forecasts import show
from allmende.web.portal.sources import spoken


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """All forecasts that the reader may know of."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    found = [show.summary(house, forecast) for forecast in show.readable(house)]
    return render(request, "forecasts/start.html", {"forecasts": found, "on": settings.ALLMENDE.forecasts})


@require_safe
def forecast(request: HttpRequest, forecast: str) -> HttpResponse:
    """One forecast; ``?stream=`` says of which stream. What may not be seen answers like what is not there."""
    house = request.house  # type: ignore[attr-defined]
    said = next((each for each in show.readable(house) if each.id == forecast), None)
    if said is None:
        raise Http404
    state = show.state_of(house, said)
    streams = show.streams_of(house, said, state)
    wanted = request.GET.get("stream", "")
    chosen = next((each for each in streams if each.id == wanted), None)
    if wanted and chosen is None:
        raise Http404
    chosen = chosen or next((each for each in streams if each.standing.shown), next(iter(streams), None))
    context = {
        "title": spoken(said.title),
        "description": spoken(said.description),
        "dataset": house.profile.datasets[said.dataset],
        "dataset_title": spoken(house.profile.datasets[said.dataset].title),
        "streams": streams,
        "chosen": chosen,
        "troubles": show.trouble_of(state),
        "learning": state is None or (not state.lines and not state.reason),
        **(show.view(house, said, chosen, settings.ALLMENDE) if chosen else {}),
    }
    return render(request, "forecasts/forecast.html", context)

"""``/catalogues/``: which catalogues of others are taken over, and how that goes. For everybody."""

from typing import NamedTuple

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allmende.domain.addresses import hide_secrets
from allmende.domain.harvest import HarvestProfile
from allmende.web.harvest.models import Harvested, State
from allmende.web.portal.sources import as_moment, spoken


class Shown(NamedTuple):
    """A catalogue with its state."""

    harvest: HarvestProfile
    title: str
    address: str
    state: State | None
    datasets: int
    succeeded: object
    tried: object


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The page; what is described in them is found among the datasets."""
    profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    states = {each.harvest: each for each in State.objects.filter(harvest__in=profile.harvests)}
    there = Harvested.objects.filter(gone__isnull=True).values_list("harvest").annotate(Count("dataset"))
    numbers = dict(there)
    shown = []
    for harvest in profile.harvests.values():
        state = states.get(harvest.id)
        shown.append(
            Shown(
                harvest, spoken(harvest.title), hide_secrets(harvest.address), state, numbers.get(harvest.id, 0),
                as_moment(state.succeeded) if state else None, as_moment(state.tried) if state else None,
            )
        )  # fmt: skip
    return render(request, "harvest/overview.html", {"shown": shown})

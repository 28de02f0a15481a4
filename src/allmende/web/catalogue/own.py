"""Citizens' sensors in the catalogue: each that was released is a dataset of one series, under the licence that its
giver chose, and says that nobody of the city has checked it."""

import msgspec
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import override

from allmende.domain.dataset import DatasetProfile, Organisation
from allmende.domain.ids import slug
from allmende.domain.profile import Profile
from allmende.web.citizens.models import OPEN, PREFIX, OwnSensor

SERIES = "own-sensors"
"""Id of the series; a profile that describes a dataset of that id says it better."""
_THEME = "ENVI"


def described(profile: Profile) -> Profile:
    """The profile with the released sensors as datasets; the same where there are none. One question to the
    database."""
    sensors = list(OwnSensor.objects.filter(state=OPEN))
    if not sensors:
        return profile
    series = profile.datasets.get(SERIES) or _series(profile)
    own = {sensor.id_: _dataset(sensor, profile, series.id) for sensor in sensors}
    givers = {
        sensor.shown_name: Organisation(
            id=f"giver-{slug(sensor.shown_name)}", name=sensor.shown_name, type="PrivateIndividual"
        )
        for sensor in sensors
        if sensor.shown_name
    }
    known = {each.name for each in profile.organisations.values()}
    added = {each.id: each for name, each in givers.items() if name not in known}
    return msgspec.structs.replace(
        profile,
        datasets={**profile.datasets, series.id: series, **own},
        organisations={**profile.organisations, **added},
    )


def dataset_for(request: HttpRequest, name: str) -> DatasetProfile | None:
    """The description of a dataset of the house's, or of a citizen's sensor."""
    profile: Profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    if name not in profile.datasets and name.startswith(PREFIX):
        profile = described(profile)
    return profile.datasets.get(name)


def _publisher(profile: Profile) -> str:
    return profile.catalogue.publisher or profile.name


def _series(profile: Profile) -> DatasetProfile:
    title, text, provenance = {}, {}, {}
    for language in profile.languages:
        with override(language):
            title[language] = _("Citizens' data: sensors of their own")
            text[language] = _(
                "Readings of sensors that citizens put up and give: each is a dataset of its own, under the licence "
                "that its giver chose. Places may be coarse. The city has not checked the values."
            )
            provenance[language] = _("Given by citizens; looked through before it was released, not calibrated.")
    return DatasetProfile(
        id=SERIES,
        title=title,
        description=text,
        publisher=_publisher(profile),
        # of the description: each member has its own
        licence=profile.catalogue.licence,
        attribution="",
        themes=[_THEME],
        keywords=_keywords(profile),
        provenance=provenance,
        geocoding=list(profile.catalogue.geocoding),
        series=True,
    )


def _dataset(sensor: OwnSensor, profile: Profile, series: str) -> DatasetProfile:
    title, text, provenance = {}, {}, {}
    for language in profile.languages:
        with override(language):
            title[language] = _("Citizens' data: %(name)s") % {"name": sensor.name}
            marked = _("Given by a citizen and not checked by the city; the place may be coarse.")
            text[language] = f"{sensor.description} {marked}".strip()
            provenance[language] = _("Given by citizens; looked through before it was released, not calibrated.")
    return DatasetProfile(
        id=sensor.id_,
        title=title,
        description=text,
        publisher=_publisher(profile),
        creator=sensor.shown_name,
        licence=sensor.licence,
        attribution=sensor.shown_name or title[profile.languages[0]],
        themes=[_THEME],
        keywords=_keywords(profile),
        provenance=provenance,
        geocoding=list(profile.catalogue.geocoding),
        part_of=series,
    )


def _keywords(profile: Profile) -> dict[str, list[str]]:
    words = {}
    for language in profile.languages:
        with override(language):
            words[language] = [_("citizens' data"), _("citizen science")]
    return words

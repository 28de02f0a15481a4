"""Forms of those who give a sensor. What is wrong is said in short sentences, with what would be right."""

import re
import unicodedata
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from shapely import Point
from shapely.geometry import shape

from allmende.connectors.own_sensor.vocabulary import NAME, vocabulary
from allmende.domain.coarsening import PRECISIONS, Place, coarsen, coarsen_further, district_names, district_place
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Position
from allmende.domain.units import read_unit
from allmende.web.citizens.models import DELETE, LEAVE, LICENCES
from allmende.web.house import open_profile

PRECISION_TITLES = {
    "1km": _("Roughly: a square of about 1 kilometre"),
    "100m": _("More closely: a square of about 100 metres"),
    "district": _("Only the district"),
    "none": _("No place at all"),
    "exact": _("Exactly this place"),
}
LICENCE_TITLES = {
    "CC0-1.0": _("Everyone may do anything with the values (CC0)."),
    "dl-de/by-2-0": _("Everyone may use the values, but has to name the giver (dl-de/by-2-0)."),
}
AFTERWARDS_TITLES = {
    DELETE: _("Delete the sensor and all its values."),
    LEAVE: _("Leave the values to the city, without my name. Values that nobody has looked at yet are deleted."),
}
_FAR = 0.3
"""Degrees from the city within which a place may lie; further away, latitude and longitude are often swapped."""
_REQUIRED = _("Please fill this in.")
_PLACE = _("Please choose the place on the map, or write two numbers, e.g. 50.927 and 11.586.")
_CHOOSE = _("Please choose one.")
assert set(PRECISION_TITLES) == set(PRECISIONS)
assert set(LICENCE_TITLES) == set(LICENCES)


class PlaceForm(forms.Form):
    """Where it stands, and how much of that is shown. Only what is shown is ever kept."""

    precision = forms.ChoiceField(
        choices=list(PRECISION_TITLES.items()), initial="1km", error_messages={"required": _CHOOSE}
    )
    lat = forms.CharField(max_length=30, required=False)
    lon = forms.CharField(max_length=30, required=False)
    district = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, known: Place | None = None, **kwargs: Any) -> None:
        """``known``: where it is shown now; it can be told more coarsely without being said again."""
        super().__init__(*args, **kwargs)
        self._known = known
        names = district_names(open_profile().geography.districts)
        self.fields["district"].choices = [("", _("– choose –")), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Adds ``place``, as coarse as it may be kept, and drops what it was made of."""
        said: dict[str, Any] = super().clean() or {}
        precision = said.get("precision")
        if precision and not self.errors:
            said["place"] = self._place(precision, said)
        for name in ("lat", "lon"):
            said.pop(name, None)
        return said

    def _place(self, precision: str, said: dict[str, Any]) -> Place | None:
        districts = open_profile().geography.districts
        if precision == "none":
            return Place(precision="none")
        if precision == "district" and said.get("district"):
            return district_place(said["district"], districts)
        if self._known is not None and not said.get("lat") and not said.get("lon"):
            return self._coarser(self._known, precision)
        try:
            position = Position(_degrees(said.get("lon", "")), _degrees(said.get("lat", "")))
        except ValueError:
            self.add_error("lat", _PLACE)
            return None
        try:
            if _is_far(position):
                self.add_error("lat", _("This place is far from the city. Perhaps the two numbers are swapped?"))
                return None
            return coarsen(position, precision, districts)  # type: ignore[arg-type]  # one of the choices
        except InvalidInput:
            self.add_error("lat", _("This place lies in no district of the city. Please choose one in the list."))
            return None

    def _coarser(self, known: Place, precision: str) -> Place | None:
        districts = open_profile().geography.districts
        try:
            return coarsen_further(known, precision, districts)  # type: ignore[arg-type]  # one of the choices
        except InvalidInput:
            self.add_error("lat", _PLACE)
            return None


class WordsForm(forms.Form):
    """What is said of it, and what becomes of it."""

    name = forms.CharField(max_length=80, error_messages={"required": _REQUIRED})
    description = forms.CharField(max_length=500, required=False)
    indoor = forms.ChoiceField(
        choices=[("no", _("Outdoors")), ("yes", _("Indoors"))], initial="no", error_messages={"required": _CHOOSE}
    )
    shown_name = forms.CharField(max_length=100, required=False)
    licence = forms.ChoiceField(
        choices=list(LICENCE_TITLES.items()), initial="CC0-1.0", error_messages={"required": _CHOOSE}
    )
    afterwards = forms.ChoiceField(
        choices=list(AFTERWARDS_TITLES.items()), initial=DELETE, error_messages={"required": _CHOOSE}
    )

    def clean_indoor(self) -> bool:
        """As the model keeps it."""
        return bool(self.cleaned_data["indoor"] == "yes")

    def words(self) -> dict[str, Any]:
        """The model's fields."""
        fields = ("name", "description", "indoor", "shown_name", "licence", "afterwards")
        return {field: self.cleaned_data[field] for field in fields}


class RegisterForm(WordsForm, PlaceForm):
    """A new sensor."""

    measures = forms.MultipleChoiceField(required=False)
    own_name = forms.CharField(max_length=60, required=False)
    own_unit = forms.CharField(max_length=20, required=False)
    own_low = forms.FloatField(required=False, error_messages={"invalid": _("Please write a number.")})
    own_high = forms.FloatField(required=False, error_messages={"invalid": _("Please write a number.")})
    consent = forms.BooleanField(error_messages={"required": _("Without your consent we may not show the values.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        german = (get_language() or "de").startswith("de")
        self.fields["measures"].choices = [  # type: ignore[attr-defined]
            (name, f"{said.de if german else said.en}{f' ({said.shown})' if said.shown else ''}")
            for name, said in vocabulary().items()
        ]

    def clean(self) -> dict[str, Any]:
        """Adds ``measured``, as the model keeps it."""
        said = super().clean()
        measured: dict[str, Any] = {name: {} for name in said.get("measures") or []}
        if said.get("own_name"):
            self._add_own(said, measured)
        if not measured and "measures" not in self.errors:
            self.add_error("measures", _("Please choose at least one thing that the sensor measures."))
        said["measured"] = measured
        return said

    def _add_own(self, said: dict[str, Any], measured: dict[str, Any]) -> None:
        name = _slug(said["own_name"])
        if not NAME.match(name) or name in vocabulary() or name in ("value", "result", "time", "timestamp"):
            self.add_error("own_name", _("Please write another name: a few letters, and none of those above."))
            return
        try:
            read_unit(said["own_unit"])
        except InvalidInput:
            self.add_error("own_unit", _("We do not know this unit. Write e.g. kPa, cm, Cel, L/min, or nothing."))
            return
        low, high = said.get("own_low"), said.get("own_high")
        if low is not None and high is not None and low >= high:
            self.add_error("own_high", _("The highest value lies below the lowest."))
            return
        measured[name] = {"name": said["own_name"], "unit": said["own_unit"], "low": low, "high": high}


def _degrees(text: str) -> float:
    """A number of degrees; a comma is taken for a point. Raises ValueError."""
    return float(text.strip().rstrip("°").replace(",", ".") or "nothing")


def _is_far(position: Position) -> bool:
    features = open_profile().geography.boundary.get("features", [])
    point = Point(position.lon, position.lat)
    return bool(features) and all(shape(feature["geometry"]).distance(point) > _FAR for feature in features)


def _slug(text: str) -> str:
    """A name as devices send it."""
    text = text.casefold().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:30]

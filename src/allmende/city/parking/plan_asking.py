"""A planner's question as it stands in an address."""

from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from allmende.city.house import House
from allmende.city.parking import plan_words as words
from allmende.city.parking.counted import Counted
from allmende.city.parking.now import counted_at
from allmende.city.parking.plan_known import Known
from allmende.city.parking.planning import AROUND, MOST_AROUND, Neighbour, find, neighbours
from allmende.domain.errors import InvalidInput, NotFound
from allmende.knowledge.analyses.effect import Event, check
from allmende.knowledge.analyses.values import Limits

MOST_METRES = 5_000
MOST_CONTROLS = 3
USUAL_WEEKS = 4
USUAL_HOURS = (7, 20)
_SAID = (
    gettext_noop("this span has too many buckets of this width"),
    gettext_noop("this span has too many readings"),
    gettext_noop("the hours go from an earlier to a later one, from 0 to 24"),
    gettext_noop("the event ends before it begins"),
    gettext_noop("there is no car park %(id)s with counts"),
)
"""What the analyses themselves say of a question."""


class Asked:
    """The question in an address. What is wrong with it is noted in ``faults`` by its field."""

    def __init__(self, request: HttpRequest, house: House) -> None:
        self.data = request.GET
        self.house = house
        self.faults: dict[str, str] = {}
        found = counted_at(house, house.now())
        self.counted = [each for each in found if each.head.last is not None]
        what = self._text("what") or words.WHAT[0]
        if what not in words.WHAT:
            self.faults["what"] = _("Choose one of these: %(choices)s.") % {"choices": ", ".join(words.WHAT)}
            what = words.WHAT[0]
        self.what = what
        self.first, self.last = self._day("date"), self._day("until")
        self.weeks = self._number("weeks", USUAL_WEEKS, 2, 26)
        self.hours = (
            self._number("hour_from", USUAL_HOURS[0], 0, 23),
            self._number("hour_to", USUAL_HOURS[1], 1, 24),
        )
        self.metres = self._number("metres", AROUND, 0, MOST_METRES)
        self.holidays = self._text("holidays") == "in"
        self.site = self._site("site", self._text("site"))
        chosen = [self._site("control", text) for text in self.data.getlist("control")[:MOST_CONTROLS] if text.strip()]
        self.controls = [each for each in chosen if each is not None]

    @property
    def limits(self) -> Limits:
        """Of one analysis, as they are set for the house."""
        config = settings.ALLMENDE
        return Limits(buckets=config.analysis_buckets, readings=config.analysis_readings)

    def nearby(self) -> list[tuple[Neighbour, bool]]:
        """The nearest others, and whether each is looked at: those that were chosen for this car park, else the next
        ones within some metres."""
        if self.site is None:
            return []
        near = neighbours(self.site, self.counted, float("inf"), most=MOST_AROUND)
        if self._text("around_of") == self.site.site.id:
            picked = set(self.data.getlist("around"))
        else:
            picked = {each.counted.site.id for each in neighbours(self.site, self.counted, self.metres)}
        return [(each, each.counted.site.id in picked) for each in near]

    def event(self) -> Event | None:
        """None without a day, or where it makes no sense."""
        if self.first is None or self.faults:
            return None
        event = Event(first=self.first, last=self.last, weeks=self.weeks, hours=self.hours)
        try:
            check(event)
        except InvalidInput as error:
            self.wrong(error)
            return None
        return event

    def filled_with(self, known: Known) -> dict[str, Any]:
        """The fields of the question about it. The car park that is chosen stays where it was about that one, or about
        none in particular."""
        site = self.site.site.id if self.site is not None else ""
        if known.sites and site not in known.sites:
            site = known.sites[0]
        hours = known.hours or self.hours
        kept = {"site": site, "what": known.what, "date": known.first, "until": known.last or "", "weeks": self.weeks,
                "hour_from": hours[0], "hour_to": hours[1], "holidays": "in" if self.holidays else ""}  # fmt: skip
        return {name: value for name, value in kept.items() if value != ""}

    def wrong(self, error: InvalidInput | NotFound) -> None:
        """Note what is said of the question."""
        self.faults[error.where or "site"] = (
            _(error.template) % error.arguments if error.arguments else _(error.template)
        )

    def _text(self, field: str) -> str:
        return self.data.get(field, "").strip()[:300]

    def _day(self, field: str) -> date | None:
        text = self._text(field)
        if not text:
            return None
        try:
            found = date.fromisoformat(text)
            if not 1990 <= found.year <= 2200:
                raise ValueError
        except ValueError:
            self.faults[field] = _("This is no day. Write e.g. 2026-11-01.")
            return None
        return found

    def _number(self, field: str, usual: int, low: int, high: int) -> int:
        text = self._text(field)
        if not text:
            return usual
        if text.isascii() and text.isdigit() and len(text) < 7 and low <= int(text) <= high:
            return int(text)
        self.faults[field] = _("Write a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
        return usual

    def _site(self, field: str, text: str) -> Counted | None:
        if not text:
            return None
        try:
            return find(self.counted, text)
        except NotFound as error:
            self.faults[field] = _(error.template) % error.arguments
            return None

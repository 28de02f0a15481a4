"""What is asked for in an address: streams, days, choices. Each mistake is kept with its field."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from allmende.domain import times
from allmende.domain.errors import InvalidInput, NotFound
from allmende.domain.spans import Head
from allmende.knowledge.analyses.calendar import knows_holidays, local_day, public_holidays
from allmende.knowledge.analyses.values import Limits, Span, find_stream
from allmende.web.explorer.choosing import Choice, find_streams
from allmende.web.house import House

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LONGEST = 300
"""Characters of an id or of words that are looked for."""
_FIRST_YEAR, _LAST_YEAR = 1800, 2200
"""Beyond, windows of weeks would leave the calendar."""
HITS = 20
EXAMPLES = 8


class Hit(NamedTuple):
    """A stream that may have been meant, and the same question with it."""

    stream: Choice
    link: str


class Unclear(NamedTuple):
    """A field whose text is no id of a stream that the reader may see, and what has its words."""

    field: str
    text: str
    hits: list[Hit]


class Asked:
    """The question in an address. Reading a field notes what is wrong with it in ``faults``, and gives the default."""

    def __init__(self, request: HttpRequest, data: QueryDict | None = None) -> None:
        """``data`` stands in place of the address, where another page asks."""
        self.request = request
        self.data: QueryDict = request.GET if data is None else data
        self.house: House = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
        self.zone: str = self.house.profile.time_zone
        self.faults: dict[str, str] = {}
        self.unclear: list[Unclear] = []
        self.today = local_day(times.from_datetime(self.house.now()), self.zone)
        self.simulated = self.ticked("simulated")

    @property
    def limits(self) -> Limits:
        """Of one analysis, as they are set."""
        config = settings.ALLMENDE
        return Limits(buckets=config.analysis_buckets, readings=config.analysis_readings)

    @property
    def ready(self) -> bool:
        """Whether it can be answered."""
        return not self.faults and not self.unclear

    def text(self, field: str) -> str:
        """As it was sent, without blanks around it."""
        return self.data.get(field, "").strip()[:_LONGEST]

    def ticked(self, field: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.text(field))

    def choice(self, field: str, choices: Sequence[str]) -> str:
        """One of several; the first without any."""
        found = self.text(field) or choices[0]
        if found not in choices:
            self.faults[field] = _("Choose one of these: %(choices)s.") % {"choices": ", ".join(choices)}
            return choices[0]
        return found

    def number(self, field: str, usual: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        text = self.text(field)
        if not text:
            return usual
        if re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) and low <= int(text) <= high:
            return int(text)
        self.faults[field] = _("Write a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
        return usual

    def day(self, field: str, base: date | None = None) -> date | None:
        """A day: ``2026-11-01``, an instant, ``now``, or a duration before ``base`` such as ``-P28D``; None without."""
        text = self.text(field)
        if not text:
            return None
        try:
            found = self._day(text, base or self.today)
            if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
                raise ValueError
            return found
        except (InvalidInput, ValueError, OverflowError):
            self.faults[field] = _("This is no day. Write e.g. 2026-11-01.")
            return None

    def _day(self, text: str, base: date) -> date:
        if text == "now":
            return self.today
        if text.lstrip("+-").startswith("P"):
            sign = -1 if text.startswith("-") else 1
            length = text.lstrip("+-")
            months = times.parse_months(length)
            if months is not None:
                index = base.year * 12 + base.month - 1 + sign * months
                return date(index // 12, index % 12 + 1, min(base.day, 28))
            days = -(-times.parse_duration(length) // times.DAY)
            # both days are part of a span: seven days before the 7th begin on the 1st
            return base + timedelta(days=sign * days + (1 if sign < 0 else 0))
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _DAY.match(text) and not re.search(r"(?:[Zz]|[+ -]\d\d:?\d\d)\Z", text[10:]):
            return date.fromisoformat(text[:10])  # what the clock of the city shows
        return local_day(times.parse_instant(text.replace(" ", "+")), self.zone)

    def span(
        self, usual: Span | None, *, first: str = "from", last: str = "to", most: int | None = None
    ) -> Span | None:
        """Days from the one field to the other, both included. Where a field is empty its end is the usual one."""
        end = self.day(last) or (usual.last if usual else None)
        begin = self.day(first, end)
        if begin is None and end is not None and usual is not None:
            begin = min(usual.first, end) if not self.text(last) else end - timedelta(days=usual.days - 1)
        if begin is None or end is None:
            return None
        if end < begin:
            self.faults[first] = _("The span ends before it begins.")
            return None
        found = Span(begin, end)
        if most is not None and found.days > most:
            self.faults[last] = ngettext(
                "This shows no more than %(days)s day at once.", "This shows no more than %(days)s days at once.", most
            ) % {"days": most}
            return None
        return found

    def newest_days(self, streams: Sequence[Head], days: int) -> Span | None:
        """At most so many days up to the newest value that all of the streams have; None without values."""
        firsts = [each.first for each in streams if each.first is not None]
        lasts = [each.last for each in streams if each.last is not None]
        if not lasts or len(lasts) < len(streams):
            return None
        begin, end = local_day(max(firsts), self.zone), local_day(min(lasts), self.zone)
        return Span(min(max(begin, end - timedelta(days=days - 1)), end), end)

    # --- streams ---

    def streams(self, field: str, most: int = 1) -> list[Head]:
        """The streams of a field that may stand in the address several times. A text that is no id is looked for, and
        is the stream if there is but one that has its words."""
        found: list[Head] = []
        texts = [each.strip()[:_LONGEST] for each in self.data.getlist(field) if each.strip()]
        if len(texts) > most:
            self.faults[field] = ngettext(
                "This takes %(most)s stream.", "This takes %(most)s streams at most.", most
            ) % {"most": most}
        for text in texts[:most]:
            stream = self._stream(field, text)
            if stream is not None and stream.id not in {each.id for each in found}:
                found.append(stream)
        return found

    def _stream(self, field: str, text: str) -> Head | None:
        found = self._find(text)
        if found is not None:
            return found
        hits = find_streams(self.request, text, simulated=self.simulated).choices
        if len(hits) == 1 and (found := self._find(hits[0].id)) is not None:
            return found
        offered = [Hit(each, self.link_with(field, text, each.id)) for each in hits[:HITS]]
        self.unclear.append(Unclear(field, text, offered))
        return None

    def _find(self, identifier: str) -> Head | None:
        if "\0" in identifier:
            return None  # no id has one, and PostgreSQL takes none
        try:
            return find_stream(self.house.store, self.house.reader, identifier, simulated=self.simulated)
        except NotFound:
            return None

    def examples(self) -> list[Hit]:
        """Some streams to begin with."""
        hits = find_streams(self.request, "", simulated=self.simulated).choices[:EXAMPLES]
        return [Hit(each, self.link_with("stream", "", each.id)) for each in hits]

    def link_with(self, field: str, text: str, identifier: str) -> str:
        """The same question with another stream in place of a text."""
        changed = self.data.copy()
        listed = [each for each in changed.getlist(field) if each.strip()]
        if text:
            listed = [identifier if each.strip()[:_LONGEST] == text else each for each in listed]
        else:
            listed = [*listed, identifier]
        changed.setlist(field, listed)
        return "?" + changed.urlencode()

    def link(self, changes: Mapping[str, Sequence[str]]) -> str:
        """The same question with other fields; one without values is left out."""
        changed = self.data.copy()
        for field, values in changes.items():
            changed.pop(field, None)
            if values:
                changed.setlist(field, list(values))
        return "?" + changed.urlencode()

    # --- holidays ---

    @property
    def has_holidays(self) -> bool:
        """Whether the city's holidays are known."""
        return knows_holidays(self.house.profile.country)

    def holidays(self, first: date, last: date, language: str = "") -> dict[date, str]:
        """The city's public holidays of a span, where they are to be left out; else none."""
        if self.text("holidays") != "out":
            return {}
        profile = self.house.profile
        return public_holidays(profile.country, profile.calendar.state, first, last, language)


_SAID = (
    gettext_noop("a stream that tells of changes alone has means, and no sums"),
    gettext_noop("this span has too many buckets of this width"),
    gettext_noop("this span has too many readings"),
    gettext_noop("this took too long and was stopped; ask for less"),
    gettext_noop("the hours go from an earlier to a later one, from 0 to 24"),
    gettext_noop("the event ends before it begins"),
    gettext_noop("streams of different units are compared in percent"),
    gettext_noop("there are percent of a mean above zero alone"),
)
"""What analyses say of a question themselves."""


def wrong(asked: Asked, error: InvalidInput) -> None:
    """Note what an analysis itself says of the question."""
    message = _(error.template) % error.arguments if error.arguments else _(error.template)
    setting = getattr(error, "setting", "")
    asked.faults[error.where or "stream"] = f"{message} ({setting})" if setting else message

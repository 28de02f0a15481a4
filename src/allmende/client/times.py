"""Times as the house writes them, and as Python has them. All are aware; without a zone a time is refused."""

from datetime import UTC, date, datetime, time

from allmende.client.errors import WrongInput

Moment = datetime | date | str
"""A time with its zone, a day (of UTC), or the same as ISO 8601."""


def written(moment: Moment) -> str:
    """For an address. Raises WrongInput for a time that does not say in which zone it is."""
    if isinstance(moment, str):
        text = moment.strip()
        try:
            moment = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        except ValueError:
            raise WrongInput(f"{text!r} is no time: write 2024-05-01 or 2024-05-01T12:00:00+02:00") from None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    if moment.tzinfo is None:
        raise WrongInput(f"{moment} has no time zone: give it one, e.g. tzinfo=ZoneInfo('Europe/Berlin')")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_order(start: Moment | None, end: Moment | None) -> None:
    """Raises WrongInput for a span that ends before it begins: it would be answered by nothing at all."""
    if start is not None and end is not None:
        first, last = (datetime.fromisoformat(written(each)) for each in (start, end))
        if last < first:
            raise WrongInput(f"the end, {written(end)}, lies before the start, {written(start)}")


def read(text: str | None) -> datetime | None:
    """A time, or the begin of an interval ``begin/end``."""
    return datetime.fromisoformat(text.partition("/")[0]).astimezone(UTC) if text else None


def read_end(text: str | None) -> datetime | None:
    """The end of an interval, or the time itself."""
    return datetime.fromisoformat(text.rpartition("/")[2]).astimezone(UTC) if text else None


def of_seconds(seconds: float) -> datetime:
    """Since 1970."""
    return datetime.fromtimestamp(seconds, UTC)

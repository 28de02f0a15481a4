"""What is held of somebody in the sensors that they give: the registration, all readings, what could not be taken."""

import csv
import io
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import COMMONS, Kept, Subject, Wishes, register
from allmende.domain.store import Store
from allmende.domain.times import DAY, format_instant
from allmende.web.accounts.rows import Rows
from allmende.web.citizens.models import LEAVE, OPEN, OwnSensor
from allmende.web.citizens.source import reader_of
from allmende.web.house import open_store

_SPAN = 30 * DAY
_REJECTIONS = 10_000


class Given(Rows):
    """Sensors by the account that gives them."""

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """See Holding: a table of readings for each thing that is measured, and the bytes that could not be taken."""
        store = open_store()
        for sensor in self.rows(subject).order_by("pk"):
            reader = reader_of(sensor, f"user:{subject.name}")
            for each in store.latest(reader, origin=sensor.id_):
                name = each.stream.replace("~", "-").replace("/", "-")
                yield f"readings/{name}.csv", _readings(store, sensor, each.stream, each.first, each.start)
            for kept in store.rejections(source=sensor.id_, limit=_REJECTIONS):
                yield f"rejected/{sensor.id_}-{kept.number}.bin", iter((store.rejection(kept.number).body,))

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding: each is deleted with its readings, or released readings are left without a tie to the person."""
        from allmende.web.citizens.keeping import end

        kept = []
        for sensor in OwnSensor.objects.select_for_update().filter(user=subject.user).order_by("pk"):
            how, number = wishes.given or sensor.afterwards, sensor.pk
            left = how == LEAVE and sensor.state == OPEN
            end(sensor, how)
            if left:
                kept.append(Kept(place=self.named.place, what=f"own-{number}", why=COMMONS))
        return kept


def _readings(store: Store, sensor: OwnSensor, stream: str, first: int, last: int) -> Iterator[bytes]:
    reader = reader_of(sensor, "house:persons")
    yield _rows([("phenomenonTime", "result", "flag")])
    for start in range(first, last + 1, _SPAN):
        points = store.points(reader, stream, start, min(start + _SPAN, last + 1))
        times = (format_instant(at) for at in points.times)
        yield _rows(list(zip(times, points.results, points.flags, strict=True)))


def _rows(rows: list[tuple[object, ...]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def register_all() -> None:
    """Those of this app."""
    register(
        Given(
            OwnSensor, place="own-sensors", title=_("Own sensors, with their readings"), order=10, by=("user",),
            fate=_("is deleted with all readings, or left to the city without a tie to the person"),
            also=("name", "description", "shown_name", "lon", "lat", "district", "told_silent"),
            told=(
                "id", "name", "description", "shown_name", "licence", "indoor", "measures", "precision", "lon", "lat",
                "district", "state", "note", "paused", "afterwards", "created", "last_received",
            ),
            sections=("Own sensors",), erasure="delete",
        )
    )  # fmt: skip

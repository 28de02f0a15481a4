"""From draft to release: each step checks who may, that nobody else was faster, and is noted in the audit log.

    draft → proposed → released → withdrawn (before its first day alone)
          ← declined ←         draft → withdrawn

Four eyes: what somebody wrote or proposed somebody else releases, unless the house has switched that off.
"""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop as _n

from allmende.city.house import House
from allmende.city.parking.operating.paperwork import touch
from allmende.city.parking.pricing.models import EnteredTariff
from allmende.city.parking.pricing.overlay import Entered, laid_over
from allmende.city.parking.tariffs_file import read_version, tariffs_of
from allmende.city.parking.tariffs_model import Tariffs
from allmende.domain.errors import Conflict, Forbidden, NotFound
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError

PRICE, RELEASE = "parking.price", "parking.arrange"
NAMED = timedelta(days=365)
"""For so long after its last step a tariff keeps the names of those who took part."""
MOST_WORDS = 500
_log = structlog.get_logger()
_kept: dict[str, tuple[Profile, tuple[Any, ...], Tariffs]] = {}


def tariffs_in_force(profile: Profile) -> Tariffs:
    """The city's tariffs: those of its file, and over them what was released here. One statement where nothing is
    another."""
    rows = EnteredTariff.objects.filter(state=EnteredTariff.RELEASED).order_by("released", "pk")
    stamp = tuple(rows.values_list("pk", "version", "changed"))
    known = _kept.get("")
    if known is not None and known[0] is profile and known[1] == stamp:
        return known[2]
    found = tariffs_of(profile)
    if stamp:
        found = laid_over(found, [each for each in map(entered_of, rows) if each is not None])
    _kept[""] = (profile, stamp, found)
    return found


def entered_of(row: EnteredTariff) -> Entered | None:
    """None for one that this version of the house cannot read any more: it is left out, and the log says so."""
    try:
        version = read_version(dict(row.body), f"parking.tariff.{row.pk}", entered=row.released)
    except ProfileError as error:
        _log.error("parking.tariff.unreadable", number=row.pk, place=error.place)
        return None
    return Entered(plan=row.plan, name={"de": row.name_de, "en": row.name_en}, version=version, sites=tuple(row.sites))


def without(profile: Profile, row: EnteredTariff) -> Tariffs:
    """What holds without this one: of a released one, with those that were released before it."""
    rows = EnteredTariff.objects.filter(state=EnteredTariff.RELEASED).exclude(pk=row.pk).order_by("released", "pk")
    if row.released is not None:
        rows = rows.filter(released__lt=row.released)
    return laid_over(tariffs_of(profile), [each for each in map(entered_of, rows) if each is not None])


# --- steps ---


@transaction.atomic
def write(house: House, row: EnteredTariff | None, seen: int, said: dict[str, Any]) -> EnteredTariff:
    """A new draft, or a draft as it is now. Raises Conflict."""
    now = house.now()
    if row is None:
        made = EnteredTariff.objects.create(made=now, changed=now, made_by_id=_by(house), **said)
        _note(house, "draft", made)
        return made
    _demand(row, EnteredTariff.DRAFT)
    _step(row, seen, now, made_by_id=_by(house), **said)
    _note(house, "draft", row)
    return row


@transaction.atomic
def propose(house: House, row: EnteredTariff, seen: int, _words: str) -> None:
    """Ask somebody else to check and release it. Raises Conflict."""
    _demand(row, EnteredTariff.DRAFT)
    _step(row, seen, house.now(), state=EnteredTariff.PROPOSED, proposed_by_id=_by(house), answer="")
    _note(house, "propose", row)


@transaction.atomic
def decline(house: House, row: EnteredTariff, seen: int, words: str) -> None:
    """Give it back as a draft, with the reason. Raises Conflict."""
    _demand(row, EnteredTariff.PROPOSED)
    if not words.strip():
        raise Conflict(_n("Please say why: who proposed it wants to know"))
    _step(row, seen, house.now(), state=EnteredTariff.DRAFT, answer=words.strip()[:MOST_WORDS])
    _note(house, "decline", row)


@transaction.atomic
def release(house: House, row: EnteredTariff, seen: int, _words: str) -> None:
    """It holds from its first day on. Raises Conflict, and Forbidden for who wrote or proposed it."""
    _demand(row, EnteredTariff.PROPOSED)
    detail: dict[str, Any] = {}
    if _by(house) in (row.made_by_id, row.proposed_by_id):
        if settings.ALLMENDE.four_eyes:
            raise Forbidden(_n("Four eyes: somebody else has to release what you wrote or proposed"))
        detail = {"four_eyes": False}
    known = without(house.profile, row).sites
    if any(site in known and known[site].plan not in ("", row.plan) for site in row.sites):
        raise Conflict(_n("one of its car parks has got another tariff in the meantime: give it back"))
    now = house.now()
    _step(row, seen, now, state=EnteredTariff.RELEASED, released=now, settled_by_id=_by(house))
    touch()
    _note(house, "release", row, **detail)


@transaction.atomic
def withdraw(house: House, row: EnteredTariff, seen: int, words: str) -> None:
    """Give it up; it stays in the list. Raises Conflict for one that has begun to hold."""
    if row.state == EnteredTariff.WITHDRAWN:
        raise Conflict(_n("this has been given up already"))
    if row.state == EnteredTariff.RELEASED and row.valid_from <= today(house):
        raise Conflict(_n("it holds already: enter another tariff with the day from which that holds"))
    _step(row, seen, house.now(), state=EnteredTariff.WITHDRAWN, settled_by_id=_by(house),
          answer=words.strip()[:MOST_WORDS])  # fmt: skip
    touch()
    _note(house, "withdraw", row)


STEPS = {"propose": (propose, PRICE), "decline": (decline, RELEASE), "release": (release, RELEASE)}
"""And the deed that each takes. Withdrawing takes what was needed to get that far."""


def find(pk: int) -> EnteredTariff:
    """Raises NotFound."""
    row = EnteredTariff.objects.select_related("made_by", "proposed_by", "settled_by").filter(pk=pk).first()
    if row is None:
        raise NotFound("there is no such tariff")
    return row


def today(house: House) -> date:
    """The city's day."""
    return house.now().astimezone(ZoneInfo(house.profile.time_zone)).date()


def forget_names(now: datetime) -> None:
    """Take the names off what has not been touched for long."""
    named = Q(made_by__isnull=False) | Q(proposed_by__isnull=False) | Q(settled_by__isnull=False)
    EnteredTariff.objects.filter(named, changed__lt=now - NAMED).update(made_by=None, proposed_by=None, settled_by=None)


def _demand(row: EnteredTariff, state: str) -> None:
    if row.state != state:
        raise Conflict(_n("somebody else has changed this in the meantime; look at it as it is now"))


def _step(row: EnteredTariff, seen: int, now: datetime, **said: Any) -> None:
    if not EnteredTariff.objects.filter(pk=row.pk, version=seen).update(version=seen + 1, changed=now, **said):
        raise Conflict(_n("somebody else has changed this in the meantime; look at it as it is now"))
    row.refresh_from_db()


def _by(house: House) -> int | None:
    return house.person.id if house.person else None


def _note(house: House, action: str, row: EnteredTariff, **detail: Any) -> None:
    house.note(
        f"parking.{action}-tariff", f"parking:tariff:{row.pk}", plan=row.plan, valid_from=row.valid_from.isoformat(),
        **detail,
    )  # fmt: skip

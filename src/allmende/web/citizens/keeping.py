"""What is done with an own sensor. Each deed is one transaction with its entry in the audit log.

The log names a sensor by its handle: whoever leaves readings behind is not found by them afterwards.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from allmende.domain.coarsening import PRECISIONS, Place, coarsen_further
from allmende.domain.errors import Forbidden, InvalidInput, LimitExceeded, NotFound
from allmende.domain.policy import house_reader
from allmende.web.accounts import tokens
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.citizens.models import BLOCKED, LEAVE, OPEN, RETURNED, WAITING, OwnSensor
from allmende.web.citizens.source import dataset_of, declare
from allmende.web.config import Config
from allmende.web.house import open_profile, open_store
from allmende.web.persons.marks import note_erased

HOUSE = house_reader("citizens")


def now_micros() -> int:
    """The clock, in microseconds."""
    return time.time_ns() // 1000


def actor_of(user: User) -> str:
    """Who it is in the audit log."""
    return f"user:{user.get_username()}"


def _note(user: User, action: str, sensor: OwnSensor, **detail: Any) -> None:
    record(actor_of(user), f"own.{action}", f"own-sensor:{sensor.handle}", **detail)


def _locked(sensor: OwnSensor) -> OwnSensor:
    """The sensor as it is now, kept from intake and from others; raises NotFound where it went meanwhile."""
    found = OwnSensor.objects.select_for_update().filter(pk=sensor.pk).first()
    if found is None:
        raise NotFound("there is no such sensor any more")
    return found


def _deed(work: Callable[[], Any]) -> Any:
    return open_store().together(work)


def register(user: User, sensor: OwnSensor, config: Config) -> str:
    """Keep a new sensor, held, and give its token. Raises LimitExceeded where somebody has too many."""

    def work() -> str:
        # Locked, so that two forms at once are counted.
        User.objects.select_for_update().get(pk=user.pk)
        if OwnSensor.objects.filter(user=user).count() >= config.own_each:
            raise LimitExceeded(f"one account may have {config.own_each} sensors", setting="ALLMENDE_OWN_EACH")
        sensor.user, sensor.state = user, WAITING
        sensor.save()
        _tell_store(sensor)
        secret = _new_token(sensor)
        _note(user, "register", sensor)
        return secret

    return str(_deed(work))


def renew_token(user: User, sensor: OwnSensor) -> str:
    """A new token; the one before opens nothing any more."""

    def work() -> str:
        found = _locked(sensor)
        secret = _new_token(found)
        _note(user, "token", found)
        return secret

    return str(_deed(work))


def _new_token(sensor: OwnSensor) -> str:
    """Its right to send is the sensor's, and hangs on no field of the token: by itself it only reads the held data."""
    _drop_token(sensor)
    # A name of its own, so that a client that came in by the one before is known to be that one.
    name = f"{sensor.id_}.{secrets.token_hex(4)}"
    token, secret = tokens.create_token(name, actor=HOUSE.name, datasets=[sensor.id_], user=sensor.user)
    sensor.token = token
    sensor.save(update_fields=["token"])
    return secret


def _drop_token(sensor: OwnSensor) -> None:
    old, sensor.token = sensor.token, None
    if old is not None:
        sensor.save(update_fields=["token"])
        tokens.forget_token(old)


def change_words(user: User, sensor: OwnSensor, said: dict[str, Any]) -> OwnSensor:
    """What is said of it. Whatever others read is looked at again before they read it."""

    def work() -> OwnSensor:
        found = _locked(sensor)
        changed = [name for name, value in said.items() if getattr(found, name) != value]
        for name in changed:
            setattr(found, name, said[name])
        if set(changed) - {"afterwards", "indoor", "licence"} and found.state in (OPEN, RETURNED):
            found.state, found.note = WAITING, ""
        found.save()
        _tell_store(found)
        _note(user, "change", found, fields=sorted(changed))
        return found

    changed: OwnSensor = _deed(work)
    return changed


def change_place(user: User, sensor: OwnSensor, place: Place) -> OwnSensor:
    """Where it is shown, and was shown: nothing tells the place before any more, and nobody keeps it.

    What others have not seen yet, a finer place or another one, is looked at first.
    """

    def work() -> OwnSensor:
        found = _locked(sensor)
        known = found.place
        found.place = place
        if not _is_told_by(place, known) and found.state in (OPEN, RETURNED):
            found.state = WAITING
        found.save()
        _tell_store(found, moved=place != known)
        _note(user, "place", found, precision=place.precision)
        return found

    changed: OwnSensor = _deed(work)
    return changed


def _is_told_by(place: Place, known: Place) -> bool:
    """Whether somebody who knows one place learns nothing by another."""
    try:
        return coarsen_further(known, place.precision, open_profile().geography.districts) == place
    except InvalidInput:
        return False


def _tell_store(sensor: OwnSensor, *, moved: bool = False) -> None:
    """The dataset, the thing and its streams as they are registered now, and no place that was told before."""
    store = open_store()
    store.put_datasets([dataset_of(sensor)])
    if moved:
        store.rewrite_place(sensor.id_, sensor.place.position, reader=HOUSE, origin=HOUSE.name, at=now_micros())
    declare(sensor)


def pause(user: User, sensor: OwnSensor, paused: bool) -> None:
    """Take nothing for a while; what there is stays."""

    def work() -> None:
        found = _locked(sensor)
        found.paused = paused
        found.save(update_fields=["paused"])
        _note(user, "pause" if paused else "go-on", found)

    _deed(work)


def decide(user: User, sensor: OwnSensor, state: str, note: str = "") -> None:
    """Release it, hand it back with a word why, or block it. Raises Forbidden for one's own sensor."""

    def work() -> None:
        found = _locked(sensor)
        if found.user_id == user.pk:
            raise Forbidden("somebody else looks at your sensors")
        if state not in (OPEN, RETURNED, BLOCKED):
            raise InvalidInput(f"{state!r} is nothing that can be decided")
        if state != OPEN and not note.strip():
            raise InvalidInput("say why")
        found.state, found.note = state, "" if state == OPEN else note.strip()[:1000]
        found.save(update_fields=["state", "note"])
        open_store().put_datasets([dataset_of(found)])
        _note(user, {OPEN: "release", RETURNED: "return", BLOCKED: "block"}[state], found)

    _deed(work)


def delete(user: User, sensor: OwnSensor, afterwards: str) -> None:
    """Take it back: with all readings, or without any tie to the person (LEAVE), which goes for released ones alone."""

    def work() -> None:
        found = _locked(sensor)
        _note(user, "delete", found, afterwards=afterwards)
        end(found, afterwards)

    _deed(work)


def leave_with_account(sender: type[User], instance: User, **_more: Any) -> None:
    """An account is being deleted: its sensors go as the person chose before."""

    def work() -> None:
        for sensor in OwnSensor.objects.select_for_update().filter(user=instance).order_by("pk"):
            end(sensor, sensor.afterwards)

    with transaction.atomic():
        _deed(work)


def end(sensor: OwnSensor, afterwards: str) -> None:
    """Delete it with its readings, or cut its ties to the person; a part of the transaction that is open. A backup that
    is older makes it happen again."""
    note_erased(OwnSensor, sensor.pk, sensor.created, how=afterwards)
    _drop_token(sensor)
    if afterwards == LEAVE and sensor.state == OPEN:
        _cut_ties(sensor)
        return
    open_store().forget_source(sensor.id_, sensor.id_, reader=HOUSE, origin=HOUSE.name, at=now_micros())
    sensor.delete()


def _cut_ties(sensor: OwnSensor) -> None:
    """Keep the readings as nobody's: no name, no words of the giver, no place finer than 1 km, nothing refused."""
    with override(open_profile().languages[0]):
        sensor.name = _("Left sensor %(number)s") % {"number": sensor.pk}
    sensor.user, sensor.description, sensor.shown_name, sensor.note = None, "", "", ""
    sensor.paused, sensor.told_silent = True, None
    if PRECISIONS.index(sensor.precision) < PRECISIONS.index("1km"):
        sensor.place = coarsen_further(sensor.place, "1km", open_profile().geography.districts)
    sensor.handle = OwnSensor._meta.get_field("handle").get_default()
    sensor.save()
    _tell_store(sensor, moved=True)
    open_store().forget_rejections(sensor.id_)

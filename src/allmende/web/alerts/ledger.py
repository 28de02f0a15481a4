"""Where states and events of alerts are kept: with the cursor, in one transaction, and with them the messages that are
to go out and the entry in the audit log."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Q

from allmende.domain.alerts import AlertProfile
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.query import Expand, Query
from allmende.domain.store import Store
from allmende.domain.times import format_instant, to_datetime
from allmende.knowledge.alerts import watch
from allmende.knowledge.alerts.prepare import names_in
from allmende.knowledge.alerts.state import State
from allmende.web.accounts.audit import record
from allmende.web.alerts.models import MQTT, OVER, RAISED, AlertState, Event, Message, Silence
from allmende.web.alerts.quiet import waits_until

_FIELDS = ("phase", "since", "turning", "unknown", "looked", "turn")


class DjangoLedger:
    """For one profile; ``store`` and ``reader`` tell what streams and things are called."""

    def __init__(
        self, store: Store, reader: Reader, profile: Profile, clock: Callable[[], int], *, mqtt: bool = True
    ) -> None:
        """``mqtt``: whether there is a broker to which public alerts are published."""
        self._store = store
        self._reader = reader
        self._profile = profile
        self._clock = clock
        self._mqtt = mqtt

    def states(self) -> Mapping[watch.Pair, State]:
        """See Ledger."""
        rows = AlertState.objects.values_list("alert", "key", *_FIELDS)
        return {(alert, key): State(*rest) for alert, key, *rest in rows}

    def keep(self, states: Mapping[watch.Pair, State], events: Sequence[watch.Event]) -> None:
        """See Ledger; to be called inside of the transaction that moves the cursor."""
        for (alert, key), state in states.items():
            AlertState.objects.update_or_create(alert=alert, key=key, defaults=state._asdict())
        for event in events:
            if event.move.kind == "raised":
                self._raise(event)
            else:
                self._end(event)

    def _raise(self, happened: watch.Event) -> None:
        alert, group, seen = happened.alert, happened.group, happened.seen
        assert alert is not None
        assert group is not None
        profile, now = alert.profile, self._clock()
        streams = sorted({stream for stream, _ in seen.streams.values()} - group.kept) if seen else []
        about = self._about(streams[:1])
        all_together = profile.by == "all"
        event = Event.objects.create(
            id=event_id(happened.pair, happened.move.since, happened.move.turn),
            alert=profile.id,
            key=happened.pair[1],
            dataset=profile.dataset,
            severity=profile.severity,
            category=profile.category,
            public=profile.public,
            simulated=alert.rule.simulated,
            silenced=silenced(happened.pair, to_datetime(now)),
            since=happened.move.since,
            raised=happened.move.at,
            noted=now,
            changed=now,
            edition=alert.edition,
            title=profile.title,
            description=profile.description,
            advice=profile.advice,
            thing="" if all_together else (group.thing.id if profile.by != "stream" else about.get("thing", "")),
            thing_name="" if all_together else (group.thing.name or about.get("name", "")),
            place=None if all_together else about.get("place"),
            streams=streams or [each for each in group.streams if each not in group.kept][:_MOST_STREAMS],
            reason=self._reason(happened),
        )
        record(self._reader.name, "alert.raised", f"alert:{event.id}", severity=event.severity, reason=event.silenced)
        self._tell(event, "raised", profile.tell)

    def _end(self, happened: watch.Event) -> None:
        alert, key = happened.pair
        event = Event.objects.filter(alert=alert, key=key, state=RAISED).order_by("-raised").first()
        if event is None:
            return  # it was raised by a house whose events were not restored with its states
        event.state, event.ending, event.over = OVER, happened.move.kind, happened.move.at
        event.changed = self._clock()
        event.end_reason = self._reason(happened)
        event.save(update_fields=["state", "ending", "over", "changed", "end_reason"])
        record(self._reader.name, f"alert.{event.ending}", f"alert:{event.id}")
        # Whoever was told that it began is told that it is over; a message that did not go yet still goes first.
        told = set(event.messages.exclude(channel=MQTT).values_list("channel", flat=True))
        self._tell(event, event.ending, sorted(told))

    def escalate(self, event: Event, step: int, channels: Sequence[str]) -> None:
        """Nobody acknowledged it in time: tell the next ones."""
        event.escalated = step + 1
        event.save(update_fields=["escalated"])
        record(self._reader.name, "alert.escalated", f"alert:{event.id}", step=step + 1, channels=list(channels))
        self._tell(event, "escalated", channels)

    def _tell(self, event: Event, kind: str, channels: Sequence[str]) -> None:
        if event.silenced:
            return
        now = self._clock()
        for name in [*channels, *([MQTT] if self._mqtt and kind != "escalated" and self._is_public(event) else [])]:
            channel = self._profile.channels.get(name)
            if name != MQTT and (channel is None or not channel.enabled):
                continue
            until = waits_until(channel.quiet, event.severity, now, self._zone) if channel and channel.quiet else None
            extra = f"-{event.escalated}" if kind == "escalated" else ""
            Message.objects.get_or_create(
                id=f"{event.id}.{kind}{extra}.{name}",
                defaults={
                    "event": event, "channel": name, "kind": kind, "made": now,
                    "due": now if until is None else until, "quiet": until is not None,
                },
            )  # fmt: skip

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._profile.time_zone)

    def _is_public(self, event: Event) -> bool:
        dataset = self._profile.datasets.get(event.dataset)
        return is_public(event) and dataset is not None and dataset.access == "open" and dataset.withdrawn is None

    def _reason(self, happened: watch.Event) -> dict[str, Any]:
        """Why it moved, as plain data: the words are made where somebody reads them."""
        alert, seen = happened.alert, happened.seen
        if alert is None or seen is None:
            return {}
        profile: AlertProfile = alert.profile
        values = []
        kept = happened.group.kept if happened.group else frozenset()
        for name in profile.inputs:
            stream, time = seen.streams.get(name, ("", 0))
            if stream in kept:
                continue  # it was read by `opens` alone: who sees the alert does not hear of it
            about = self._about([stream] if stream else [])
            values.append({
                "name": name, "value": seen.values.get(name), "stream": stream,
                "time": format_instant(time) if stream else None,
                "unit": profile.inputs[name].unit or about.get("unit", ""), "property": about.get("property", ""),
            })  # fmt: skip
        asked = {name: value for name, value in seen.values.items() if name not in profile.inputs and not kept}
        ended = happened.move.kind != "raised"
        spoken, facts = names_in(profile), happened.group.facts if happened.group else {}
        return {
            "at": format_instant(seen.sight.time),
            "condition": (profile.clear_when or f"not ({profile.raise_when})") if ended else profile.raise_when,
            "for": profile.clear_after if ended else profile.raise_after,
            "values": values,
            "computed": asked,
            "parameters": {name: value for name, value in profile.parameters.items() if name in spoken},
            "facts": {name: value for name, value in facts.items() if name in spoken},
            "edition": alert.edition,
        }

    def _about(self, streams: Sequence[str]) -> dict[str, Any]:
        """What the first of these streams is: unit, property, and its thing with name and place."""
        if not streams:
            return {}
        house, yes = self._reader, True
        located = Query(entity="Location", reader=house, select=("location",), top=1, simulated=yes)
        thing = Query(
            entity="Thing", reader=house, select=("id", "name"), simulated=yes,
            expand=(Expand(relation="Locations", query=located),),
        )  # fmt: skip
        observed = Query(entity="ObservedProperty", reader=house, select=("name",), simulated=yes)
        asked = Query(
            entity="Datastream", reader=house, id=streams[0], select=("unitOfMeasurement",), simulated=yes,
            expand=(Expand(relation="Thing", query=thing), Expand(relation="ObservedProperty", query=observed)),
        )  # fmt: skip
        page = self._store.find(asked)
        if not page.rows:
            return {}
        pk, _, unit = page.rows[0][:3]
        found: dict[str, Any] = {"unit": (msgspec.json.decode(unit) if unit else {}).get("symbol") or ""}
        for row in page.expanded["ObservedProperty"][pk].rows[:1]:
            found["property"] = row[2]
        things = page.expanded["Thing"].get(pk)
        for row in things.rows[:1] if things else ():
            found |= {"thing": str(row[1]), "name": row[2]}
            spots = things.expanded.get("Locations", {}).get(row[0]) if things else None
            if spots and spots.rows:
                found["place"] = msgspec.json.decode(spots.rows[0][-1])
        return found


_MOST_STREAMS = 20


def event_id(pair: watch.Pair, since: int, turn: int) -> str:
    """The same for the same event, whoever writes it down."""
    said = msgspec.json.encode([*pair, since, turn])
    return f"{pair[0]}~{blake2b(said, digest_size=8).hexdigest()}"


def is_public(event: Event) -> bool:
    """Whether it is one for everybody, as far as it can say that itself: its dataset has to be open besides."""
    return event.public and not event.silenced and not event.simulated


def silenced(pair: watch.Pair, now: datetime) -> str:
    """Why nobody is told of it now; "" where everybody is."""
    found = Silence.objects.filter(Q(key="") | Q(key=pair[1]), alert=pair[0], until__gt=now.astimezone(UTC)).first()
    return found.reason if found else ""

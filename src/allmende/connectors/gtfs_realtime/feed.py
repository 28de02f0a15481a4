"""A feed as Google's library reads it; what names people and vehicles is taken out of what is kept."""

from typing import Any

from allmende.connectors.gathering import Refused
from allmende.domain.errors import ConfigurationError

try:
    from google.protobuf.message import DecodeError
    from google.transit import gtfs_realtime_pb2 as gtfs
except ImportError:
    raise ConfigurationError('GTFS-Realtime needs an extra: pip install "allmende[gtfs]"') from None

CANCELED = gtfs.TripDescriptor.CANCELED
_OF_VEHICLE = ("position", "congestion_level", "occupancy_status", "occupancy_percentage", "multi_carriage_details")
SKIPPED = gtfs.TripUpdate.StopTimeUpdate.SKIPPED


def read_feed(body: bytes) -> Any:
    """The message; raises Refused for what is none, has no time, or tells changes alone."""
    message = gtfs.FeedMessage()
    try:
        message.ParseFromString(body)
    except (DecodeError, ValueError) as error:
        raise Refused("unreadable", f"this is no feed of GTFS-Realtime: {error}") from None
    if not body or not message.IsInitialized():
        raise Refused("unreadable", "this is no feed of GTFS-Realtime: its header is missing")
    if message.header.incrementality == gtfs.FeedHeader.DIFFERENTIAL:
        raise Refused("differential", "the feed tells changes alone, and not the state")
    if not 0 < message.header.timestamp < 2**33:
        raise Refused("no-time", "the feed does not say when it was made (header.timestamp)")
    return message


def alone(message: Any, entity: Any) -> bytes:
    """A feed with this entity alone, without which vehicle it is and where: it comes to the same rejection."""
    kept = gtfs.FeedMessage()
    kept.header.CopyFrom(message.header)
    copy = kept.entity.add()
    copy.CopyFrom(entity)
    for part in (copy.trip_update, copy.vehicle):
        part.ClearField("vehicle")
    for name in _OF_VEHICLE:
        copy.vehicle.ClearField(name)
    if not entity.HasField("trip_update"):
        copy.ClearField("trip_update")
    if not entity.HasField("vehicle"):
        copy.ClearField("vehicle")
    return bytes(kept.SerializePartialToString())

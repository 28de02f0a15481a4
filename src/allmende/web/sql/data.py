"""Which files there are to ask: the dumps of what is open now."""

import hashlib
from typing import NamedTuple

import msgspec
from django.conf import settings

from allmende.domain.profile import Profile
from allmende.domain.selection import Selection
from allmende.domain.times import from_datetime
from allmende.knowledge.sql.views import OpenData, View, files_of, views
from allmende.web.downloads.describing import describe_file
from allmende.web.downloads.dumping import OBJECTS
from allmende.web.downloads.folder import dump_path
from allmende.web.downloads.marking import STREAMS, dumped
from allmende.web.downloads.models import Dump
from allmende.web.downloads.ways import current

_SHAPE = "1"
"""Grows where the tables are others though the dumps are not, so that answers that were kept before are not given."""


class Shelf(NamedTuple):
    """All that can be asked now."""

    data: list[OpenData]
    views: list[View]
    state: str
    """Another one where an answer may be another one: files, what is said of them, or the tables' shape."""

    @property
    def statements(self) -> list[str]:
        return [view.statement for view in self.views]

    @property
    def files(self) -> list[str]:
        return files_of(self.data)

    @property
    def as_of(self) -> int | None:
        """When the oldest of the files was made, in microseconds."""
        return min((each.as_of for each in self.data if each.as_of is not None), default=None)


def shelf(profile: Profile) -> Shelf:
    """The dumps that everybody may fetch now: what was closed or withdrawn since the night is not among them."""
    known = current()
    digest = hashlib.sha256(f"{_SHAPE} {profile.time_zone}".encode())
    data = []
    for dataset in dumped(profile):
        dumps = [dump for dump in known.get(dataset, ()) if dump_path(dataset, dump.name).is_file()]
        if dumps:
            found = _of(profile, dataset, dumps)
            data.append(found)
            digest.update(msgspec.json.encode(msgspec.structs.replace(found, months=(), streams="", objects={})))
            digest.update(" ".join(sorted(f"{dump.name} {dump.digest}" for dump in dumps)).encode())
    return Shelf(data, views(data), digest.hexdigest()[:40])


def _of(profile: Profile, dataset: str, dumps: list[Dump]) -> OpenData:
    said = describe_file(profile, settings.ALLMENDE, Selection(dataset=dataset), profile.languages[0])
    months, objects, streams = [], {}, ""
    for dump in dumps:
        path = str(dump_path(dataset, dump.name).resolve())
        if dump.name == STREAMS:
            streams = path
        elif dump.name.startswith(OBJECTS):
            objects[dump.name.removeprefix(OBJECTS)] = path
        else:
            months.append(path)
    return OpenData(
        id=dataset,
        title=said.title,
        publisher=said.publisher,
        licence=said.licence,
        licence_url=said.licence_url,
        attribution=said.attribution,
        as_of=min(from_datetime(dump.made) for dump in dumps if dump.made is not None),
        months=sorted(months),
        streams=streams,
        objects=dict(sorted(objects.items())),
    )

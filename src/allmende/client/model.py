"""What a house tells of its datasets, streams and files."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Dataset:
    """An entry of the catalogue."""

    id: str
    title: str
    description: str
    publisher: str
    licence: str
    licence_url: str
    attribution: str
    address: str


@dataclass(frozen=True)
class Stream:
    """A row of measured values: one property of one thing."""

    id: str
    name: str
    thing: str
    property: str
    unit: str
    dataset: str
    start: datetime | None
    """Of its oldest reading, in UTC."""
    end: datetime | None


@dataclass(frozen=True)
class Dump:
    """A Parquet file of a dataset, made in the night: a month (``2024-05``), ``streams``, or ``objects-`` and an id."""

    dataset: str
    name: str
    address: str
    bytes: int
    sha256: str
    rows: int

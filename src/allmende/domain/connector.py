"""The shape of a connector, in the package or outside of it.

A connector is a Python package named by an entry point of the group ``allmende.connectors``. It holds

- ``manifest.toml`` (:class:`Manifest`),
- ``README.md``: what the source means and where it misleads,
- ``parse.py`` with ``parse(payload, source) -> Parsed``: pure, never raises on bad input,
- ``fetch.py`` with ``fetch(source, now) -> Iterable[Payload]`` only where a plain GET, a topic or a file will not do.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec

from allmende.domain.contract import Contract
from allmende.domain.records import Parsed
from allmende.domain.wording import PropertyWords

Transport = Literal["http", "websocket", "mqtt", "file"]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes as they came. ``name`` is the topic, address or file's name; ``line`` the number of its first line."""

    body: bytes
    name: str
    received_at: int
    """Microseconds (see :mod:`allmende.domain.times`)."""
    line: int = 1


class ThingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A thing of the city's profile, as a connector sees it."""

    id: str
    name: str
    kind: str
    description: str = ""
    lon: float | None = None
    lat: float | None = None
    facts: Mapping[str, Any] = {}
    """Facts as plain JSON: ``{"capacity": [{"value": 40, "source": "…", "date": "…"}, …]}``."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a connector in a city: everything that ``parse`` and ``fetch`` may know."""

    id: str
    connector: str
    dataset: str
    address: str = ""
    """``http(s)://`` is asked for, ``ws(s)://`` is listened to: each frame is a payload."""
    topic: str = ""
    """MQTT filter."""
    headers: Mapping[str, str] = {}
    """Headers of requests. ``${SOURCE_…}`` stands for that environment variable; see
    :func:`allmende.connectors.fetching.open_client`."""
    secrets: Mapping[str, str] = {}
    """What the manifest's ``secrets`` name -> the environment variable that holds it. Never the secret itself."""
    contract: Contract = Contract()
    """The manifest's, overridden by the profile's."""
    time_zone: str = "UTC"
    language: str = "de"
    settings: Mapping[str, Any] = {}
    """The manifest's ``[settings]``, overridden by the profile's."""
    things: Mapping[str, ThingFacts] = {}
    tables: Mapping[str, bytes] = {}
    """Files that the settings name and that lie beside the profile, by name."""
    of_people: bool = False
    """The manifest's."""
    words: Mapping[str, PropertyWords] = {}
    """What the city says of observed properties, by the ids that connectors give."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``manifest.toml`` says. Texts are by language; ``de`` and ``en`` are asked for."""

    name: str
    title: dict[str, str]
    description: dict[str, str]
    maturity: Literal["experimental", "tested", "proven"]
    gives: list[str] = []
    """Ids of the observed properties that it can give."""
    objects: list[str] = []
    """Kinds of objects that it can give, as features: ``trees``, ``roadworks``."""
    publisher: str = ""
    licence: str = ""
    transports: list[Transport] = []
    """How its data can come: asked for, over a WebSocket, from a broker, as files."""
    address: str = ""
    """Where it is to be had, if it is one place for all cities: ``http(s)://`` or ``ws(s)://``."""
    topic: str = ""
    """The MQTT filter that its messages usually have."""
    interval: str = ""
    """ISO 8601 duration between two pulls, e.g. ``PT5M``; empty where data is sent to us."""
    units: dict[str, str] = {}
    """UCUM by id of the property; "" for words and truth values. A connector whose settings have a table
    ``properties`` may say it there (``unit``)."""
    contract: Contract | None = None
    """What may be expected of it; None is not said."""
    secrets: list[str] = []
    """Names of what ``fetch`` needs and nobody may read, e.g. ``client_secret``; a profile says which environment
    variable holds each."""
    framing: Annotated[str, msgspec.Meta(pattern=r"^(?:whole|lines|json|xml:[A-Za-z]\w{0,99})$")] = "whole"
    """How a file is cut into payloads: not at all, in blocks of lines under its header, by JSON value, or in blocks of
    XML elements of one name (``xml:situation``)."""
    media_types: list[str] = []
    simulated: bool = False
    of_people: bool = False
    """Whether its payloads may tell of people (ids, tracks, duties). Then bytes as they came are never kept: of what is
    refused there is only what ``parse`` itself lets pass, and what is refused later cannot be replayed."""
    settings: dict[str, Any] = {}


class Parse(Protocol):
    """Bytes to records, without any other input. What may not be kept is dropped here."""

    def __call__(self, payload: Payload, source: Source) -> Parsed:
        """Never raises on bad input: what cannot be read becomes a Rejection."""


class Fetch(Protocol):
    """Payloads due at ``now`` (microseconds). ``since`` is the time of the source's newest reading, or None."""

    def __call__(self, source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
        """May raise OSError or httpx errors; the caller backs off and tells."""


class Connector(msgspec.Struct, frozen=True, kw_only=True):
    """A loaded connector."""

    manifest: Manifest
    parse: Parse
    fetch: Fetch | None = None
    readme: str = ""
    problems: Sequence[str] = ()
    """What is missing in its folder, in words for an operator."""

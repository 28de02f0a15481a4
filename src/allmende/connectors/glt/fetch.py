"""The last hour of every site, again and again: OAuth2 client credentials, then one question a site and hundred points.

What comes twice is recognised by its time and stored once, so that the look-back costs nothing but the way.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
import msgspec

from allmende.connectors.fetching import FetchError, Patience, open_client, read, secret
from allmende.connectors.glt.parse import KEPT_OF_DATALOG, KEPT_OF_SITE, kept
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.times import MINUTE, format_instant, parse_duration

_KINDS = ("DATALOG", "ANALOG_HARDWARE", "DIGITAL_HARDWARE")
_AT_ONCE = 100


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """A payload a site: from ``settings.look_back`` before ``now``, or from ``since`` where that is longer ago, but
    never further back than ``settings.catch_up``.

    Raises ConfigurationError for settings and secrets, httpx's errors and FetchError for the host.
    """
    sites = source.settings.get("sites")
    if (
        not isinstance(sites, list)
        or not sites
        or not all(isinstance(site, str) and site.isdecimal() for site in sites)
    ):
        raise ConfigurationError('sites is a list of numbers as text, e.g. ["065"]', where=f"{source.id}.sites")
    back, most = _duration(source, "look_back"), _duration(source, "catch_up")
    begin = max(min(now - back, now if since is None else since), now - most)
    return _payloads(source, sites, begin, now)


def _payloads(source: Source, sites: list[str], begin: int, now: int) -> Iterator[Payload]:
    with open_client(source) as client:
        client.headers["Authorization"] = f"Bearer {_token(client, source)}"
        patience = Patience()
        for site in sites:
            with patience:
                body = _site(client, source, site, begin, now)
                yield Payload(body=msgspec.json.encode(body), name=f"{source.id}/{site}", received_at=now)
        patience.end()


def _token(client: httpx.Client, source: Source) -> str:
    """An access token of the client's own (RFC 6749, 4.4); asked for at each poll, since it lives for minutes."""
    address = source.settings.get("token_address")
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        raise ConfigurationError("it is the address that gives tokens", where=f"{source.id}.token_address")
    form = {"grant_type": "client_credentials"}
    form |= {name: secret(source, name) for name in ("client_id", "client_secret")}
    answer = _decode(read(client, address, method="POST", data=form), "the token")
    token = answer.get("access_token") if isinstance(answer, Mapping) else None
    if not isinstance(token, str) or not token:
        raise FetchError("The host gave no access token.")
    return token


def _site(client: httpx.Client, source: Source, site: str, begin: int, now: int) -> dict[str, Any]:
    """The site with its datalogs, and of both only what is read: no addresses of controllers, no comments of people."""
    base, number = source.address.rstrip("/"), str(int(site))
    described = _decode(read(client, f"{base}/sites/{site}", params={"shallow": "true"}), "the site")
    points = _points(client, source, base, site, number)
    span = {"from": format_instant(begin), "to": format_instant(now + MINUTE)}
    logs: list[Any] = []
    for place in range(0, len(points), _AT_ONCE):
        asked = {"id": points[place : place + _AT_ONCE], **span}
        logs += _found(client, f"{base}/monitoring/datalogs/content/{number}", asked)
    return {
        "site": {**kept(described, KEPT_OF_SITE), "id": site},
        "datalogs": [kept(log, KEPT_OF_DATALOG) for log in logs],
    }


def _points(client: httpx.Client, source: Source, base: str, site: str, number: str) -> list[int]:
    """The points that the settings name for a site, or all that it has."""
    named = source.settings.get("only")
    listed = named.get(site) if isinstance(named, Mapping) else None
    if listed is not None:
        if not isinstance(listed, list) or not all(isinstance(point, int) for point in listed):
            raise ConfigurationError("it is a list of the numbers of points", where=f"{source.id}.only.{site}")
        return listed
    found = _found(client, f"{base}/system/entities/{number}/types", {"type": list(_KINDS)})
    numbers = [entry.get("id") for entry in found if isinstance(entry, Mapping)]
    return [point for point in numbers if isinstance(point, int)]


def _found(client: httpx.Client, address: str, params: Mapping[str, Any]) -> list[Any]:
    """A list; the host says 404 where there is nothing new."""
    try:
        answer = _decode(read(client, address, params=params), "the answer")
    except FetchError as error:
        if " 404 " in str(error):
            return []
        raise
    if not isinstance(answer, list):
        raise FetchError("The host answered with something else than a list.")
    return answer


def _decode(body: bytes, what: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FetchError(f"{what} is no JSON: {error}") from None


def _duration(source: Source, key: str) -> int:
    try:
        found = parse_duration(str(source.settings.get(key)))
    except InvalidInput as error:
        raise ConfigurationError(error.message, where=f"{source.id}.{key}") from None
    if found <= 0:
        raise ConfigurationError("it has to be longer than nothing", where=f"{source.id}.{key}")
    return found

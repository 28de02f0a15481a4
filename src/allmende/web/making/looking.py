"""What was brought, recognised for this city."""

import re
from typing import Any
from urllib.parse import quote, urlsplit

from allmende.connectors.recognition.recognise import Found, recognise, source_id
from allmende.domain.errors import InvalidInput
from allmende.domain.recognition.model import Recognition
from allmende.web.house import open_profile
from allmende.web.making.models import Making
from allmende.web.making.uploads import keep_download, path_of

_CKAN = re.compile(r"(?P<root>https?://[^?#]*?)/dataset/(?P<name>[^/?#]+)/?(?:\?|#|\Z)")


def found_by(making: Making) -> Found:
    """Where it was found, and the city that it is for."""
    profile = open_profile()
    return Found(
        making.name, making.address, profile.languages[0], profile.time_zone, profile.geography.center, making.chosen
    )


def look_at(making: Making) -> Recognition:
    """Recognise the file that is kept. What a service offers to choose of is chosen already where it was."""
    with path_of(making).open("rb") as file:
        known = recognise(file, found_by(making))
    kind = making.chosen.get("type_names")
    if known.plan is not None and kind:
        known.plan.base["type_names"] = kind
    return known


def fetch_and_look(making: Making) -> Recognition:
    """Get what the address gives, and recognise it. A page of a CKAN catalogue is asked for by its interface.

    Raises InvalidInput, StorageFull.
    """
    check(making.address)
    keep_download(making)
    known = look_at(making)
    match = _CKAN.match(making.address)
    if known.what == "HTML" and match:
        page = making.address
        making.address = f"{match['root']}/api/3/action/package_show?id={quote(match['name'])}"
        try:
            keep_download(making)
        except InvalidInput:
            making.address = page
        else:
            known = look_at(making)
    return known


def check(address: str) -> None:
    """Only what HTTP gives, without a password in it. Raises InvalidInput."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput("an address begins with http:// or https://")
    if parts.username or parts.password:
        raise InvalidInput("an address holds no name and no password")
    if "${" in address:
        raise InvalidInput("an address that is made here names no variables")


def name_by_address(address: str) -> str:
    """What a file at an address is called."""
    parts = urlsplit(address)
    last = parts.path.rstrip("/").rpartition("/")[2]
    return (last or parts.hostname or "source")[:255]


def first_about(making: Making, known: Recognition) -> dict[str, Any]:
    """What is proposed of the source itself."""
    profile = open_profile()
    name = source_id(making.name)
    number = 2
    while name in profile.sources:
        name, number = f"{source_id(making.name)}-{number}", number + 1
    title = making.name.rsplit(".", 1)[0][:100] or name
    scheduled = bool(making.address) and known.plan is not None
    return {
        "id": name,
        "title": dict.fromkeys(profile.languages, title),
        "dataset": "",
        "new": {"id": name, "publisher": "", "licence": "", "attribution": "", "description": ""},
        "mode": "schedule" if scheduled else "once",
        "interval": known.interval or "P1D",
    }

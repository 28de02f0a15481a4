"""Entries, organisations, themes and licences as CKAN's dictionaries. Texts are in the catalogue's first language."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Distribution, Entry
from allmende.domain.dataset import Organisation, Texts
from allmende.domain.ids import slug

Dict = dict[str, Any]


def key_of(address: str) -> str:
    """CKAN names everything by a UUID: ours is made of the address, so that it lasts."""
    return str(uuid5(NAMESPACE_URL, address))


def text_in(texts: Texts, catalogue: Catalogue) -> str:
    """The text in the catalogue's first language, else the first there is."""
    return texts.get(catalogue.languages[0]) or next(iter(texts.values()), "")


def package(entry: Entry, catalogue: Catalogue) -> Dict:
    """A dataset."""
    dataset = entry.dataset
    organisation_ = organisation(entry.publisher, catalogue)
    resources = [resource(way, place, entry, catalogue) for place, way in enumerate(entry.distributions)]
    tags = tags_of(entry, catalogue)
    licence = entry.licence
    contact = entry.contact
    return {
        "id": key_of(entry.address),
        "name": entry.id,
        "title": text_in(dataset.title, catalogue),
        "notes": text_in(dataset.description, catalogue),
        "url": entry.address,
        "type": "dataset",
        "state": "active",
        "private": False,
        "isopen": bool(licence.more.get("open")),
        "author": dataset.creator or entry.publisher.name,
        "author_email": entry.publisher.mail or None,
        "maintainer": contact.name if contact else dataset.maintainer or None,
        "maintainer_email": (contact.mail or None) if contact else None,
        "license_id": licence.key,
        "license_title": text_in(licence.label, catalogue),
        "license_url": licence.more.get("url") or licence.uri,
        "metadata_created": moment(entry.issued),
        "metadata_modified": moment(entry.modified or entry.issued),
        "version": dataset.version.number if dataset.version else None,
        "organization": organisation_,
        "owner_org": organisation_["id"],
        "groups": [group(key, catalogue) for key in dataset.themes],
        "tags": [{"id": key_of(f"tag:{tag}"), "name": tag, "display_name": tag, "state": "active",
                  "vocabulary_id": None} for tag in tags],
        "resources": resources,
        "num_resources": len(resources),
        "num_tags": len(tags),
        "extras": [{"key": key, "value": value} for key, value in _extras(entry, catalogue).items() if value],
        "relationships_as_object": [],
        "relationships_as_subject": [],
    }  # fmt: skip


def _extras(entry: Entry, catalogue: Catalogue) -> dict[str, str]:
    """What CKAN has no field for, under the names that ckanext-dcat and ckanext-spatial give it."""
    dataset = entry.dataset
    frequency = vocabulary.find(vocabulary.FREQUENCIES, entry.periodicity)
    spatial = ""
    if entry.bbox is not None:
        west, south, east, north = entry.bbox
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        spatial = msgspec.json.encode({"type": "Polygon", "coordinates": [ring]}).decode()
    return {
        # who harvests us has to know a dataset again that comes from somewhere else, too
        "uri": entry.origin.uri or entry.address if entry.origin else entry.address,
        "harvest_source_title": text_in(entry.origin.title, catalogue) if entry.origin else "",
        "identifier": entry.address,
        "issued": entry.issued,
        "modified": entry.modified,
        "publisher_name": entry.publisher.name,
        "publisher_url": entry.publisher.page,
        "contact_name": entry.contact.name if entry.contact else "",
        "contact_email": entry.contact.mail if entry.contact else "",
        "theme": msgspec.json.encode(
            [term.uri for term in (vocabulary.find(vocabulary.THEMES, key) for key in dataset.themes) if term]
        ).decode()
        if dataset.themes
        else "",
        "frequency": frequency.uri if frequency else "",
        "temporal_start": entry.start,
        "temporal_end": entry.end,
        "spatial": spatial,
        "provenance": text_in(entry.provenance, catalogue),
        "licenseAttributionByText": dataset.attribution,
    }


def tags_of(entry: Entry, catalogue: Catalogue) -> list[str]:
    """Its keywords in the catalogue's first language."""
    return sorted(entry.dataset.keywords.get(catalogue.languages[0], []))


def resource(way: Distribution, place: int, entry: Entry, catalogue: Catalogue) -> Dict:
    """One way to the data."""
    term = vocabulary.find(vocabulary.FORMATS, way.format)
    return {
        "id": key_of(f"{entry.address}#{way.name}"),
        "package_id": key_of(entry.address),
        "name": text_in(way.title, catalogue),
        "description": "",
        "url": way.download or way.address,
        "format": way.format,
        "mimetype": term.more["media"] if term else None,
        "size": way.size or None,
        "hash": f"sha256:{way.sha256}" if way.sha256 else "",
        "license": entry.licence.uri,
        "created": moment(entry.issued),
        "last_modified": moment(entry.modified),
        "position": place,
        "state": "active",
        "url_type": None,
    }


def organisation(found: Organisation, catalogue: Catalogue) -> Dict:
    """A publisher."""
    return {
        "id": key_of(f"{catalogue.root}/catalog#organisation-{found.id}"),
        "name": found.id,
        "title": found.name,
        "display_name": found.name,
        "description": "",
        "type": "organization",
        "image_url": "",
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def group(key: str, catalogue: Catalogue) -> Dict:
    """A theme, which is a group in CKAN."""
    label = text_in(vocabulary.vocabulary(vocabulary.THEMES).terms[key].label, catalogue)
    return {
        "id": key_of(f"theme:{key}"),
        "name": slug(key),
        "title": label,
        "display_name": label,
        "description": "",
        "type": "group",
        "image_display_url": "",
        "is_organization": False,
        "state": "active",
    }


def licence(key: str, catalogue: Catalogue) -> Dict:
    """A licence that datasets may have."""
    term = vocabulary.vocabulary(vocabulary.LICENCES).terms[key]
    open_ = bool(term.more.get("open"))
    return {
        "id": key,
        "title": text_in(term.label, catalogue),
        "url": term.more.get("url", term.uri),
        "status": "active",
        "is_okd_compliant": open_,
        "od_conformance": "approved" if open_ else "not reviewed",
        "domain_data": True,
        "domain_content": False,
        "domain_software": False,
    }


def moment(day: str) -> str | None:
    """A day as CKAN writes times: UTC without saying so."""
    if not day:
        return None
    return datetime.fromisoformat((day + "-01-01")[:10]).replace(tzinfo=UTC).strftime("%Y-%m-%dT00:00:00.000000")

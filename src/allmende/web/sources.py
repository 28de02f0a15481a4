"""The sources of a city, ready for use: each with its connector, and with what is wrong about it.

A source whose connector is missing or broken stays in the list with its problems; whatever else the house does goes on.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

import msgspec

from allmende.connectors import registry
from allmende.domain.addresses import holds_secret
from allmende.domain.connector import Connector, Source, ThingFacts
from allmende.domain.contract import Contract
from allmende.domain.errors import NotFound
from allmende.domain.profile import Profile, SourceProfile, ThingProfile, as_list


class PreparedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source of the profile together with its connector."""

    source: Source
    profile: SourceProfile
    connector: Connector | None
    """None where no installed package offers it."""
    version: str
    """Name and version of the package that the connector comes from: what every reading can say."""
    problems: tuple[str, ...]
    """What is wrong, in words for an operator; empty if nothing is."""

    @property
    def pulls(self) -> bool:
        """Whether the house has to ask for the data."""
        asked = self.source.address and not self.listens
        return bool(self.profile.interval and (asked or (self.connector and self.connector.fetch)))

    @property
    def listens(self) -> bool:
        """Whether it sends by itself over a WebSocket that the house opens."""
        return self.source.address.startswith(("ws://", "wss://"))

    @property
    def listening(self) -> bool:
        """Whether the worker has to listen to it now."""
        return self.listens and self.profile.enabled and self.connector is not None and not self.connector.fetch

    def usable(self) -> Connector:
        """The connector; raises NotFound where there is none."""
        if self.connector is None:
            raise NotFound(f"source {self.source.id}: {self.problems[0]}")
        return self.connector


def prepare_sources(profile: Profile, connectors: Mapping[str, Connector] | None = None) -> dict[str, PreparedSource]:
    """Every source of the profile by its id, those that are switched off too."""
    installed = registry.connectors() if connectors is None else connectors
    versions = _versions()
    language = profile.languages[0]
    things = {thing.id: thing_facts(thing, language) for thing in profile.things}
    return {
        source.id: _prepare(source, profile, installed, versions.get(source.connector, source.connector), things)
        for source in profile.sources.values()
    }


def thing_facts(thing: ThingProfile, language: str) -> ThingFacts:
    """A thing of the profile as connectors see it: facts as lists of plain JSON, texts in one language."""
    return ThingFacts(
        id=thing.id,
        name=thing.name,
        kind=thing.kind,
        description=thing.description.get(language, ""),
        lon=thing.position.lon if thing.position else None,
        lat=thing.position.lat if thing.position else None,
        facts={name: msgspec.to_builtins(as_list(entry)) for name, entry in thing.facts.items()},
    )


def _prepare(
    source: SourceProfile,
    profile: Profile,
    installed: Mapping[str, Connector],
    version: str,
    things: Mapping[str, ThingFacts],
) -> PreparedSource:
    connector = installed.get(source.connector)
    prepared = PreparedSource(
        source=Source(
            id=source.id,
            connector=source.connector,
            dataset=source.dataset,
            address=source.address,
            topic=source.topic,
            headers=source.headers,
            secrets=source.secrets,
            contract=merge_contract(connector.manifest.contract if connector else None, source.contract),
            time_zone=profile.time_zone,
            language=profile.languages[0],
            settings=merge_settings(connector.manifest.settings if connector else {}, source.settings),
            things=things,
            tables=source.tables,
            of_people=bool(connector and connector.manifest.of_people),
            words=profile.properties,
        ),
        profile=source,
        connector=connector,
        version=version,
        problems=(),
    )
    return msgspec.structs.replace(prepared, problems=tuple(_problems(prepared, profile, installed)))


def merge_settings(defaults: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """``chosen`` over ``defaults``; tables are merged key by key, one level deep."""
    merged = dict(defaults)
    for name, value in chosen.items():
        known = merged.get(name)
        merged[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def merge_contract(known: Contract | None, chosen: Mapping[str, Any]) -> Contract:
    """The profile's words over the manifest's, key by key, ranges by property. Both were checked by themselves."""
    merged: dict[str, Any] = msgspec.to_builtins(known or Contract())
    for name, value in chosen.items():
        merged[name] = {**merged[name], **value} if name == "ranges" else value
    return msgspec.convert(merged, Contract)


def _problems(prepared: PreparedSource, profile: Profile, installed: Mapping[str, Connector]) -> list[str]:
    source, connector = prepared.profile, prepared.connector
    if connector is None:
        known = ", ".join(sorted(installed)) or "none"
        return [f'no installed package offers the connector "{source.connector}"; installed are {known}']
    found = [f"connector {source.connector}: {problem}" for problem in connector.problems]
    if connector.manifest.simulated and not profile.datasets[source.dataset].simulated:
        found.append(f'the connector simulates, but its dataset "{source.dataset}" does not say simulated = true')
    lacking = [name for name in connector.manifest.secrets if name not in source.secrets]
    if source.enabled and lacking:
        found.append(f"the profile names no environment variable for its secrets: {', '.join(lacking)}")
    if holds_secret(source.address):
        found.append(
            'a secret stands in its address; name an environment variable there, e.g. "…?token=${SOURCE_TOKEN}"'
        )
    if source.interval and not prepared.pulls:
        found.append("it has an interval, but neither an address nor a connector that fetches")
    if source.address and not source.interval and not source.address.startswith(("ws://", "wss://")):
        found.append('it has an address, but no interval, e.g. interval = "PT5M"')
    return found


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entry_points(group=registry.GROUP):
        if entry.dist is not None:
            found.setdefault(entry.name, f"{entry.dist.name} {entry.dist.version}")
    return found

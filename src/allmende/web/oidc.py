"""OpenID Connect providers as an operator describes them in a file. Imports no Django: settings are made of it."""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from allmende.domain.errors import ConfigurationError
from allmende.web.account_settings import ROLES


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What those get who are in a group: a role in the house, or in an organisation."""

    group: str
    role: str
    organisation: str = ""


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who knows people: Keycloak of the city, BundID, …"""

    id: str
    """Stands in addresses, among them the one that the provider leads back to: ``/accounts/oidc/<id>/login/callback/``.
    Accounts hang on it, so that it must not change."""
    title: str
    issuer: str
    client_id: str
    client_secret: str = ""
    client_secret_file: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    """Where the groups stand in what the provider says; a dot leads into an object: ``realm_access.roles``."""
    grants: tuple[Grant, ...] = ()
    register: bool = True
    """Whether somebody who has no account yet gets one; else one is linked on the page of an account alone."""
    role: str = "reader"
    """What those are in the house whom no group makes more."""
    second_factor: bool = False
    """Whether the provider asks for a second factor, so that ours need not."""

    def groups_of(self, claims: Any) -> frozenset[str]:
        """The groups that the provider's claims name; none where they are missing or of another shape."""
        for step in self.groups_claim.split("."):
            claims = claims.get(step) if isinstance(claims, dict) else None
        if isinstance(claims, str):
            return frozenset({claims})
        return frozenset(g for g in claims if isinstance(g, str)) if isinstance(claims, list) else frozenset()

    def roles_of(self, claims: Any) -> dict[str, str]:
        """Roles by organisation, '' for the house: of several, the highest."""
        groups = self.groups_of(claims)
        roles = {"": self.role}
        for grant in self.grants:
            if grant.group in groups:
                kept = roles.get(grant.organisation, "reader")
                roles[grant.organisation] = max(kept, grant.role, key=ROLES.index)
        return roles


class _File(msgspec.Struct, forbid_unknown_fields=True):
    provider: tuple[Provider, ...] = ()


def read_providers(path: str) -> tuple[Provider, ...]:
    """The providers of a file; none for an empty path. Raises ConfigurationError that names file and place."""
    if not path:
        return ()
    try:
        read = msgspec.convert(tomllib.loads(Path(path).read_text("utf-8")), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path}: {error}", where="ALLMENDE_OIDC") from None
    for provider in read.provider:
        _check(provider, path)
    if len({provider.id for provider in read.provider}) < len(read.provider):
        raise ConfigurationError(f"{path}: two providers have one id", where="ALLMENDE_OIDC")
    return tuple(_with_secret(provider, path) for provider in read.provider)


def _check(provider: Provider, path: str) -> None:
    where = f"ALLMENDE_OIDC, {provider.id}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,49}", provider.id):
        raise ConfigurationError(f"{path}: an id has small letters, digits and -, at most 50", where=where)
    issuer = urlsplit(provider.issuer)
    near = issuer.scheme == "http" and issuer.hostname in ("127.0.0.1", "::1", "localhost")
    if not issuer.netloc or (issuer.scheme != "https" and not near):
        raise ConfigurationError(f"{path}: the issuer has to begin with https://", where=where)
    for role in (provider.role, *(grant.role for grant in provider.grants)):
        if role not in ROLES:
            raise ConfigurationError(f'{path}: "{role}" is no role; there are {", ".join(ROLES)}', where=where)
    if any(grant.organisation and grant.role == "administrator" for grant in provider.grants):
        raise ConfigurationError(f"{path}: an administrator looks after the whole house", where=where)
    if "openid" not in provider.scopes:
        raise ConfigurationError(f'{path}: the scopes lack "openid"', where=where)


def _with_secret(provider: Provider, path: str) -> Provider:
    if not provider.client_secret_file:
        return provider
    secret = Path(path).parent / provider.client_secret_file
    try:
        text = secret.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{secret}: {error}", where=f"ALLMENDE_OIDC, {provider.id}") from None
    return msgspec.structs.replace(provider, client_secret=text)

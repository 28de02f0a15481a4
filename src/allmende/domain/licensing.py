"""Licences and grants as policies in the words of ODRL 2.2: what is permitted, to whom, and what one owes for it.

They say what holds for people and their programs; nothing here opens or closes anything (see
:mod:`allmende.domain.policy` for that).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from allmende.domain import vocabulary
from allmende.domain.dataset import DatasetProfile, Texts
from allmende.domain.profile_checks import ProfileError
from allmende.domain.vocabulary import Term

Action = Literal[
    "odrl:use", "odrl:reproduce", "odrl:distribute", "odrl:derive", "odrl:attribute", "odrl:compensate",
    "odrl:reviewPolicy", "cc:Notice", "cc:ShareAlike",
]  # fmt: skip
OPEN_ACTIONS: tuple[Action, ...] = ("odrl:use", "odrl:reproduce", "odrl:distribute", "odrl:derive")
Party = Literal["", "person", "organisation", "role"]


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """What one owes. ``purpose``: only where the use has that purpose; ``said`` is how it is met, by language."""

    action: Action
    said: Texts = {}
    purpose: Texts = {}
    page: str = ""
    """Where one learns how, and settles it."""


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """What one may do. ``party`` is the class of those that it is given to, "" for everybody."""

    actions: tuple[Action, ...]
    duties: tuple[Duty, ...] = ()
    party: Party = ""
    name: str = ""
    """Of an organisation or a role; never a person's."""
    purpose: Texts = {}
    until: str = ""
    """The last day of it."""


class UsagePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy at an address of its own, by ``id``."""

    id: str
    title: Texts
    licence: str = ""
    """URI of the licence that it says in other words; the licence holds where they differ."""
    page: str = ""
    permissions: tuple[Permission, ...] = ()
    prohibitions: tuple[Action, ...] = ()
    dataset: str = ""
    """Id of the dataset that it is about, "" where it is about all that have it."""


class Compensation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one pays where one's use has a purpose that gives nothing back."""

    purpose: dict[str, str]
    """E.g. private profit without a contribution to the commons."""
    terms: dict[str, str]
    """How much, or how it is found out."""
    page: str = ""
    """Where it is settled."""


class PolicyProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Terms of the city's own. A dataset takes them by their id as its ``licence``."""

    id: str
    title: dict[str, str]
    page: str = ""
    """Where they stand in full."""
    attribution: bool = True
    share_alike: bool = False
    compensate: Compensation | None = None


def check_policies(policies: Mapping[str, PolicyProfile], languages: Sequence[str]) -> None:
    """Raises ProfileError where terms lack a text, lead nowhere or hide a licence of the list."""
    for key, policy in policies.items():
        place = f"policies.{key}"
        if key in {slug_of(known) for known in vocabulary.vocabulary(vocabulary.LICENCES).terms}:
            raise ProfileError(place, "is the name of a licence already")
        if key.startswith(DATASET):
            raise ProfileError(place, "does not begin with %(dataset)s", dataset=DATASET)
        texts = {f"{place}.title": policy.title}
        if policy.compensate is not None:
            texts[f"{place}.compensate.purpose"] = policy.compensate.purpose
            texts[f"{place}.compensate.terms"] = policy.compensate.terms
        for where, text in texts.items():
            for language in languages:
                if not text.get(language, "").strip():
                    raise ProfileError(f"{where}.{language}", "is missing: every language of the profile has its text")
        pages = {f"{place}.page": policy.page}
        if policy.compensate is not None:
            pages[f"{place}.compensate.page"] = policy.compensate.page
        for where, page in pages.items():
            if page and (not page.startswith(("http://", "https://")) or any(sign in page for sign in ' <>"{}|\\^`')):
                raise ProfileError(where, '"%(page)s" is no address that begins with http:// or https://', page=page)


DATASET = "dataset-"
"""How the ids of policies of single datasets begin."""


def slug_of(licence: str) -> str:
    """A licence's key as the id of its policy."""
    return licence.lower().replace("/", "-").replace(".", "-")


def policy_id(dataset: DatasetProfile, policies: Mapping[str, PolicyProfile]) -> str:
    """Of the policy that holds for a dataset; "" where its licence is in no list."""
    if dataset.access != "open":
        return DATASET + dataset.id
    if dataset.licence in policies:
        return dataset.licence
    return slug_of(dataset.licence) if vocabulary.find(vocabulary.LICENCES, dataset.licence) else ""


def licence_policies() -> list[UsagePolicy]:
    """Of all licences of the list."""
    return [of_licence(term) for term in vocabulary.vocabulary(vocabulary.LICENCES).terms.values()]


def of_licence(term: Term) -> UsagePolicy:
    """What a licence says, in short."""
    more = term.more
    duties = _duties(bool(more.get("attribution")), bool(more.get("share_alike")), str(more.get("url", "")))
    if more.get("open"):
        permission = Permission(actions=OPEN_ACTIONS, duties=duties)
    else:  # nobody knows what it says: whoever uses it has to read it
        permission = Permission(actions=("odrl:use",), duties=(Duty(action="odrl:reviewPolicy"),))
    return UsagePolicy(
        id=slug_of(term.key), title=term.label, licence=term.uri, page=str(more.get("url", "")),
        permissions=(permission,),
    )  # fmt: skip


def of_profile(policy: PolicyProfile) -> UsagePolicy:
    """The city's own terms."""
    duties = list(_duties(policy.attribution, policy.share_alike, policy.page))
    owed = policy.compensate
    if owed is not None:
        duties.append(Duty(action="odrl:compensate", said=owed.terms, purpose=owed.purpose, page=owed.page))
    permission = Permission(actions=OPEN_ACTIONS, duties=tuple(duties))
    return UsagePolicy(id=policy.id, title=policy.title, page=policy.page, permissions=(permission,))


def of_grants(dataset: DatasetProfile, grants: Iterable[tuple[Party, str, str, str]], language: str) -> UsagePolicy:
    """Who may use a dataset that is not open: party, name, purpose and last day of each grant. Handing it on is
    prohibited to all of them."""
    permissions = tuple(
        Permission(
            actions=("odrl:use",), party=party, name="" if party == "person" else name, purpose={language: purpose},
            until=until,
        )
        for party, name, purpose, until in grants
    )  # fmt: skip
    titles = {"de": "Nutzung von „%s“", "en": "Use of “%s”"}
    title = {tag: titles.get(tag, "%s") % text for tag, text in dataset.title.items()}
    return UsagePolicy(
        id=DATASET + dataset.id, title=title, permissions=permissions, prohibitions=("odrl:distribute",),
        dataset=dataset.id,
    )  # fmt: skip


def _duties(attribution: bool, share_alike: bool, page: str) -> tuple[Duty, ...]:
    duties: list[Duty] = []
    if attribution:
        duties += [Duty(action="odrl:attribute"), Duty(action="cc:Notice", page=page)]
    if share_alike:
        duties.append(Duty(action="cc:ShareAlike"))
    return tuple(duties)

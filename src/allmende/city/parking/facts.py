"""What is said of a car park, with every source: statements may disagree, all are shown."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.city.parking import statements
from allmende.city.parking.present import say_kind
from allmende.city.parking.sites import NOBODY, Site
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import UNDATED


@dataclass(frozen=True)
class Statement:
    """One statement in words, and who says so."""

    words: str
    source: str
    """The source in words, or the host of its address."""
    link: str
    """The source's address, empty if it has none."""
    date: str


@dataclass(frozen=True)
class Facts:
    """All statements on one car park."""

    capacities: tuple[Statement, ...]
    types: tuple[Statement, ...]
    page: str
    """Address of the car park's page on the web, empty if none is known."""

    @property
    def capacities_disagree(self) -> bool:
        return len({statement.words for statement in self.capacities}) > 1


def gather(profile: Profile, site: Site) -> Facts:
    """The facts of a site as words."""
    said = {name: [each for each in site.said(name) if each.value is not None] for name in ("capacity", "type")}
    return Facts(
        capacities=tuple(
            state(number_format(item.value, decimal_pos=0, force_grouping=True), name_of(profile, item), item.date)
            for item in said["capacity"]
        ),
        types=tuple(
            state(say_kind(each.value) or each.value, name_of(profile, each), each.date) for each in said["type"]
        ),
        page=site.fact("public_url") or "",
    )


def name_of(profile: Profile, said: statements.Statement) -> str:
    """Who says it: a source of the profile goes by its title in the active language."""
    source = profile.sources.get(said.source)
    if said.source == NOBODY:
        return _("whoever entered this place")
    if source is None:
        return said.source
    language = (get_language() or "").split("-")[0]
    return source.title.get(language) or next(iter(source.title.values()), source.id)


def state(words: str, source: str, date: str) -> Statement:
    """A statement; an address is shown as its host and linked."""
    parts = urlsplit(source)
    linked = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return Statement(
        words=words,
        source=(parts.hostname or source) if linked else source,
        link=source if linked else "",
        date=_("undated") if date == UNDATED else date,
    )


def simulation_of(profile: Profile) -> str:
    """What the simulated values of this city are made of, in the active language; empty if there are none."""
    language = (get_language() or "").split("-")[0]
    for source in profile.sources.values():
        dataset = profile.datasets[source.dataset]
        if source.enabled and dataset.simulated:
            return dataset.description.get(language) or next(iter(dataset.description.values()), "")
    return ""

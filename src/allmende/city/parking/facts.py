"""What the city's profile says of a car park, with every source: statements may disagree, all are shown."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.city.parking.board import CarPark
from allmende.city.parking.present import say_kind
from allmende.domain.profile import Profile, ThingProfile, as_list
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


def gather(profile: Profile, park: CarPark) -> Facts:
    """The facts of a car park; a simulated one stands for a real one and shows its facts."""
    thing = real_thing(profile, park.id)
    types = as_list(thing.facts.get("type")) if thing else []
    page = as_list(thing.facts.get("page"))[:1] if thing else []
    return Facts(
        capacities=tuple(
            state(number_format(item.value, decimal_pos=0, force_grouping=True), item.source, item.date)
            for item in park.capacities
        ),
        types=tuple(state(say_kind(str(fact.value)) or str(fact.value), fact.source, fact.date) for fact in types),
        page=str(page[0].value) if page else "",
    )


def real_thing(profile: Profile, thing_id: str) -> ThingProfile | None:
    """The profile's thing of that id, or the one that a simulated thing stands for."""
    prefixes = [
        str(source.settings.get("prefix", ""))
        for source in profile.sources.values()
        if profile.datasets[source.dataset].simulated
    ]
    names = [thing_id, *(thing_id.removeprefix(prefix) for prefix in prefixes)]
    return next((thing for name in names if (thing := profile.thing(name)) is not None), None)


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

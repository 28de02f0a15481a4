"""The policies that there are for whoever asks."""

from allmende.domain.catalogue import may_know
from allmende.domain.dataset import DatasetProfile
from allmende.domain.licensing import DATASET, Party, UsagePolicy, licence_policies, of_grants, of_profile
from allmende.web.accounts.roles import ROLES
from allmende.web.grants.grants import recipients
from allmende.web.house import House


def general(house: House) -> list[UsagePolicy]:
    """Of licences, and the city's own terms."""
    return [*(of_profile(each) for each in house.profile.policies.values()), *licence_policies()]


def special(house: House) -> list[UsagePolicy]:
    """Of the datasets that are not open, and of which the reader may know."""
    closed = [each for each in house.profile.datasets.values() if each.access != "open" and _is_shown(each, house)]
    given = recipients(each.id for each in closed)
    return [_of_dataset(each, given.get(each.id, []), house.profile.languages[0]) for each in closed]


def find(house: House, name: str) -> UsagePolicy | None:
    """The policy of that id; None for one that there is not, or that the reader may not know of."""
    if not name.startswith(DATASET):
        return next((each for each in general(house) if each.id == name), None)
    dataset = house.profile.datasets.get(name.removeprefix(DATASET))
    if dataset is None or dataset.access == "open" or not _is_shown(dataset, house):
        return None
    return _of_dataset(dataset, recipients([dataset.id]).get(dataset.id, []), house.profile.languages[0])


def _is_shown(dataset: DatasetProfile, house: House) -> bool:
    return may_know(dataset, house.reader) and dataset.withdrawn is None


def _of_dataset(dataset: DatasetProfile, given: list[tuple[str, str, object]], language: str) -> UsagePolicy:
    grants = [(_party(name), name, purpose, str(until)) for name, purpose, until in given]
    return of_grants(dataset, grants, language)


def _party(name: str) -> Party:
    """What class of receivers a name is of; persons have none."""
    if not name:
        return "person"
    return "role" if name in ROLES else "organisation"

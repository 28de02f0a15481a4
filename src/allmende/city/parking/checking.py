"""Whether a profile's tables of parking are in order."""

from allmende.city.parking.signs.file import signs_of
from allmende.city.parking.tariffs_file import tariffs_of
from allmende.domain.profile import Profile


def check(profile: Profile) -> None:
    """Raises ProfileError with the place of what is wrong."""
    tariffs_of(profile)
    signs_of(profile)

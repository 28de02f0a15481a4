"""Whether a profile's tables of parking are in order."""

from allmende.city.parking.signs.file import signs_of
from allmende.city.parking.tariffs_file import tariffs_of
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError

_DATEX = ("national_identifier", "feed_type")


def check(profile: Profile) -> None:
    """Raises ProfileError with the place of what is wrong."""
    tariffs_of(profile)
    signs_of(profile)
    for key, value in profile.services.get("parking", {}).get("datex", {}).items():
        if key not in _DATEX or not isinstance(value, str) or not 0 < len(value) <= 200:
            raise ProfileError(f"services.parking.datex.{key}", f"known are the texts {' and '.join(_DATEX)}")

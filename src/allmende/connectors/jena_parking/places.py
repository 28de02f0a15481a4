"""Which thing a feed means. The feeds share no id, their match is the name alone."""

import re
import unicodedata
from functools import lru_cache

from allmende.domain.connector import Source, ThingFacts

_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_OTHER = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """A name without what feeds write differently: case, umlauts, accents, punctuation, blanks."""
    spelled = unicodedata.normalize("NFC", name).casefold().translate(_SPELLED)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(sign))
    return _OTHER.sub("", bare)


class Places:
    """The names of one source: those of its settings first, then what the profile calls its things."""

    def __init__(self, source: Source) -> None:
        self._ids: dict[str, str] = {}
        self._things = source.things
        for thing in source.things.values():
            for name in (thing.name, thing.id):
                key = normalise(name)
                # a name that two things share is nobody's
                self._ids[key] = thing.id if self._ids.get(key, thing.id) == thing.id else ""
        places = source.settings.get("places")
        if isinstance(places, dict):
            self._ids |= {normalise(name): id_ for name, id_ in places.items() if isinstance(id_, str)}

    def find(self, name: str) -> ThingFacts | None:
        """The thing of the profile that this name means, if there is exactly one."""
        return self._things.get(self._ids.get(normalise(name), ""))

"""What columns are usually called, in German and English, and what is meant by it."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from allmende.domain.recognition.quantities import QUANTITIES, Quantity

_PATTERNS = tuple((re.compile(quantity.pattern), quantity) for quantity in QUANTITIES)

_ID = re.compile(
    r"(?:\w+ )*(?:id|gid|uid|uuid|guid|fid|objectid|oid|gisid|nr|nummer|number|no|kennung|schl(?:ü|"
    r"ue)ssel|key|code|ident|eui|ref|treeid|baumid|\w+id)\Z|(?:id|nr|objectid)\b"
)
_NAME = re.compile(
    r"(?:\w+ )*(?:name|bezeichnung|bez|titel|title|label|standort|station|messstelle|messstation|ort|site|"
    r"sensor|ger(?:ä|ae)t|device|z(?:ä|ae)hlstelle|weather station|wetterstation|location|place|stelle)\Z"
)
_X = re.compile(
    r"(?:\w+ )*(?:lon|lng|long|longitude|l(?:ä|ae)ngengrad|l(?:ä|ae)nge|rechtswert|rw|ostwert|easting|"
    r"east|e|x|xcoord|x coord|x koordinate|xkoord|utm x|utmx|utm e|geo x|coord x|koord x|gk x|x wert|"
    r"xwert|x utm|x etrs|x gk)(?: (?:wgs84|utm32|utm33|etrs89|25832|25833|gk|utm|etrs|wert|32|33|4326|"
    r"3857|in \w+))*\Z"
)
_Y = re.compile(
    r"(?:\w+ )*(?:lat|latitude|breitengrad|geo breite|breite|hochwert|hw|nordwert|northing|north|n|y|"
    r"ycoord|y coord|y koordinate|ykoord|utm y|utmy|utm n|geo y|coord y|koord y|gk y|y wert|ywert|y utm|"
    r"y etrs|y gk)(?: (?:wgs84|utm32|utm33|etrs89|25832|25833|gk|utm|etrs|wert|32|33|4326|3857|in \w+))*\Z"
)
_PAST = re.compile(
    r"pflanz|bau(?:jahr|datum)?\b|gef(?:ä|ae)llt|inspe|kontroll|datlr|erfass|angelegt|created|erstellt|"
    r"ge(?:ä|ae)ndert|changed|edit|er(?:ö|oe)ffn|opened|geburt|start date|end date|g(?:ü|ue)ltig|valid|"
    r"beginn|ende\b|from\b|von\b|bis\b|until\b|historisch|ref?alg?dat"
)
_STATUS = re.compile(r"status|quality|qualit(?:ä|ae)t|flag|g(?:ü|ue)te|fehler|error|zustand")
_SPLIT = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")
_NOISE = re.compile(r"[^0-9a-zäöüß]+")


@lru_cache(maxsize=4096)
def words_of(name: str) -> str:
    """A name in small letters, its words apart: ``utmX`` and ``utm_x`` are ``utm x``."""
    text = unicodedata.normalize("NFC", name)
    return _NOISE.sub(" ", _SPLIT.sub(" ", text).lower()).strip()


def quantity_of(name: str) -> Quantity | None:
    """The quantity that a column's name means."""
    words = words_of(name)
    return next((quantity for pattern, quantity in _PATTERNS if pattern.search(words)), None)


def is_id(name: str) -> bool:
    return _ID.match(words_of(name)) is not None


def is_name(name: str) -> bool:
    return _NAME.match(words_of(name)) is not None


def is_x(name: str) -> bool:
    return _X.match(words_of(name)) is not None


def is_y(name: str) -> bool:
    return _Y.match(words_of(name)) is not None


def is_past(name: str) -> bool:
    """Whether a time of this name is a fact of an object and not the time of a reading."""
    return _PAST.search(words_of(name)) is not None


def is_status(name: str) -> bool:
    """Whether it tells of the quality of another column."""
    return _STATUS.search(words_of(name)) is not None


def slug(text: str, fallback: str = "value") -> str:
    """An id of small letters, digits and hyphens."""
    plain = text.lower().translate(_UMLAUTS)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or fallback


_UMLAUTS: Mapping[int, str] = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "µ": "u", "μ": "u", "²": "2", "³": "3"}
)

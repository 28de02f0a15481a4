"""The fields of a dataset's description as a form asks for them, in its order: one row for each key of
:class:`allmende.domain.dataset.DatasetProfile`.

What a form sends is put together into plain data and checked by the same code as a profile's file.
"""

from typing import Literal

import msgspec

from allmende.domain import vocabulary
from allmende.domain.dataset import Texts

FieldKind = Literal[
    "id",  # small letters, digits, hyphens; never changed
    "text",
    "texts",  # a text in each language
    "long_texts",
    "words",  # a list of words in each language
    "choice",
    "choices",
    "yes",
    "date",  # 2025, 2025-02 or 2025-02-01
    "period",
    "address",
    "addresses",
    "names",  # names of organisations
    "dataset",  # the id of one
    "datasets",  # ids, or addresses
    "contact",
    "box",
    "outline",
    "geocoding",
    "versions",
    "downloads",
    "withdrawal",
    "number",
    "personal",  # purpose in each language, and a duration
]
Group = Literal["what", "who", "terms", "where and when", "quality", "kin", "law", "state"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. ``choices`` is the name of a list in :mod:`allmende.domain.vocabulary`, or the values themselves."""

    name: str
    label: Texts
    kind: FieldKind
    group: Group
    required: bool = False
    choices: str | tuple[str, ...] = ""
    help: Texts = {}
    """What follows where nothing is said."""


def _field(
    name: str, de: str, en: str, kind: FieldKind, group: Group, *, required: bool = False,
    choices: str | tuple[str, ...] = "", help: tuple[str, str] | None = None,
) -> Field:  # fmt: skip
    said = {"de": help[0], "en": help[1]} if help else {}
    return Field(
        name=name, label={"de": de, "en": en}, kind=kind, group=group, required=required, choices=choices, help=said
    )


_MEASURED = ("Leer: gemessen.", "Empty: measured.")

FIELDS: tuple[Field, ...] = (
    _field("id", "Kennung", "Id", "id", "what", required=True),
    _field("title", "Titel", "Title", "texts", "what", required=True),
    _field("description", "Beschreibung", "Description", "long_texts", "what", required=True),
    _field("themes", "Themen", "Themes", "choices", "what", choices=vocabulary.THEMES),
    _field("keywords", "Schlagwörter", "Keywords", "words", "what"),
    _field("publisher", "Herausgeber", "Publisher", "text", "who", required=True),
    _field(
        "contact", "Ansprechstelle", "Contact", "contact", "who",
        help=("Leer: die des Herausgebers oder des Katalogs.", "Empty: the publisher's or the catalogue's."),
    ),
    _field("creator", "Erstellt von", "Made by", "text", "who"),
    _field("maintainer", "Gepflegt von", "Looked after by", "text", "who"),
    _field("originator", "Ursprünglich von", "Originally by", "text", "who"),
    _field("contributors", "Mitgewirkt haben", "Contributors", "names", "who"),
    _field("licence", "Lizenz", "Licence", "choice", "terms", required=True, choices=vocabulary.LICENCES),
    _field("attribution", "Quellenangabe", "Attribution", "text", "terms", required=True),
    _field("access", "Zugang", "Access", "choice", "terms", choices=("open", "restricted", "protected")),
    _field("public_description", "Beschreibung ist öffentlich", "The description is public", "yes", "terms"),
    _field("personal", "Personenbezogene Daten", "Personal data", "personal", "law"),
    _field(
        "counts_of_people", "Zählt Menschen: kleinste Zahl, die gesagt wird",
        "Counts people: least count that is told", "number", "law",
    ),
    _field("geocoding", "Gebietsschlüssel", "Keys of territory", "geocoding", "where and when"),
    _field("bbox", "Ausdehnung", "Extent", "box", "where and when", help=_MEASURED),
    _field("outline", "Umriss", "Outline", "outline", "where and when"),
    _field("period", "Zeitraum", "Period", "period", "where and when", help=_MEASURED),
    _field(
        "periodicity", "Aktualisierung", "Periodicity", "choice", "where and when", choices=vocabulary.FREQUENCIES,
        help=("Leer: nach den Verträgen der Quellen.", "Empty: by the contracts of the sources."),
    ),
    _field(
        "provenance", "Herkunft", "Provenance", "long_texts", "quality",
        help=("Leer: die Quellen und Regeln.", "Empty: the sources and rules."),
    ),
    _field("conforms_to", "Standards", "Standards", "addresses", "quality"),
    _field("landing_page", "Seite des Herausgebers", "The publisher's page", "address", "quality"),
    _field("documentation", "Dokumentation", "Documentation", "addresses", "quality"),
    _field("legal_basis", "Rechtsgrundlage", "Legal basis", "texts", "law"),
    _field("legislation", "Gesetze (ELI)", "Legislation (ELI)", "addresses", "law"),
    _field("high_value", "Hochwertiger Datensatz", "High-value dataset", "choices", "law",
           choices=vocabulary.HIGH_VALUE),
    _field("part_of", "Teil der Reihe", "Part of the series", "dataset", "kin"),
    _field("series", "Ist eine Reihe", "Is a series", "yes", "kin"),
    _field("related", "Verwandte Datensätze", "Related datasets", "datasets", "kin"),
    _field("downloads", "Dateien", "Files", "downloads", "kin"),
    _field("other_ids", "Andere Kennungen", "Other ids", "names", "kin"),
    _field("issued", "Veröffentlicht am", "Issued", "date", "state"),
    _field("versions", "Versionen", "Versions", "versions", "state"),
    _field("availability", "Geplante Verfügbarkeit", "Planned availability", "choice", "state",
           choices=vocabulary.AVAILABILITIES),
    _field("simulated", "Simuliert", "Simulated", "yes", "state"),
    _field("withdrawn", "Zurückgezogen", "Withdrawn", "withdrawal", "state"),
)  # fmt: skip

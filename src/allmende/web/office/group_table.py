"""Tables of groups as a page shows them: a CSV row by row, of a GeoJSON what stands in its features; outlines come by
a file. What was sent becomes a file again."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from allmende.domain.plain import Change
from allmende.domain.rule_files import FOLDER
from allmende.domain.rules import GroupProfile
from allmende.web.live import live
from allmende.web.office.files import read
from allmende.web.office.looking import current
from allmende.web.office.models import Revision

MOST_ROWS = 150
"""That can be typed in a page; longer tables come as a file."""
MOST_CELLS = 800
"""Fewer than the fields that Django takes of one page."""
SPARE_ROWS = 3
_COLUMNS = ("id", "name", "lon", "lat", "member")


class GroupTable:
    """The table of one kind of groups, and what somebody typed over it."""

    def __init__(self, name: str, body: bytes) -> None:
        """``body`` is the file's; one that cannot be read shows no rows."""
        self.name, self._body = name, body
        self.outlined = name.endswith("json")
        self.errors: list[str] = []
        self.rows: list[dict[str, str]] = []
        self._document: dict[str, Any] = {"type": "FeatureCollection"}
        self._features: list[dict[str, Any]] = []
        try:
            self._read()
        except (UnicodeDecodeError, msgspec.DecodeError, csv.Error, AttributeError, TypeError):
            # Whatever it is, the form asks for a better one; the check of what is saved says what is wrong.
            self.errors.append(_("The file cannot be read. Please upload another one."))
        self.columns = list(dict.fromkeys(name for row in self.rows for name in row)) or list(_COLUMNS)

    def _read(self) -> None:
        if not self._body:
            return
        if self.outlined:
            self._document = msgspec.json.decode(self._body)
            self._features = self._document["features"]
            self.rows = [{key: _cell(value) for key, value in each["properties"].items()} for each in self._features]
        else:
            self.rows = list(csv.DictReader(io.StringIO(self._body.decode("utf-8-sig"))))

    @property
    def too_long(self) -> bool:
        """Whether it cannot be typed in a page."""
        return len(self.rows) > MOST_ROWS or len(self.rows) * len(self.columns) > MOST_CELLS

    def shown(self) -> list[list[dict[str, str]]]:
        """Its rows as controls: name, label and text of each cell; empty ones behind them."""
        spare: list[dict[str, str]] = [] if self.outlined else [{} for _number in range(SPARE_ROWS)]
        return [
            [
                {"name": f"cell.{row}.{at}", "label": name, "text": said.get(name) or ""}
                for at, name in enumerate(self.columns)
            ]
            for row, said in enumerate([*self.rows, *spare])
        ]

    def take(self, request: HttpRequest, key: str) -> dict[str, bytes] | None:
        """The file that was sent or typed, by the name that the rules' folder gives it; None where nothing is other
        than it was."""
        sent = request.FILES.get("table_file")
        if isinstance(sent, UploadedFile):
            ending = ".geojson" if str(sent.name).lower().endswith("json") else ".csv"
            if (sent.size or 0) > settings.ALLMENDE.office_file_bytes:
                self.errors.append(_("The file is too large."))
                return None
            return {f"{FOLDER}{key}{ending}": sent.read()}
        if self.too_long or "table.rows" not in request.POST:
            return None
        typed = list(self._typed(request.POST))
        known = [{name: row.get(name) or "" for name in self.columns} for row in self.rows]
        if typed == known:
            return None
        self.rows = typed
        return {f"{FOLDER}{key}{'.geojson' if self.outlined else '.csv'}": self._written(typed)}

    def _typed(self, sent: Mapping[str, str]) -> Iterator[dict[str, str]]:
        text = sent.get("table.rows", "")
        count = min(int(text), MOST_ROWS + SPARE_ROWS) if text.isascii() and text.isdigit() and len(text) < 5 else 0
        for row in range(count):
            said = {name: sent.get(f"cell.{row}.{at}", "").strip() for at, name in enumerate(self.columns)}
            if any(said.values()) or self.outlined:
                yield said

    def _written(self, rows: list[dict[str, str]]) -> bytes:
        if self.outlined:
            features = [
                {
                    **feature,
                    "properties": {
                        name: _as_before(feature["properties"].get(name), text) for name, text in row.items()
                    },
                }
                for feature, row in zip(self._features, rows, strict=False)
                if any(row.values())
            ]
            return msgspec.json.encode({**self._document, "features": features})
        target = io.StringIO()
        writer = csv.DictWriter(target, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return target.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _as_before(before: Any, text: str) -> Any:
    """A number stays a number."""
    if isinstance(before, str) or text == "":
        return text or None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def table_of(key: str, waiting: Revision | None) -> GroupTable:
    """The table that holds for the draft of some groups, or is in force."""
    body = waiting.body if waiting is not None and not waiting.removes else current("groups", key) or {}
    name = str(body.get("table", f"{key}.csv"))
    files = read(waiting.files) if waiting is not None else {}
    path = f"{FOLDER}{name}"
    known = live().plain().files
    return GroupTable(name, files.get(path) or known.get(path, b""))


class GroupChange(NamedTuple):
    """What becomes of one group; ``what`` in words."""

    name: str
    what: str


class GroupsPreview(NamedTuple):
    """What a draft of groups means."""

    count: int
    changes: list[GroupChange]
    rules: list[str]
    """Ids of the rules that give an outcome for each of these groups."""


def preview_groups(key: str, waiting: Revision) -> GroupsPreview:
    """Which groups come, go and change. Raises ProfileError."""
    plain = live().plain()
    before = plain.parse()
    after = plain.under([Change("groups", key, waiting.said, read(waiting.files))]).parse()
    old = {each.key: each for each in before.groups[key].groups} if key in before.groups else {}
    new = {each.key: each for each in after.groups[key].groups} if key in after.groups else {}
    changes = [GroupChange(each.name, _("is new")) for name, each in new.items() if name not in old]
    changes += [GroupChange(each.name, _("goes")) for name, each in old.items() if name not in new]
    for name in old.keys() & new.keys():
        said = "; ".join(_differences(old[name], new[name]))
        if said:
            changes.append(GroupChange(new[name].name, said))
    return GroupsPreview(len(new), changes, [rule.id for rule in after.rules.values() if rule.by == key])


def _differences(old: GroupProfile, new: GroupProfile) -> Iterator[str]:
    if old.name != new.name:
        yield _("was called “%(name)s”") % {"name": old.name}
    for found, words in (
        (new.members - old.members, _("gets %(things)s")),
        (old.members - new.members, _("loses %(things)s")),
    ):
        if found:
            yield words % {"things": ", ".join(sorted(found))}
    if (old.lon, old.lat) != (new.lon, new.lat):
        yield _("stands elsewhere")
    if old.outline != new.outline:
        yield _("has another outline")
    if old.facts != new.facts:
        yield _("other figures: %(figures)s") % {
            "figures": ", ".join(f"{name} {value}" for name, value in new.facts.items() if old.facts.get(name) != value)
        }

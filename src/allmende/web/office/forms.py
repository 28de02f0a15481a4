"""Forms over tables, driven by :mod:`allmende.web.office.fields`: a table as what a page shows, and what was sent as a
table. What no field shows is kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from allmende.domain.plain import get_at, put_at
from allmende.domain.profile import Profile
from allmende.web.office.durations import UNITS, join, split
from allmende.web.office.fields import Field
from allmende.web.office.plainly import read_value, write_value
from allmende.web.office.tables import form_of
from allmende.web.office.words import field_at, say_language

SPARE_ROWS = 2
MOST_ROWS = 100
_TOLD_BY = {"rows": ".rows", "duration": ".unit"}
"""What a page sends of a control in any case, where that is not the control's own name."""


class Input:
    """One control on a page: its name, what is in it, and what is wrong with it."""

    def __init__(self, field: Field, name: str, label: str, value: Any) -> None:
        self.field, self.name, self.label, self.value = field, name, label, value
        self.was = value
        """What the table says now; None where it says nothing."""
        self.error = ""
        self.options: list[tuple[str, Any]] = []
        self.unit = ""
        self.path = field.path
        """Within its table or row."""
        self.rows: list[list[Input]] = []
        self.in_row = False

    @property
    def shape(self) -> str:
        """Which control it is."""
        return self.field.shape

    @property
    def optional(self) -> bool:
        """Whether it may be left empty, and nothing stands in its place."""
        return not self.field.required and self.field.default is None and not self.in_row

    @property
    def id(self) -> str:
        """Of its element."""
        return f"id_{self.name}".replace(".", "-")

    @property
    def described(self) -> str:
        """Ids of what describes it."""
        parts = [f"{self.id}-hint" if self.field.hint else "", f"{self.id}-error" if self.error else ""]
        return " ".join(part for part in parts if part)

    def every(self) -> Iterator["Input"]:
        """It, and the controls of its rows."""
        yield self
        for row in self.rows:
            for column in row:
                yield from column.every()


class TableForm:
    """The form of one table."""

    def __init__(
        self,
        kind: str,
        key: str,
        body: Mapping[str, Any],
        profile: Profile,
        sent: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile] | None = None,
    ) -> None:
        """``body`` is what the table says now. With ``sent`` the controls hold what somebody typed; ``files`` are what
        they brought."""
        self._kind, self._key, self._profile, self._before, self._sent = kind, key, profile, body, sent
        self._uploads = files if files is not None else MultiValueDict()
        self.files: dict[str, bytes] = {}
        """What was brought, by the names that the table says then."""
        self.errors: list[str] = []
        """What is wrong and has no field."""
        self.groups = [
            (group.title, [control for field in group.fields for control in self._controls(field)])
            for group in form_of(kind, key)
        ]

    @property
    def controls(self) -> list[Input]:
        """All of them."""
        return [control for _title, controls in self.groups for control in controls]

    @property
    def wrong(self) -> list[Input]:
        """Controls with an error."""
        return [one for control in self.controls for one in control.every() if one.error]

    def body(self) -> dict[str, Any] | None:
        """The table as it was sent, or None where a control cannot be read; its error says why."""
        made = _deep(self._before)
        for control in self.controls:
            value = self._read(control)
            if control.name:
                put_at(made, control.name.split("."), value)
            else:
                made = value or {}
        return None if self.wrong else made

    def blame(self, place: str, message: str) -> None:
        """Show an error beside the control that shows a place of the table, or above all."""
        for control in self.controls:
            if control.name == place:
                control.error = message
                return
        field = field_at(self._kind, place)
        for control in self.controls:
            if field is not None and control.field is field:
                rest = place[len(field.path) :].lstrip(".")
                control.error = f"{rest}: {message}" if rest and not field.in_languages else message
                return
        self.errors.append(f"{place}: {message}" if place else message)

    # --- controls ---

    def _controls(self, field: Field) -> Iterator[Input]:
        yield from self._made(field, "", self._before)

    def _made(self, field: Field, head: str, table: Mapping[str, Any]) -> Iterator[Input]:
        """The controls of one field of a table, or of a row of it; one for each language where it has them."""
        if not field.in_languages:
            at = get_at(table, _way(field.path))
            yield self._control(field, f"{head}{field.path}", str(field.label), at)
            return
        for language in self._profile.languages:
            path = f"{field.path}.{language}"
            label = f"{field.label} ({say_language(language)})" if len(self._profile.languages) > 1 else field.label
            control = self._control(field, f"{head}{path}", str(label), get_at(table, _way(path)))
            control.path = path
            yield control

    def _control(self, field: Field, name: str, label: str, value: Any) -> Input:
        control = Input(field, name, label, value)
        if field.choices is not None:
            control.options = [(key, words) for key, words in field.choices(self._profile).items()]
        if field.shape == "duration":
            control.options = [*field.specials.items(), *UNITS.items()]
            self._fill_duration(control, value)
        elif field.shape == "rows":
            self._fill_rows(control, value)
        elif self._sent is not None:
            control.value = self._typed(control)
        elif field.shape == "list":
            control.value = "\n".join(_listed(value))
        elif field.shape == "lines":
            control.value = "\n".join(f"{name} = {write_value(item)}" for name, item in (value or {}).items())
        elif field.shape == "numbers":
            control.value = ", ".join(
                f"{number:g}" if number == round(number, 4) else str(number) for number in value or ()
            )
        elif field.shape == "value":
            control.value = "" if value is None else write_value(value)
        elif field.shape == "many":
            control.value = _listed(value)
        elif value is None:
            control.value = field.default if field.default is not None else ""
        elif field.shape == "choice" and value not in dict(control.options):
            control.options.append((value, value))
        return control

    def _typed(self, control: Input) -> Any:
        assert self._sent is not None
        if control.shape == "many":
            return self._sent.getlist(control.name)
        if control.shape == "yes":
            return control.name in self._sent
        return self._sent.get(control.name, "")

    def _fill_duration(self, control: Input, value: Any) -> None:
        if self._sent is not None:
            control.value = self._sent.get(control.name, "")
            control.unit = self._sent.get(f"{control.name}.unit", "")
            return
        value = control.field.default if value is None else value
        if value in control.field.specials:
            control.value, control.unit = "", value
        elif value:
            known = split(str(value))
            if known is None:  # P1DT12H: in a unit that nobody chose; it is kept unless it is changed
                control.options.insert(0, (str(value), str(value)))
                known = ("", str(value))
            control.value, control.unit = known
        else:
            control.value, control.unit = "", "M" if not control.field.specials else "D"

    def _fill_rows(self, control: Input, value: Any) -> None:
        field = control.field
        if field.keyed:
            pairs = [
                (key, row)
                for key, said in (value or {}).items()
                for row in (said if isinstance(said, list) else [said])
            ]
            given = [{"key": key, **row} for key, row in pairs]
        else:
            given = [dict(row) for row in value or []]
        count = len(given) + SPARE_ROWS
        if self._sent is not None:
            said = self._sent.get(f"{control.name}.rows", "")
            count = min(int(said), MOST_ROWS) if said.isascii() and said.isdigit() and len(said) < 5 else 0
        for index in range(count):
            row = given[index] if index < len(given) else {}
            name = f"{control.name}.{index}"
            made = [control for column in field.columns for control in self._made(column, f"{name}.", row)]
            for column in made:
                column.in_row = True
            control.rows.append(made)

    # --- what was sent ---

    def _read(self, control: Input) -> Any:
        """The value for the table; None where it is not said."""
        field = control.field
        if self._is_absent(control):
            return control.was  # an older page did not show it
        if field.shape == "rows":
            return self._read_rows(control)
        if field.shape == "duration":
            value: Any = self._read_duration(control)
        elif field.shape in ("lines", "numbers", "value", "file"):
            value = self._read_special(control)
        elif field.shape == "yes":
            value = bool(control.value)
        elif field.shape == "many":
            value = list(control.value) or None
        elif field.shape == "list":
            value = [line.strip() for line in str(control.value).splitlines() if line.strip()] or None
        elif field.shape == "number":
            value = self._read_number(control)
        else:
            value = str(control.value).strip().replace("\r\n", "\n") or None
        if value is None and field.required and not control.error:
            control.error = _("This has to be filled in.")
        self._check_choice(control, value)
        was = control.was
        if isinstance(was, float) and value == was:
            return was  # 12.0 stays so, also where it is typed as 12
        if was is None and value == field.default:
            return None  # what means the same is not said anew
        if isinstance(was, str) and value == [was]:
            return was
        return value

    def _check_choice(self, control: Input, value: Any) -> None:
        """What is chosen stands in the list, or was there before: no error has to tell what else there would be."""
        if control.shape in ("choice", "many") and value is not None and value != control.was:
            known = {key for key, _words in control.options} | set(_listed(control.was))
            if not known.issuperset(_listed(value)):
                control.error = _("Please choose from the list.")

    def _is_absent(self, control: Input) -> bool:
        """Whether the page that was sent did not have this control; of a box that is not ticked nobody can tell."""
        name = f"{control.name}{_TOLD_BY.get(control.shape, '')}"
        return self._sent is not None and control.shape not in ("yes", "many", "file") and name not in self._sent

    def _read_special(self, control: Input) -> Any:
        """What is typed in a way of its own; the same as before where it means the same."""
        text = str(control.value).strip()
        if control.shape == "value":
            return read_value(text) if text else None
        if control.shape == "file":
            return self._read_file(control)
        if control.shape == "numbers":
            try:
                found = [float(part) for part in text.split(",") if part.strip()]
            except ValueError:
                control.error = _("These are no numbers with commas between, e.g. 11.59, 50.93.")
                return None
            return control.was if found == control.was else found or None
        said: dict[str, Any] = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            name, mark, value = (part.strip() for part in line.partition("="))
            if not (mark and name):
                control.error = _("Write a line each: name = value.")
            said[name] = read_value(value)
        return said or None

    def _read_file(self, control: Input) -> Any:
        brought = self._uploads.get(control.name)
        if brought is None:
            return control.was
        if (brought.size or 0) > settings.ALLMENDE.office_file_bytes:
            control.error = _("The file is too large.")
            return control.was
        name = f"{self._kind}-{self._key}-{control.name}{control.field.suffix}"
        self.files[name] = brought.read()
        return name

    def _read_duration(self, control: Input) -> str | None:
        if control.unit in dict(control.field.specials):
            return control.unit
        if not control.value.strip() and control.unit not in UNITS and split(control.unit) is None:
            kept = get_at(self._before, control.name.split("."))
            return kept if kept == control.unit else None
        try:
            made = join(control.value, control.unit) or None
        except ValueError:
            control.error = _("This is no whole number, e.g. 5.")
            return None
        if made and isinstance(control.was, str) and split(control.was) == split(made):
            return control.was  # P14D stays P14D, also where the page calls it two weeks
        return made

    def _read_number(self, control: Input) -> int | float | None:
        text = str(control.value).strip().replace(",", ".")
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            control.error = _("This is no number, e.g. 12.5.")
            return None
        return int(number) if number.is_integer() and abs(number) < 2**53 else number

    def _read_rows(self, control: Input) -> Any:
        listed: list[dict[str, Any]] = []
        for row in control.rows:
            texts = [one for one in row if one.shape != "choice"]
            keys = [one for one in texts if one.path == "key"]
            if not any(str(one.value).strip() for one in texts if one not in keys):
                continue  # nothing is said: the row goes
            if keys and not str(keys[0].value).strip():
                keys[0].error = _("This has to be filled in.")
            said: dict[str, Any] = {}
            for one in row:
                put_at(said, _way(one.path), self._read_column(one))
            listed.append(said)
        if not control.field.keyed:
            return listed or None
        pairs = [(str(row.pop("key")), row) for row in listed if "key" in row]
        if control.field.keyed != "several":
            return dict(pairs) or None
        found: dict[str, list[Any]] = {}
        for key, row in pairs:
            found.setdefault(key, []).append(row)
        lists = {key for key, known in (control.was or {}).items() if isinstance(known, list)}
        return {key: rows if len(rows) > 1 or key in lists else rows[0] for key, rows in found.items()} or None

    def _read_column(self, control: Input) -> Any:
        value: Any
        if control.shape == "duration":
            value = self._read_duration(control)
        elif control.shape == "number":
            value = self._read_number(control)
        elif control.shape == "value":
            value = self._read_special(control)
        else:
            value = str(control.value).strip() or None
        if value is None and control.field.required and not control.error:
            control.error = _("This has to be filled in.")
        if isinstance(control.was, float) and value == control.was:
            return control.was
        return None if value == control.field.default and control.was is None else value


def _way(path: str) -> list[str]:
    return path.split(".") if path else []


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value not in (None, "") else []


def _deep(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _deep(item) for name, item in value.items()}
    return [_deep(item) for item in value] if isinstance(value, list) else value

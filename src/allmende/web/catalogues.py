"""Catalogues of the pages' texts (.po, .mo): read from templates and code, compared, written. English is the source.

Babel does it, which set-up brings (``allmende[build]``); no gettext tools are needed, and the running house asks for
none of this.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SIMPLE = "de_Simple"
"""German said simply. Only what can be said more simply than in German is in these catalogues: the rest falls back."""
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "_n": None,
    "_l": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}
CONTEXT_KEYWORDS = {"pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}


def texts(
    path: Path, more: Mapping[str, tuple[int, ...] | None] | None = None
) -> Iterator[tuple[int, object, list[str], str | None]]:
    """The texts of one file; Django turns a template into Python that Babel can read. ``more`` are further functions
    whose arguments are texts."""
    from django.utils.translation import templatize

    source = path.read_text("utf-8")
    if path.suffix != ".py":
        lines = templatize(source, origin=str(path)).splitlines()
        source = "\n".join(line.lstrip() for line in lines)  # indentation means nothing in a template
    keywords = {**KEYWORDS, **CONTEXT_KEYWORDS, **(more or {})}
    yield from extract("python", io.BytesIO(source.encode()), keywords, ["Translators:"], {"encoding": "utf-8"})


def readable(folder: Path) -> Iterator[Path]:
    """Templates and Python files under a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".html", ".txt"} and path.is_file() and "static" not in path.parts:
            yield path


def collect(paths: Iterable[Path], root: Path, more: Mapping[Path, Mapping[str, tuple[int, ...] | None]]) -> Catalog:
    """All texts of files, in the order of files and lines, without line numbers (they make noise in diffs)."""
    catalogue = Catalog(charset="utf-8")
    for path in paths:
        for _line, message, comments, context in texts(path, more.get(path)):
            place = (str(path.relative_to(root)), 0)
            catalogue.add(message, locations=[place], auto_comments=comments, context=context)
    return catalogue


def faults(template: Catalog, catalogue: Catalog, name: object) -> Iterator[str]:
    """What is wrong with a catalogue that has to have every text of the template."""
    known = {message.id: message for message in catalogue if message.id}
    wanted = {message.id for message in template if message.id}
    for message in template:
        if not message.id:
            continue
        found = known.get(message.id)
        where = f"{name}: {message.id!r}"
        if found is None:
            yield f"{where} is not in the catalogue"
        elif found.fuzzy:
            yield f"{where} is fuzzy"
        elif not is_full(found):
            yield f"{where} is not translated"
        else:
            yield from (f"{where}: {error}" for error in found.check(catalogue))
    yield from (f"{name}: {message!r} is used nowhere" for message in known if message not in wanted)


def simple_faults(template: Catalog, catalogue: Catalog, name: object) -> Iterator[str]:
    """The same for simple German: what is there has to be right and used, what is not there need not be."""
    wanted = {(message.id, message.context) for message in template}
    for message in catalogue:
        if not message.id:
            continue
        if (message.id, message.context) not in wanted:
            yield f"{name}: {message.id!r} is used nowhere"
        elif message.fuzzy or not is_full(message):
            yield f"{name}: {message.id!r} is fuzzy or empty"
        else:
            yield from (f"{name}: {message.id!r}: {error}" for error in message.check(catalogue))


def is_full(message: Message) -> bool:
    """Whether all forms of a translation are there."""
    return all(message.string if isinstance(message.string, tuple | list) else (message.string,))


def load(path: Path, language: str) -> Catalog:
    """The catalogue of a file, or an empty one."""
    if not path.is_file():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as source:
        return read_po(source, locale=language)


def save(path: Path, catalogue: Catalog) -> None:
    """Write the catalogue without dates, which would change with every run."""
    catalogue.header_comment = "# Translations of Allmende."
    catalogue.fuzzy = False
    path.parent.mkdir(parents=True, exist_ok=True)
    target = io.BytesIO()
    write_po(target, catalogue, width=110, omit_header=True, include_lineno=False, sort_output=False)
    path.write_bytes(HEADER.format(plural=catalogue.plural_forms).encode() + target.getvalue())


def compile_catalogue(path: Path) -> Path:
    """Write the .mo beside a .po; gives it."""
    with path.open("rb") as source:
        catalogue = read_po(source, locale=path.parts[-3].split("_")[0])
    with path.with_suffix(".mo").open("wb") as target:
        write_mo(target, catalogue)
    return path.with_suffix(".mo")


HEADER = """# Translations of Allmende; English is the source.
msgid ""
msgstr ""
"Language: de\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural};\\n"

"""

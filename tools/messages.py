"""The pages' texts: collect them from templates and code, and check that every one is translated.

    python tools/messages.py extract    bring the .po files up to date
    python tools/messages.py check      fail if one of them is not: missing, fuzzy or left over

English is the source and needs no file. Templates are read by Django itself, Python by Babel; no gettext tools needed.
"""

import argparse
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "allmende"
LANGUAGES = ("de",)
SIMPLE = "de_Simple"
"""German said simply. Only what can be said more simply than in German is in these catalogues, and not every
application has one: the rest falls back."""
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
CHECK_KEYWORDS = {"ProfileError": (2,), "RuleError": (1,), "_fail": (2,), "InvalidInput": (1,)}
CHECKED = tuple(
    path
    for folder in ("domain", "knowledge")
    for path in sorted((SRC / folder).glob("*.py"))
    if path.stem in ("contract", "language", "program", "times", "units") or "ProfileError(" in path.read_text("utf-8")
)
"""Where the messages of a profile's checks stand; pages say them in the reader's language by the office's catalogue."""
CONTEXT_KEYWORDS = {"pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}


@dataclass(frozen=True)
class Domain:
    """A folder with a catalogue, and what is translated in it."""

    locale: Path
    folders: tuple[Path, ...]
    shallow: bool = False


def domains() -> list[Domain]:
    """One catalogue for the web layer and what services share, one for each service, and one for each application of
    the web layer that has a ``locale`` folder of its own."""
    web = Domain(SRC / "web" / "locale", (SRC / "web", SRC / "city"), shallow=True)
    return [web, *(Domain(path / "locale", (path,)) for path in sorted(apart()))]


def apart() -> set[Path]:
    """Applications with a catalogue of their own."""
    own = {path.parent for path in (SRC / "web").glob("*/apps.py") if (path.parent / "locale").is_dir()}
    return own | {path.parent for path in (SRC / "city").glob("*/apps.py")}


def main() -> int:
    """Exit code 0 if all is well, 1 if a catalogue is behind."""
    parser = argparse.ArgumentParser(description="Collect and check the pages' texts.")
    parser.add_argument("do", choices=("extract", "check"))
    do = parser.parse_args().do
    import django
    from django.conf import settings

    settings.configure(USE_I18N=True)
    django.setup()
    faults = [fault for domain in domains() for language in LANGUAGES for fault in handle(domain, language, do)]
    faults += [fault for domain in domains() for fault in handle_simple(domain, do)]
    faults += [fault for language in (*LANGUAGES, SIMPLE) for fault in twins(language)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if do == "check" and faults:
        print(f"{len(faults)} faults; run tools/messages.py extract, then translate", file=sys.stderr)
        return 1
    return 0


def handle(domain: Domain, language: str, do: str) -> Iterator[str]:
    """Bring one catalogue up to date (extract) and give what is wrong with it, as lines for people."""
    path = domain.locale / language / "LC_MESSAGES" / "django.po"
    template = collect(domain)
    catalogue = load(path, language)
    name = path.relative_to(ROOT)
    if do == "extract":
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        save(path, catalogue)
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


def twins(language: str) -> Iterator[str]:
    """What several catalogues translate differently. Django puts them together and shows one of them everywhere: what
    means something else has to say something else, or have a context."""
    known: dict[tuple[object, str | None], tuple[object, Path]] = {}
    for domain in domains():
        path = domain.locale / language / "LC_MESSAGES" / "django.po"
        for message in load(path, "de") if path.is_file() else ():
            said, first = known.setdefault((message.id, message.context), (message.string, path))
            if message.id and said != message.string:
                yield f"{path.relative_to(ROOT)}: {message.id!r} is said otherwise in {first.relative_to(ROOT)}"


def handle_simple(domain: Domain, do: str) -> Iterator[str]:
    """The same for simple German: what is there has to be right and used, what is not there need not be."""
    path = domain.locale / SIMPLE / "LC_MESSAGES" / "django.po"
    if not path.is_file():
        return
    template = collect(domain)
    wanted = {(message.id, message.context) for message in template}
    catalogue = load(path, "de")
    name = path.relative_to(ROOT)
    if do == "extract":
        for message in [message for message in catalogue if message.id]:
            if (message.id, message.context) not in wanted:
                catalogue.delete(message.id, message.context)
        catalogue.obsolete.clear()
        save(path, catalogue)
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


def collect(domain: Domain) -> Catalog:
    """All texts of a domain, in the order of files and lines, without line numbers (they make noise in diffs)."""
    catalogue = Catalog(charset="utf-8")
    for path in files(domain):
        for _line, message, comments, context in texts(path):
            place = (str(path.relative_to(ROOT)), 0)
            catalogue.add(message, locations=[place], auto_comments=comments, context=context)
    return catalogue


def files(domain: Domain) -> Iterator[Path]:
    """Templates and Python files; a shallow domain leaves those with their own catalogue to themselves."""
    services = apart() if domain.shallow else set()
    for folder in domain.folders:
        for path in sorted(folder.rglob("*")):
            readable = path.suffix in {".py", ".html", ".txt"} and path.is_file() and "static" not in path.parts
            if readable and not services.intersection(path.parents):
                yield path
    if domain.locale.parent.name == "office":
        yield from CHECKED


def texts(path: Path) -> Iterator[tuple[int, object, list[str], str | None]]:
    """The texts of one file; Django turns a template into Python that Babel can read."""
    from django.utils.translation import templatize

    source = path.read_text("utf-8")
    if path.suffix != ".py":
        lines = templatize(source, origin=str(path)).splitlines()
        source = "\n".join(line.lstrip() for line in lines)  # indentation means nothing in a template
    keywords = {**KEYWORDS, **CONTEXT_KEYWORDS, **(CHECK_KEYWORDS if path in CHECKED else {})}
    yield from extract("python", io.BytesIO(source.encode()), keywords, ["Translators:"], {"encoding": "utf-8"})


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


HEADER = """# Translations of Allmende; English is the source.
msgid ""
msgstr ""
"Language: de\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural};\\n"

"""


if __name__ == "__main__":
    sys.exit(main())

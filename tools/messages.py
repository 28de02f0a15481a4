"""The pages' texts: collect them from templates and code, and check that every one is translated.

    python tools/messages.py extract    bring the .po files up to date
    python tools/messages.py check      fail if one of them is not: missing, fuzzy or left over

English is the source and needs no file. Templates are read by Django itself, Python by Babel; no gettext tools needed.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog

from allmende.web.catalogues import SIMPLE, collect, load, readable, save, simple_faults
from allmende.web.catalogues import faults as faults_of

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "allmende"
LANGUAGES = ("de",)
CHECK_KEYWORDS = {"ProfileError": (2,), "RuleError": (1,), "_fail": (2,), "InvalidInput": (1,)}
CHECKED = tuple(
    path
    for folder in ("domain", "knowledge")
    for path in sorted((SRC / folder).glob("*.py"))
    if path.stem in ("contract", "language", "program", "times", "units") or "ProfileError(" in path.read_text("utf-8")
)
"""Where the messages of a profile's checks stand; pages say them in the reader's language by the office's catalogue."""


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
    template = collected(domain)
    catalogue = load(path, language)
    if do == "extract":
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        save(path, catalogue)
    yield from faults_of(template, catalogue, path.relative_to(ROOT))


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
    template = collected(domain)
    wanted = {(message.id, message.context) for message in template}
    catalogue = load(path, "de")
    if do == "extract":
        for message in [message for message in catalogue if message.id]:
            if (message.id, message.context) not in wanted:
                catalogue.delete(message.id, message.context)
        catalogue.obsolete.clear()
        save(path, catalogue)
    yield from simple_faults(template, catalogue, path.relative_to(ROOT))


def collected(domain: Domain) -> Catalog:
    """All texts of a domain."""
    return collect(files(domain), ROOT, dict.fromkeys(CHECKED, CHECK_KEYWORDS))


def files(domain: Domain) -> Iterator[Path]:
    """Templates and Python files; a shallow domain leaves those with their own catalogue to themselves."""
    services = apart() if domain.shallow else set()
    for folder in domain.folders:
        yield from (path for path in readable(folder) if not services.intersection(path.parents))
    if domain.locale.parent.name == "office":
        yield from CHECKED


if __name__ == "__main__":
    sys.exit(main())

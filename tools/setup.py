"""Set up what a command of the Makefile needs, and nothing twice.

    python3 tools/setup.py run|dev|docs [--browser] [--bench]

Runs with the system's Python, 3.11 or newer, and nothing but its standard library. Makes ``.venv`` with the pinned
packages of ``requirements/``, puts this package into it, and builds the pages' assets. What was done is remembered by a
hash of its inputs in ``.setup/``; if nothing has changed, this takes a fraction of a second.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  said to who runs an older one
    sys.exit(
        f"Allmende needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).\n"
        "Name another one: make PYTHON=python3.12 run"
    )

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = ROOT / ".setup"
POSTGRES = Path("/usr/lib/postgresql")
GROUPS = {"run": ["run"], "dev": ["run", "dev"], "docs": ["run", "docs"]}


def main() -> int:
    """Bring everything up to date. Exit code 1, with the reason, where a step fails."""
    parser = argparse.ArgumentParser(description="Set up the environment of the house.")
    parser.add_argument("purpose", choices=GROUPS)
    tests = "see to what the tests use: Chromium, PostgreSQL, Mosquitto"
    parser.add_argument("--browser", action="store_true", help=tests)
    parser.add_argument("--bench", action="store_true", help="see to what the measures use: PostgreSQL, wrk")
    arguments = parser.parse_args()
    STAMPS.mkdir(exist_ok=True)
    with (STAMPS / "lock").open("w") as lock:
        if not _is_free(lock):
            say("waiting for another set-up of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        make_venv()
        install(GROUPS[arguments.purpose])
        build_assets()
        if arguments.browser:
            find_browser()
            find_mosquitto()
        if arguments.browser or arguments.bench:
            find_postgres()
        if arguments.bench:
            find_wrk()
    return 0


def _is_free(lock: object) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True


def make_venv() -> None:
    """A virtual environment for this Python at this place; made again where either has changed."""
    wanted = f"{sys.version_info[:2]} {VENV}"
    if PYTHON.exists() and (read("venv") == wanted or _fits()):
        note("venv", wanted)
        return
    if VENV.exists():
        say("the virtual environment is of another Python or place; it is made again")
        shutil.rmtree(VENV)
    for name in ("venv", "run", "dev", "docs", "package"):
        (STAMPS / f"done-{name}").unlink(missing_ok=True)
    ensure_venv_module()
    with step("make the virtual environment"):
        run([sys.executable, "-m", "venv", str(VENV)])
    note("venv", wanted)


def _fits() -> bool:
    """Whether an environment that was not made here (a hand-made one) will do."""
    code = "import sys; print(sys.prefix, sys.version_info[:2])"
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == f"{VENV} {sys.version_info[:2]}"


def ensure_venv_module() -> None:
    """Debian ships the module for virtual environments apart."""
    try:
        import ensurepip  # noqa: F401  whether they are there
        import venv  # noqa: F401  as above
    except ImportError:
        package = f"python3.{sys.version_info[1]}-venv"
        if not apt_get(package) and not apt_get("python3-venv"):
            sys.exit(
                f"This Python has no module to make virtual environments. Install it (Debian, Ubuntu: apt-get install"
                f" {package}), then try again."
            )


def install(groups: list[str]) -> None:
    """The pinned packages of each group, then this package itself."""
    for group in groups:
        pins = ROOT / "requirements" / f"{group}.txt"
        wanted = hash_of(pins)
        if read(group) != wanted:
            with step(f"install the packages of requirements/{group}.txt"):
                constraints = [f"--constraint={ROOT / 'requirements' / 'run.txt'}"] if group != "run" else []
                pip("install", *constraints, "-r", str(pins))
            note(group, wanted)
    wanted = hash_of(ROOT / "pyproject.toml")
    if read("package") != wanted:
        with step("put Allmende into the virtual environment"):
            pip("install", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
        note("package", wanted)


def pip(*arguments: str) -> None:
    """pip of the virtual environment, quiet unless it fails."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([str(PYTHON), "-m", "pip", *arguments[:1], *quiet, *arguments[1:]])


def build_assets() -> None:
    """Scripts, styles and translations; that tool keeps stamps of its own."""
    code = subprocess.run(
        [PYTHON, ROOT / "tools" / "build_assets.py"], check=False, stdin=subprocess.DEVNULL
    ).returncode
    if code:
        sys.exit(code)


def find_browser() -> None:
    """Chromium for the browser tests, from Debian where this may install; they skip without it."""
    if any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return
    with step("install Chromium for the browser tests"):
        found = apt_get("chromium")
    if not found:
        say("there is no Chromium, and this may not install one: the browser tests will be skipped")


def find_postgres() -> None:
    """PostgreSQL for the tests of that engine, from Debian where this may install; they skip without it.

    The tests start a private cluster; Debian's own, which would listen on the usual port, is not made.
    """
    if not list(POSTGRES.glob("*/bin/initdb")):
        install_postgres()
    for server in POSTGRES.glob("*/bin/initdb"):
        version = server.parts[-3]
        if list(Path(f"/usr/share/postgresql/{version}/extension").glob("postgis.control")):
            continue
        with step(f"install PostGIS for PostgreSQL {version}"):
            found = apt_get(f"postgresql-{version}-postgis-3")
        if not found:
            say(f"there is no PostGIS for PostgreSQL {version}: spatial tests of that engine will be skipped")


def install_postgres() -> None:
    """The server, without Debian's own cluster."""
    with step("install PostgreSQL for the tests"):
        found = apt_get("postgresql-common")
        settings = Path("/etc/postgresql-common/createcluster.conf")
        if found and settings.exists():
            settings.write_text(settings.read_text() + "\ncreate_main_cluster = false\n")
        found = found and apt_get("postgresql")
    if not found:
        say("there is no PostgreSQL, and this may not install it: the tests of that engine will be skipped")


def find_mosquitto() -> None:
    """A broker of others for the tests, which start their own; they skip without it.

    Debian would start it on the usual port, now and with the machine: the service is masked before it is there.
    """
    if shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return
    unit = Path("/etc/systemd/system/mosquitto.service")
    with step("install Mosquitto for the tests"):
        if os.geteuid() == 0 and not os.path.lexists(unit):
            unit.parent.mkdir(parents=True, exist_ok=True)
            unit.symlink_to("/dev/null")
        with no_services():
            found = apt_get("mosquitto")
    if found:
        say("Mosquitto does not run as a service; `systemctl unmask mosquitto` would let it")
    else:
        say("there is no Mosquitto, and this may not install it: the tests with a broker of others will be skipped")


def find_wrk() -> None:
    """The generator of load for the measures."""
    if shutil.which("wrk"):
        return
    with step("install wrk for the measures"):
        found = apt_get("wrk")
    if not found:
        say("there is no wrk, and this may not install it: what it measures will be left out")


@contextlib.contextmanager
def no_services():  # type: ignore[no-untyped-def]
    """Packages that are installed meanwhile start nothing, also where there is no systemd (Debian's policy layer)."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = os.geteuid() == 0 and not os.path.lexists(policy)
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            policy.unlink()


def apt_get(package: str) -> bool:
    """Install a system package where this runs as root on Debian; True where that worked."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say(f"apt-get install {package}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    for before in ([], ["apt-get", "update", "-qq"]):
        if before:
            subprocess.run(before, check=False, env=quiet, capture_output=True)
        if subprocess.run(command, check=False, env=quiet, capture_output=True).returncode == 0:
            return True
    return False


def run(command: list[str]) -> None:
    """Run a command; where it fails, show what it said and stop."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        sys.exit(f"set-up failed: {' '.join(command)}")


def hash_of(*paths: Path) -> str:
    """Hash of the files' contents, and of the place: an editable install knows its path."""
    digest = hashlib.blake2b(str(ROOT).encode(), digest_size=16)
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read(name: str) -> str:
    """The stamp of a step, or nothing."""
    try:
        return (STAMPS / f"done-{name}").read_text()
    except OSError:
        return ""


def note(name: str, value: str) -> None:
    """Set the stamp of a step."""
    if read(name) != value:
        (STAMPS / f"done-{name}").write_text(value)


def say(words: str) -> None:
    """A line for the person who waits."""
    print(f"set-up: {words}", flush=True)


@contextlib.contextmanager
def step(words: str):  # type: ignore[no-untyped-def]
    """Say what is being done, and how long it took."""
    say(f"{words} …")
    started = time.monotonic()
    yield
    say(f"{words}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())

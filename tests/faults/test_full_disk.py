"""A disk that fills up: a clear word, nothing half done, and the import goes on when there is room again."""

import json
import os
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.cluster import cluster
from tests.faults.test_import_kill import ALLMENDE, look
from tests.homes import put_database
from tests.web.outside import make_town, people

pytestmark = pytest.mark.faults
ROWS = 120_000
MIB = 1024 * 1024


@contextmanager
def small_disk(path, size: int):
    """A file system of so many bytes; skips, visibly, where this account may not mount one."""
    path.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True, check=False
    )
    if not done or done.returncode:
        pytest.skip("this account may not mount a small file system")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def prepare(tmp_path, home, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
    environ = {**kept, "ALLMENDE_HOME": str(home), "ALLMENDE_DISK_FLOOR": "0", **more, **make_town(tmp_path)}
    file = tmp_path / "people.csv"
    file.write_bytes(people(ROWS))
    put_database(home)
    done = run(environ, "init", "--city", str(tmp_path / "town"))
    assert done.returncode == 0, done.stderr
    return environ, file


def run(environ, *arguments, limit: int | None = None):
    def limited():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", ALLMENDE, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        preexec_fn=limited,
    )


def check_refused(done, database, words: str) -> dict:
    """It ended with a word and a code, and what it counted is there: no more, no less."""
    told = json.loads(done.stdout)
    assert done.returncode == told["code"] == 5
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    there, counted, accepted = look(database)
    assert there == counted == accepted == told["accepted"]
    assert 0 < told["read"] < ROWS
    return told


def test_a_disk_that_fills_up_ends_the_import_with_a_word(tmp_path):
    with small_disk(tmp_path / "disk", 24 * MIB) as disk:
        environ, file = prepare(tmp_path, disk / "home")
        filler = disk / "filler"
        room = shutil.disk_usage(disk).free - 6 * MIB
        filler.write_bytes(b"\0" * room)
        told = check_refused(
            run(environ, "import", "gate", str(file), "--json"), disk / "home" / "allmende.sqlite3", "the disk is full"
        )
        assert run(environ, "sources", "--json").returncode == 0

        filler.unlink()
        again = json.loads(run(environ, "import", "gate", str(file), "--json").stdout)
        assert (again["repeated"], again["accepted"]) == (told["accepted"], ROWS - told["accepted"])


def test_a_server_whose_disk_fills_up_ends_the_import_with_a_word(tmp_path):
    """The database lies on a small disk of the server's, which the house cannot see."""
    place = cluster()  # skips where there is none
    disk = place.socket / "small"
    # once the filler is gone all rows must fit, and twice that: what the server keeps of an aborted transaction
    # until it tidies up is a matter of its own clock
    with small_disk(disk, 96 * MIB):
        shutil.chown(disk, disk.parent.owner())
        address = place.create_empty(tablespace=disk)
        try:
            environ, file = prepare(tmp_path, tmp_path / "home", ALLMENDE_DATABASE_URL=address)
            filler = disk / "filler"
            filler.write_bytes(b"\0" * (shutil.disk_usage(disk).free - 4 * MIB))
            done = run(environ, "import", "gate", str(file), "--json")
            # who connects while it is full may be turned away: the server wants to write a file of its own then
            filler.unlink()
            told = check_refused(done, address, "disk is full")
            done = run(environ, "import", "gate", str(file), "--json")
            assert done.returncode == 0, done.stderr
            again = json.loads(done.stdout)
            assert (again["repeated"], again["accepted"]) == (told["accepted"], ROWS - told["accepted"])
        finally:
            place.drop(address, tablespace=True)


def test_the_floor_stops_an_import_before_the_disk_is_full(tmp_path):
    with small_disk(tmp_path / "disk", 24 * MIB) as disk:
        environ, file = prepare(tmp_path, disk / "home")
        environ["ALLMENDE_DISK_FLOOR"] = "30M"
        done = run(environ, "import", "gate", str(file), "--json")
        assert done.returncode == 5
        assert "ALLMENDE_DISK_FLOOR" in done.stderr
        assert json.loads(done.stdout)["read"] == 0


def test_a_limit_on_the_size_of_files_is_told_too(tmp_path):
    environ, file = prepare(tmp_path, tmp_path / "home")
    database = tmp_path / "home" / "allmende.sqlite3"
    check_refused(
        run(environ, "import", "gate", str(file), "--json", limit=4 * MIB), database, "nothing of this was stored"
    )
    again = json.loads(run(environ, "import", "gate", str(file), "--json").stdout)
    assert again["repeated"] + again["accepted"] == ROWS

"""``kill -9`` of the worker while it raises alerts and tells of them: none is lost, none is there twice, and what goes
out twice has the same id."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.outside import make_town
from tests.web.receivers import Hook, Mailbox

pytestmark = pytest.mark.faults
WAVES = 12
WORKER = "import sys; from allmende.web.parts import main; sys.exit(main('worker'))"
BEGIN = """
import json, sys
from allmende.web.cli import main
for arguments in json.loads(sys.argv[1]):
    assert main(arguments) == 0
from allmende.web.house import open_store
open_store().set_cursor("alerts", 0)  # as if it had been watched before all that
"""
ALERTS = """
[channels.duty]
kind = "webhook"
address = "{hook}/duty"
secret = "ALERT_KEY"
[channels.head]
kind = "mail"
to = ["head@town.example"]
[alerts.crowd]
title = {{ de = "Gedränge", en = "A crowd" }}
dataset = "sensors"
public = true
raise = "people > 50"
clear = "people < 20"
late = "P99999D"
tell = ["duty", "head"]
inputs.people.property = "people"
"""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


def ask(home: Path, sql: str) -> list[Any]:
    connection = sqlite3.connect(home / "allmende.sqlite3", timeout=30)
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def until(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_a_worker_that_is_killed_loses_no_alert_and_no_message(tmp_path: Path, mailbox: Mailbox) -> None:
    workers: list[subprocess.Popen[bytes]] = []
    taken: list[str] = []

    def answer(_path: str, headers: dict[str, str], _body: bytes) -> int:
        taken.append(headers["webhook-id"])
        if len(taken) == WAVES // 2:  # between the commit and the mark that it was sent
            workers[-1].kill()
            return 500
        return 204

    hook = Hook(answer)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
    home = tmp_path / "home"
    environ = {
        **kept, "ALLMENDE_HOME": str(home), "ALLMENDE_DISK_FLOOR": "0", **make_town(tmp_path),
        "ALERT_KEY": "a key of the test", "ALLMENDE_ALERT_PRIVATE_HOSTS": "127.0.0.1", "ALLMENDE_MAIL_URL": mailbox.url,
    }  # fmt: skip
    profile = tmp_path / "town" / "city.toml"
    profile.write_text(profile.read_text() + ALERTS.format(hook=hook.url))
    file = tmp_path / "people.csv"
    waves = "".join(f"{value}\n" for _ in range(WAVES) for value in (10, 30, 60, 90, 40, 15, 5))
    file.write_text(f"people\n{waves}")
    try:
        arguments = [["init", "--city", str(tmp_path / "town")], ["import", "gate", str(file)]]
        subprocess.run([sys.executable, "-c", BEGIN, json.dumps(arguments)], env=environ, check=True, timeout=90)

        def work() -> None:
            workers.append(subprocess.Popen([sys.executable, "-c", WORKER], env=environ, stderr=subprocess.DEVNULL))

        work()
        workers[-1].wait(60)  # killed by the one who took a message
        work()
        until(lambda: ask(home, "SELECT count(*) FROM alerts_event WHERE state = 'over'") == [(WAVES,)])
        wanted = {name for (name,) in ask(home, "SELECT id FROM alerts_message WHERE channel = 'duty'")}
        until(lambda: not ask(home, "SELECT 1 FROM alerts_message WHERE sent IS NULL AND channel != 'mqtt'"))
    finally:
        for process in workers:
            process.kill()
            process.wait(30)
        hook.close()
    states = ask(home, "SELECT state, ending FROM alerts_event")
    assert states == [("over", "cleared")] * WAVES
    assert len(wanted) == 2 * WAVES
    times = Counter(taken)
    assert set(times) == wanted
    assert sum(times.values()) > len(wanted), "what was killed in the middle went again, with the same id"
    mails = [str(mail["Message-ID"]) for mail in mailbox.mails]
    assert len(set(mails)) == 2 * WAVES
    assert all(mail["X-Allmende-Message"] for mail in mailbox.mails)

"""``kill -9`` while letters are written and handed over: each subscriber is told, nobody twice but by what was in
flight in that moment, and then under the same Message-ID."""

import json
import os
import re
import socketserver
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.houses import environment
from tests.support import ROOT

pytestmark = pytest.mark.faults
SUBSCRIBERS = 30
DEATH = 12
"""The mail that was taken, and of which the house did not hear any more."""
PREPARE = f"""
import json, msgspec, sys
from allmende.web.config import load_config
from allmende.web.parts import prepare
config = load_config()
config.home.mkdir(parents=True, exist_ok=True)
prepare(config)
from django.utils import timezone
from allmende.domain.batch import Batch
from allmende.domain.bounds import Bounds
from allmende.domain.feature_checks import check_features
from allmende.domain.policy import house_reader
from allmende.domain.records import Collection, Feature, Features
from allmende.domain.times import from_datetime
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.subscriptions.asking import Wishes, ask_by_mail, confirm
from allmende.web.subscriptions.models import Letter, Subscription
from allmende.web.subscriptions.selection import Selection
furnish(open_store(), open_profile())
for number in range({SUBSCRIBERS}):
    ask_by_mail(f"{{number}}@mail.example", Selection(kinds=("features",)), Wishes(), config)
Letter.objects.all().delete()
for each in Subscription.objects.all():
    confirm(each, timezone.now())
now = from_datetime(timezone.now())
works = [Feature(id=name, geometry=None, properties={{"title": name}}, valid_from=now) for name in ("dig", "pave")]
found, _ = check_features(Features(collection="works", items=works), Bounds())
open_store().append(Batch(origin="test", dataset="sensors", reader=house_reader("test"), received_at=now,
                          collections=[Collection(id="works", title="Works")], features=[found]))
"""
WORK = """
import sys, threading
from allmende.web.config import load_config
from allmende.web.parts import prepare
config = load_config()
prepare(config)
from allmende.web.house import open_profile, open_store
from allmende.web.subscriptions.models import Letter
from allmende.web.subscriptions.post import MailWay
from allmende.web.subscriptions.work import CollectThread, PostThread
stop = threading.Event()
look = CollectThread(open_store(), open_profile, config, stop)
threads = [look, PostThread(MailWay(config), open_profile, config, stop)]
for thread in threads:
    thread.start()
while not Letter.objects.exists() or Letter.objects.filter(sent__isnull=True).exists():
    stop.wait(0.1)
stop.set()
for thread in threads:
    thread.join()
"""


class Postbox(socketserver.ThreadingTCPServer):
    """A mail server that takes all, and calls ``on_taken`` when it has a mail, before it says so."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.taken: list[tuple[str, str]] = []
        """Recipient and Message-ID."""
        self.on_taken = lambda: None
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """As much of RFC 5321 as a client needs."""
        self._say("220 here")
        recipient = ""
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                break
            if verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            if verb == b"DATA":
                self._say("354 go on")
                body = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                self.server.taken.append((recipient, re.search(r"^Message-ID: (.+)$", body, re.M)[1].strip()))
                self.server.on_taken()
            self._say("250 well")
        self._say("221 bye")

    def _say(self, words: str) -> None:
        with suppress(OSError):  # the other side is dead
            self.wfile.write(f"{words}\r\n".encode())


def run(code: str, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], env=environ, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_each_is_told_whenever_it_dies(tmp_path: Path) -> None:
    postbox = Postbox()
    url = f"smtp+plain://127.0.0.1:{postbox.server_address[1]}"
    city = str(ROOT / "cities" / "example")
    environ = environment(tmp_path / "home", ALLMENDE_CITY=city, ALLMENDE_MAIL_URL=url, ALLMENDE_DISK_FLOOR="0")
    environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *sys.path])
    assert run(PREPARE, environ).wait(60) == 0
    process, died = run(WORK, environ), threading.Event()

    def kill() -> None:
        if len(postbox.taken) == DEATH:
            process.kill()
            process.wait(10)
            died.set()

    postbox.on_taken = kill
    assert died.wait(60)
    postbox.on_taken = lambda: None
    assert run(WORK, environ).wait(60) == 0
    names = defaultdict(list)
    for recipient, name in postbox.taken:
        names[recipient].append(name)
    assert set(names) == {f"{number}@mail.example" for number in range(SUBSCRIBERS)}
    assert all(len(set(each)) == 1 for each in names.values()), json.dumps(names)
    assert len(postbox.taken) <= SUBSCRIBERS + 1
    postbox.shutdown()

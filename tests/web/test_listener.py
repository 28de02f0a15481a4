"""Sources that send by WebSocket, from a server that behaves well and badly."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.web.simple import city, lines, make_intake
from websockets.sync.server import ServerConnection, serve

from allmende.web.worker.listener import Listener


@pytest.fixture(autouse=True)
def _no_django_connection(monkeypatch):
    """The listeners here have stores of their own; nobody has to close Django's connections after them."""
    monkeypatch.setattr("allmende.web.worker.listener.close_old_connections", lambda: None)
    monkeypatch.setattr("allmende.web.worker.listener._FIRST_PAUSE", 0.05)
    monkeypatch.setattr("allmende.web.worker.listener._NOTE_SECONDS", 0.1)


@contextmanager
def sending(send: Callable[[ServerConnection], None], **options) -> Iterator[str]:
    with serve(send, "127.0.0.1", 0, **options) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()


@contextmanager
def listening(tmp_path, address: str, **more):
    intake = make_intake(tmp_path, profile=city(feed={"address": address, **more}))
    stop = threading.Event()
    listener = Listener(intake.sources["feed"], intake, stop)
    listener.start()
    try:
        yield intake
    finally:
        stop.set()
        listener.join(10)
        assert not listener.is_alive()


def wait_until(check: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not check():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def state(intake):
    return intake.store.sources().get("feed")


def test_frames_are_payloads_text_or_bytes(tmp_path):
    def send(connection):
        for second in range(50):
            connection.send(lines(f"a,{second},5").decode() if second % 2 else lines(f"a,{second},5"))
        connection.send("header\nnonsense\n")
        connection.recv()

    with sending(send) as address, listening(tmp_path, address) as intake:
        wait_until(lambda: state(intake) and state(intake).accepted == 50 and state(intake).rejected == 1)
        assert state(intake).last_success is not None
        assert state(intake).last_error == ""


def test_a_connection_that_ends_is_made_again(tmp_path):
    visits = []

    def send(connection):
        visits.append(1)
        connection.send(lines(f"a,{len(visits)},5"))

    with sending(send) as address, listening(tmp_path, address) as intake:
        wait_until(lambda: state(intake) and state(intake).accepted >= 3)
        assert "closed the connection" in state(intake).last_error


def test_what_cannot_be_kept_ends_the_connection_and_is_told(tmp_path, monkeypatch):
    from allmende.domain.errors import StorageFull

    def send(connection):
        connection.send(lines("a,1,5"))
        connection.recv()

    with sending(send) as address, listening(tmp_path, address) as intake:
        wait_until(lambda: state(intake) and state(intake).accepted == 1)
    with monkeypatch.context() as full:
        full.setattr(
            "allmende.web.intake.DiskFloor.check", lambda _: (_ for _ in ()).throw(StorageFull("the disk is full"))
        )
        with sending(send) as address, listening(tmp_path / "2", address) as intake:
            wait_until(lambda: state(intake) and "the disk is full" in state(intake).last_error)


def test_headers_with_secrets_are_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_TOKEN", "t0ken")
    seen = []

    def send(connection):
        seen.append(connection.request.headers.get("Authorization"))
        connection.recv()

    headers = {"Authorization": "Bearer ${SOURCE_TOKEN}"}
    with sending(send) as address, listening(tmp_path, address, headers=headers):
        wait_until(lambda: seen)
    assert seen[0] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ws://127.0.0.1:1/", "refused the connection (127.0.0.1)"),
        ("ws://no.such.host.invalid/", "(no.such.host.invalid)"),
    ],
)
def test_what_goes_wrong_is_said_in_plain_words(tmp_path, address, words):
    with listening(tmp_path, address) as intake:
        wait_until(lambda: state(intake) and words in state(intake).last_error)


def test_who_answers_but_does_not_speak_websocket_is_told(tmp_path):
    from tests.web.servers import serving

    with serving() as server:
        address = server.url("gone").replace("http", "ws")
        with listening(tmp_path, address) as intake:
            wait_until(lambda: state(intake) and "answered with 503" in state(intake).last_error)


def test_a_frame_that_is_too_large_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("allmende.web.worker.listener.MOST_BYTES", 1000)

    def send(connection):
        connection.send(b"x" * 5000)
        connection.recv()

    with sending(send) as address, listening(tmp_path, address) as intake:
        wait_until(lambda: state(intake) and state(intake).last_error)
        assert "1009" in state(intake).last_error or "larger" in state(intake).last_error

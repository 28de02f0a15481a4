"""A web server that behaves badly on purpose. Its paths name what it does; it listens on loopback alone."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """``body`` is what the well-behaved paths give; ``asked`` counts requests by path."""

    def __init__(self) -> None:
        self.body = b"header\na,1,5\n"
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, dict[str, str]] = {}
        self.paths: dict[str, str] = {}
        self.over = threading.Event()
        house = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                name = self.path.strip("/").split("/")[0].partition("?")[0]
                house.paths[name] = self.path
                house.asked[name] += 1
                house.headers[name] = dict(self.headers)
                try:
                    getattr(house, name)(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def _send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    def good(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 200, self.body)

    def posted(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 204)

    def refused(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 500)

    def tagged(self, handler: BaseHTTPRequestHandler) -> None:
        tag = f'"{hash(self.body)}"'
        if handler.headers.get("If-None-Match") == tag:
            self._send(handler, 304)
        else:
            self._send(handler, 200, self.body, ETag=tag)

    def moved(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 302, Location=self.url("good"))

    def inside(self, handler: BaseHTTPRequestHandler) -> None:
        """To the machine itself, by another name than the one that was asked for."""
        self._send(handler, 302, Location=f"http://localhost:{self.port}/good")

    def round(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 302, Location=self.url("round"))

    def gone(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 503, b"<html>closed</html>")

    def garbage(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 200, b"header\n" + bytes(range(128, 256)).replace(b"\n", b""))

    def nonsense(self, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\x00\x01\x02 this is no HTTP\r\n\r\n")
        handler.close_connection = True

    def short(self, handler: BaseHTTPRequestHandler) -> None:
        """Promises more than it sends, then hangs up."""
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.body) + 1000))
        handler.end_headers()
        handler.wfile.write(self.body)
        handler.close_connection = True

    def large(self, handler: BaseHTTPRequestHandler) -> None:
        self._send(handler, 200, b"header\n" + b"a,1,5\n" * 200_000)

    def hang(self, handler: BaseHTTPRequestHandler) -> None:
        self.over.wait(60)
        handler.close_connection = True

    def slow_head(self, handler: BaseHTTPRequestHandler) -> None:
        """A head that does not end."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self.over.is_set():
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """One sign now and then, for ever."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not self.over.is_set():
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.close()

"""A catalogue of somebody else, on loopback: documents by their address, with tags, and a diary of what was asked."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rdflib import Graph

from allmende.connectors.harvesting.rdf import HYDRA

CATALOGUE = Path(__file__).with_name("constructed_catalogue.ttl")
Answer = tuple[int, str, bytes]


class Origin:
    """``documents`` by path and query: media type and body. ``asked`` are the addresses in their order; ``unchanged``
    how often 304 was answered. ``broken``: addresses that answer 500. ``ask`` answers what no document does."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        self.accepts: set[str] = set()
        self.broken: set[str] = set()
        self.unchanged = 0
        self.ask: Callable[[str], Answer | None] = lambda address: None
        house = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                house.asked.append(self.path)
                house.accepts.add(self.headers.get("Accept", ""))
                status, media, body = house._answer(self.path)
                tag = f'"{hashlib.sha1(body).hexdigest()}"'
                if status == 200 and self.headers.get("If-None-Match") == tag:
                    status, body = 304, b""
                    house.unchanged += 1
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", tag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _answer(self, address: str) -> Answer:
        if address in self.broken:
            return 500, "text/plain", b"broken"
        if address in self.documents:
            return 200, *self.documents[address]
        return self.ask(address) or (404, "text/plain", b"nothing here")

    def put(self, address: str, graph: Graph | str | bytes, media: str = "text/turtle") -> None:
        """Give this at an address."""
        body = graph.serialize(format="turtle").encode() if isinstance(graph, Graph) else graph
        self.documents[address] = (media, body.encode() if isinstance(body, str) else body)

    def put_pages(self, pages: list[Graph], total: int | None = None) -> None:
        """Give a catalogue in pages that lead from one to the next."""
        for number, graph in enumerate(pages, 1):
            here = f"{self.root}/catalog.ttl?page={number}"
            more = f"<{here}> a <{HYDRA}PagedCollection> "
            if number < len(pages):
                more += f"; <{HYDRA}nextPage> <{self.root}/catalog.ttl?page={number + 1}> "
            if total is not None:
                more += f"; <{HYDRA}totalItems> {total} "
            self.put(f"/catalog.ttl?page={number}", graph.serialize(format="turtle") + more + ".")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def origin() -> Iterator[Origin]:
    made = Origin()
    try:
        yield made
    finally:
        made.close()

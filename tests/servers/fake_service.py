"""A service that answers as a test says: well, badly, late or not at all; and what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]


@dataclass
class FakeService:
    """What it has, and how it is today."""

    url: str = ""
    # Path -> answer; everything else is a 404.
    content: dict[str, Any] = field(default_factory=dict)
    # Status and headers of the next answers, before it is well again.
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    # While it is clear, nothing is answered.
    answering: threading.Event = field(default_factory=threading.Event)
    # Set by the first request that comes since it fell silent.
    waited_for: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes requests, and does not answer."""
        self.waited_for.clear()
        self.answering.clear()
        try:
            yield
        finally:
            self.answering.set()


@contextmanager
def running() -> Iterator[FakeService]:
    """One on loopback."""
    service = FakeService()
    service.answering.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            service.asked.append(Asked(self.path, {name.lower(): value for name, value in self.headers.items()}))
            body = service.content.get(self.path)
            content = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            status = 404 if body is None else 200
            if service.failures:
                status, more = service.failures.pop(0)
                headers |= more
            # What it says was settled before it fell silent: a late answer takes nothing from those that come after.
            service.waited_for.set()
            service.answering.wait(10)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A caller that gave up is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        service.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""The two AWS services that the servers call, as far as they call them: Secrets Manager and DynamoDB, over HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeAws:
    """What is in the services, and where they are."""

    def __init__(self) -> None:
        self.url = ""
        self.secrets: dict[str, str] = {}
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        self.calls: list[str] = []
        # While it is clear, no call is answered.
        self.answering = threading.Event()
        self.answering.set()
        self.failures: list[tuple[int, str]] = []
        # Of so many writes the answer gets lost, after they were done.
        self.lost_answers = 0
        self._lock = threading.Lock()

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(status, body) of one call."""
        with self._lock:
            self.calls.append(operation)
            if self.failures:
                status, code = self.failures.pop(0)
                return status, {"__type": code, "message": "as the test wants"}
            match operation:
                case "GetSecretValue" if request["SecretId"] in self.secrets:
                    return 200, {"ARN": request["SecretId"], "SecretString": self.secrets[request["SecretId"]]}
                case "DescribeTable" if request["TableName"] in self.tables:
                    return 200, {"Table": {"TableName": request["TableName"], "TableStatus": "ACTIVE"}}
                case "GetItem" if request["TableName"] in self.tables:
                    item = self.tables[request["TableName"]].get(request["Key"]["orderId"]["S"])
                    return 200, {"Item": item} if item else {}
                case "PutItem" if request["TableName"] in self.tables:
                    return self._put(request)
                case _:
                    return 400, {"__type": "ResourceNotFoundException", "message": "no such thing"}

    def _put(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        table, identity = self.tables[request["TableName"]], request["Item"]["orderId"]["S"]
        assert request["ConditionExpression"] == "attribute_not_exists(orderId)"
        if identity in table:
            refusal: dict[str, Any] = {"__type": "ConditionalCheckFailedException", "message": "it is there"}
            if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                refusal["Item"] = table[identity]
            return 400, refusal
        table[identity] = request["Item"]
        if self.lost_answers:
            self.lost_answers -= 1
            return 500, {"__type": "InternalServerError", "message": "after it was written"}
        return 200, {}


@contextmanager
def running() -> Iterator[FakeAws]:
    """The services on loopback."""
    aws = FakeAws()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            aws.answering.wait(10)
            status, said = aws.answer(self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body))
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
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
    aws.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield aws
    finally:
        aws.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()

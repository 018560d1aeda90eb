"""HTTP with the connection led elsewhere: a real TLS server on loopback whose certificate names another host."""

import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import SplitResult

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.exceptions import HTTPError

from journeys._http import Http, Response
from journeys._identity import Identity
from journeys._target import Target
from journeys._world import NotRunError, World

HOST = "a1b2c3d4.execute-api.eu-west-1.amazonaws.com"

CA_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def authority(folder: Path) -> tuple[Path, Path]:
    """A certificate authority that signed a certificate for HOST and 127.0.0.1: the authority's file, the server's."""
    key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.now(UTC)
    root = (
        x509.CertificateBuilder(issuer, issuer, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(CA_USAGE, critical=True)
        .sign(key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(IPv4Address("127.0.0.1"))])
    leaf = (
        x509.CertificateBuilder(issuer, subject, server_key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(exist_ok=True)
    ca, pair = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    pair.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
    return ca, pair


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece; small pieces wait for each other

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode(),
            # The shape of the local cloud's list of texts.
            "sms_messages": {"+491701": [{"Message": "first"}, {"Message": "second"}], "+491702": []},
        }
        self.send_response(418 if self.path.startswith("/teapot") else 200)
        answer = b"<html>" if self.path.startswith("/html") else json.dumps(seen).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = answer  # noqa: N815 # the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # http.server's name
        pass


@dataclass
class Server:
    port: int
    plain_port: int
    ca: Path
    names: list[str | None] = field(default_factory=list)

    @property
    def target(self) -> Target:
        url = f"https://127.0.0.1:{self.port}"
        plain = f"http://127.0.0.1:{self.plain_port}"
        return Target(url, plain, str(self.ca), "eu-west-1", "AKID", "secret", f"{url}/_ministack/sns/sms-messages")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    ca, pair = authority(tmp_path_factory.mktemp("tls"))
    secure = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    plain = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    running = Server(secure.server_address[1], plain.server_address[1], ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.sni_callback = lambda _socket, name, _context: running.names.append(name)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threads = [threading.Thread(target=each.serve_forever, args=(0.02,)) for each in (secure, plain)]
    for thread in threads:
        thread.start()
    yield running
    for each in (secure, plain):
        each.shutdown()
        each.server_close()
    for thread in threads:
        thread.join()


@pytest.fixture
def world(server: Server, tmp_path: Path) -> Iterator[World]:
    made = World("order-queue", server.target, {}, build=tmp_path)
    yield made
    made.clean_up()


def test_threads_share_a_pool_of_connections(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    http = Http(endpoint_url=server.target.endpoint_url, ca_bundle=server.target.ca_bundle)
    made = []

    def slowly(url: SplitResult) -> object:
        time.sleep(0.01)
        made.append(new_pool(url))
        return made[-1]

    new_pool: Callable[[SplitResult], object] = http._new_pool
    monkeypatch.setattr(http, "_new_pool", slowly)
    before = len(server.names)
    with ThreadPoolExecutor(8) as threads:
        paths = [f"/{number}" for number in range(40)]
        answers = threads.map(lambda path: http.send("GET", f"https://{HOST}{path}", headers={}, body=None), paths)
        assert [answer.json()["path"] for answer in answers] == paths
    assert len(made) == 1
    assert len(server.names) - before <= 8
    http.close()


def sees(response: Response) -> dict[str, str]:
    headers: dict[str, str] = response.json()["headers"]
    return headers


def test_the_url_keeps_its_name_where_it_is_led(world: World, server: Server) -> None:
    response = world.http("POST", f"https://{HOST}/prod/orders?a=1&b=%2F", json={"id": "ü"})
    assert (response.status, response.headers["content-TYPE"]) == (200, "application/json")
    assert sees(response)["host"] == HOST
    assert server.names[-1] == HOST
    assert response.json()["path"] == "/prod/orders?a=1&b=%2F"
    assert json.loads(response.json()["body"]) == {"id": "ü"}
    assert sees(response)["content-type"] == "application/json"


def test_a_certificate_for_another_name_is_refused(world: World) -> None:
    with pytest.raises(HTTPError, match="Hostname mismatch"):
        world.http("GET", "https://other.execute-api.eu-west-1.amazonaws.com/")


def test_a_certificate_of_an_unknown_authority_is_refused(server: Server, tmp_path: Path) -> None:
    other, _ = authority(tmp_path / "other")
    http = Http(endpoint_url=server.target.endpoint_url, ca_bundle=str(other))
    with pytest.raises(HTTPError, match="CERTIFICATE_VERIFY_FAILED"):
        http.send("GET", f"https://{HOST}/", headers={}, body=None)
    http.close()


def test_without_a_bundle_the_machine_decides(server: Server) -> None:
    http = Http(endpoint_url=server.target.endpoint_url)
    with pytest.raises(HTTPError, match="CERTIFICATE_VERIFY_FAILED"):
        http.send("GET", f"https://{HOST}/", headers={}, body=None)
    http.close()


def test_plain_http_is_led_to_the_plain_endpoint(world: World) -> None:
    assert sees(world.http("GET", f"http://{HOST}/"))["host"] == HOST
    assert world.plain_http("sns") == world.client("sns", tls=False).meta.endpoint_url


def test_loopback_urls_go_where_they_say(server: Server, tmp_path: Path) -> None:
    nowhere = Target("https://127.0.0.1:1", "http://127.0.0.1:1", str(server.ca), "eu-west-1", "a", "b", None)
    world = World("order-queue", nowhere, {}, build=tmp_path)
    assert world.http("GET", f"https://127.0.0.1:{server.port}/").status == 200
    assert world.http("GET", f"http://localhost:{server.plain_port}/").status == 200
    with pytest.raises(HTTPError):
        world.http("GET", f"https://{HOST}/")
    world.clean_up()


def test_answers_come_as_they_are(world: World) -> None:
    assert world.http("GET", f"https://{HOST}/teapot").status == 418
    assert world.http("GET", f"https://{HOST}/moved").headers["Location"] == "/"
    assert world.http("GET", f"https://{HOST}/a/../../etc/passwd").json()["path"] == "/a/../../etc/passwd"
    with pytest.raises(AssertionError, match=r"^HTTP 200: expected JSON, got '<html>'$"):
        world.http("GET", f"https://{HOST}/html").json()


def test_bodies_and_headers(world: World) -> None:
    raw = world.http("PUT", f"https://{HOST}/", body="ü", headers={"X-Own": "1"})
    assert raw.json()["body"] == "ü"
    assert "content-type" not in sees(raw)
    assert sees(raw)["x-own"] == "1"
    own = world.http("POST", f"https://{HOST}/", json=[], headers={"content-type": "application/vnd.own+json"})
    assert sees(own)["content-type"] == "application/vnd.own+json"
    assert sees(world.http("GET", f"https://{HOST}/", headers={"host": "other.example"}))["host"] == "other.example"
    with pytest.raises(ValueError, match="json, body: give one of them"):
        world.http("POST", f"https://{HOST}/", json=1, body=b"1")


@pytest.mark.parametrize("url", ["ftp://host/", "/path", "https:///path", "host/path"])
def test_what_is_no_url_is_refused(world: World, url: str) -> None:
    with pytest.raises(ValueError, match="url: must be an https:// or http:// URL with a host"):
        world.http("GET", url)


def signature(secret: str, seen: dict[str, object], service: str) -> str:
    """The SigV4 signature that a server computes from the request as it arrived (AWS, "Create a signed request")."""
    headers = seen["headers"]
    assert isinstance(headers, dict)
    parts = dict(part.split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(", "))
    signed = parts["SignedHeaders"].split(";")
    path, _, query = str(seen["path"]).partition("?")
    body = hashlib.sha256(str(seen["body"]).encode()).hexdigest()
    lines = [str(seen["method"]), path, query, *(f"{name}:{headers[name]}" for name in signed), "", ";".join(signed)]
    canonical = hashlib.sha256("\n".join([*lines, body]).encode()).hexdigest()
    moment = headers["x-amz-date"]
    scope = [moment[:8], "eu-west-1", service, "aws4_request"]
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", moment, "/".join(scope), canonical])
    assert "host" in signed
    assert parts["Signature"] == hmac.digest(key, text.encode(), "sha256").hex()
    return str(parts["Credential"])


def test_a_signed_request_holds_at_the_server(world: World) -> None:
    url = f"https://{HOST}/prod/orders?limit=5"
    response = world.http("POST", url, json={"id": 1}, sign="execute-api")
    assert signature("secret", response.json(), "execute-api").startswith("AKID/")
    with pytest.raises(AssertionError):
        signature("another secret", response.json(), "execute-api")
    assert "authorization" not in sees(world.http("POST", url, json={"id": 1}))


def test_a_role_signs_with_its_own_token(server: Server) -> None:
    http = Http(endpoint_url=server.target.endpoint_url, ca_bundle=server.target.ca_bundle)
    session = boto3.Session("ROLE", "role secret", "the token", "eu-west-1")
    response = Identity(server.target, session, http).http("GET", f"https://{HOST}/", sign="execute-api")
    assert signature("role secret", response.json(), "execute-api").startswith("ROLE/")
    assert sees(response)["x-amz-security-token"] == "the token"
    http.close()


def test_texts_to_a_phone(world: World, server: Server) -> None:
    assert world.sms("+491701") == ["first", "second"]
    assert world.sms("+491702") == world.sms("+491703") == []


def test_texts_cannot_be_read_back_on_aws(tmp_path: Path) -> None:
    world = World("order-queue", Target.aws("eu-west-1"), {}, build=tmp_path)
    with pytest.raises(NotRunError, match="cannot be read back on AWS"):
        world.sms("+491701")

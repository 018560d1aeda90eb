"""The key maker: a custom resource that makes one key pair per secret and tells nobody the private one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from signing_key_maker import handler as maker
from signing_key_maker import rules
from tests.functions.paid_fakes import Context

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:blue-AbCdEf"


@dataclass
class FakeSecrets:
    """One secret, and how often it was written."""

    value: str = "a random placeholder"
    writes: int = 0
    broken: bool = False

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        if self.broken:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": f"{self.value} no"}}, "GetSecretValue")
        assert SecretId == SECRET
        return {"SecretString": self.value}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:  # noqa: N803
        assert SecretId == SECRET
        self.value, self.writes = SecretString, self.writes + 1


@dataclass
class FakeHttp:
    """Takes the answers that CloudFormation would get."""

    status: int = 200
    answers: list[dict[str, Any]] = field(default_factory=list)

    def request(self, method: str, url: str, *, body: bytes, headers: dict[str, str]) -> urllib3.HTTPResponse:
        assert (method, url, headers) == ("PUT", "https://cloudformation/answer", {"Content-Type": ""})
        self.answers.append(json.loads(body))
        return urllib3.HTTPResponse(status=self.status)


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> FakeHttp:
    fake = FakeHttp()
    monkeypatch.setattr(maker, "_http", fake)
    return fake


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSecrets]:
    fake = FakeSecrets()
    monkeypatch.setattr(boto3, "client", lambda service, **_: {"secretsmanager": fake}[service])
    maker.secrets.cache_clear()
    yield fake
    maker.secrets.cache_clear()


def event(request_type: str, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": request_type,
        "ResponseURL": "https://cloudformation/answer",
        "StackId": "stack",
        "RequestId": "request",
        "ResourceType": "Custom::SigningKeyPair",
        "LogicalResourceId": "Pair",
        "ResourceProperties": {"ServiceToken": "arn", "SecretArn": SECRET},
        **more,
    }


def test_a_pair_is_made_once_and_its_public_half_is_told(
    secrets: FakeSecrets, http: FakeHttp, caplog: pytest.LogCaptureFixture
) -> None:
    maker.handler(event("Create"), Context())
    (answer,) = http.answers
    public = load_pem_public_key(answer["Data"]["PublicKey"].encode())
    assert isinstance(public, rsa.RSAPublicKey)
    assert (public.key_size, public.public_numbers().e) == (2048, 65537)
    assert rules.public_key_of(secrets.value) == answer["Data"]["PublicKey"]
    assert answer == {
        "Status": "SUCCESS",
        "Reason": "See the function's log",
        "PhysicalResourceId": SECRET,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Pair",
        "Data": {"PublicKey": answer["Data"]["PublicKey"]},
    }
    said = str([vars(record) for record in caplog.records])
    assert "a key pair was made" in said
    assert "PRIVATE" not in said + json.dumps(http.answers)
    assert not any(line in said for line in secrets.value.splitlines()[1:-1])
    assert "https://cloudformation/answer" not in said, "whoever has the URL can answer in our place"


@pytest.mark.parametrize("again", ["Create", "Update"])
def test_asked_again_the_pair_stays(secrets: FakeSecrets, http: FakeHttp, again: str) -> None:
    maker.handler(event("Create"), Context())
    maker.handler(event(again, PhysicalResourceId=SECRET), Context())
    first, second = http.answers
    assert first == second
    assert secrets.writes == 1


def test_at_its_end_the_secret_is_left_to_its_own_policy(secrets: FakeSecrets, http: FakeHttp) -> None:
    maker.handler(event("Create"), Context())
    kept = secrets.value
    maker.handler(event("Delete", PhysicalResourceId="whatever it was"), Context())
    assert http.answers[1]["Status"] == "SUCCESS"
    assert http.answers[1]["PhysicalResourceId"] == "whatever it was"
    assert "Data" not in http.answers[1] or http.answers[1]["Data"] == {}
    assert (secrets.value, secrets.writes) == (kept, 1)


def test_what_a_rolled_back_creation_left_can_be_deleted_even_without_rights(
    secrets: FakeSecrets, http: FakeHttp
) -> None:
    secrets.broken = True
    maker.handler(event("Delete", PhysicalResourceId="none"), Context())
    assert http.answers[0]["Status"] == "SUCCESS"


def test_a_failure_is_answered_at_once_and_says_nothing_of_the_secret(secrets: FakeSecrets, http: FakeHttp) -> None:
    secrets.broken = True
    maker.handler(event("Create"), Context())
    (answer,) = http.answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "ClientError; see the log stream of shop")
    assert answer["PhysicalResourceId"]


def test_an_answer_that_is_not_taken_is_an_error_of_the_function(secrets: FakeSecrets, http: FakeHttp) -> None:
    http.status = 403
    with pytest.raises(RuntimeError, match="CloudFormation did not take the answer: HTTP 403"):
        maker.handler(event("Create"), Context())


def test_no_two_keys_are_the_same() -> None:
    assert rules.new_private_key() != rules.new_private_key()


def test_another_kind_of_key_is_replaced() -> None:
    large = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    curve = ec.generate_private_key(ec.SECP256R1())
    for key in (large, curve):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        assert rules.public_key_of(pem) is None
    assert rules.public_key_of("") is None

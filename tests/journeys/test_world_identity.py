"""Clients and roles."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from journeys._target import Target
from journeys._waiting import Waiting
from journeys._world import World

ROLE = "arn:aws:iam::123456789012:role/OrderQueue-Publisher"
LOCAL = Target(
    endpoint_url="https://127.0.0.1:4566",
    plain_endpoint_url="http://127.0.0.1:4567",
    ca_bundle="/state/ca.pem",
    region="eu-west-1",
    access_key_id="test",
    secret_access_key="secret",
    sms_url=None,
)


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[Callable[[Target], World]]:
    made: list[World] = []
    clock = Clock()

    def new(target: Target) -> World:
        world = World("order-queue", target, {}, build=tmp_path, waiting=Waiting(lambda: clock.now, clock.sleep))
        made.append(world)
        return world

    yield new
    for world in made:
        world.clean_up()


@pytest.fixture
def local(new_world: Callable[[Target], World], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    # What the person has set up for real accounts must not reach the local cloud, nor stop it.
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-is-not-there")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "REAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "REAL")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "REAL")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://real.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    config = tmp_path / "config"
    config.write_text("this is [no] configuration")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    return new_world(LOCAL)


@pytest.fixture
def aws(new_world: Callable[[Target], World], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "CALLER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return new_world(Target.aws("eu-west-1"))


@pytest.mark.parametrize("service", ["sqs", "s3", "stepfunctions"])
def test_a_local_client_stays_local(local: World, service: str) -> None:
    client = local.client(service)
    assert client.meta.endpoint_url == LOCAL.endpoint_url
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.inject_host_prefix is False
    http = client._endpoint.http_session
    assert http._verify == "/state/ca.pem"
    assert http._proxy_config.proxy_url_for(LOCAL.endpoint_url) is None
    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("test", "secret", None)


class NotSentError(Exception):
    """Stops a request that is ready to leave."""


def url_of(client: Any, call: str, **kwargs: str) -> str:
    urls: list[str] = []

    def stop(request: Any, **_: object) -> None:
        urls.append(request.url)
        raise NotSentError

    client.meta.events.register("before-send", stop)
    with pytest.raises(NotSentError):
        getattr(client, call)(**kwargs)
    return urls[0]


def test_a_local_call_goes_to_the_one_address(local: World) -> None:
    assert url_of(local.client("sns"), "list_topics") == "https://127.0.0.1:4566/"
    execution = {"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:m"}
    assert url_of(local.client("stepfunctions"), "start_sync_execution", **execution) == "https://127.0.0.1:4566/"
    assert url_of(local.client("s3"), "get_object", Bucket="photos", Key="a") == "https://127.0.0.1:4566/photos/a"


def test_a_client_on_aws_goes_to_aws_as_the_caller(aws: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert aws.client("sqs").meta.endpoint_url == "https://sqs.eu-west-1.amazonaws.com"
    assert aws.client("sqs", tls=False).meta.endpoint_url == "http://sqs.eu-west-1.amazonaws.com"
    assert aws.plain_http("sns") == "http://sns.eu-west-1.amazonaws.com"
    url = aws.client("s3").generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "a.jpg"})
    assert "CALLER" in url


def test_plain_http_locally(local: World) -> None:
    assert local.plain_http("sns") == local.client("sns", tls=False).meta.endpoint_url == LOCAL.plain_endpoint_url


def test_clients_are_kept_per_service_region_and_tls(local: World) -> None:
    assert local.client("sqs") is local.client("sqs") is local.client("sqs", "eu-west-1")
    assert local.client("sqs", "us-east-1").meta.region_name == "us-east-1"
    assert len({id(local.client("sqs", tls=tls)) for tls in (True, False)}) == 2


def test_threads_share_a_client(local: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def slowly(*key: object) -> Any:
        time.sleep(0.01)
        made.append(local_client(*key))
        return made[-1]

    local_client: Callable[..., Any] = local._new_client
    monkeypatch.setattr(local, "_new_client", slowly)
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(local.client, ["sqs"] * 8))
    assert len({id(client) for client in got}) == len(made) == 1


def test_places_and_account(local: World, aws: World) -> None:
    assert (local.place, aws.place) == ("local cloud, eu-west-1", "AWS, eu-west-1")
    with Stubber(local.client("sts")) as sts:
        sts.add_response("get_caller_identity", {"Account": "123456789012"})
        assert local.account == local.account == "123456789012"


def assumed(world: World) -> dict[str, object]:
    keys = {
        "AccessKeyId": "ASIAROLE000000000000",
        "SecretAccessKey": "role secret",
        "SessionToken": "role token",
        "Expiration": datetime(2030, 1, 1, tzinfo=UTC),
    }
    return {"Credentials": keys}


@pytest.mark.parametrize("refusals", [0, 3])
def test_a_role_is_assumed_once_it_may_be(local: World, refusals: int) -> None:
    with Stubber(local.client("sts")) as sts:
        for _ in range(refusals):
            sts.add_client_error("assume_role", "AccessDenied", "not yet")
        expected = {"RoleArn": ROLE, "RoleSessionName": f"journey-{local.token}"}
        sts.add_response("assume_role", assumed(local), expected)
        role = local.as_role(ROLE)
        assert local.as_role(ROLE) is role
        sts.assert_no_pending_responses()
    credentials = role.client("sns")._request_signer._credentials  # type: ignore[attr-defined] # no public way to see them
    assert (credentials.access_key, credentials.token) == ("ASIAROLE000000000000", "role token")
    assert role.client("sns").meta.endpoint_url == LOCAL.endpoint_url
    assert role.client("sns") is not local.client("sns")
    assert role.region == "eu-west-1"


def test_a_role_that_may_not_be_assumed(local: World) -> None:
    with Stubber(local.client("sts")) as sts:
        for _ in range(100):
            sts.add_client_error("assume_role", "AccessDenied", "not yours")
        with pytest.raises(AssertionError, match=rf"the person may assume {ROLE}: not within 30 s; .* not yours$"):
            local.as_role(ROLE)


def test_a_role_that_is_wrong_for_good_is_not_waited_for(local: World) -> None:
    with Stubber(local.client("sts")) as sts:
        sts.add_client_error("assume_role", "ValidationError", "no ARN")
        with pytest.raises(RuntimeError, match=rf"{ROLE} cannot be assumed: .* no ARN") as caught:
            local.as_role(ROLE)
    assert isinstance(caught.value.__cause__, ClientError)

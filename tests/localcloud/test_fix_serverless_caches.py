"""localcloud/fixes/serverless_caches.py and resource_types/elasticache.py."""

import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import redis
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from redis.backoff import NoBackoff
from redis.retry import Retry

from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

NAME = "probe-cache"
NEVER = Retry(NoBackoff(), 0)


def template(**cache: Any) -> dict[str, Any]:
    """A cache with a user who comes with IAM, one with a password, and one of another group."""
    users: dict[str, dict[str, Any]] = {
        "Signed": {"UserId": "signed", "UserName": "signed", "AuthenticationMode": {"Type": "iam"}},
        "Known": {"UserId": "known-1", "UserName": "known", "Passwords": ["long-enough-password"]},
        "Other": {"UserId": "other", "UserName": "other", "AuthenticationMode": {"Type": "iam"}},
    }
    resources: dict[str, Any] = {
        logical: {
            "Type": "AWS::ElastiCache::User",
            "Properties": {"Engine": "valkey", "AccessString": "on ~app:* +@all"} | properties,
        }
        for logical, properties in users.items()
    }
    members = [{"Ref": "Signed"}, {"Ref": "Known"}]
    group = {"Engine": "valkey", "UserGroupId": "probe", "UserIds": members}
    properties = {
        "ServerlessCacheName": NAME,
        "Engine": "valkey",
        "MajorEngineVersion": "8",
        "UserGroupId": {"Ref": "Group"},
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
        "KmsKeyId": "key-1",
        "CacheUsageLimits": {"DataStorage": {"Maximum": 1, "Unit": "GB"}},
    }
    resource = {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": properties | cache}
    return {
        **resources,
        "Group": {"Type": "AWS::ElastiCache::UserGroup", "Properties": group},
        "Cache": resource,
        "Client": connects([probes.attribute("Cache", "ARN"), probes.attribute("Signed")]),
        "NoUser": connects([probes.attribute("Cache", "ARN")]),
    }


def connects(resources: list[Any]) -> dict[str, Any]:
    """A role that may connect to these, and that the account may assume."""
    made = probes.role("lambda.amazonaws.com", probes.allow("elasticache:Connect", resources))
    made["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    return made


OUTPUTS = {
    "Arn": ("Cache", "ARN"),
    "Port": ("Cache", "Endpoint.Port"),
    "Host": ("Cache", "Endpoint.Address"),
    "ReaderPort": ("Cache", "ReaderEndpoint.Port"),
    "Status": ("Cache", "Status"),
}


@pytest.fixture(scope="module")
def made(cloud: LocalCloud) -> dict[str, str]:
    """A deployed cache."""
    return probes.deploy(cloud, template(), **OUTPUTS)


def client(cloud: LocalCloud, made: dict[str, str], user: str | None = None, password: str = "") -> Any:
    return redis.Redis(
        host=made["Host"],
        port=int(made["Port"]),
        ssl=True,
        ssl_ca_certs=str(cloud.ca_bundle),
        username=user,
        password=password or None,
        socket_timeout=5,
        retry=NEVER,
    )


def token(cloud: LocalCloud, role: str, *, user: str = "signed", cache: str = NAME, seconds: int = 900) -> str:
    """A signed request to connect, as a client of ElastiCache makes it."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
    credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    parameters = {"Action": "connect", "User": user, "ResourceType": "ServerlessCache"}
    request = AWSRequest(method="GET", url=f"https://{cache}/", params=parameters)
    SigV4QueryAuth(credentials, "elasticache", REGION, expires=seconds).add_auth(request)
    return str(request.url).removeprefix("https://")


def test_the_cache_is_told_as_the_template_says(cloud: LocalCloud, made: dict[str, str]) -> None:
    assert (made["Cache"], made["Host"], made["Status"]) == (NAME, "localhost", "available")
    assert made["ReaderPort"] == made["Port"]
    (told,) = cloud.client("elasticache").describe_serverless_caches(ServerlessCacheName=NAME)["ServerlessCaches"]
    assert (told["ARN"], told["Engine"], told["UserGroupId"]) == (made["Arn"], "valkey", "probe")
    assert (told["SubnetIds"], told["SecurityGroupIds"]) == (["subnet-1", "subnet-2"], ["sg-1"])
    assert (told["KmsKeyId"], told["Endpoint"]["Port"]) == ("key-1", int(made["Port"]))
    (user,) = cloud.client("elasticache").describe_users(UserId="signed")["Users"]
    assert user["Authentication"]["Type"] == "iam"


def test_who_may_connect_does(cloud: LocalCloud, made: dict[str, str]) -> None:
    signed = client(cloud, made, "signed", token(cloud, made["Client"]))
    assert signed.set("app:x", "y" * 300_000)
    assert client(cloud, made, "known", "long-enough-password").get("app:x") == b"y" * 300_000
    signed.execute_command("AUTH", "signed", token(cloud, made["Client"]))
    with pytest.raises(redis.exceptions.NoPermissionError):
        signed.set("elsewhere", "y")
    with pytest.raises(redis.exceptions.NoPermissionError):
        signed.config_get("*")
    pipe = signed.pipeline(transaction=True)
    pipe.incr("app:n").incr("app:n").delete("app:n")
    assert pipe.execute() == [1, 2, 1]
    assert probes.eventually(lambda: made["Arn"] in connected(cloud)), "IAM was asked, and it is logged"


REFUSED: dict[str, Callable[[LocalCloud, dict[str, str]], tuple[str, str]]] = {
    "no right to the user": lambda cloud, made: ("signed", token(cloud, made["NoUser"])),
    "for another user": lambda cloud, made: ("signed", token(cloud, made["Client"], user="other")),
    "for another cache": lambda cloud, made: ("signed", token(cloud, made["Client"], cache="another")),
    "too long": lambda cloud, made: ("signed", token(cloud, made["Client"], seconds=3600)),
    "spoilt": lambda cloud, made: ("signed", token(cloud, made["Client"])[:-1] + "x"),
    "no token": lambda cloud, made: ("signed", "long-enough-password"),
    "not of the group": lambda cloud, made: ("other", token(cloud, made["Client"], user="other")),
    "wrong password": lambda cloud, made: ("known", "another-password"),
    "default": lambda cloud, made: ("default", "anything"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_who_may_not_is_refused(cloud: LocalCloud, made: dict[str, str], why: str) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError, match="invalid username-password pair"):
        client(cloud, made, *REFUSED[why](cloud, made)).ping()


def test_who_says_nothing_or_comes_without_tls_is_refused(cloud: LocalCloud, made: dict[str, str]) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError, match="authenticat"):
        client(cloud, made).ping()
    plain = redis.Redis(host=made["Host"], port=int(made["Port"]), socket_timeout=5, retry=NEVER)
    with pytest.raises(redis.exceptions.ConnectionError):
        plain.ping()


def test_a_client_that_sends_nonsense_or_leaves_harms_nobody(cloud: LocalCloud, made: dict[str, str]) -> None:
    context = ssl.create_default_context(cafile=str(cloud.ca_bundle))
    for sent in (b"nonsense\r\n", b"*1\r\n$99999999999\r\n", b"*2\r\n$4\r\nAUTH\r\n", b""):
        with (
            socket.create_connection(("localhost", int(made["Port"])), timeout=5) as opened,
            context.wrap_socket(opened, server_hostname="localhost") as connection,
        ):
            connection.sendall(sent)
            if sent.startswith((b"n", b"*1")):
                assert connection.recv(100) == b""
    assert client(cloud, made, "known", "long-enough-password").ping()


def test_more_than_a_buffer_goes_through_in_both_directions(cloud: LocalCloud, made: dict[str, str]) -> None:
    """The client reads nothing before it has sent 16 MB of commands, whose answers have 16 MB as well."""
    known = client(cloud, made, "known", "long-enough-password")
    known.set("app:large", "z" * 1_000_000)
    pipe = known.pipeline(transaction=False)
    for _ in range(16):
        pipe.echo("e" * 1_000_000)
        pipe.get("app:large")
    answers = pipe.execute()
    assert [len(answer) for answer in answers] == [1_000_000] * 32


def test_a_function_of_the_cloud_gets_in(cloud: LocalCloud, made: dict[str, str]) -> None:
    """By Python's own ssl module, which finds the local authority in SSL_CERT_FILE."""
    source = """
import os, socket, ssl

def handler(event, context):
    with socket.create_connection((event["host"], event["port"]), timeout=5) as opened:
        with ssl.create_default_context().wrap_socket(opened, server_hostname=event["host"]) as connection:
            connection.sendall(b"*1\\r\\n$4\\r\\nPING\\r\\n")
            return [connection.recv(100).decode(), os.environ["PGSSLROOTCERT"]]
"""
    deployed = probes.deploy(
        cloud, {"Role": probes.role("lambda.amazonaws.com"), "Function": probes.function(source, "Role")}
    )
    payload = json.dumps({"host": made["Host"], "port": int(made["Port"])})
    answer = cloud.client("lambda").invoke(FunctionName=deployed["Function"], Payload=payload)
    said, authority = json.loads(answer["Payload"].read())
    assert said.startswith("-NOAUTH")
    assert authority == str(cloud.ca_bundle)


def test_a_change_of_users_is_known_at_once(cloud: LocalCloud, made: dict[str, str]) -> None:
    elasticache = cloud.client("elasticache")
    known = client(cloud, made, "known", "long-enough-password")
    elasticache.modify_user(UserId="known-1", AccessString="on ~app:* +ping")
    with pytest.raises(redis.exceptions.NoPermissionError):
        known.get("app:x")
    elasticache.modify_user_group(UserGroupId="probe", UserIdsToRemove=["known-1"])
    with pytest.raises((redis.exceptions.AuthenticationError, redis.exceptions.ConnectionError)):
        client(cloud, made, "known", "long-enough-password").ping()
    elasticache.modify_user_group(UserGroupId="probe", UserIdsToAdd=["known-1"])
    elasticache.modify_user(UserId="known-1", AccessString="on ~app:* +@all")
    assert client(cloud, made, "known", "long-enough-password").ping()
    with pytest.raises(ClientError, match="must be identical"):
        elasticache.create_user(
            UserId="a", UserName="b", Engine="valkey", AccessString="on", AuthenticationMode={"Type": "iam"}
        )


def test_an_access_string_that_is_not_understood_is_refused(cloud: LocalCloud) -> None:
    """Redis 6.2 has no rights to keys by reading and writing (%R~), which came with 7."""
    elasticache = cloud.client("elasticache")
    user = {"UserId": "newer", "UserName": "newer", "Engine": "valkey", "NoPasswordRequired": True}
    elasticache.create_user(**user, AccessString="on %R~app:* +get")
    elasticache.create_user_group(UserGroupId="newer", Engine="valkey", UserIds=["newer"])
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*%R~"):
        elasticache.create_serverless_cache(ServerlessCacheName="newer", Engine="valkey", UserGroupId="newer")
    with pytest.raises(ClientError, match="ServerlessCacheNotFound"):
        elasticache.describe_serverless_caches(ServerlessCacheName="newer")
    elasticache.modify_user(UserId="newer", AccessString="on ~app:* +get +ping")
    made = elasticache.create_serverless_cache(ServerlessCacheName="newer", Engine="valkey", UserGroupId="newer")
    at = {"Host": "localhost", "Port": str(made["ServerlessCache"]["Endpoint"]["Port"])}
    assert client(cloud, at, "newer", "anything").ping()
    elasticache.delete_user(UserId="newer")
    with pytest.raises((redis.exceptions.AuthenticationError, redis.exceptions.ConnectionError)):
        client(cloud, at, "newer", "anything").ping()
    elasticache.delete_serverless_cache(ServerlessCacheName="newer")


@pytest.mark.lifecycle("AWS::ElastiCache::ServerlessCache")
def test_update_in_place_replacement_and_deletion(cloud: LocalCloud) -> None:
    def cache(**properties: Any) -> dict[str, Any]:
        given = {"ServerlessCacheName": "open", "Engine": "valkey", "Description": "first"}
        return {"Cache": {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": given | properties}}

    def described() -> str:
        (told,) = cloud.client("elasticache").describe_serverless_caches(ServerlessCacheName="open")["ServerlessCaches"]
        return str(told["Description"])

    made = probes.deploy(cloud, cache(), **OUTPUTS)
    assert client(cloud, made).set("kept", "1"), "without a user group everybody is let in"
    assert described() == "first"
    assert probes.update(cloud, cache(Description="second"), **OUTPUTS) == made
    assert described() == "second"
    assert client(cloud, made).get("kept") == b"1"
    other = probes.update(cloud, cache(ServerlessCacheName="other"), **OUTPUTS)
    assert other["Port"] != made["Port"]
    assert client(cloud, other).get("kept") is None
    assert not listens(made)
    probes.destroy(cloud)
    assert not listens(other)
    with pytest.raises(ClientError, match="ServerlessCacheNotFound"):
        cloud.client("elasticache").describe_serverless_caches(ServerlessCacheName="other")


def test_behind_the_emulators_own_record_there_is_nobody(bare: LocalCloud) -> None:
    elasticache = bare.client("elasticache")
    made = elasticache.create_serverless_cache(ServerlessCacheName="bare", Engine="valkey")["ServerlessCache"]
    with pytest.raises(OSError):  # noqa: PT011 - a name that is not there, or nobody behind it
        socket.create_connection((made["Endpoint"]["Address"], made["Endpoint"]["Port"]), timeout=5)
    mode = {"Type": "iam"}
    user = elasticache.create_user(
        UserId="a", UserName="b", Engine="valkey", AccessString="on", AuthenticationMode=mode
    )
    assert user["Authentication"]["Type"] == "no-password"


def connected(cloud: LocalCloud) -> set[str]:
    """The resources to which somebody was let connect."""
    lines = (json.loads(line) for line in cloud.iam_log.read_text().splitlines())
    return {one["resource"] for one in lines if (one["action"], one["decision"]) == ("elasticache:Connect", "allow")}


def listens(made: dict[str, str]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(made["Port"]))) == 0

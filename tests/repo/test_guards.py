"""What must hold in every template, and that each guard notices when it does not."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.repo import guards_operations, guards_security
from tests.repo.good_template import GOOD, statement
from tests.repo.guards_security import Guard
from tests.templates import Template, resources, scenario_app, scenarios, template

GUARDS = (*guards_security.GUARDS, *guards_operations.GUARDS)


Spoil = Callable[[Template], Any]


def _of(source: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = source["Resources"][name]["Properties"]
    return found


def put(name: str, **props: Any) -> Spoil:
    return lambda source: _of(source, name).update(props)


def drop(name: str, prop: str) -> Spoil:
    return lambda source: _of(source, name).pop(prop)


def allow(name: str, statement: dict[str, Any]) -> Spoil:
    return lambda source: _of(source, name)["PolicyDocument"]["Statement"].append(statement)


def weaken(name: str, **parts: Any) -> Spoil:
    return lambda source: _of(source, name)["PolicyDocument"]["Statement"][0].update(parts)


def inline(statement: dict[str, Any]) -> Spoil:
    return put("Role", Policies=[{"PolicyDocument": {"Statement": [statement]}}])


def environment(**variables: str) -> Spoil:
    return put("Function", Environment={"Variables": variables}, LoggingConfig={"LogGroup": "g"})


ALL_BUT_ONE = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "a"}
OPEN_KEY = {"Statement": [statement("kms:*", "*", Principal={"AWS": "*"})]}
SPOILT: dict[str, tuple[str, Spoil]] = {
    "access key": ("a value looks like a secret: AKIA", environment(X="AKIA" + "A" * 16)),
    "private key": ("a value looks like a secret", environment(X="-----BEGIN RSA PRIVATE KEY-----")),
    "password": ("PASSWORD: must be resolved at deploy time", environment(PASSWORD="hunter2")),
    "any resource": ("Policy: must name its resources", allow("Policy", statement("sqs:SendMessage", "*"))),
    "any resource in a list": ("Policy: must name its resources", allow("Policy", statement("a:b", ["a", "*"]))),
    "inline policy": ("Role: must name its resources", inline(statement("s3:GetObject", "*"))),
    "beside tracing": ("Role: must name", inline(statement(["xray:PutTraceSegments", "s3:GetObject"], "*"))),
    "whole service": (r"Policy: must name its actions, got sqs:\*", allow("Policy", statement("sqs:*"))),
    "everything": (r"Policy: must name its actions, got \*", allow("Policy", statement("*"))),
    "all but one": ("Policy: must name what is allowed", allow("Policy", ALL_BUT_ONE)),
    "open key": ("Key: must not let everybody in", put("Key", KeyPolicy=OPEN_KEY)),
    "open bucket": ("Buckets: must not let everybody in", allow("Buckets", statement("a:b", Principal="*"))),
    "queue without policy": (r"Queue: its policy must deny sqs:\* without", put("Queues", Queues=[{"Ref": "Dead"}])),
    "topic over HTTP": ("Topic: its policy must deny sns:Publish without", weaken("Topics", Effect="Allow")),
    "bucket over HTTP": (r"Bucket: its policy must deny s3:\* without", weaken("Buckets", Action="s3:PutObject")),
    "other condition": ("Topic: its policy must deny", weaken("Topics", Condition={"Bool": {"a": "false"}})),
    "refused to one only": ("Bucket: its policy must deny", weaken("Buckets", Principal={"AWS": "me"})),
    "plain queue": ("Dead: must be encrypted", put("Dead", SqsManagedSseEnabled=False)),
    "plain topic": ("Topic: must be encrypted", drop("Topic", "KmsMasterKeyId")),
    "plain bucket": ("Bucket: must be encrypted", drop("Bucket", "BucketEncryption")),
    "no block": ("Bucket: must block all public access", drop("Bucket", "PublicAccessBlockConfiguration")),
    "half a block": (
        "Bucket: must block all public access",
        put("Bucket", PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": True}),
    ),
    "public ACL": ("Bucket: must block all public access", put("Bucket", AccessControl="PublicRead")),
    "no redrive": ("Source: must read from a queue that redrives", drop("Queue", "RedrivePolicy")),
    "stream": ("Source: must read from a queue that redrives", put("Source", EventSourceArn="arn:aws:kinesis")),
    "subscription": ("Subscription: must have a redrive policy", drop("Subscription", "RedrivePolicy")),
    "rule": ("Rule: each target must have a dead-letter queue", put("Rule", Targets=[{"Arn": "x"}])),
    "asynchronous function": ("Function: is invoked asynchronously", drop("Function", "DeadLetterConfig")),
    "logs for ever": ("Logs: must have RetentionInDays", drop("Logs", "RetentionInDays")),
    "logs of nobody": ("Function: must say its LoggingConfig.LogGroup", drop("Function", "LoggingConfig")),
    "queue's name": ("Queue: must leave QueueName to CloudFormation, got 'q'", put("Queue", QueueName="q")),
    "topic's name": ("Topic: must leave TopicName to CloudFormation", put("Topic", TopicName="t")),
    "unheard alarm": ("Alarm: must have AlarmActions", put("Alarm", AlarmActions=[])),
    "alarm without end": ("Alarm: must have OKActions", drop("Alarm", "OKActions")),
    "output of a construct": (
        "ApiEndpoint9A8F18BD: must be an output",
        lambda source: source["Outputs"].update(ApiEndpoint9A8F18BD={}),
    ),
    "output in camel case": ("queueUrl: must be an output", lambda source: source["Outputs"].update(queueUrl={})),
}


def _offences(source: Template) -> list[str]:
    return [offence for guard in GUARDS for offence in guard(source)]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
@pytest.mark.parametrize("key", scenarios())
def test_it_holds_in_every_scenario(key: str, guard: Guard) -> None:
    assert guard(template(key)) == []


def test_a_good_template_offends_nobody() -> None:
    assert _offences(GOOD) == []


@pytest.mark.parametrize(("said", "spoil"), SPOILT.values(), ids=SPOILT)
def test_what_is_spoilt_is_noticed(said: str, spoil: Spoil) -> None:
    spoilt = copy.deepcopy(GOOD)
    spoil(spoilt)
    assert any(re.search(said, offence) for offence in _offences(spoilt)), _offences(spoilt)


def test_a_failure_destination_is_as_good_as_a_dead_letter_queue() -> None:
    changed = copy.deepcopy(GOOD)
    del changed["Resources"]["Function"]["Properties"]["DeadLetterConfig"]
    destination = {"FunctionName": {"Ref": "Function"}, "DestinationConfig": {"OnFailure": {"Destination": "dead"}}}
    changed["Resources"]["Config"] = {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": destination}
    assert _offences(changed) == []


def left_behind(source: Template) -> list[str]:
    """What would stay when the stack is deleted, but for the account's one role for API Gateway's logs."""
    return sorted(
        name
        for name, one in source["Resources"].items()
        if ("Retain" in (one.get("DeletionPolicy"), one.get("UpdateReplacePolicy")) or _is_protected(one))
        and one["Type"] != "AWS::ApiGateway::Account"
        and "CloudWatchRole" not in name
    )


def _is_protected(resource: dict[str, Any]) -> bool:
    return "'DeletionProtectionEnabled': True" in str(resource)


@pytest.mark.parametrize("key", scenarios())
def test_what_is_not_to_be_kept_is_not(key: str) -> None:
    assert left_behind(scenario_app(key, retain="false").synth().stacks[0].template) == []


@pytest.mark.parametrize("key", scenarios())
def test_data_is_kept_by_default(key: str) -> None:
    keys = resources(template(key), "AWS::KMS::Key")
    assert keys
    assert set(keys) <= set(left_behind(template(key)))

"""The look-up of a prefix list: AWS's own of that name, and CloudFormation hears of it in every case."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError

from prefix_list_lookup import handler as lookup
from prefix_list_lookup import rules
from tests.functions.paid_fakes import Context

NAME = "com.amazonaws.global.cloudfront.origin-facing"
OURS = {"PrefixListId": "pl-1", "PrefixListName": NAME, "OwnerId": "AWS"}
FOREIGN = {"PrefixListId": "pl-2", "PrefixListName": NAME, "OwnerId": "111122223333"}
OTHER = {"PrefixListId": "pl-3", "PrefixListName": "com.amazonaws.global.groundstation", "OwnerId": "AWS"}


@dataclass
class FakeEc2:
    """Has some lists, on pages of one."""

    lists: list[dict[str, str]] = field(default_factory=lambda: [FOREIGN, OTHER, OURS])
    broken: bool = False

    def get_paginator(self, operation: str) -> "FakeEc2":
        assert operation == "describe_managed_prefix_lists"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        assert asked["Filters"][0]["Name"] == "prefix-list-name"
        if self.broken:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, operation_name="Describe")
        return iter([{"PrefixLists": [one]} for one in self.lists])


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
    monkeypatch.setattr(lookup, "_http", fake)
    return fake


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEc2]:
    fake = FakeEc2()
    monkeypatch.setattr(boto3, "client", lambda service: {"ec2": fake}[service])
    lookup.ec2.cache_clear()
    yield fake
    lookup.ec2.cache_clear()


def ask(request_type: str, *, name: str = NAME, physical_id: str = "") -> None:
    event = {
        "RequestType": request_type,
        "ResponseURL": "https://cloudformation/answer",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Found",
        "PhysicalResourceId": physical_id,
        "ResourceProperties": {"Name": name},
    }
    lookup.handler(event, Context())


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_aws_own_list_is_found(ec2: FakeEc2, http: FakeHttp, request_type: str) -> None:
    ask(request_type)
    (told,) = http.answers
    assert (told["Status"], told["Data"], told["PhysicalResourceId"]) == ("SUCCESS", {"Id": "pl-1"}, "pl-1")
    assert (told["StackId"], told["RequestId"], told["LogicalResourceId"]) == ("stack", "request", "Found")


def test_deleting_asks_nobody(ec2: FakeEc2, http: FakeHttp) -> None:
    ec2.broken = True
    ask("Delete", physical_id="pl-1")
    assert [(one["Status"], one["PhysicalResourceId"]) for one in http.answers] == [("SUCCESS", "pl-1")]


def test_a_failure_is_told_with_its_reason(ec2: FakeEc2, http: FakeHttp) -> None:
    ec2.broken = True
    ask("Create")
    assert http.answers[0]["Status"] == "FAILED"
    assert "UnauthorizedOperation" in http.answers[0]["Reason"]


def test_an_unknown_name_is_told(ec2: FakeEc2, http: FakeHttp) -> None:
    ask("Update", name="com.example", physical_id="pl-1")
    assert http.answers[0]["Status"] == "FAILED"
    assert "'com.example', 0" in http.answers[0]["Reason"]
    assert http.answers[0]["PhysicalResourceId"] == "pl-1", "CloudFormation would delete the former one"


def test_an_answer_that_is_not_taken_fails(ec2: FakeEc2, http: FakeHttp) -> None:
    http.status = 403
    with pytest.raises(RuntimeError, match="did not take the answer: HTTP 403"):
        ask("Create")


@pytest.mark.parametrize(("found", "says"), [([], "0$"), ([FOREIGN], "0$"), ([OTHER], "0$"), ([OURS, OURS], "2$")])
def test_only_one_list_of_aws_will_do(found: list[dict[str, str]], says: str) -> None:
    with pytest.raises(rules.NoSuchListError, match=says):
        rules.the_list(found, NAME)

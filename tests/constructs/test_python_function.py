"""A function as production wants it: its own role and logs, its own asset, layers shared by content, alarms."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration, aws_sqs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib import FunctionTarget, PythonFunction
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements
from tests.templates import bare_stack, only, resources, synthesized

LAMBDA, LAYER, LOGS, ALARM = (
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::CloudWatch::Alarm",
)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "__init__.py").touch()
    (tmp_path / "plain" / "handler.py").write_text("def handler(event, context): ...\n")
    return tmp_path


def test_defaults(sources: Path) -> None:
    stack = bare_stack()
    PythonFunction(stack, "Worker", package="plain", sources=sources)
    function = only(stack, LAMBDA)
    wanted = {
        "Architectures": ["arm64"],
        "Handler": "plain.handler.handler",
        "MemorySize": 256,
        "Runtime": "python3.13",
        "Timeout": 30,
        "TracingConfig": {"Mode": "Active"},
    }
    assert {prop: function[prop] for prop in wanted} == wanted
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["Environment"]["Variables"] == {
        "POWERTOOLS_SERVICE_NAME": "plain",
        "POWERTOOLS_METRICS_NAMESPACE": "ClassicArchitectures",
    }
    assert "Layers" not in function
    assert only(stack, LOGS)["RetentionInDays"] == 30
    assert resources(stack, LAYER) == {}


def test_its_role_may_log_and_trace_and_nothing_else(sources: Path) -> None:
    stack = bare_stack()
    PythonFunction(stack, "Worker", package="plain", sources=sources)
    template = synthesized(stack)
    (group,) = resources(template, LOGS)
    allowed = [(one["Action"], one["Resource"]) for _, one in identity_statements(template)]
    assert allowed == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": [group, "Arn"]}),
        (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
    ]
    assert "ManagedPolicyArns" not in only(template, "AWS::IAM::Role")


@pytest.mark.parametrize(
    ("props", "resource", "wanted"),
    [
        ({"timeout": Duration.minutes(15)}, LAMBDA, {"Timeout": 900}),
        ({"timeout": Duration.seconds(1)}, LAMBDA, {"Timeout": 1}),
        ({"memory_mb": 128}, LAMBDA, {"MemorySize": 128}),
        ({"memory_mb": 10_240}, LAMBDA, {"MemorySize": 10_240}),
        ({"log_retention": logs.RetentionDays.ONE_YEAR}, LOGS, {"RetentionInDays": 365}),
        ({"target": FunctionTarget(python="3.12")}, LAMBDA, {"Runtime": "python3.12", "Architectures": ["arm64"]}),
        ({"target": FunctionTarget(architecture="x86_64")}, LAMBDA, {"Architectures": ["x86_64"]}),
        (
            {"environment": {"TABLE": "t", "POWERTOOLS_SERVICE_NAME": "mine"}},
            LAMBDA,
            {
                "Environment": {
                    "Variables": {
                        "TABLE": "t",
                        "POWERTOOLS_SERVICE_NAME": "mine",
                        "POWERTOOLS_METRICS_NAMESPACE": "ClassicArchitectures",
                    }
                }
            },
        ),
    ],
)
def test_overrides(props: dict[str, Any], resource: str, wanted: dict[str, Any], sources: Path) -> None:
    stack = bare_stack()
    PythonFunction(stack, "Worker", package="plain", sources=sources, **props)
    found = only(stack, resource)
    assert {prop: found[prop] for prop in wanted} == wanted


def test_another_handler(sources: Path) -> None:
    (sources / "plain" / "jobs.py").write_text("def nightly(event, context): ...\n")
    stack = bare_stack()
    PythonFunction(stack, "Nightly", package="plain", handler="jobs.nightly", sources=sources)
    assert only(stack, LAMBDA)["Handler"] == "plain.jobs.nightly"


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"timeout": Duration.seconds(0)}, "timeout: must be whole seconds between 1 and 900, got 0 seconds"),
        ({"timeout": Duration.seconds(901)}, "timeout: must be whole seconds between 1 and 900, got 901 seconds"),
        ({"memory_mb": 127}, "memory_mb: must be between 128 and 10240, got 127"),
        ({"memory_mb": 10_241}, "memory_mb: must be between 128 and 10240, got 10241"),
        ({"environment": {"A": "x" * 4096}}, "environment (bytes): must be between 0 and 4096, got "),
        ({"environment": {"Ä": "ä" * 2040}}, "environment (bytes): must be between 0 and 4096, got "),
        ({"package": "gone"}, "package: must be a Python package in "),
        ({"handler": "main.handler"}, "handler: must be \"module.function\" of a module in plain, got 'main.handler'"),
    ],
)
def test_refusals(props: dict[str, Any], message: str, sources: Path) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        PythonFunction(bare_stack(), "Worker", **{"package": "plain", "sources": sources, **props})


def test_grants_are_made_on_its_function(sources: Path) -> None:
    stack = bare_stack()
    worker = PythonFunction(stack, "Worker", package="plain", sources=sources)
    queue = aws_sqs.Queue(stack, "Queue")
    queue.grant_send_messages(worker.function)
    template = synthesized(stack)
    (queue_id,) = resources(template, "AWS::SQS::Queue")
    (statement,) = [one for _, one in identity_statements(template) if "sqs:SendMessage" in one["Action"]]
    assert statement["Resource"] == {"Fn::GetAtt": [queue_id, "Arn"]}


def test_alarms_on_errors_and_throttles(sources: Path) -> None:
    stack = bare_stack()
    worker = PythonFunction(stack, "Worker", package="plain", sources=sources)
    template = synthesized(stack)
    assert len(worker.alarms) == 2
    alarms = {one["MetricName"]: one for one in resources(template, ALARM).values()}
    assert alarms.keys() == {"Errors", "Throttles"}
    (function,) = resources(template, LAMBDA)
    for alarm in alarms.values():
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function}}]
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"].startswith("Test/Worker ")


def _without(prop: str) -> Callable[[PythonFunction], None]:
    def change(made: PythonFunction) -> None:
        resource = made.function.node.default_child
        assert isinstance(resource, cdk.CfnResource)
        resource.add_property_deletion_override(prop)

    return change


@pytest.mark.parametrize(
    ("change", "offence"),
    [
        (lambda made: None, ""),
        (_without("LoggingConfig"), "must say its LoggingConfig.LogGroup"),
        (
            lambda made: made.role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"])),
            "must name its resources",
        ),
    ],
    ids=["as it is", "no logs of its own", "may read everything"],
)
def test_what_must_never_drift(change: Callable[[PythonFunction], None], offence: str, sources: Path) -> None:
    stack = bare_stack()
    change(PythonFunction(stack, "Worker", package="plain", sources=sources))
    template = synthesized(stack)
    found = [one for guard in (*guards_security.GUARDS, guards_operations.logs_end) for one in guard(template)]
    assert [offence in one for one in found] == ([True] if offence else [])

"""localcloud/fixes/function_properties.py."""

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def settings(cloud: LocalCloud) -> tuple[int | None, str | None]:
    """The reserved concurrency and the dead-letter target of a deployed function."""
    made = probes.deploy(
        cloud,
        {
            "Dead": {"Type": "AWS::SQS::Queue"},
            "Role": probes.role("lambda.amazonaws.com"),
            "Function": probes.function(
                "def handler(event, context): return 1",
                "Role",
                ReservedConcurrentExecutions=2,
                DeadLetterConfig={"TargetArn": probes.attribute("Dead")},
            ),
        },
    )
    found = cloud.client("lambda").get_function(FunctionName=made["Function"])
    concurrency = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return concurrency, found["Configuration"].get("DeadLetterConfig", {}).get("TargetArn")


def test_a_function_keeps_them(cloud: LocalCloud) -> None:
    concurrency, target = settings(cloud)
    assert concurrency == 2
    assert target
    assert target.startswith("arn:aws:sqs:")


def test_the_emulator_alone_still_drops_them(bare: LocalCloud) -> None:
    assert settings(bare) == (None, None)

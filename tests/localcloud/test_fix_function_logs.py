"""localcloud/fixes/function_logs.py."""

import json

import pytest

from localcloud.cloud import EMULATOR_PYTHON, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

# More than can be read in a quarter of a second.
SOURCE = """
def handler(event, context):
    for number in range(150_000):
        print(f"line {number} " + "x" * 40)
    print("the last line")
    return "done"
"""


def last_line(cloud: LocalCloud) -> bool:
    """Whether the last line of a function's only invocation is in its log."""
    rights = probes.allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])
    made = probes.deploy(
        cloud,
        {
            "Role": probes.role("lambda.amazonaws.com", rights),
            "Writer": probes.function(SOURCE, "Role", Timeout=60),
        },
    )
    try:
        answer = cloud.client("lambda").invoke(FunctionName=made["Writer"])
        assert json.load(answer["Payload"]) == "done"
        found = cloud.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{made['Writer']}", filterPattern='"the last line"'
        )
        return bool(found["events"])
    finally:
        probes.destroy(cloud)


def test_all_of_a_functions_lines_are_there_when_it_has_answered(cloud: LocalCloud) -> None:
    assert last_line(cloud)


def test_the_emulator_still_stops_reading_by_the_clock() -> None:
    """Whether a line is lost to that depends on how busy the machine is, so it is seen in the source alone."""
    (source,) = EMULATOR_PYTHON.parent.parent.glob("lib/python*/site-packages/ministack/core/lambda_runtime.py")
    text = source.read_text(encoding="utf-8")
    assert "hard_cap: float = 0.250" in text, "the emulator waits otherwise now: see whether the fix can go"

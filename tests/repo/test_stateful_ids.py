"""What holds data keeps its logical id."""

import pytest

from tests.repo.stateful_ids import Pins, current, drifted, pins, stateful

PINNED = {"shop": {"OrdersA1": "AWS::DynamoDB::GlobalTable"}}


def test_nothing_drifted() -> None:
    assert drifted(pins(), current()) == [], "see tests/repo/stateful_ids.py"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            {"shop": {"OrdersB2": "AWS::DynamoDB::GlobalTable"}},
            [
                "shop: AWS::DynamoDB::GlobalTable OrdersA1 is gone: it would be deleted, and its data with it",
                "shop: AWS::DynamoDB::GlobalTable OrdersB2 is not pinned",
            ],
        ),
        ({}, ["shop: AWS::DynamoDB::GlobalTable OrdersA1 is gone: it would be deleted, and its data with it"]),
        ({**PINNED, "blog": {"Pages": "AWS::S3::Bucket"}}, ["blog: AWS::S3::Bucket Pages is not pinned"]),
    ],
)
def test_what_drifts_is_named(now: Pins, said: list[str]) -> None:
    assert drifted(PINNED, now) == said


def test_only_what_holds_data_is_pinned() -> None:
    template = {"Resources": {"A": {"Type": "AWS::S3::Bucket"}, "B": {"Type": "AWS::IAM::Role"}}}
    assert stateful(template) == {"A": "AWS::S3::Bucket"}

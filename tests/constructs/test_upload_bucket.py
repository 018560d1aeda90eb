"""Where browsers upload."""

from typing import Any

import pytest

from constructs_lib import UploadBucket
from tests.repo import guards_security
from tests.templates import bare_stack, resources, synthesized


def uploads(stack: Any) -> dict[str, Any]:
    found = resources(stack, "AWS::S3::Bucket")
    (bucket,) = [one for name, one in found.items() if "AccessLogs" not in name]
    return bucket


def test_defaults() -> None:
    stack = bare_stack()
    made = UploadBucket(stack, "Uploads", origins=["https://www.example.com"])
    bucket = uploads(stack)
    (rule,) = bucket["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["PUT"], ["https://www.example.com"])
    assert rule["AllowedHeaders"] == ["Content-Type"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "AccelerateConfiguration" not in bucket
    name = stack.resolve(made.bucket.bucket_name)
    assert stack.resolve(made.url)["Fn::Join"][1][:3] == ["https://", name, ".s3."]
    assert stack.resolve(made.endpoint)["Fn::Join"][1][:2] == ["https://s3.", {"Ref": "AWS::Region"}]
    assert [said for guard in guards_security.GUARDS for said in guard(synthesized(stack))] == []


def test_accelerated() -> None:
    stack = bare_stack()
    made = UploadBucket(stack, "Uploads", origins=["https://*.example.com"], accelerate=True)
    assert uploads(stack)["AccelerateConfiguration"] == {"AccelerationStatus": "Enabled"}
    assert stack.resolve(made.endpoint)["Fn::Join"][1][0] == "https://s3-accelerate."


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    for name in ("One", "Two"):
        UploadBucket(stack, name, origins=["https://a.example"])
    assert len(resources(stack, "AWS::S3::Bucket")) == 4


@pytest.mark.parametrize(
    ("origins", "message"),
    [
        ([], "origins: must have at least one item, got none"),
        (["*"], r"origins: must be origins like 'https://www.example.com', got '\*'"),
        (["http://www.example.com"], "origins: must be origins"),
        (["https://a.example/path"], "origins: must be origins"),
    ],
)
def test_refusals(origins: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UploadBucket(bare_stack(), "Uploads", origins=origins)

"""localcloud/fixes/origin_listing.py."""

from typing import Any

import pytest

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes
from tests.localcloud.distributions import get

pytestmark = pytest.mark.cloud


def answer(cloud: LocalCloud, *, list_too: bool) -> int:
    """Status of what is not in a bucket whose distribution may read it, and list it."""
    origin = {
        "Id": "files",
        "DomainName": probes.attribute("Bucket", "RegionalDomainName"),
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": probes.attribute("Access", "Id"),
    }
    behaviour = {
        "TargetOriginId": "files",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    control = {
        "Name": f"control-{list_too}",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    edge = {"Fn::Sub": f"arn:aws:cloudfront::{ACCOUNT}:distribution/${{Edge}}"}

    def admit(action: str, resource: Any) -> dict[str, Any]:
        service = {"Service": "cloudfront.amazonaws.com"}
        condition = {"StringEquals": {"AWS:SourceArn": edge}}
        return probes.allow(action, resource) | {"Principal": service, "Condition": condition}

    statements = [admit("s3:GetObject", {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"})]
    if list_too:
        statements.append(admit("s3:ListBucket", {"Fn::Sub": "arn:aws:s3:::${Bucket}"}))
    made = probes.deploy(
        cloud,
        {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Access": {
                "Type": "AWS::CloudFront::OriginAccessControl",
                "Properties": {"OriginAccessControlConfig": control},
            },
            "Edge": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {
                    "DistributionConfig": {"Enabled": True, "Origins": [origin], "DefaultCacheBehavior": behaviour}
                },
            },
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Bucket"},
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                },
            },
        },
        Name=("Edge", "DomainName"),
    )
    return get(cloud, made["Name"], "/missing.txt")[0]


def test_what_is_missing_is_404_for_who_may_list_and_403_for_who_may_only_read(cloud: LocalCloud) -> None:
    assert answer(cloud, list_too=True) == 404
    assert answer(cloud, list_too=False) == 403


def test_the_emulator_alone_still_says_403(bare: LocalCloud) -> None:
    assert answer(bare, list_too=True) == 403

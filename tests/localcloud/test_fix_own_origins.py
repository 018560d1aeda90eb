"""localcloud/fixes/own_origins.py."""

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.distributions import get

pytestmark = pytest.mark.cloud

# AWS's managed policy.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def answer(cloud: LocalCloud) -> tuple[int, str]:
    """What a distribution says whose origin is an API of one mock method."""
    ref = {"RestApiId": {"Ref": "Api"}}
    mock = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [{"StatusCode": "200", "ResponseTemplates": {"application/json": '"hello"'}}],
    }
    host = {"Fn::Sub": "${Api}.execute-api.us-east-1.amazonaws.com"}
    origin = {
        "Id": "api",
        "DomainName": host,
        "OriginPath": "/prod",
        "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"},
    }
    behaviour = {"TargetOriginId": "api", "ViewerProtocolPolicy": "https-only", "CachePolicyId": CACHING_DISABLED}
    made = probes.deploy(
        cloud,
        {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "behind"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": ref
                | {
                    "ResourceId": probes.attribute("Api", "RootResourceId"),
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": mock,
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": ["Method"],
                "Properties": ref | {"StageName": "prod"},
            },
            "Edge": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {
                    "DistributionConfig": {"Enabled": True, "Origins": [origin], "DefaultCacheBehavior": behaviour}
                },
            },
        },
        Name=("Edge", "DomainName"),
    )
    return get(cloud, made["Name"], "/")


def test_a_distribution_serves_an_api(cloud: LocalCloud) -> None:
    assert answer(cloud) == (200, '"hello"')


def test_the_emulator_alone_still_does_not(bare: LocalCloud) -> None:
    assert answer(bare)[0] == 502

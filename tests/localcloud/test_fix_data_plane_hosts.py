"""localcloud/fixes/data_plane_hosts.py: what has a name of its own answers to it alone."""

import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from journeys._http import Http, Response
from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

API, EDGE, STRANGER = "catalog.my-blog.example.com", "edge.my-blog.example.com", "stranger.my-blog.example.com"
# AWS's managed policy.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def resources() -> dict[str, Any]:
    """An API with a name, whose callers sign, and a distribution in front of it with another name."""
    ref = {"RestApiId": {"Ref": "Api"}}
    mock = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [{"StatusCode": "200", "ResponseTemplates": {"application/json": '"hello"'}}],
    }

    def method(resource: Any, authorization: str) -> dict[str, Any]:
        properties = ref | {"ResourceId": resource, "HttpMethod": "GET", "Integration": mock}
        return {"Type": "AWS::ApiGateway::Method", "Properties": properties | {"AuthorizationType": authorization}}

    def record(name: str, target: Any) -> dict[str, Any]:
        alias = {"DNSName": target, "HostedZoneId": "Z2FDTNDATAQYW2"}
        properties = {"HostedZoneId": {"Ref": "Zone"}, "Name": f"{name}.", "Type": "A", "AliasTarget": alias}
        return {"Type": "AWS::Route53::RecordSet", "Properties": properties}

    may = probes.allow("execute-api:Invoke", {"Fn::Sub": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:${{Api}}/*/GET/own"})
    caller = probes.role("ecs-tasks.amazonaws.com", may)
    caller["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    origin = {
        "Id": "api",
        "DomainName": {"Fn::Sub": f"${{Api}}.execute-api.{REGION}.amazonaws.com"},
        "OriginPath": "/prod",
        "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"},
    }
    behaviour = {"TargetOriginId": "api", "ViewerProtocolPolicy": "https-only", "CachePolicyId": CACHING_DISABLED}
    distribution = {
        "Enabled": True,
        "Aliases": [EDGE],
        "ViewerCertificate": {"AcmCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1"},
        "Origins": [origin],
        "DefaultCacheBehavior": behaviour,
    }
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "named"}},
        "Own": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": ref | {"ParentId": probes.attribute("Api", "RootResourceId"), "PathPart": "own"},
        },
        "Health": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": ref | {"ParentId": probes.attribute("Api", "RootResourceId"), "PathPart": "health"},
        },
        "GetOwn": method({"Ref": "Own"}, "AWS_IAM"),
        "GetHealth": method({"Ref": "Health"}, "NONE"),
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["GetOwn", "GetHealth"],
            "Properties": ref | {"StageName": "prod"},
        },
        "Name": {
            "Type": "AWS::ApiGateway::DomainName",
            "Properties": {
                "DomainName": API,
                "RegionalCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1",
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "SecurityPolicy": "TLS_1_2",
            },
        },
        "Mapping": {
            "Type": "AWS::ApiGateway::BasePathMapping",
            "DependsOn": ["Deployment"],
            "Properties": ref | {"DomainName": {"Ref": "Name"}, "Stage": "prod"},
        },
        "Caller": caller,
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "my-blog.example.com"}},
        "ApiRecord": record(API, probes.attribute("Name", "RegionalDomainName")),
        "Edge": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": distribution}},
        "EdgeRecord": record(EDGE, probes.attribute("Edge", "DomainName")),
        "StrangerRecord": record(STRANGER, probes.attribute("Edge", "DomainName")),
    }


@pytest.fixture(scope="module")
def made(cloud: LocalCloud) -> dict[str, str]:
    return probes.deploy(cloud, resources(), EdgeName=("Edge", "DomainName"))


def get(cloud: LocalCloud, host: str, path: str, credentials: Credentials | None = None) -> Response:
    """GET, signed when there are credentials."""
    http = Http(endpoint_url=cloud.endpoint_url, ca_bundle=str(cloud.ca_bundle))
    request = AWSRequest("GET", f"https://{host}{path}")
    if credentials:
        SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
    answer = http.send("GET", f"https://{host}{path}", headers=dict(request.headers.items()), body=None)
    http.close()
    return answer


def caller(cloud: LocalCloud, role: str) -> Credentials:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def test_an_api_answers_to_its_name_to_callers_who_may(cloud: LocalCloud, made: dict[str, str]) -> None:
    who = caller(cloud, made["Caller"])
    assert (get(cloud, API, "/own", who).status, get(cloud, API, "/own", who).text) == (200, '"hello"')
    assert get(cloud, API, "/own").status == 403
    assert get(cloud, API, "/own", Credentials(who.access_key, "wrong", who.token)).status == 403

    def is_logged() -> bool:
        decided = [line for line in cloud.iam_log.read_text().splitlines() if "execute-api:Invoke" in line]
        return any(made["Caller"] in line and '"allow"' in line for line in decided)

    assert probes.eventually(is_logged)


def test_without_the_right_a_signature_opens_nothing(cloud: LocalCloud, made: dict[str, str]) -> None:
    iam = cloud.client("iam")
    who = caller(cloud, made["Caller"])
    given = {"RoleName": made["Caller"], "PolicyName": "given"}
    document = json.dumps(iam.get_role_policy(**given)["PolicyDocument"])
    iam.delete_role_policy(**given)
    try:
        assert get(cloud, API, "/own", who).status == 403
    finally:
        iam.put_role_policy(**given, PolicyDocument=document)


def test_health_is_the_api_s_own(cloud: LocalCloud, made: dict[str, str]) -> None:
    assert get(cloud, API, "/health").text == '"hello"'
    assert get(cloud, made["EdgeName"], "/health").text == '"hello"'


def test_a_distribution_answers_to_its_alternate_name(cloud: LocalCloud, made: dict[str, str]) -> None:
    assert get(cloud, EDGE, "/health").text == '"hello"'
    refused = get(cloud, STRANGER, "/health")
    assert refused.status == 403


def test_the_emulator_alone_still_lacks_it(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources(), EdgeName=("Edge", "DomainName"))
    assert made["EdgeName"]
    for host in (API, EDGE, made["EdgeName"]):
        assert get(bare, host, "/health").json()["auth"] == "enabled"
    assert get(bare, EDGE, "/own").status != 403

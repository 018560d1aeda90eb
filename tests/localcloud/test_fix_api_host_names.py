"""localcloud/fixes/api_host_names.py."""

import pytest
import urllib3

from localcloud.cloud import REGION, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def answer(cloud: LocalCloud) -> tuple[int, str]:
    """What an API of one mock method says to its own host name."""
    ref = {"RestApiId": {"Ref": "Api"}}
    mock = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [{"StatusCode": "200", "ResponseTemplates": {"application/json": '"hello"'}}],
    }
    made = probes.deploy(
        cloud,
        {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "named"}},
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
        },
    )
    host = f"{made['Api']}.execute-api.{REGION}.amazonaws.com"
    with urllib3.HTTPSConnectionPool(
        "127.0.0.1", cloud.ready.port, ca_certs=str(cloud.ca_bundle), server_hostname=host, assert_hostname=host
    ) as pool:
        got = pool.request("GET", "/prod/", headers={"Host": host}, retries=False)
    return got.status, got.data.decode()


def test_an_api_answers_to_its_own_name(cloud: LocalCloud) -> None:
    assert answer(cloud) == (200, '"hello"')


def test_the_emulator_alone_still_does_not(bare: LocalCloud) -> None:
    assert answer(bare)[0] == 403

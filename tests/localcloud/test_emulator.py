"""What the emulator does by itself and the journeys lean on; where one of these fails, a fix is due."""

import json
from typing import Any

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def person(*rights: str) -> dict[str, Any]:
    """A role that anybody of the account may assume."""
    made = probes.role("lambda.amazonaws.com", *([probes.allow(list(rights))] if rights else []))
    made["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    return made


@pytest.fixture(scope="module")
def guarded(cloud: LocalCloud) -> dict[str, str]:
    """An API with a method for IAM principals, one role that may invoke it and one that may not."""
    ref = {"RestApiId": {"Ref": "Api"}}
    mock = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [{"StatusCode": "200"}],
    }
    return probes.deploy(
        cloud,
        {
            "May": person("execute-api:Invoke"),
            "MayNot": person("s3:GetObject"),
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "guarded"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": ref
                | {
                    "ResourceId": probes.attribute("Api", "RootResourceId"),
                    "HttpMethod": "POST",
                    "AuthorizationType": "AWS_IAM",
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


def signed_post(cloud: LocalCloud, api: str, role: str | None, *, spoil: bool = False) -> int:
    """POST by the API's own host name, signed under `role` (unsigned without); the status."""
    host = f"{api}.execute-api.{REGION}.amazonaws.com"
    headers = {"Host": host, "Content-Type": "application/json"}
    if role:
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
        secret = given["SecretAccessKey"][::-1] if spoil else given["SecretAccessKey"]
        request = AWSRequest("POST", f"https://{host}/prod/", headers, b"{}")
        keys = Credentials(given["AccessKeyId"], secret, given["SessionToken"])
        SigV4Auth(keys, "execute-api", REGION).add_auth(request)
        headers = dict(request.headers)
    with urllib3.HTTPSConnectionPool(
        "127.0.0.1", cloud.ready.port, ca_certs=str(cloud.ca_bundle), server_hostname=host, assert_hostname=host
    ) as pool:
        return pool.request("POST", "/prod/", body=b"{}", headers=headers, retries=False).status


def test_rest_methods_for_iam_principals(cloud: LocalCloud, guarded: dict[str, str]) -> None:
    assert signed_post(cloud, guarded["Api"], guarded["May"]) == 200
    assert signed_post(cloud, guarded["Api"], guarded["MayNot"]) == 403
    assert signed_post(cloud, guarded["Api"], None) == 403
    assert signed_post(cloud, guarded["Api"], guarded["May"], spoil=True) == 403


@pytest.mark.parametrize(("admits", "arrives"), [("s3.amazonaws.com", True), ("events.amazonaws.com", False)])
def test_a_buckets_events_need_the_topics_policy(cloud: LocalCloud, admits: str, arrives: bool) -> None:
    """The topic and the queue demand TLS as well: the object came by it, so must its event."""
    insecure = {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    publish = probes.allow("sns:Publish") | {"Principal": {"Service": admits}}
    send = probes.allow("sqs:SendMessage") | {"Principal": {"Service": "sns.amazonaws.com"}}
    made = probes.deploy(
        cloud,
        {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "TopicPolicy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {
                    "Topics": [{"Ref": "Topic"}],
                    "PolicyDocument": {
                        "Statement": [publish, insecure | {"Action": "sns:Publish", "Resource": {"Ref": "Topic"}}]
                    },
                },
            },
            "Queue": {"Type": "AWS::SQS::Queue"},
            "QueuePolicy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Queue"}],
                    "PolicyDocument": {"Statement": [send, insecure | {"Action": "sqs:*", "Resource": "*"}]},
                },
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"},
                    "Protocol": "sqs",
                    "Endpoint": probes.attribute("Queue"),
                    "RawMessageDelivery": True,
                },
            },
            "Bucket": {"Type": "AWS::S3::Bucket"},
        },
    )
    s3 = cloud.client("s3")
    wanted = {"TopicConfigurations": [{"TopicArn": made["Topic"], "Events": ["s3:ObjectCreated:*"]}]}
    if not arrives:
        with pytest.raises(ClientError, match="InvalidArgument"):
            s3.put_bucket_notification_configuration(Bucket=made["Bucket"], NotificationConfiguration=wanted)
        return
    s3.put_bucket_notification_configuration(Bucket=made["Bucket"], NotificationConfiguration=wanted)
    s3.put_object(Bucket=made["Bucket"], Key="a b+ü.txt", Body=b"x")
    keys: list[str] = []

    def seen() -> bool:
        for body in probes.bodies(cloud, made["Queue"], seconds=1):
            keys.extend(record["s3"]["object"]["key"] for record in json.loads(body).get("Records", []))
        return bool(keys)

    assert probes.eventually(seen)
    assert keys == ["a+b%2B%C3%BC.txt"]


def test_a_publish_without_tls_is_refused(cloud: LocalCloud) -> None:
    insecure = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": {"Ref": "Topic"},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Statement": [insecure]}}
    made = probes.deploy(
        cloud,
        {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy},
            "Person": person("sns:Publish"),
        },
    )
    over_tls = probes.as_role(cloud, made["Person"], "sns")
    assert over_tls.publish(TopicArn=made["Topic"], Message="x")["MessageId"]
    make: Any = boto3.client
    given = over_tls._request_signer._credentials.get_frozen_credentials()
    plain = make(
        "sns",
        region_name=REGION,
        endpoint_url=cloud.plain_endpoint_url,
        aws_access_key_id=given.access_key,
        aws_secret_access_key=given.secret_key,
        aws_session_token=given.token,
    )
    with pytest.raises(ClientError, match=r"AuthorizationError|AccessDenied"):
        plain.publish(TopicArn=made["Topic"], Message="x")


def test_a_layers_packages_win_over_the_emulators_own(cloud: LocalCloud) -> None:
    """Pydantic is in the emulator's environment too: the function must see the layer's."""
    layer = probes.layer(cloud, python__pydantic="VERSION = 'the layer'", python__only_here="")
    source = "import only_here, pydantic\ndef handler(event, context): return pydantic.VERSION"
    made = probes.deploy(
        cloud,
        {
            "Layer": layer,
            "Role": probes.role("lambda.amazonaws.com"),
            "Function": probes.function(source, "Role", Layers=[{"Ref": "Layer"}]),
        },
    )
    answer = cloud.client("lambda").invoke(FunctionName=made["Function"])
    assert json.loads(answer["Payload"].read()) == "the layer"


def test_a_function_acts_under_its_own_role(cloud: LocalCloud) -> None:
    source = (
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    return boto3.client('sqs').send_message(QueueUrl=event, MessageBody='x')['MessageId']\n"
    )
    made = probes.deploy(
        cloud,
        {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "May": probes.role("lambda.amazonaws.com", probes.allow("sqs:SendMessage", probes.attribute("Queue"))),
            "MayNot": probes.role("lambda.amazonaws.com"),
            "Allowed": probes.function(source, "May"),
            "Denied": probes.function(source, "MayNot"),
        },
    )
    functions = cloud.client("lambda")
    payload = json.dumps(made["Queue"])
    assert "FunctionError" not in functions.invoke(FunctionName=made["Allowed"], Payload=payload)
    denied = functions.invoke(FunctionName=made["Denied"], Payload=payload)
    assert "AccessDenied" in denied["Payload"].read().decode()


def test_the_decision_log_tells_principal_action_resource_and_decision(
    cloud: LocalCloud, guarded: dict[str, str]
) -> None:
    signed_post(cloud, guarded["Api"], guarded["MayNot"])

    def told() -> bool:
        decisions = [json.loads(line) for line in cloud.iam_log.read_text().splitlines()]
        return any(
            decision["action"] == "execute-api:Invoke"
            and f"assumed-role/{guarded['MayNot']}/" in decision["principal"]
            and guarded["Api"] in decision["resource"]
            and decision["decision"] == "deny"
            for decision in decisions
        )

    assert probes.eventually(told, 3)

"""Small stacks and requests with which the tests look at the local cloud."""

import io
import itertools
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import urllib3

from localcloud.cloud import ACCOUNT, REGION, LocalCloud

_numbers = itertools.count()
_deployed: list[str] = []


def deploy(cloud: LocalCloud, resources: dict[str, Any], **attributes: tuple[str, str]) -> dict[str, str]:
    """Deploy a template by the CloudFormation API.

    Args:
        cloud: where to.
        resources: the template's resources.
        attributes: further outputs, name=(logical id, attribute).

    Returns:
        The Ref of every resource by its logical id, and the `attributes`.
    """
    name = f"probe-{next(_numbers)}"
    formation, template = cloud.client("cloudformation"), _template(cloud, resources, attributes)
    formation.create_stack(StackName=name, **template, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert eventually(lambda: not _status(cloud, name).endswith("_IN_PROGRESS"), seconds=60)
    assert _status(cloud, name) == "CREATE_COMPLETE", failures(cloud, name)
    _deployed.append(name)
    return _outputs(cloud, name)


def update(cloud: LocalCloud, resources: dict[str, Any], **attributes: tuple[str, str]) -> dict[str, str]:
    """Change the stack that was deployed last into this template; what `deploy` returns."""
    name = _deployed[-1]
    formation, template = cloud.client("cloudformation"), _template(cloud, resources, attributes)
    formation.update_stack(StackName=name, **template, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert eventually(lambda: not _status(cloud, name).endswith("_IN_PROGRESS"), seconds=60)
    assert _status(cloud, name) == "UPDATE_COMPLETE", failures(cloud, name)
    return _outputs(cloud, name)


# A longer one must be in a bucket.
_LONGEST_BODY = 51_200
_MOST_OUTPUTS = 200
_MANY = ("AWS::EC2::NetworkAclEntry", "AWS::EC2::SecurityGroup", "AWS::EC2::Route", "AWS::IAM::", "AWS::CloudWatch::")


def _template(cloud: LocalCloud, resources: dict[str, Any], attributes: dict[str, tuple[str, str]]) -> dict[str, str]:
    # Rules and rights are many, and nobody asks for them.
    asked = [
        one for one in resources if len(resources) <= _MOST_OUTPUTS or not resources[one]["Type"].startswith(_MANY)
    ]
    outputs: dict[str, Any] = {logical: {"Value": {"Ref": logical}} for logical in asked}
    outputs |= {name: {"Value": {"Fn::GetAtt": list(what)}} for name, what in attributes.items()}
    body = json.dumps({"Resources": resources, "Outputs": outputs})
    if len(body) <= _LONGEST_BODY:
        return {"TemplateBody": body}
    s3, bucket = cloud.client("s3"), f"templates-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="template.json", Body=body.encode())
    return {"TemplateURL": f"https://s3.{REGION}.amazonaws.com/{bucket}/template.json"}


def _outputs(cloud: LocalCloud, name: str) -> dict[str, str]:
    stack = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def destroy(cloud: LocalCloud) -> None:
    """Delete the stack that was deployed last."""
    formation, name = cloud.client("cloudformation"), _deployed.pop()
    identity = formation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    formation.delete_stack(StackName=name)
    assert eventually(lambda: _status(cloud, identity) == "DELETE_COMPLETE", seconds=30), failures(cloud, identity)


def newest() -> str:
    """The name of the stack that was deployed last."""
    return _deployed[-1]


def failures(cloud: LocalCloud, name: str) -> list[str]:
    """What failed in a stack."""
    events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    return [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed]


def _status(cloud: LocalCloud, name: str) -> str:
    stack = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return str(stack["StackStatus"])


def queue_arn(url: str) -> str:
    """The ARN of the queue with this URL."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[-1]}"


def bodies(cloud: LocalCloud, url: str, seconds: int = 2) -> list[str]:
    """Receive (and keep hidden) up to ten messages of a queue, waiting `seconds` for the first."""
    answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds)
    return [message["Body"] for message in answer.get("Messages", [])]


def eventually(probe: Callable[[], Any], seconds: float = 10) -> bool:
    """Whether `probe` becomes true within `seconds`."""
    until = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """An IAM role that `service` may assume, with one inline policy of `statements`."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policies = [{"PolicyName": "given", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}]
    properties = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": policies if statements else [],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def allow(actions: str | list[str], resource: Any = "*") -> dict[str, Any]:
    """A policy statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def attribute(logical: str, name: str = "Arn") -> dict[str, Any]:
    """Fn::GetAtt."""
    return {"Fn::GetAtt": [logical, name]}


def function(source: str, role_id: str, **properties: Any) -> dict[str, Any]:
    """A Lambda function from its source, which is index.py and defines `handler`."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Role": attribute(role_id),
            "Code": {"ZipFile": source},
        }
        | properties,
    }


def layer(cloud: LocalCloud, **modules: str) -> dict[str, Any]:
    """A Lambda layer of Python modules by name; a double underscore in a name stands for a slash."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, text in modules.items():
            made.writestr(name.replace("__", "/") + ".py", text)
    s3, bucket = cloud.client("s3"), f"layers-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="layer.zip", Body=packed.getvalue())
    return {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Bucket": bucket, "S3Key": "layer.zip"}}}


def key(service: str | None = None) -> dict[str, Any]:
    """A KMS key that IAM policies of the account may give; with `service`, AWS's service may use it too."""
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statements = [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}]
    if service:
        statements.append(allow(["kms:GenerateDataKey", "kms:Decrypt"]) | {"Principal": {"Service": service}})
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": statements}}}


def post(cloud: LocalCloud, api: str, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """POST `body` as JSON to a REST API's stage `prod`; status and text."""
    url = f"{cloud.endpoint_url}/_aws/execute-api/{api}/prod/{path}"
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    with urllib3.PoolManager(ca_certs=str(cloud.ca_bundle)) as pool:
        answer = pool.request("POST", url, body=data, headers=sent, retries=False)
    return answer.status, answer.data.decode()


def as_role(cloud: LocalCloud, name: str, service: str) -> Any:
    """A client under the role with this name."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
    make: Any = boto3.client
    return make(
        service,
        region_name=REGION,
        endpoint_url=cloud.endpoint_url,
        verify=str(cloud.ca_bundle),
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )

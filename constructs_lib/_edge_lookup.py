"""The addresses that CloudFront asks origins from, as a prefix list whose id each region has its own of."""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction

# Source: Amazon VPC user guide, "AWS-managed prefix lists".
_NAME = "com.amazonaws.global.cloudfront.origin-facing"


class EdgeAddresses(Construct):
    """The prefix list's id, looked up by a function while the stack is deployed.

    Not written down per region: AWS publishes no list of these ids, and a wrong one would open nothing or too much.

    Attributes:
        prefix_list_id: The id.
        alarms: Of the function.
    """

    def __init__(self, scope: Construct, construct_id: str, *, target: FunctionTarget | None) -> None:
        super().__init__(scope, construct_id)
        lookup = PythonFunction(
            self, "Lookup", package="prefix_list_lookup", target=target, timeout=Duration.seconds(30)
        )
        # It takes no resource (source: Service Authorization Reference, "Amazon EC2"); the function's finding about
        # X-Ray has the same name and is acknowledged there.
        lookup.role.add_to_policy(iam.PolicyStatement(actions=["ec2:DescribeManagedPrefixLists"], resources=["*"]))
        acknowledge(
            lookup.function,
            {"Serverless-LambdaDLQ": "CloudFormation waits for its answer, and fails the deployment when none comes."},
        )
        found = CustomResource(
            self,
            "Found",
            resource_type="Custom::ManagedPrefixList",
            service_token=lookup.function.function_arn,
            service_timeout=Duration.minutes(3),
            properties={"Name": _NAME},
        )
        self.prefix_list_id = found.get_att_string("Id")
        self.alarms = lookup.alarms

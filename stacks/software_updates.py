"""Software updates: servers hand out files from a shared file system; an edge takes the stampede off them."""

from typing import Any

from aws_cdk import Aws, CfnOutput, CfnRule, CfnRuleAssertion, Fn, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from constructs_lib import AlarmTopic, EdgeOffload, LoadBalancedWebTier, TieredNetwork
from stacks._domain import Domain
from stacks._release_files import FOLDER, ReleaseFiles
from stacks._release_publisher import ReleasePublisher
from stacks._servers import application
from stacks.scenario import Scenario
from stacks.settings import Settings

EDGE_REGION = "us-east-1"
FILES, LATEST = "/releases/*", "/releases/latest.json"


class SoftwareUpdates(Stack):
    """1 release -> bucket -> file system; 2 client -> load balancer -> server -> file; 3 the edge keeps the files.

    With ``offload=false`` in the context there is no 3, and nothing else differs: the application is not changed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        kept = settings.removal_policy
        if settings.nat_gateways == 0:
            raise ValueError("nat_gateways: must be 1 or 2 for software-updates, whose servers fetch packages, got 0")
        network = TieredNetwork(self, "Network", nat_gateways=settings.nat_gateways)
        vpc = network.vpc
        domain = Domain(self, "Domain", key=SCENARIO.key, settings=settings)

        # 1 Releases reach the file system whole, or not at all.
        files = ReleaseFiles(self, "Files", vpc=vpc, removal_policy=kept)
        publisher = ReleasePublisher(
            self, "Publisher", vpc=vpc, files=files, target=settings.target, removal_policy=kept
        )

        # 2 The servers hand them out; they know nothing of an edge.
        tier = LoadBalancedWebTier(
            self,
            "Tier",
            vpc=vpc,
            application=application("update_server"),
            certificate=domain.certificate,
            environment={"RELEASES_ROOT": FOLDER},
            mounted=files.mounted,
            open=not settings.offload,
            removal_policy=kept,
        )
        servers = targets.LoadBalancerTarget(tier.load_balancer)
        origin = domain.alias("origin", servers)
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=kept)
        alarms.watch(network.alarms, publisher.alarms, tier.alarms)

        # 3 The edge asks them once for each file. They are closed to others when the name leads to it.
        answers: route53.IAliasRecordTarget = servers
        if settings.offload:
            edge = EdgeOffload(
                self,
                "Edge",
                front=tier.front,
                origin_domain=origin,
                file_paths=[FILES],
                manifest_paths=[LATEST],
                domain_names=[domain.name],
                certificate=_certificate(self, domain, settings),
                origin_shield_region=Aws.REGION if "shield" in settings.options else None,
                target=settings.target,
                removal_policy=kept,
            )
            edge.close_after(domain)
            answers = targets.CloudFrontTarget(edge.distribution)
            alarms.watch(edge.alarms)
            CfnOutput(self, "DistributionId", value=edge.distribution.distribution_id)
        name = domain.alias("", answers)

        CfnOutput(self, "Url", value=f"https://{name}", description="Updates are found below /releases/")
        CfnOutput(self, "OriginUrl", value=f"https://{origin}", description="The load balancer itself")
        CfnOutput(self, "ReleasesBucketName", value=publisher.bucket.bucket_name)
        CfnOutput(self, "UploaderRoleArn", value=publisher.uploader.role_arn, description="Assume it to release")
        CfnOutput(self, "DeadLetterQueueUrl", value=publisher.queue.dead_letter_queue.queue_url)
        CfnOutput(self, "GroupName", value=tier.group.auto_scaling_group_name)
        CfnOutput(self, "LogGroupName", value=tier.log_group.log_group_name)
        CfnOutput(self, "FrontSecurityGroupId", value=tier.front.security_group.security_group_id)
        CfnOutput(self, "FileSystemId", value=files.file_system.file_system_id)


def _certificate(scope: Construct, domain: Domain, settings: Settings) -> acm.ICertificate:
    """CloudFront takes certificates of us-east-1 alone; in that region the servers' own will do.

    Elsewhere CloudFormation refuses the template before it makes anything, rather than the distribution at the end.
    """
    if settings.edge_certificate_arn:
        return acm.Certificate.from_certificate_arn(scope, "EdgeCertificate", settings.edge_certificate_arn)
    told = f"edge_certificate_arn: must be given where the stack is not in {EDGE_REGION}"
    here = CfnRuleAssertion(assert_=Fn.condition_equals(Aws.REGION, EDGE_REGION), assert_description=told)
    CfnRule(scope, "EdgeCertificateIsThere", assertions=[here])
    return domain.certificate


SCENARIO = Scenario(
    key="software-updates",
    stack=SoftwareUpdates,
    summary="CloudFront -> load balancer -> EC2 Auto Scaling group -> EFS; a bucket publishes releases",
    source="seed 000, offloading software updates distribution",
)

"""The load balancer of servers in a VPC: HTTPS only, logged, watched; the same for instances and for containers."""

from aws_cdk import Duration, RemovalPolicy, Token
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import access_log_bucket
from constructs_lib._load_balancer_watch import alarms_of, log_access

HTTP, HTTPS = 80, 443
_HEALTH = "/health"
_ANYBODY = "0.0.0.0/0"


class HttpsLoadBalancer(Construct):
    """An Application Load Balancer in front of one target group.

    Defines the load balancer with its security group, an HTTPS listener (TLS 1.2 and 1.3) that forwards to the target
    group, an HTTP listener that only redirects, a bucket of access logs (kept for 90 days), a WAF association if
    wanted, and alarms. Headers that are not valid HTTP are dropped, and requests that two servers might read
    differently are refused (desync mitigation "strictest").

    Whatever joins the target group is let in by the security groups of both sides; nothing else is.

    Args:
        vpc: The VPC.
        target_group: What answers; see ``health_checked_targets``.
        certificate: Certificate of the names that lead here, of the stack's region.
        internet_facing: Whether it has public addresses, else private ones. Default True.
        open: Whether everybody gets in who can reach it: the internet, or the VPC. Default True. Else nobody does,
            until ``admit`` says who.
        subnets: Where it stands. Left out: the public subnets, or the private ones when it is not internet facing.
        web_acl_arn: A WAF web ACL (regional) that is asked first. Left out: none.
        removal_policy: RETAIN (default) keeps the logs and protects the load balancer from deletion.

    Attributes:
        load_balancer: The load balancer.
        security_group: Its security group.
        listener: The HTTPS listener.
        target_group: What answers.
        open: Whether everybody gets in.
        internet_facing: Whether it has public addresses.
        access_logs_bucket: Its logs.
        alarms: On 5xx of the servers and of its own, on targets that are not healthy, and on slow answers (p99).

    Example:
        targets = elbv2.ApplicationTargetGroup(stack, "Targets", vpc=vpc, port=8080)
        HttpsLoadBalancer(stack, "Front", vpc=vpc, target_group=targets, certificate=certificate)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        target_group: elbv2.ApplicationTargetGroup,
        certificate: acm.ICertificate,
        internet_facing: bool = True,
        open: bool = True,
        subnets: ec2.SubnetSelection | None = None,
        web_acl_arn: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        self.target_group, self.open, self.internet_facing = target_group, open, internet_facing
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, allow_all_outbound=False, description="Load balancer: HTTPS in, servers out"
        )
        if open:
            self._open(vpc, internet_facing)
        self.access_logs_bucket = access_log_bucket(self, "AccessLogs", removal_policy=removal_policy)
        self.load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "Resource",
            vpc=vpc,
            vpc_subnets=subnets,
            internet_facing=internet_facing,
            security_group=self.security_group,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elbv2.DesyncMitigationMode.STRICTEST,
            deletion_protection=removal_policy == RemovalPolicy.RETAIN,
        )
        log_access(self.load_balancer, self.access_logs_bucket)
        # `open` would let everybody in, also where only the VPC may; the security group says who may.
        self.listener = self.load_balancer.add_listener(
            "Https",
            port=HTTPS,
            certificates=[certificate],
            ssl_policy=elbv2.SslPolicy.TLS13_RES,
            default_target_groups=[target_group],
            open=False,
        )
        self.load_balancer.add_listener(
            "Http",
            port=HTTP,
            default_action=elbv2.ListenerAction.redirect(protocol="HTTPS", port=str(HTTPS), permanent=True),
            open=False,
        )
        if web_acl_arn:
            wafv2.CfnWebACLAssociation(
                self, "WebAcl", resource_arn=self.load_balancer.load_balancer_arn, web_acl_arn=web_acl_arn
            )
        self.alarms = alarms_of(self, self.load_balancer, target_group)

    def admit(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        cidr: str | None = None,
        prefix_list_id: str | None = None,
        port: int = HTTPS,
    ) -> ec2.CfnSecurityGroupIngress:
        """Let somebody in.

        Each rule is a resource of its own, not a line of the security group: what is taken out of a template is taken
        away at the end of the deployment, after what replaces it is there.

        Args:
            scope: Whose rule it is.
            construct_id: Its id there.
            description: Who gets in.
            cidr: Their addresses, or
            prefix_list_id: a list of them.
            port: 443 (default), or 80 to be redirected.
        """
        return ec2.CfnSecurityGroupIngress(
            scope,
            construct_id,
            group_id=self.security_group.security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=description,
            cidr_ip=cidr,
            source_prefix_list_id=prefix_list_id,
        )

    def _open(self, vpc: ec2.IVpc, internet_facing: bool) -> None:
        peer = _ANYBODY if internet_facing else vpc.vpc_cidr_block
        for construct_id, port, what in (("Https", HTTPS, "HTTPS"), ("Http", HTTP, "HTTP, to be redirected")):
            rule = self.admit(self, f"{construct_id}In", cidr=peer, port=port, description=what)
            everybody = "It faces the internet: HTTPS for everybody, and HTTP only to be redirected to it."
            # The rule cannot read a range that is known only when the VPC is there, and takes it for everybody.
            inside = "It is the VPC's own address range that gets in, which the rule cannot read."
            if internet_facing or Token.is_unresolved(peer):
                acknowledge(rule, {"AwsSolutions-EC23": everybody if internet_facing else inside})


def health_checked_targets(
    scope: Construct, construct_id: str, *, vpc: ec2.IVpc, port: int, target_type: elbv2.TargetType
) -> elbv2.ApplicationTargetGroup:
    """A target group whose servers say at ``/health`` whether they may get requests.

    A server is in or out after two answers, 5 seconds apart; one that leaves has 30 seconds for what it works on.
    """
    return elbv2.ApplicationTargetGroup(
        scope,
        construct_id,
        vpc=vpc,
        port=port,
        protocol=elbv2.ApplicationProtocol.HTTP,
        target_type=target_type,
        deregistration_delay=Duration.seconds(30),
        health_check=elbv2.HealthCheck(
            path=_HEALTH,
            interval=Duration.seconds(5),
            timeout=Duration.seconds(2),
            healthy_threshold_count=2,
            unhealthy_threshold_count=2,
            healthy_http_codes="200",
        ),
    )

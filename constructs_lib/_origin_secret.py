"""The header by which a load balancer knows a distribution of ours from anybody else's."""

import json
from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IDependable

from constructs_lib._acknowledge import acknowledge
from constructs_lib._load_balancer import HttpsLoadBalancer

HEADER = "X-Origin-Verify"
_LENGTH = 48
# Evaluated before any other rule of the listener; what neither admits has no other way in.
_ADMIT, _REFUSE = 1, 2
_condition, _action = elbv2.CfnListenerRule.RuleConditionProperty, elbv2.CfnListenerRule.ActionProperty
_FORBIDDEN = {
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
    "detail": "Ask by the public name; this address is for the content delivery network alone.",
}


class OriginSecret(Construct):
    """Secrets, of which the last is sent and each is accepted.

    They are resolved by CloudFormation while it deploys ("dynamic references"), so neither template nor code has them.
    Whoever may read the configuration of the distribution or of the listener does see them.

    Attributes:
        value: What the distribution sends: a dynamic reference.
        admission: The rule that lets it in.
    """

    def __init__(self, scope: Construct, construct_id: str, *, front: HttpsLoadBalancer, names: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        self._front = front
        values = [_secret(self, name).secret_value.unsafe_unwrap() for name in names]
        self.value = values[-1]
        header = elbv2.CfnListenerRule.HttpHeaderConfigProperty(http_header_name=HEADER, values=values)
        # Both rules as CloudFormation has them: the CDK's own would have the target group's scaling wait for them.
        self.admission = elbv2.CfnListenerRule(
            self,
            "Admit",
            listener_arn=front.listener.listener_arn,
            priority=_ADMIT,
            conditions=[_condition(field="http-header", http_header_config=header)],
            actions=[_action(type="forward", target_group_arn=front.target_group.target_group_arn)],
        )

    def refuse_others(self, after: IDependable) -> elbv2.CfnListenerRule:
        """Answer 403 to whoever has no secret, once ``after`` is there; the rule that does."""
        everything = elbv2.CfnListenerRule.PathPatternConfigProperty(values=["*"])
        # Of JSON's types a load balancer knows the plain one alone.
        answer = elbv2.CfnListenerRule.FixedResponseConfigProperty(
            status_code="403", content_type="application/json", message_body=json.dumps(_FORBIDDEN)
        )
        rule = elbv2.CfnListenerRule(
            self,
            "Refuse",
            listener_arn=self._front.listener.listener_arn,
            priority=_REFUSE,
            conditions=[_condition(field="path-pattern", path_pattern_config=everything)],
            actions=[_action(type="fixed-response", fixed_response_config=answer)],
        )
        rule.node.add_dependency(after)
        return rule


def _secret(scope: Construct, name: str) -> secretsmanager.Secret:
    secret = secretsmanager.Secret(
        scope,
        name.capitalize(),
        description="Header by which the load balancer knows its distribution",
        generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=_LENGTH),
        # It protects nothing that is kept, and a new one does as well.
        removal_policy=RemovalPolicy.DESTROY,
    )
    acknowledge(
        secret,
        {
            "AwsSolutions-SMG4": "CloudFormation puts it into listener and distribution, so a deployment with another "
            "name rotates it, with both accepted meanwhile; changed by itself it would lock the distribution out."
        },
    )
    return secret

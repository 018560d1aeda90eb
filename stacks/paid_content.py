"""Distributing paid content: users buy videos and watch them by links that last for minutes."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import AlarmTopic, ApiRoute, CognitoRestApi, PaidContentDistribution, PythonFunction
from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import objects_rule
from stacks.scenario import Scenario
from stacks.settings import Settings

_PREMIUM_DAYS = 30
_RECOVERABLE = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
_STRING = dynamodb.AttributeType.STRING
_LINK_QUERY = ("seconds", "bindIp")


class PaidContent(Stack):
    """1 sign-in -> 2 API and table of premium users -> 3 private videos -> 4 CloudFront -> 5 signed link -> 6 play."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 2 What is sold, who may watch it until when, what was charged.
        videos = self._table("Videos", settings, "videoId")
        premium = self._table("Premium", settings, "userId", "videoId", expires="expiresAt")
        charges = self._table("Charges", settings, "userId", "chargeId")
        answered = dynamodb.TableV2(
            self,
            "Answered",
            partition_key=dynamodb.Attribute(name="id", type=_STRING),
            time_to_live_attribute="expiration",
            removal_policy=settings.removal_policy,
        )
        # 3, 4 Private videos behind CloudFront, which asks for signatures.
        content = PaidContentDistribution(
            self, "Content", target=settings.target, removal_policy=settings.removal_policy
        )
        # 5 Checks premium and signs.
        function = PythonFunction(
            self,
            "Shop",
            package="paid_content_api",
            target=settings.target,
            timeout=Duration.seconds(10),
            # Signing is arithmetic, and processor time comes with memory.
            memory_mb=512,
            environment={
                **content.environment,
                "VIDEOS_TABLE": videos.table_name,
                "PREMIUM_TABLE": premium.table_name,
                "CHARGES_TABLE": charges.table_name,
                "IDEMPOTENCY_TABLE": answered.table_name,
                "PREMIUM_DAYS": str(_PREMIUM_DAYS),
            },
        )
        videos.grant(function.function, "dynamodb:GetItem")
        premium.grant(function.function, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query")
        charges.grant(function.function, "dynamodb:PutItem")
        answered.grant(function.function, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
        content.grant_sign(function.function)
        acknowledge(
            function.function, {"Serverless-LambdaDLQ": "API Gateway calls it and waits: its errors go to the caller."}
        )
        # 1, 2 Users sign in and call.
        api = CognitoRestApi(
            self,
            "Api",
            handler=function.function,
            routes=[
                ApiRoute("GET", "/status"),
                ApiRoute("POST", "/videos/{id}/purchase"),
                ApiRoute("GET", "/videos/{id}/link", query=_LINK_QUERY),
                ApiRoute("GET", "/videos/{id}/stream", query=_LINK_QUERY),
            ],
            removal_policy=settings.removal_policy,
        )
        publisher = iam.Role(self, "Publisher", assumed_by=iam.AccountPrincipal(self.account))
        content.grant_publish(publisher)
        acknowledge(
            publisher, {objects_rule(content.bucket, "videos/*"): "Videos are many; it may put each, and nothing else."}
        )
        videos.grant(publisher, "dynamodb:PutItem")
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(content.alarms, function.alarms, api.alarms)

        CfnOutput(self, "ApiUrl", value=api.url)
        CfnOutput(self, "UserPoolId", value=api.user_pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=api.user_pool_client.user_pool_client_id)
        CfnOutput(self, "DistributionDomain", value=content.domain_name)
        CfnOutput(self, "BucketName", value=content.bucket.bucket_name)
        CfnOutput(self, "KeyGroupId", value=content.keys.key_group.key_group_id)
        CfnOutput(self, "SigningKeys", value=content.keys.description(), description="Ids and secrets' ARNs, no keys")
        CfnOutput(self, "KeyMakerName", value=content.keys.function.function_name)
        CfnOutput(self, "ShopFunctionName", value=function.function.function_name)
        CfnOutput(self, "VideosTableName", value=videos.table_name)
        CfnOutput(self, "PremiumTableName", value=premium.table_name)
        CfnOutput(self, "ChargesTableName", value=charges.table_name)
        CfnOutput(self, "PublisherRoleArn", value=publisher.role_arn)

    def _table(
        self,
        construct_id: str,
        settings: Settings,
        key: str,
        sort_key: str | None = None,
        *,
        expires: str | None = None,
    ) -> dynamodb.TableV2:
        """A table whose items are not to be lost."""
        return dynamodb.TableV2(
            self,
            construct_id,
            partition_key=dynamodb.Attribute(name=key, type=_STRING),
            sort_key=dynamodb.Attribute(name=sort_key, type=_STRING) if sort_key else None,
            time_to_live_attribute=expires,
            point_in_time_recovery_specification=_RECOVERABLE,
            deletion_protection=settings.retain,
            removal_policy=settings.removal_policy,
        )


SCENARIO = Scenario(
    key="paid-content",
    stack=PaidContent,
    summary="Cognito -> API Gateway -> Lambda -> DynamoDB, and signed links through CloudFront to private S3",
    source="seed 000, distributing paid content",
)

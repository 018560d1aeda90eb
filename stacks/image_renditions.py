"""Image renditions: a picture is uploaded once and comes back in three sizes, each made by a function of its own."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

import constructs_lib
from constructs_lib import AlarmTopic, Rendition
from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import objects_rule
from stacks.scenario import Scenario
from stacks.settings import Settings

RENDITIONS = (Rendition("thumbnail", max_edge=256), Rendition("web", max_edge=1600), Rendition("mobile", max_edge=800))


class ImageRenditions(Stack):
    """1 upload -> 2 topic -> 3 a queue per rendition -> 4 a function each -> 5 renditions, or a record of why not."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 1-5 All of it is one construct; two functions for each size, as new accounts run no more than ten at once.
        images = constructs_lib.ImageRenditions(
            self,
            "Images",
            renditions=RENDITIONS,
            max_concurrency=2,
            target=settings.target,
            removal_policy=settings.removal_policy,
        )
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(images.alarms)

        # 1 Who uploads sees nothing; 5 who looks at renditions changes nothing.
        people = iam.AccountPrincipal(self.account)
        uploader = iam.Role(self, "Uploader", assumed_by=people, description="Puts pictures, and nothing else")
        viewer = iam.Role(self, "Viewer", assumed_by=people, description="Sees renditions, and nothing else")
        images.grant_upload(uploader)
        images.grant_read(viewer)
        for role, bucket in ((uploader, images.source_bucket), (viewer, images.renditions_bucket)):
            reason = "Keys are the uploader's choice, so the grant is on all objects of this one bucket."
            acknowledge(role, {objects_rule(bucket, "*"): reason})

        CfnOutput(self, "UploadsBucketName", value=images.source_bucket.bucket_name, description="Put pictures here")
        CfnOutput(self, "RenditionsBucketName", value=images.renditions_bucket.bucket_name)
        CfnOutput(self, "UploaderRoleArn", value=uploader.role_arn)
        CfnOutput(self, "ViewerRoleArn", value=viewer.role_arn)
        for rendition in RENDITIONS:
            name, queues = rendition.construct_id, images.fanout
            CfnOutput(self, f"{name}QueueUrl", value=queues.queues[rendition.name].queue_url)
            CfnOutput(self, f"{name}DeadLetterQueueUrl", value=queues.dead_letter_queues[rendition.name].queue_url)
            undelivered = queues.delivery_dead_letter_queues[rendition.name]
            CfnOutput(self, f"{name}UndeliveredQueueUrl", value=undelivered.queue_url)


SCENARIO = Scenario(
    key="image-renditions",
    stack=ImageRenditions,
    summary="picture -> S3 -> SNS -> three SQS queues -> three Lambda functions -> renditions in S3",
    source="seed 001, lab 5",
)

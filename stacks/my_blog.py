"""My blog: a global site, rarely written and often read; subscribers are welcomed, photos get thumbnails."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, CfnParameter, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from constructs_lib import (
    AlarmTopic,
    ApiRoute,
    CognitoRestApi,
    GlobalTable,
    ImageRenditions,
    PythonFunction,
    Rendition,
    StaticSiteWithCloudFront,
    UploadBucket,
    WelcomeMailer,
)
from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import objects_rule
from constructs_lib._public_routes import add_public_routes
from stacks.scenario import Scenario
from stacks.settings import Settings

SITE = Path(__file__).resolve().parent.parent / "web" / "blog"
PHOTOS = "photos/"
OPEN = (ApiRoute("GET", "/api/posts"), ApiRoute("GET", "/api/posts/{id}"), ApiRoute("POST", "/api/subscribers"))
FOR_AUTHORS = (ApiRoute("POST", "/api/posts"), ApiRoute("POST", "/api/photos"), ApiRoute("GET", "/api/photos/{id}"))


class MyBlog(Stack):
    """1 reader -> site; 2 reader -> API -> posts in two regions; 3 subscribe -> stream -> mail; 4 photo -> thumbnail.

    Args:
        settings: The app's settings.
        replica_regions: Where the posts' table has replicas.
        accelerate_uploads: Whether photos enter AWS's network at the nearest edge.
        domain_names: The site's own domains. Left out: a name of CloudFront's.
        certificate: Their certificate (us-east-1).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        replica_regions: Sequence[str] = ("eu-central-1",),
        accelerate_uploads: bool = False,
        domain_names: Sequence[str] = (),
        certificate: acm.ICertificate | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        kept = settings.removal_policy

        # 2, 3 The tables: posts in every region, subscribers where they are welcomed.
        posts = GlobalTable(
            self,
            "Posts",
            partition_key="blog",
            sort_key="id",
            replica_regions=replica_regions,
            removal_policy=kept,
        )
        subscribers = GlobalTable(self, "Subscribers", partition_key="email", stream=True, removal_policy=kept)

        # 4 Photos are uploaded from the page; each gets a thumbnail.
        uploads = UploadBucket(
            self,
            "Uploads",
            # The distribution's own name is not known before the bucket's is: CSP and CORS would wait for each other.
            origins=[f"https://{name}" for name in domain_names] or ["https://*.cloudfront.net"],
            accelerate=accelerate_uploads,
            removal_policy=kept,
        )
        images = ImageRenditions(
            self,
            "Images",
            renditions=[Rendition("thumbnail", max_edge=640)],
            source_bucket=uploads.bucket,
            source_prefix=PHOTOS,
            target=settings.target,
            removal_policy=kept,
        )

        # 2 The API; one function answers.
        api = PythonFunction(
            self,
            "Api",
            package="blog_api",
            target=settings.target,
            environment={
                "POSTS_TABLE": posts.table.table_name,
                "SUBSCRIBERS_TABLE": subscribers.table.table_name,
                "UPLOADS_BUCKET": uploads.bucket.bucket_name,
                "UPLOADS_ENDPOINT": uploads.endpoint,
                "UPLOADS_PREFIX": PHOTOS,
                "RENDITIONS_BUCKET": images.renditions_bucket.bucket_name,
            },
        )
        posts.table.grant(api.function, "dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query")
        subscribers.table.grant(api.function, "dynamodb:PutItem")
        images.grant_upload(api.function)
        images.grant_read(api.function)
        signs = "It signs uploads of photos whose ids it makes up, and looks what became of them."
        acknowledge(
            api.role,
            {objects_rule(uploads.bucket, f"{PHOTOS}*"): signs, objects_rule(images.renditions_bucket, "*"): signs},
        )
        acknowledge(
            api.function,
            {"Serverless-LambdaDLQ": "API Gateway invokes it and waits, so the caller hears of every failure."},
        )
        people = CognitoRestApi(self, "People", handler=api.function, routes=FOR_AUTHORS, removal_policy=kept)
        add_public_routes(people, api.function, OPEN)
        authors = cognito.CfnUserPoolGroup(
            self, "Authors", user_pool_id=people.user_pool.user_pool_id, group_name="authors"
        )

        # 1 The site, with the API and the thumbnails behind the same name.
        site = StaticSiteWithCloudFront(
            self,
            "Site",
            site=SITE,
            page_routes=["/posts/*", "/subscribe", "/write"],
            connect_to=[uploads.url, f"https://cognito-idp.{self.region}.{self.url_suffix}"],
            config={
                "region": self.region,
                "userPoolId": people.user_pool.user_pool_id,
                "userPoolClientId": people.user_pool_client.user_pool_client_id,
            },
            domain_names=domain_names,
            certificate=certificate,
            target=settings.target,
            removal_policy=kept,
        )
        site.add_api("/api/*", people.api)
        site.add_objects("/thumbnail/*", images.renditions_bucket)

        # 3 A new subscriber is welcomed.
        sender = CfnParameter(
            self,
            "SenderAddress",
            default="blog@example.com",
            allowed_pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+",
            description="Address that welcomes come from; SES sends it a link to confirm",
        )
        welcome = WelcomeMailer(
            self,
            "Welcome",
            table=subscribers.table,
            sender=sender.value_as_string,
            site_url=site.url,
            target=settings.target,
            removal_policy=kept,
        )
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=kept)
        alarms.watch(site.alarms, people.alarms, api.alarms, images.alarms, welcome.alarms)

        CfnOutput(self, "SiteUrl", value=site.url, description="Read the blog here")
        CfnOutput(self, "SiteBucketName", value=site.bucket.bucket_name)
        CfnOutput(self, "DistributionId", value=site.distribution.distribution_id)
        CfnOutput(self, "SiteReleaseFunctionName", value=site.release.function.function_name)
        CfnOutput(self, "SiteArchiveBucketName", value=site.release.files.s3_bucket_name)
        CfnOutput(self, "SiteArchiveKey", value=site.release.files.s3_object_key)
        CfnOutput(self, "UserPoolId", value=people.user_pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=people.user_pool_client.user_pool_client_id)
        CfnOutput(self, "AuthorsGroupName", value=authors.ref)
        CfnOutput(self, "PostsTableName", value=posts.table.table_name)
        CfnOutput(self, "ReplicaRegion", value=replica_regions[0])
        CfnOutput(self, "SubscribersTableName", value=subscribers.table.table_name)
        CfnOutput(self, "SubscribersStreamArn", value=subscribers.table.table_stream_arn or "")
        CfnOutput(self, "MailerFunctionName", value=welcome.function.function_name)
        CfnOutput(self, "WelcomeFailureQueueUrl", value=welcome.failure_queue.queue_url)
        CfnOutput(self, "SenderAddressUsed", value=sender.value_as_string)
        CfnOutput(self, "UploadsBucketName", value=uploads.bucket.bucket_name)
        CfnOutput(self, "RenditionsBucketName", value=images.renditions_bucket.bucket_name)
        CfnOutput(self, "ThumbnailQueueUrl", value=images.queues["thumbnail"].queue_url)
        CfnOutput(self, "ThumbnailDeadLetterQueueUrl", value=images.dead_letter_queues["thumbnail"].queue_url)


SCENARIO = Scenario(
    key="my-blog",
    stack=MyBlog,
    summary="CloudFront -> S3 and API -> a global table; stream -> SES; photo -> thumbnail",
    source="seed 000, serverless hosted website MyBlog.com",
)

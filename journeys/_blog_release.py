"""The site is released again, as CloudFormation does it at each deployment that changes its files."""

import json
from typing import Any

from journeys._blog import Blog
from journeys._world import World


def release(world: World, blog: Blog) -> None:
    """Release what is there already: nothing changes but what does not belong there."""
    with world.step("a release replaces the site's files, takes stale pages away, and the edges forget them") as step:
        s3: Any = world.client("s3")
        site, uploads = world.out["SiteBucketName"], world.out["UploadsBucketName"]
        stale, answer = f"stale-{world.token}.html", f"release-{world.token}.json"
        s3.put_object(Bucket=site, Key=stale, Body=b"stale")
        world.cleanup(s3.delete_object, Bucket=site, Key=stale)
        world.cleanup(_forget, s3, uploads, answer)
        before = blog.get("/index.html").body
        # Where CloudFormation would wait for the answer; any bucket that takes a presigned PUT will do.
        url = s3.generate_presigned_url("put_object", Params={"Bucket": uploads, "Key": answer})
        event = {
            "RequestType": "Update",
            "RequestId": world.token,
            "StackId": "journey",
            "LogicalResourceId": "Release",
            "PhysicalResourceId": "journey",
            "ResponseURL": url,
            "ResourceProperties": {
                "SourceBucket": world.out["SiteArchiveBucketName"],
                "SourceKey": world.out["SiteArchiveKey"],
                "Bucket": site,
                "DistributionId": world.out["DistributionId"],
                "Config": blog.get("/config.json").json(),
                "EmptyOnDelete": "false",
            },
        }
        world.client("lambda").invoke(FunctionName=world.out["SiteReleaseFunctionName"], Payload=json.dumps(event))
        told = json.loads(s3.get_object(Bucket=uploads, Key=answer)["Body"].read())
        assert told["Status"] == "SUCCESS", told["Reason"]
        assert blog.get("/index.html").body == before, "the same release is another page"
        assert blog.get(f"/{stale}").status == 404, "the stale page is still there"
        edge, which = world.client("cloudfront"), world.out["DistributionId"]
        known = edge.list_invalidations(DistributionId=which)["InvalidationList"]["Items"]
        whole = [edge.get_invalidation(DistributionId=which, Id=one["Id"])["Invalidation"] for one in known[:20]]
        (found,) = [one for one in whole if one["InvalidationBatch"]["CallerReference"] == world.token]
        step.show(status=told["Status"], invalidation=found["Id"], stale=404)


def _forget(s3: Any, bucket: str, key: str) -> None:
    for version in s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])

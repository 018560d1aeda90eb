"""Who is refused by the ingestion: devices that are not themselves, people without the right, and poison."""

from datetime import UTC, datetime
from typing import Any

from journeys._ingestion import Event
from journeys._mqtt import Device, RefusedError, publish_without_certificate
from journeys._world import World


def strangers(world: World, devices: list[Device]) -> None:
    prefix = world.out["TopicPrefix"]
    mine, other = devices[0], devices[1]
    event = Event(other.name, "forged", datetime.now(UTC), 20.0, 50.0).data
    topic = f"{prefix}/{other.name}/telemetry"

    def refused(what: str, publish: Any, *arguments: Any, **more: Any) -> None:
        with world.step(what) as step:
            try:
                publish(*arguments, **more)
            except RefusedError as refusal:
                step.show(refused=str(refusal))
                return
            raise AssertionError("the message was acknowledged")

    refused("a device that publishes to another device's topic is refused", mine.publish, topic, [event])
    refused("and so it is when it connects as that device", mine.publish, topic, [event], client_id=other.name)
    refused("nobody connects without a certificate", publish_without_certificate, world, other.name, topic, event)
    last = devices[-1]
    last.revoke()
    own = f"{prefix}/{last.name}/telemetry"
    refused("a device whose certificate was revoked is refused", last.publish, own, [event])


def refusals(world: World) -> None:
    out = world.out
    analyst, producer = world.as_role(out["AnalystRoleArn"]), world.as_role(out["ProducerRoleArn"])
    with world.step("the analyst queries in the limited workgroup only, and changes nothing") as step:
        ask = analyst.client("athena").start_query_execution
        outside = world.refused("AccessDenied", ask, QueryString="SELECT 1", WorkGroup="primary")
        bucket = out["EventsBucketName"]
        s3 = analyst.client("s3")
        world.refused("AccessDenied", s3.put_object, Bucket=bucket, Key="events/x", Body=b"x")
        world.refused("AccessDenied", s3.get_object, Bucket=bucket, Key="errors/x")
        step.show(primary=outside[:90], write="AccessDenied", errors="AccessDenied")
    with world.step("the gateway puts events and reads none; nobody comes without TLS") as step:
        stream = producer.client("kinesis")
        world.refused(
            "AccessDenied",
            stream.get_shard_iterator,
            StreamName=out["StreamName"],
            ShardId="shardId-000000000000",
            ShardIteratorType="TRIM_HORIZON",
        )
        reports = out["ReportsBucketName"]
        world.refused("AccessDenied", producer.client("s3").list_objects_v2, Bucket=reports)
        world.refused("AccessDenied", analyst.client("s3", tls=False).list_objects_v2, Bucket=reports)
        step.show(read_stream="AccessDenied", read_reports="AccessDenied", without_tls="AccessDenied")


def poison(world: World) -> None:
    sqs = world.client("sqs")
    with world.step("a message that is no event of the bucket ends among the dead letters") as step:
        sqs.send_message(QueueUrl=world.out["QueueUrl"], MessageBody=f"poison {world.token}")

        def letter() -> Any:
            url = world.out["DeadLetterQueueUrl"]
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                if world.token in message["Body"]:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    return message
            return None

        found = world.eventually(letter, within=90, what="the dead letter")
        step.show(dead_letter=found["MessageId"])

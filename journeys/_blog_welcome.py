"""Readers subscribe: each is welcomed by e-mail once, whatever the stream delivers again."""

import json
from collections.abc import Mapping
from typing import Any

from journeys._blog import Blog
from journeys._world import World

WRONG_ADDRESSES = (
    "",
    "bob",
    "bob@",
    "@example.org",
    "bob@localhost",
    "bob@example.org\r\nBcc: eve@example.org",
    "b ob@example.org",
)


def subscribe(world: World, blog: Blog) -> None:
    """Subscribe, be welcomed once, and be refused with an address that is none."""
    address = f"Success+{world.token}@simulator.amazonses.com"
    email = address.lower()
    dynamodb, table = world.client("dynamodb"), world.out["SubscribersTableName"]
    with world.step("a reader subscribes, twice in two spellings: one subscriber, and the same answer") as step:
        world.cleanup(dynamodb.delete_item, TableName=table, Key={"email": {"S": email}})
        first, again = (blog.post("/api/subscribers", {"email": one}) for one in (address, email))
        assert (first.status, again.status, first.text) == (202, 202, again.text), (first.text, again.text)
        item = dynamodb.get_item(TableName=table, Key={"email": {"S": email}}, ConsistentRead=True)["Item"]
        assert item["address"] == {"S": address}, item
        step.show(status=202, subscribed=item["subscribed"]["S"])

    with world.step("exactly one welcome is mailed, also when the stream delivers the record again and again") as step:
        mails(world, address)  # not run where nobody can look into the mailbox
        world.eventually(lambda: mails(world, address), within=30, what="the welcome")
        record = world.eventually(lambda: stream_record(world, email), what="the stream's record")
        for _ in range(3):
            event = json.dumps({"Records": [record, record]})
            invoked = world.client("lambda").invoke(FunctionName=world.out["MailerFunctionName"], Payload=event)
            told = json.loads(invoked["Payload"].read())
            assert told == {"batchItemFailures": []}, f"the mailer said {told}"
        world.never(lambda: len(mails(world, address)) != 1, during=2, what="another number of welcomes than one")
        (mail,) = mails(world, address)
        assert blog.url in mail["BodyText"], mail
        step.show(mails=1, deliveries=7, event_id=record["eventID"], subject=mail["Subject"], sender=mail["Source"])

    with world.step("an address that is none: 400 that names the field, and nobody is subscribed") as step:
        for wrong in WRONG_ADDRESSES:
            answer = blog.post("/api/subscribers", {"email": wrong})
            assert answer.status == 400, f"{wrong!r}: expected 400, got {answer.status}: {answer.text}"
            (error,) = answer.json()["errors"]
            assert error["field"] == "email", answer.text
            assert not wrong or wrong not in answer.text, f"the answer repeats what was sent: {answer.text}"
        step.show(addresses=len(WRONG_ADDRESSES), rule=error["rule"])

    with world.step("one who cannot be mailed is found among the failures, and the others are welcomed") as step:
        sqs, queue = world.client("sqs"), world.out["WelcomeFailureQueueUrl"]
        hostile, other = f"one-{world.token}", f"success+other-{world.token}@simulator.amazonses.com"
        # Nothing but the API writes this table; what if somebody does?
        for key, written in ((hostile, f"{other}, eve@example.org"), (other, other)):
            world.cleanup(dynamodb.delete_item, TableName=table, Key={"email": {"S": key}})
            dynamodb.put_item(TableName=table, Item={"email": {"S": key}, "address": {"S": written}})

        def failure() -> Any:
            number = stream_record(world, hostile)["dynamodb"]["SequenceNumber"]
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                batch = json.loads(message["Body"])["DDBStreamBatchInfo"]
                if batch["startSequenceNumber"] == number:
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                    return batch
            return None

        # Lambda takes its time between eleven attempts.
        batch = world.eventually(failure, within=240, what="the record among the failures")
        world.eventually(lambda: mails(world, other), what="the other one's welcome")
        assert len(mails(world, other)) == 1, mails(world, other)
        step.show(failed=batch["batchSize"], sequence_number=batch["startSequenceNumber"], others=1)


def mails(world: World, address: str) -> list[Mapping[str, Any]]:
    """The mails that were handed to somebody.

    Raises:
        NotRunError: On AWS, where nobody can read them back.
    """
    world.sms("+10000000000")  # raises the same way where nothing can be read back
    answer = world.http("GET", f"{world.plain_http('ses')}/_ministack/ses/messages")
    sent = [mail for account in answer.json()["messages"].values() for mail in account]
    return [mail for mail in sent if address in mail["To"]]


def stream_record(world: World, email: str) -> dict[str, Any]:
    """The record that the table's stream has of a new subscriber, as Lambda hands it over."""
    streams = world.client("dynamodbstreams")
    arn = world.out["SubscribersStreamArn"]
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for record in streams.get_records(ShardIterator=iterator)["Records"]:
            if record["eventName"] == "INSERT" and record["dynamodb"]["Keys"]["email"]["S"] == email:
                whole: dict[str, Any] = json.loads(json.dumps(record, default=lambda moment: moment.timestamp()))
                return {**whole, "eventSourceARN": arn}
    message = f"the stream has no record of {email}"
    raise AssertionError(message)

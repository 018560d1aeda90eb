"""Devices and a gateway send events; what is asked by SQL and reported is what was sent, and nothing wrong is lost."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from journeys._ingestion import Event, bad_records, readings
from journeys._ingestion_refusals import poison, refusals, strangers
from journeys._ingestion_sent import DELIVERED, Sent
from journeys._mqtt import Device
from journeys._world import World

READS = (
    "DevicePolicyName",
    "TopicPrefix",
    "StreamName",
    "EventsBucketName",
    "DatabaseName",
    "TableName",
    "WorkGroupName",
    "ReportsBucketName",
    "QueueUrl",
    "DeadLetterQueueUrl",
    "ProducerRoleArn",
    "AnalystRoleArn",
)
EVENTS = 5000
DEVICES, BY_MQTT = 3, 40  # devices, and readings of each
GATEWAY_DEVICES, DUPLICATES = 8, 300
BATCH = 500


def run(world: World) -> None:
    sent = Sent(world)
    devices = _devices_publish(world, sent)
    _gateway_puts(world, sent)
    bad = _bad_records(world, sent, devices[0])
    strangers(world, devices)
    _reports_are_right(world, sent)
    _bad_records_are_found(world, bad)
    _sql_is_right(world, sent)
    _late_and_again(world, sent)
    refusals(world)
    poison(world)


def _devices_publish(world: World, sent: Sent) -> list[Device]:
    with world.step(f"{DEVICES} devices get a certificate each, and publish {BY_MQTT} readings each by MQTT") as step:
        policy, prefix = world.out["DevicePolicyName"], world.out["TopicPrefix"]
        devices = [Device(world, f"{world.token}-d{number}", policy=policy) for number in range(DEVICES)]
        started = time.monotonic()
        for device in devices:
            events = readings(device.name, BY_MQTT, sent.windows)
            device.publish(f"{prefix}/{device.name}/telemetry", [event.data for event in events])
            sent.events += events
        step.show(acknowledged=len(sent.events), seconds=round(time.monotonic() - started, 2))
    return devices


def _gateway_puts(world: World, sent: Sent) -> None:
    number = EVENTS - DUPLICATES - len(sent.events)
    with world.step(f"a gateway puts {number} readings and {DUPLICATES} of them again into the stream") as step:
        names = [f"{world.token}-g{each}" for each in range(GATEWAY_DEVICES)]
        share = -(-number // GATEWAY_DEVICES)
        events = [event for name in names for event in readings(name, share, sent.windows)][:number]
        events += events[:DUPLICATES]
        records = [(event.device, event.data) for event in events]
        started = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(sent.put, (records[at : at + BATCH] for at in range(0, len(records), BATCH))))
        seconds = time.monotonic() - started
        assert seconds < 60, f"it took {seconds:.0f} seconds"
        sent.events += events
        assert len(sent.events) == EVENTS
        step.show(put=len(records), seconds=round(seconds, 2), per_second=round(len(records) / seconds))


def _bad_records(world: World, sent: Sent, device: Device) -> dict[str, tuple[str, bytes]]:
    bad = bad_records(f"{world.token}-bad", datetime.now(UTC))
    with world.step(f"{len(bad)} records that are no events are sent among them, two of them by a device") as step:
        sent.put([(f"{world.token}-bad", record) for _code, record in bad.values()])
        # By a device: another's name in the message, under its own topic; and what is no JSON.
        spoofed = Event(f"{world.token}-victim", "spoofed", datetime.now(UTC), 20.0, 50.0).data
        by_device = {
            "by MQTT, another's name": ("wrong-device", spoofed),
            "by MQTT, not JSON": ("not-json", b"no \x00"),
        }
        topic = f"{world.out['TopicPrefix']}/{device.name}/telemetry"
        device.publish(topic, [record for _code, record in by_device.values()])
        step.show(records=", ".join([*bad, *by_device]))
    return bad | by_device


def _reports_are_right(world: World, sent: Sent) -> None:
    for window in sent.windows:
        with world.step(f"the report of {window.partition} is what was sent, each event once") as step:
            rows = sent.reported(window)
            counted = sum(int(row["events"]) for row in rows.values())
            step.show(devices=len(rows), events=counted, degrees=sum(row["temperature_sum"] for row in rows.values()))
            world.save(f"report-{window.start:%H}.json", json.dumps(rows, indent=2))


def _bad_records_are_found(world: World, bad: dict[str, tuple[str, bytes]]) -> None:
    with world.step("each bad record is found below the error prefix, whole and with its reason") as step:
        expected = {(code, base64.b64encode(record).decode()) for code, record in bad.values()}

        def found() -> dict[tuple[str, str], str]:
            rejected = _rejected(world)
            missing = [name for name, (code, raw) in bad.items() if (code, _text(raw)) not in rejected]
            assert not missing, f"not found yet: {', '.join(missing)}"
            return rejected

        rejected = world.eventually(found, within=DELIVERED, what="the bad records among the errors")
        assert set(rejected) == expected, f"{len(rejected)} were rejected, {len(expected)} are bad"
        step.show(**{code.replace("-", "_"): reason for (code, _raw), reason in sorted(rejected.items())})


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _rejected(world: World) -> dict[tuple[str, str], str]:
    """(code, record) -> reason, of this run."""
    s3, bucket = world.client("s3"), world.out["EventsBucketName"]
    now = datetime.now(UTC)
    found = {}
    # By the hour of arrival, which may be over by now.
    for prefix in {f"errors/rejected/{moment:%Y/%m/%d/%H}/" for moment in (now, now - timedelta(hours=1))}:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                lines = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode().splitlines()
                for each in map(json.loads, lines):
                    if each["publisher"].startswith(world.token):
                        found[each["code"], each["data"]] = each["reason"]
    return found


def _sql_is_right(world: World, sent: Sent) -> None:
    with world.step(
        "the analyst's own SQL counts what was sent, and sees that duplicates are kept as they came"
    ) as step:
        select = (
            "SELECT count(*) AS copies, count(DISTINCT device_id || event_id) AS events, sum(temperature) AS degrees"
        )
        (row,) = sent.ask(select, sent.their_windows)
        unique = {(event.device, event.id) for event in sent.events}
        assert int(row["events"]) == len(unique), f"{row['events']} events, {len(unique)} were sent"
        assert int(row["copies"]) >= EVENTS, f"{row['copies']} copies, {EVENTS} were sent"
        if int(row["copies"]) == EVENTS:  # the stream itself may deliver again
            degrees = sum(event.temperature for event in sent.events)
            assert float(row["degrees"]) == degrees, f"{row['degrees']} degrees, {degrees} were sent"
        step.show(sent=EVENTS, **row)
    with world.step("nothing of what was refused has come through") as step:
        (row,) = sent.ask("SELECT count(*) AS events", "event_id IN ('forged', 'spoofed', 'bad')")
        assert row["events"] == "0", f"{row['events']} events of devices that were refused"
        step.show(events=row["events"])


def _late_and_again(world: World, sent: Sent) -> None:
    window = sent.windows[0]
    with world.step("a late event joins the report of its hour; those sent again do not count again") as step:
        late = readings(f"{world.token}-late", 1, [window], kind="late")
        again = [event for event in sent.events if window.start.hour == event.recorded.hour][:50]
        sent.put([(event.device, event.data) for event in [*late, *again]])
        sent.events += late + again
        rows = sent.reported(window)
        step.show(late=len(late), again=len(again), events=sum(int(row["events"]) for row in rows.values()))

    with world.step("the same message again: the same report, byte for byte") as step:
        before = sent.report(window)
        assert before
        key = f"events/{window.partition}/again.parquet".replace("=", "%3D")
        record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}}
        sqs, url = world.client("sqs"), world.out["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))
        bucket = world.out["ReportsBucketName"]

        def written() -> int:
            versions = world.client("s3").list_object_versions(Bucket=bucket, Prefix=window.report_key)
            return len(versions["Versions"])

        count = written()
        world.eventually(lambda: written() > count, within=60, what="another version of the report")
        after = sent.report(window)
        assert after, "the report is gone"
        assert after[0] == before[0], f"the report changed from {before[0]} to {after[0]}"
        step.show(etag=after[0], versions=count + 1)

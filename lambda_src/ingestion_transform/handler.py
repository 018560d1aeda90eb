"""Data Firehose batch in, the same records out: as rows with their partition, or dropped, then kept with the reason.

A record that is reported as failed goes to Data Firehose's error prefix too, but without the reason (developer guide,
"Handle failure in data transformation"). So the reason is written here, below the same prefix, before the record is
dropped from the batch; when that cannot be written, the batch fails and Data Firehose gives it again.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import (
    KinesisFirehoseDataTransformationRecord,
    KinesisFirehoseDataTransformationRecordMetadata,
    KinesisFirehoseDataTransformationResponse,
    KinesisFirehoseEvent,
)
from aws_lambda_powertools.utilities.data_classes.kinesis_firehose_event import KinesisFirehoseRecord
from aws_lambda_powertools.utilities.serialization import base64_from_json
from aws_lambda_powertools.utilities.typing import LambdaContext

from ingestion_transform import rejected, rules
from ingestion_transform.rejected import Rejected
from ingestion_transform.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Lambda entry point.

    Raises:
        ClientError: What was rejected cannot be kept: Data Firehose tries the batch again, then keeps it as it is.
        ValidationError: A variable of the environment is missing or wrong.
    """
    batch = KinesisFirehoseEvent(event)
    refused: list[Rejected] = []
    answer = KinesisFirehoseDataTransformationResponse()
    accepted = 0
    for record in batch.records:
        made = _transformed(record, refused)
        accepted += made.result == "Ok"
        answer.add_record(made)
    if refused:
        _keep(refused)
    metrics.add_dimension("stream", batch.delivery_stream_arn.rsplit("/", 1)[-1])
    metrics.add_metric(name="EventsAccepted", unit=MetricUnit.Count, value=accepted)
    metrics.add_metric(name="EventsRejected", unit=MetricUnit.Count, value=len(refused))
    return answer.asdict()


def _transformed(record: KinesisFirehoseRecord, refused: list[Rejected]) -> KinesisFirehoseDataTransformationRecord:
    raw, source = record.data_as_bytes, record.metadata
    if source is None:
        raise ValueError("record: must come from a Kinesis stream, got one without its metadata")
    arrived = datetime.fromtimestamp(source.approximate_arrival_timestamp / 1000, UTC)
    try:
        event = rules.event_of(raw, source.partition_key, _clock(arrived))
    except rules.RejectedError as why:
        refused.append(
            Rejected.of(
                why.code,
                str(why),
                raw=raw,
                publisher=source.partition_key,
                sequence=source.sequence_number,
                arrived=arrived,
            )
        )
        return KinesisFirehoseDataTransformationRecord(record_id=record.record_id, result="Dropped")
    return KinesisFirehoseDataTransformationRecord(
        record_id=record.record_id,
        data=base64_from_json(rules.row(event, arrived)),
        metadata=KinesisFirehoseDataTransformationRecordMetadata(partition_keys=rules.partition(event)),
    )


def _keep(refused: list[Rejected]) -> None:
    key = rejected.key(_settings().errors_prefix, refused)
    _s3().put_object(
        Bucket=_settings().errors_bucket,
        Key=key,
        Body=rejected.document(refused),
        ContentType="application/x-ndjson",
    )
    logger.warning("records rejected", extra={"count": len(refused), "key": key, "first": refused[0].reason})


def _clock(arrived: datetime) -> rules.Clock:
    settings = _settings()
    return rules.Clock(arrived, timedelta(hours=settings.max_late_hours), timedelta(seconds=settings.max_ahead_seconds))


# Made at the first record, so that importing this module needs neither settings nor AWS.
@cache
def _settings() -> Settings:
    return Settings()


@cache
def _s3() -> Any:
    return boto3.client("s3")

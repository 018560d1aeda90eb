"""What Data Firehose does with a buffer: transform, partition, convert, write; under its roles."""

import base64
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from localcloud import roles
from localcloud.fixes._firehose_parquet import parquet
from localcloud.internals import need

TRANSFORM_BYTES = 1_000_000
TRANSFORM_RECORDS = 10_000
_Partition = tuple[tuple[str, str], ...]


class DeniedError(PermissionError):
    """A role of the delivery stream lacks a right: nothing is lost, it is tried again."""


@dataclass(frozen=True)
class Record:
    """One record of the source stream."""

    id: str
    data: bytes
    partition_key: str
    arrived: float

    def for_function(self) -> dict[str, Any]:
        """As the transform gets it (Lambda developer guide, Kinesis Firehose event)."""
        arrived = int(self.arrived * 1000)
        source = {
            "shardId": "shardId-000000000000",
            "partitionKey": self.partition_key,
            "approximateArrivalTimestamp": arrived,
            "sequenceNumber": self.id,
            "subsequenceNumber": 0,
        }
        return {
            "recordId": self.id,
            "approximateArrivalTimestamp": arrived,
            "data": base64.b64encode(self.data).decode(),
            "kinesisRecordMetadata": source,
        }


class Delivery:
    """One buffer of one delivery stream on its way to S3.

    Args:
        stream: the emulator's delivery stream.
        config: its S3 destination.
    """

    def __init__(self, stream: dict[str, Any], config: dict[str, Any]) -> None:
        self._stream = stream
        self._config = config
        self._firehose = need(
            "services.firehose",
            *("_evaluate_prefix", "_put_s3_object", "_java_time", "_DeliveryError"),
            *("_s3_bucket_from_arn", "get_account_id", "get_region", "new_uuid"),
        )

    def run(self, records: list[Record]) -> None:
        """Deliver.

        Raises:
            DeniedError: nothing was delivered.
        """
        self._check_rights()
        made: list[tuple[_Partition, bytes]] = []
        failed: list[tuple[Record, str, str]] = []
        for batch in batches(records):
            kept, lost = self._transformed(batch)
            made += kept
            failed += lost
        for partition, rows in _grouped(made):
            self._write(dict(partition), rows)
        if failed:
            self._write_errors("processing-failed", [self._error(*each) for each in failed])

    def _check_rights(self) -> None:
        source, role = self._stream["kinesis_source"], self._config["RoleARN"]
        wanted = [(source["RoleARN"], "kinesis:GetRecords", source["KinesisStreamARN"])]
        wanted += [(role, "s3:PutObject", f"{self._config['BucketARN']}/{self._config.get('Prefix', '')}")]
        if function := self._function():
            wanted.append((role, "lambda:InvokeFunction", function))
        conversion = self._config.get("DataFormatConversionConfiguration") or {}
        if schema := conversion.get("SchemaConfiguration"):
            account, region = self._firehose.get_account_id(), self._firehose.get_region()
            table = f"{schema['DatabaseName']}/{schema['TableName']}"
            wanted.append(
                (schema["RoleARN"], "glue:GetTableVersions", f"arn:aws:glue:{region}:{account}:table/{table}")
            )
        for who, action, resource in wanted:
            if not roles.may_all(who, action, resource):
                raise DeniedError(f"{who} is not authorized to perform: {action} on resource: {resource}")

    def _function(self) -> str | None:
        processing = self._config.get("ProcessingConfiguration") or {}
        for processor in processing.get("Processors", []) if processing.get("Enabled") else []:
            for parameter in processor.get("Parameters", []):
                if parameter["ParameterName"] == "LambdaArn":
                    return str(parameter["ParameterValue"])
        return None

    def _transformed(self, batch: list[Record]) -> tuple[list[tuple[_Partition, bytes]], list[tuple[Record, str, str]]]:
        function = self._function()
        if function is None:
            return [((), record.data) for record in batch], []
        answer = self._invoke(function, batch)
        if isinstance(answer, str):
            return [], [(record, "Lambda.FunctionError", answer) for record in batch]
        made: list[tuple[_Partition, bytes]] = []
        failed: list[tuple[Record, str, str]] = []
        for record in batch:
            result = answer.get(record.id, {"result": "ProcessingFailed"})
            if result["result"] == "Ok":
                keys = (result.get("metadata") or {}).get("partitionKeys") or {}
                made.append((tuple(sorted(keys.items())), base64.b64decode(result["data"])))
            elif result["result"] != "Dropped":
                said = "The status of the processed record is ProcessingFailed."
                failed.append((record, "Lambda.ProcessingFailedStatus", said))
        return made, failed

    def _invoke(self, arn: str, batch: list[Record]) -> dict[str, Any] | str:
        """The answer by record id, or what went wrong in each of the three retries' last."""
        functions = need(
            "services.lambda_svc", "_execute_function", "_resolve_name_and_qualifier", "_get_func_record_for_qualifier"
        )
        function, _config = functions._get_func_record_for_qualifier(*functions._resolve_name_and_qualifier(arn))
        event = {
            "invocationId": self._firehose.new_uuid(),
            "deliveryStreamArn": self._stream["arn"],
            "sourceKinesisStreamArn": self._stream["kinesis_source"]["KinesisStreamARN"],
            "region": self._firehose.get_region(),
            "records": [record.for_function() for record in batch],
        }
        said = f"{arn} does not exist"
        for _attempt in range(4 if function else 0):
            result = functions._execute_function(function, event)
            body = result.get("body")
            if not result.get("error"):
                answer = json.loads(body) if isinstance(body, str | bytes) else body
                return {each["recordId"]: each for each in answer["records"]}
            said = str(body)
        return said

    def _write(self, keys: dict[str, str], rows: list[bytes]) -> None:
        firehose, config = self._firehose, self._config
        conversion = config.get("DataFormatConversionConfiguration") or {}
        body, extension = b"".join(rows), ""
        try:
            prefix = firehose._evaluate_prefix(config.get("Prefix", ""), time.gmtime(), None, keys)
            if conversion.get("Enabled", bool(conversion)):
                body, extension = parquet(conversion, rows), ".parquet"
        except firehose._DeliveryError as error:
            self._write_errors(error.output_type, [self._document(row, error.code, error.message) for row in rows])
            return
        self._put(f"{prefix}{self._name()}{extension}", body)

    def _write_errors(self, kind: str, documents: list[dict[str, Any]]) -> None:
        prefix = self._firehose._evaluate_prefix(
            self._config.get("ErrorOutputPrefix", ""), time.gmtime(), error_type=kind
        )
        self._put(prefix + self._name(), "".join(json.dumps(each) + "\n" for each in documents).encode())

    def _error(self, record: Record, code: str, message: str) -> dict[str, Any]:
        return self._document(record.data, code, message) | {"lambdaArn": self._function()}

    @staticmethod
    def _document(raw: bytes, code: str | None, message: str) -> dict[str, Any]:
        now = int(time.time() * 1000)
        return {
            "attemptsMade": 4,
            "arrivalTimestamp": now,
            "errorCode": code,
            "errorMessage": message,
            "attemptEndingTimestamp": now,
            "rawData": base64.b64encode(raw).decode(),
        }

    def _name(self) -> str:
        moment = self._firehose._java_time("yyyy-MM-dd-HH-mm-ss", time.gmtime())
        return f"{self._stream['name']}-{self._stream.get('version', 1)}-{moment}-{self._firehose.new_uuid()}"

    def _put(self, key: str, body: bytes) -> None:
        self._firehose._put_s3_object(self._firehose._s3_bucket_from_arn(self._config["BucketARN"]), key, body)


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Records in the batches that a transform gets: by size and number."""
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and (size + len(record.data) > TRANSFORM_BYTES or len(batch) == TRANSFORM_RECORDS):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.data)
    if batch:
        yield batch


def _grouped(made: list[tuple[_Partition, bytes]]) -> list[tuple[_Partition, list[bytes]]]:
    groups: dict[_Partition, list[bytes]] = {}
    for partition, row in made:
        groups.setdefault(partition, []).append(row)
    return sorted(groups.items())

"""What the journey of the ingestion has sent, and where it looks for what became of it."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from journeys._ingestion import Answer, Event, Window, answers, read_report, same, windows
from journeys._world import World

# On AWS two buffers fill for a minute and more, and objects are heard of.
DELIVERED = 200


class Sent:
    """What was sent, in which windows, and the reports of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.windows = windows(datetime.now(UTC))
        self.events: list[Event] = []
        self.producer = world.as_role(world.out["ProducerRoleArn"])
        self.analyst = world.as_role(world.out["AnalystRoleArn"])

    def put(self, records: list[tuple[str, bytes]]) -> None:
        """Put (device, record) into the stream, again what it did not take."""
        kinesis, left = self.producer.client("kinesis"), records
        for _attempt in range(10):
            entries = [{"PartitionKey": device, "Data": data} for device, data in left]
            answer = kinesis.put_records(StreamName=self.world.out["StreamName"], Records=entries)
            left = [each for each, said in zip(left, answer["Records"], strict=True) if "ErrorCode" in said]
            if not left:
                return
        raise AssertionError(f"the stream did not take {len(left)} records in 10 attempts")

    def report(self, window: Window) -> tuple[str, Answer] | None:
        """The report's ETag and this run's rows in it, as an analyst sees them."""
        bucket = self.world.out["ReportsBucketName"]
        try:
            found = self.analyst.client("s3").get_object(Bucket=bucket, Key=window.report_key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return found["ETag"], read_report(found["Body"].read().decode(), self.world.token)

    def reported(self, window: Window) -> Answer:
        """Wait until the report is what was sent."""
        expected = answers(self.events, window)

        def probe() -> bool:
            found = self.report(window)
            counts = {device: row["events"] for device, row in (found[1] if found else {}).items()}
            assert found, "no report yet"
            assert same(found[1], expected), f"the report counts {counts}"
            return True

        what = f"the report of {window.partition} with {sum(int(row['events']) for row in expected.values())} events"
        self.world.eventually(probe, within=DELIVERED, what=what)
        return expected

    @property
    def their_windows(self) -> str:
        """In SQL."""
        return f"({' OR '.join(window.condition for window in self.windows)})"

    def ask(self, select: str, where: str) -> list[dict[str, str]]:
        """Rows of a query for this run's devices, asked by the analyst in the workgroup."""
        athena = self.analyst.client("athena")
        out = self.world.out
        query = f'{select} FROM "{out["DatabaseName"]}"."{out["TableName"]}"'
        query += f" WHERE {where} AND device_id LIKE '{self.world.token}%'"
        started = athena.start_query_execution(QueryString=query, WorkGroup=out["WorkGroupName"])
        name = started["QueryExecutionId"]

        def ended() -> Any:
            status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
            return status["State"] not in {"QUEUED", "RUNNING"} and status

        status = self.world.eventually(ended, within=60, what="the end of the query")
        assert status["State"] == "SUCCEEDED", f"{query}: {status.get('StateChangeReason')}"
        first, *rows = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
        names = [each["VarCharValue"] for each in first["Data"]]
        return [dict(zip(names, (each.get("VarCharValue", "") for each in row["Data"]), strict=True)) for row in rows]

"""The ingestion against writing the same objects directly, and what a query reads of Parquet against JSON.

The pipeline is timed from the first put to the report that has every event: checks, Parquet, SQL and the local cloud's
buffer of some seconds are in it, as a minute is on AWS. The direct ways put what comes out, or the batches as they are,
into a bucket. Ids are short here; long random ones take more room in both formats.
"""

import json
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from benchmarks._measure import ROOT
from journeys._ingestion import Event, Window, answers, read_report, readings, same, windows

EVENTS, DEVICES, BATCH = 20_000, 20, 500
WAIT_SECONDS = 120.0
_STACK = "BigDataIngestion"
# DuckDB, which tells a column's size, is in the local cloud's environment alone.
_DUCKDB = ROOT / ".venv-localcloud" / "bin" / "python"
_SIZES = """
import json, sys, duckdb
found = {}
for path in sys.argv[1:]:
    for name, size in duckdb.sql(f"SELECT path_in_schema, sum(total_compressed_size) FROM parquet_metadata('{path}') GROUP BY 1").fetchall():
        found[name] = found.get(name, 0) + int(size)
print(json.dumps(found))
"""  # noqa: E501


@dataclass(frozen=True)
class _Cloud:
    """What `localcloud up` tells: variables to export, and the stack's outputs."""

    environment: dict[str, str]
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            verify=self.environment["AWS_CA_BUNDLE"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )


@contextmanager
def _deployed() -> Iterator[_Cloud]:
    """The scenario in a local cloud of its own, as a reader of the README starts it."""
    environment: dict[str, str] = {}
    outputs: dict[str, str] = {}
    command = [sys.executable, "-m", "localcloud", "up", "big-data-ingestion"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            for line in child.stdout or ():
                if line.startswith("export "):
                    name, _, value = line.removeprefix("export ").partition("=")
                    environment[name] = shlex.split(value)[0]
                elif line.startswith(f"{_STACK}."):
                    name, _, value = line.removeprefix(f"{_STACK}.").partition(" = ")
                    outputs[name] = value.strip()
                elif line.startswith("Up."):
                    break
            if not outputs:
                raise RuntimeError(f"{shlex.join(command)} did not come up")
            yield _Cloud(environment, outputs)
        finally:
            child.send_signal(signal.SIGINT)
            child.communicate()


def measure() -> dict[str, Any]:
    """Events per second of both ways and their ratio; bytes that a query reads of both formats."""
    hours = windows(datetime.now(UTC))
    events = [event for number in range(DEVICES) for event in readings(f"bench{number}", EVENTS // DEVICES, hours)]
    with _deployed() as cloud:
        seconds = _through_the_pipeline(cloud, events, hours)
        files = _files(cloud)
        direct = _directly(cloud, "objects", list(files.values()))
        lines = [event.data + b"\n" for event in events]
        batches = _directly(cloud, "batches", [b"".join(lines[at : at + BATCH]) for at in range(0, EVENTS, BATCH)])
    sizes = _column_sizes(list(files.values()))
    json_bytes = sum(map(len, lines))
    columns = {"all columns": tuple(sizes), "one column": ("temperature",)}
    return {
        "through the pipeline": _rate(seconds, direct),
        "batches as JSON, directly": _rate(batches, direct),
        "the same objects, directly": _rate(direct, direct),
        "JSON": _read(json_bytes, json_bytes),
        **{f"Parquet, {name}": _read(sum(sizes[one] for one in ones), json_bytes) for name, ones in columns.items()},
    }


def _read(size: int, of: int) -> dict[str, float]:
    return {"bytes read per event": round(size / EVENTS, 1), "part of JSON": round(size / of, 3)}


def _rate(seconds: float, direct: float) -> dict[str, float]:
    return {
        "seconds": round(seconds, 2),
        "events per second": round(EVENTS / seconds),
        "times the direct way": round(seconds / direct, 1),
    }


def _through_the_pipeline(cloud: _Cloud, events: list[Event], hours: list[Window]) -> float:
    kinesis, s3, out = cloud.client("kinesis"), cloud.client("s3"), cloud.outputs
    expected = {hour: answers(events, hour) for hour in hours}
    start = time.perf_counter()
    for at in range(0, len(events), BATCH):
        entries = [{"PartitionKey": event.device, "Data": event.data} for event in events[at : at + BATCH]]
        kinesis.put_records(StreamName=out["StreamName"], Records=entries)

    def reported(hour: Window) -> bool:
        listed = s3.list_objects_v2(Bucket=out["ReportsBucketName"], Prefix=hour.report_key)
        if not listed.get("Contents"):
            return False
        report = s3.get_object(Bucket=out["ReportsBucketName"], Key=hour.report_key)["Body"].read().decode()
        return same(read_report(report, "bench"), expected[hour])

    while not all(map(reported, hours)):
        if time.perf_counter() - start > WAIT_SECONDS:
            raise RuntimeError(f"the reports did not have all {EVENTS} events within {WAIT_SECONDS:g} seconds")
        time.sleep(0.05)
    return time.perf_counter() - start


def _files(cloud: _Cloud) -> dict[str, bytes]:
    s3, bucket = cloud.client("s3"), cloud.outputs["EventsBucketName"]
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="events/")["Contents"]]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _directly(cloud: _Cloud, bucket: str, objects: list[bytes]) -> float:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    start = time.perf_counter()
    for number, data in enumerate(objects):
        s3.put_object(Bucket=bucket, Key=str(number), Body=data)
    return time.perf_counter() - start


def _column_sizes(files: list[bytes]) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.parquet") for number in range(len(files))]
        for path, data in zip(paths, files, strict=True):
            path.write_bytes(data)
        command = [str(_DUCKDB), "-c", _SIZES, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found

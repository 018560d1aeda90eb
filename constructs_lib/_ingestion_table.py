"""The table of events, for Data Firehose's writer and Athena's reader; partitions are computed, not crawled."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

# As lambda_src/ingestion_transform/rules.py writes them; tests/functions/test_ingestion_transform.py holds the two
# together.
COLUMNS = {
    "event_id": "string",
    "device_id": "string",
    "recorded_at": "timestamp",
    "temperature": "double",
    "humidity": "double",
    "ingested_at": "timestamp",
}
PARTITIONS = ("event_date", "event_hour")
_NAME = "events"
_HIVE = "org.apache.hadoop.hive.ql.io.parquet"


class IngestionTable(Construct):
    """A Glue database with one table of Parquet files, partitioned by date and hour.

    Args:
        bucket: Holds the files.
        prefix: Below which prefix, "events/".

    Attributes:
        database_name: Of the database, made by CloudFormation.
        table_name: "events".
        prefix: What a writer must put before its files' names, with Data Firehose's expressions for the partition.
        resource_arns: Catalog, database and table: what Athena and Data Firehose need rights for.
        table: The table.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bucket: s3.IBucket, prefix: str) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        # Glue's names are lower case, and CloudFormation's own for it are; Ref is the name.
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=stack.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(description="Events of devices"),
        )
        self.database_name = self.database.ref
        self.table_name = _NAME
        location = f"s3://{bucket.bucket_name}/{prefix}"
        self.table = glue.CfnTable(
            self,
            "Table",
            catalog_id=stack.account,
            database_name=self.database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name=_NAME,
                table_type="EXTERNAL_TABLE",
                parameters={
                    "classification": "parquet",
                    **_projection(location),
                },
                partition_keys=[glue.CfnTable.ColumnProperty(name=each, type="string") for each in PARTITIONS],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[glue.CfnTable.ColumnProperty(name=name, type=kind) for name, kind in COLUMNS.items()],
                    location=location,
                    input_format=f"{_HIVE}.MapredParquetInputFormat",
                    output_format=f"{_HIVE}.MapredParquetOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=f"{_HIVE}.serde.ParquetHiveSerDe"),
                ),
            ),
        )
        self.prefix = prefix + "".join(f"{each}=!{{partitionKeyFromLambda:{each}}}/" for each in PARTITIONS)

        def arn(resource: str, name: str | None = None) -> str:
            form = ArnFormat.SLASH_RESOURCE_NAME if name else ArnFormat.NO_RESOURCE_NAME
            return stack.format_arn(service="glue", resource=resource, resource_name=name, arn_format=form)

        self.resource_arns = [
            arn("catalog"),
            arn("database", self.database_name),
            arn("table", f"{self.database_name}/{_NAME}"),
        ]


def _projection(location: str) -> dict[str, str]:
    """Which partitions there are, told by rule (Amazon Athena user guide, "Use partition projection")."""
    return {
        "projection.enabled": "true",
        "projection.event_date.type": "date",
        "projection.event_date.format": "yyyy-MM-dd",
        "projection.event_date.range": "2020-01-01,NOW+1DAYS",
        "projection.event_date.interval": "1",
        "projection.event_date.interval.unit": "DAYS",
        # Not "integer": the hours are text with two digits, in keys and in queries.
        "projection.event_hour.type": "enum",
        "projection.event_hour.values": ",".join(f"{hour:02}" for hour in range(24)),
        "storage.location.template": f"{location}event_date=${{event_date}}/event_hour=${{event_hour}}/",
    }

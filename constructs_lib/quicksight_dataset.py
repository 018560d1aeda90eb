"""Events for dashboards: a data source and a data set of Amazon QuickSight that ask Athena."""

from aws_cdk import Stack
from aws_cdk import aws_quicksight as quicksight
from constructs import Construct

from constructs_lib._checks import matches
from constructs_lib._ingestion_table import COLUMNS, PARTITIONS
from constructs_lib.big_data_ingestion import BigDataIngestion

_TYPES = {"string": "STRING", "double": "DECIMAL", "timestamp": "DATETIME"}
_SOURCE_ACTIONS = ("DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource")
_SET_ACTIONS = ("DescribeDataSet", "DescribeDataSetPermissions", "PassDataSet", "DescribeIngestion", "ListIngestions")


class QuickSightDataset(Construct):
    """Events, each once, for one user or group of QuickSight to build dashboards from.

    Asks Athena in the ingestion's workgroup, so its limit on what a query reads holds for dashboards too. QuickSight
    must be subscribed to in the account, and its administrator must allow it Athena and the buckets of events and
    results (Manage QuickSight > Security & permissions): these rights are QuickSight's own, no template gives them.

    Args:
        ingestion: Whose events.
        user: ARN of a user or group of QuickSight, "arn:aws:quicksight:<region>:<account>:user/default/<name>".

    Attributes:
        data_source: The data source.
        data_set: The data set.

    Raises:
        ValueError: ``user`` is no such ARN.

    Example:
        ingestion = BigDataIngestion(stack, "Ingestion")
        ann = "arn:aws:quicksight:eu-west-1:123456789012:user/default/ann"
        QuickSightDataset(stack, "Dashboards", ingestion=ingestion, user=ann)
    """

    def __init__(self, scope: Construct, construct_id: str, *, ingestion: BigDataIngestion, user: str) -> None:
        super().__init__(scope, construct_id)
        matches(
            "user",
            user,
            r"arn:aws[a-z-]*:quicksight:[a-z0-9-]+:\d{12}:(user|group)/[^/]+/.+",
            "the ARN of a user or group of QuickSight",
        )
        unique = self.node.addr[-8:]
        source, dataset = quicksight.CfnDataSource, quicksight.CfnDataSet
        self.data_source = source(
            self,
            "Source",
            aws_account_id=Stack.of(self).account,
            data_source_id=f"events-{unique}",
            name="Events",
            type="ATHENA",
            data_source_parameters=source.DataSourceParametersProperty(
                athena_parameters=source.AthenaParametersProperty(work_group=ingestion.reports.workgroup.ref)
            ),
            permissions=[
                source.ResourcePermissionProperty(
                    principal=user, actions=[f"quicksight:{action}" for action in _SOURCE_ACTIONS]
                )
            ],
        )
        self.data_set = dataset(
            self,
            "Set",
            aws_account_id=Stack.of(self).account,
            data_set_id=f"events-{unique}",
            name="Events, each once",
            import_mode="DIRECT_QUERY",
            physical_table_map={
                "events": dataset.PhysicalTableProperty(
                    custom_sql=dataset.CustomSqlProperty(
                        data_source_arn=self.data_source.attr_arn,
                        name="events",
                        sql_query=_once(ingestion.table.database_name, ingestion.table.table_name),
                        columns=[
                            dataset.InputColumnProperty(name=name, type=_TYPES[kind])
                            for name, kind in {**COLUMNS, **dict.fromkeys(PARTITIONS, "string")}.items()
                        ],
                    )
                )
            },
            permissions=[
                dataset.ResourcePermissionProperty(
                    principal=user, actions=[f"quicksight:{action}" for action in _SET_ACTIONS]
                )
            ],
        )


def _once(database: str, table: str) -> str:
    """Of the copies of an event the one that arrived first, as in the reports."""
    columns = ", ".join([*COLUMNS, *PARTITIONS])
    ranked = (
        f"SELECT {columns}, row_number() OVER (PARTITION BY device_id, event_id "  # noqa: S608 - names of the stack
        f'ORDER BY ingested_at, recorded_at, temperature, humidity) AS nth FROM "{database}"."{table}"'
    )
    return f"SELECT {columns} FROM ({ranked}) AS events WHERE nth = 1"  # noqa: S608

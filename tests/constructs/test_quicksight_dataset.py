"""The data set: in the limited workgroup, for one user, each event once."""

import pytest

from constructs_lib import BigDataIngestion, QuickSightDataset
from constructs_lib._ingestion_table import COLUMNS, PARTITIONS
from tests.templates import Template, bare_stack, only, resources, synthesized

USER = "arn:aws:quicksight:eu-west-1:123456789012:user/default/ann"


def dataset(user: str = USER) -> Template:
    stack = bare_stack()
    QuickSightDataset(stack, "Dashboards", ingestion=BigDataIngestion(stack, "Ingestion"), user=user)
    return synthesized(stack)


def test_it_asks_in_the_workgroup_of_the_ingestion() -> None:
    made = dataset()
    (workgroup,) = resources(made, "AWS::Athena::WorkGroup")
    source = only(made, "AWS::QuickSight::DataSource")
    assert source["DataSourceParameters"] == {"AthenaParameters": {"WorkGroup": {"Ref": workgroup}}}
    assert only(made, "AWS::QuickSight::DataSet")["ImportMode"] == "DIRECT_QUERY"


def test_it_has_the_columns_of_the_table_and_each_event_once() -> None:
    (table,) = only(dataset(), "AWS::QuickSight::DataSet")["PhysicalTableMap"].values()
    assert [each["Name"] for each in table["CustomSql"]["Columns"]] == [*COLUMNS, *PARTITIONS]
    assert "PARTITION BY device_id, event_id" in str(table["CustomSql"]["SqlQuery"])
    assert "WHERE nth = 1" in str(table["CustomSql"]["SqlQuery"])


def test_one_user_sees_it_and_none_changes_it() -> None:
    made = dataset()
    for kind in ("DataSource", "DataSet"):
        (permission,) = only(made, f"AWS::QuickSight::{kind}")["Permissions"]
        assert permission["Principal"] == USER
        assert not [action for action in permission["Actions"] if "Update" in action or "Delete" in action]


@pytest.mark.parametrize("user", ["", "ann", "arn:aws:iam::123456789012:user/ann"])
def test_somebody_who_is_no_user_of_quicksight_is_refused(user: str) -> None:
    with pytest.raises(ValueError, match="user: must be the ARN of a user or group of QuickSight, got"):
        dataset(user)

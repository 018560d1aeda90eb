"""The warehouse: closed, loaded every hour, the same after each load."""

import re
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3

from constructs_lib import RedshiftLoad
from constructs_lib.redshift_load import COLUMNS
from tests.templates import Template, bare_stack, only, resources, synthesized
from window_report.rules import Window, query


def warehouse(**props: Any) -> tuple[RedshiftLoad, Template]:
    stack = bare_stack()
    isolated = ec2.SubnetConfiguration(name="W", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0, subnet_configuration=[isolated])
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    made = RedshiftLoad(stack, "W", bucket=s3.Bucket(stack, "Reports"), vpc=vpc, subnets=subnets, **props)
    return made, synthesized(stack)


def test_nobody_reaches_it_from_outside() -> None:
    _made, template = warehouse()
    group = only(template, "AWS::RedshiftServerless::Workgroup")
    assert group["PubliclyAccessible"] is False
    assert group["EnhancedVpcRouting"] is True
    assert group["ConfigParameters"] == [{"ParameterKey": "require_ssl", "ParameterValue": "true"}]
    guard = only(template, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in guard
    assert [each["FromPort"] for each in guard["SecurityGroupEgress"]] == [443]


def test_no_password_is_in_the_template_and_the_data_stays() -> None:
    _made, template = warehouse()
    namespace = only(template, "AWS::RedshiftServerless::Namespace")
    assert namespace["ManageAdminPassword"] is True
    assert "AdminUserPassword" not in namespace
    kept = [each for each in template["Resources"].values() if each["Type"].endswith("::Namespace")]
    assert [each["DeletionPolicy"] for each in kept] == ["Retain"]


def test_a_load_replaces_all_rows_in_one_transaction() -> None:
    made, template = warehouse(every=Duration.minutes(30))
    create, delete, copy = made.statements
    assert create.startswith("CREATE TABLE IF NOT EXISTS reports (event_date date,")
    assert delete == "DELETE FROM reports"
    assert re.search(r"COPY reports FROM 's3://.*/reports/' IAM_ROLE '.*' FORMAT AS CSV IGNOREHEADER 1", copy)
    schedule = only(template, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(30 minutes)"
    assert "redshiftdata:batchExecuteStatement" in str(schedule["Target"]["Arn"])
    assert "DELETE FROM reports" in str(schedule["Target"]["Input"])


def test_the_table_has_the_columns_of_a_report() -> None:
    asked = query(Window("2026-11-21", "03"), database="d", table="t").split("\nFROM (")[0]
    names = [re.split(r"\s", column.strip())[-1] for column in asked.removeprefix("SELECT ").split(",\n")]
    assert names == list(COLUMNS)


def actions(template: Template, role: str) -> set[str]:
    found: set[str] = set()
    for policy in resources(template, "AWS::IAM::Policy").values():
        if any(role in each["Ref"] for each in policy["Roles"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                listed = statement["Action"]
                found |= {listed} if isinstance(listed, str) else set(listed)
                assert statement["Resource"] != "*", f"{listed} on everything"
    return found


def test_each_role_may_do_one_thing() -> None:
    _made, template = warehouse()
    assert actions(template, "WReader") == {"s3:GetObject", "s3:ListBucket"}
    assert {each for each in actions(template, "WLoader") if not each.startswith("sqs:")} == {
        "redshift-data:BatchExecuteStatement",
        "redshift-serverless:GetCredentials",
    }


@pytest.mark.parametrize(("capacity", "says"), [(7, "between 8 and 512, got 7"), (12, "a multiple of 8, got 12")])
def test_a_capacity_that_aws_does_not_have_is_refused(capacity: int, says: str) -> None:
    with pytest.raises(ValueError, match=f"base_capacity: must be {says}"):
        warehouse(base_capacity=capacity)

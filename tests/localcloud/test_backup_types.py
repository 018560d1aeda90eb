"""localcloud/resource_types/backup.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def template(name: str) -> dict[str, Any]:
    rule = {"RuleName": "daily", "TargetBackupVault": {"Ref": "Vault"}, "ScheduleExpression": "cron(0 3 * * ? *)"}
    selected = {"SelectionName": name, "IamRoleArn": probes.attribute("Role"), "Resources": ["arn:aws:rds:*:*:db:x"]}
    selection = {"BackupPlanId": {"Ref": "Plan"}, "BackupSelection": selected}
    plan = {"BackupPlan": {"BackupPlanName": "plan", "BackupPlanRule": [rule]}}
    return {
        "Vault": {"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": "vault"}},
        "Plan": {"Type": "AWS::Backup::BackupPlan", "Properties": plan},
        "Role": probes.role("backup.amazonaws.com"),
        "Selection": {"Type": "AWS::Backup::BackupSelection", "Properties": selection},
    }


@pytest.mark.lifecycle("AWS::Backup::BackupSelection")
def test_a_selection_is_made_replaced_and_removed(cloud: LocalCloud) -> None:
    backup, outputs = cloud.client("backup"), {"Id": ("Selection", "SelectionId")}
    made = probes.deploy(cloud, template("first"), **outputs)
    plan = {"BackupPlanId": made["Plan"]}
    found = backup.get_backup_selection(**plan, SelectionId=made["Id"])["BackupSelection"]
    assert (found["SelectionName"], found["Resources"]) == ("first", ["arn:aws:rds:*:*:db:x"])
    assert found["IamRoleArn"].endswith(f"role/{made['Role']}")

    other = probes.update(cloud, template("second"), **outputs)
    assert other["Id"] != made["Id"]
    (left,) = backup.list_backup_selections(**plan)["BackupSelectionsList"]
    assert (left["SelectionId"], left["SelectionName"]) == (other["Id"], "second")
    probes.destroy(cloud)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        backup.get_backup_selection(**plan, SelectionId=other["Id"])

"""The resilient application's stack is deployed, given a replica, relieved of it, and deleted: data stay until then."""

import json
from typing import Any

import psycopg
import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.scenarios import of_type, resources_of
from tests.templates import Template

pytestmark = pytest.mark.cloud

INSTANCE, SECRET = "AWS::RDS::DBInstance", "AWS::SecretsManager::SecretTargetAttachment"
KEY = "resilient-web-app"


def made(**context: Any) -> Template:
    """Its resources."""
    return resources_of(KEY, **context)


def connect(cloud: LocalCloud, arn: str, endpoint: dict[str, Any]) -> "psycopg.Connection[tuple[Any, ...]]":
    text = cloud.client("secretsmanager").get_secret_value(SecretId=arn)
    known = json.loads(text["SecretString"])
    return psycopg.connect(
        host=endpoint["Address"],
        port=endpoint["Port"],
        user=known["username"],
        password=known["password"],
        dbname=known["dbname"],
        sslmode="verify-full",
        sslrootcert=str(cloud.target.ca_bundle),
        autocommit=True,
    )


def test_it_is_deployed_changed_and_deleted(cloud: LocalCloud) -> None:
    rds, plain, with_replica = cloud.client("rds"), made(), made(options="replica")
    ids = probes.deploy(cloud, plain)
    (primary,), (attachment,) = of_type(plain, INSTANCE), of_type(plain, SECRET)
    secret = ids[attachment]
    (found,) = rds.describe_db_instances(DBInstanceIdentifier=ids[primary])["DBInstances"]
    with connect(cloud, secret, found["Endpoint"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'before' AS what")

    changed = probes.update(cloud, with_replica)
    assert changed[primary] == ids[primary], "a replica gave the stack another database"
    (replica,) = set(of_type(with_replica, INSTANCE)) - {primary}
    (copy,) = rds.describe_db_instances(DBInstanceIdentifier=changed[replica])["DBInstances"]
    assert copy["ReadReplicaSourceDBInstanceIdentifier"].endswith(ids[primary])
    with connect(cloud, secret, copy["Endpoint"]) as connection:
        assert probes.eventually(lambda: connection.execute("SELECT what FROM kept").fetchone() == ("before",))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DROP TABLE kept")

    again = probes.update(cloud, plain)
    assert again[primary] == ids[primary]
    left = [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
    assert changed[replica] not in left
    with connect(cloud, secret, found["Endpoint"]) as connection:
        assert connection.execute("SELECT what FROM kept").fetchone() == ("before",)

    probes.destroy(cloud)
    left = [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
    assert ids[primary] not in left
    (group,) = of_type(plain, "AWS::AutoScaling::AutoScalingGroup")
    asked = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[ids[group]])
    assert asked["AutoScalingGroups"] == []
    vaults = [one["BackupVaultName"] for one in cloud.client("backup").list_backup_vaults()["BackupVaultList"]]
    assert ids[of_type(plain, "AWS::Backup::BackupVault")[0]] not in vaults

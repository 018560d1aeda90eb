"""Databases for the tests of the local cloud: templates of them, and a client."""

import json
from typing import Any

import psycopg

from localcloud.cloud import LocalCloud

EXCLUDED = " %+~`#$&*()|[]{}:;<>?!'/@\"\\"


def secret() -> dict[str, Any]:
    """The master user's secret, as CDK's DatabaseSecret makes it."""
    generated = {"SecretStringTemplate": '{"username":"owner"}', "GenerateStringKey": "password"}
    generate = generated | {"PasswordLength": 30, "ExcludeCharacters": EXCLUDED}
    return {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate}}


def instance(**properties: Any) -> dict[str, Any]:
    """A DB instance whose master user is that of the resource `Secret`; deleted without a snapshot."""
    given = {
        "Engine": "postgres",
        "EngineVersion": "17.6",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": "20",
        "DBName": "app",
        "BackupRetentionPeriod": 7,
    }
    if "SourceDBInstanceIdentifier" not in properties and "DBSnapshotIdentifier" not in properties:
        given |= {"MasterUsername": _of_secret("username"), "MasterUserPassword": _of_secret("password")}
    return {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Delete", "Properties": given | properties}


def attachment() -> dict[str, Any]:
    """The address of the resource `Database` in the resource `Secret`."""
    properties = {"SecretId": {"Ref": "Secret"}, "TargetId": {"Ref": "Database"}, "TargetType": "AWS::RDS::DBInstance"}
    return {"Type": "AWS::SecretsManager::SecretTargetAttachment", "Properties": properties}


def read_secret(cloud: LocalCloud, arn: str) -> dict[str, Any]:
    """What a secret holds now."""
    text = cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    found: dict[str, Any] = json.loads(text)
    return found


def connect(cloud: LocalCloud, login: dict[str, Any], **changed: Any) -> psycopg.Connection:
    """A connection as a secret says; `changed` are arguments of psycopg."""
    arguments = {
        "host": login["host"],
        "port": login["port"],
        "user": login["username"],
        "password": login["password"],
        "dbname": login.get("dbname", "postgres"),
        "sslmode": "verify-full",
        "sslrootcert": str(cloud.ca_bundle),
        "connect_timeout": 5,
        "autocommit": True,
    }
    return psycopg.connect(**(arguments | changed))


def value(cloud: LocalCloud, login: dict[str, Any], query: str, **changed: Any) -> Any:
    """The one value that a query answers."""
    with connect(cloud, login, **changed) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def described(cloud: LocalCloud, name: str) -> Any:
    """A DB instance as the API tells it."""
    return cloud.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def _of_secret(field: str) -> dict[str, Any]:
    return {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Secret"}, f":SecretString:{field}::}}}}"]]}

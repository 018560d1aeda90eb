"""localcloud/fixes/file_systems.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.servers.file_systems import folder_of, moved
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

SOURCE = """
import os, pathlib
def handler(event, context):
    root = pathlib.Path(os.environ["RELEASES_ROOT"])
    try:
        (root / "latest.json").write_text(event["text"])
    except OSError as error:
        return str(error)
    return (root / "latest.json").read_text()
"""


def resources() -> dict[str, Any]:
    """A function with the part /releases of a file system at /mnt/files."""
    mount = {"Arn": probes.attribute("Point"), "LocalMountPath": "/mnt/files"}
    point = {"FileSystemId": {"Ref": "Files"}, "RootDirectory": {"Path": "/releases"}}
    return {
        "Files": {"Type": "AWS::EFS::FileSystem"},
        "Point": {"Type": "AWS::EFS::AccessPoint", "Properties": point},
        "Role": probes.role("lambda.amazonaws.com"),
        "Publisher": probes.function(
            SOURCE,
            "Role",
            FileSystemConfigs=[mount],
            Environment={"Variables": {"RELEASES_ROOT": "/mnt/files", "OTHER": "/mnt/filesystem"}},
        ),
    }


def publish(cloud: LocalCloud, function: str, text: str) -> str:
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"text": text}).encode())
    return str(json.loads(answer["Payload"].read()))


def test_a_function_writes_where_servers_read(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources())
    assert publish(cloud, made["Publisher"], "one") == "one"
    folder = folder_of(cloud.state / "data" / "file-systems", made["Files"], "/releases")
    assert (folder / "latest.json").read_text() == "one"
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=made["Publisher"])
    assert configuration["Environment"]["Variables"]["RELEASES_ROOT"] == "/mnt/files"
    assert [one["LocalMountPath"] for one in configuration["FileSystemConfigs"]] == ["/mnt/files"]
    assert publish(cloud, made["Publisher"], "two") == "two"


def test_what_lies_below_is_led_too_and_nothing_else(tmp_path: Path) -> None:
    environment = {"A": "/mnt/files", "B": "/mnt/files/a/b", "C": "/mnt/files2", "D": "x"}
    assert moved(environment, {"/mnt/files": tmp_path}) == environment | {"A": f"{tmp_path}", "B": f"{tmp_path}/a/b"}


def test_the_emulator_alone_still_mounts_nothing(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources())
    assert "No such file or directory" in publish(bare, made["Publisher"], "one")
    configuration = bare.client("lambda").get_function_configuration(FunctionName=made["Publisher"])
    assert not configuration.get("FileSystemConfigs")

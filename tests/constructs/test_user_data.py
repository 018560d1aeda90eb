"""The script that makes an instance a server: what it does, in which order, and that a shell can read it."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from constructs_lib._user_data import Boot, script

BOOT = Boot(
    package="shop",
    port=8080,
    source="s3://assets/source.zip",
    dependencies="s3://assets/needs.zip",
    environment={"AWS_REGION": "eu-west-1", "ROOT": "/mnt/files", "TABLE": "it's $HOME `x`"},
    log_group="Logs",
    region="eu-west-1",
    signal_to=("Stack", "Group"),
    mount=("fs-1", "fsap-1", "/mnt/files", False),
    downloads={"/opt/rds/bundle.pem": "https://trust.example.com/bundle.pem"},
)
SMALL = replace(BOOT, mount=None, dependencies=None, downloads={})


@pytest.mark.parametrize("boot", [BOOT, SMALL], ids=["whole", "small"])
@pytest.mark.parametrize("mutilate", [False, True], ids=["as it is", "cut off"])
def test_a_shell_can_read_it(boot: Boot, mutilate: bool) -> None:
    bash = shutil.which("bash")
    assert bash, "no bash on this machine"
    text = script(boot)
    checked = subprocess.run([bash, "-n"], input=text[:-20] + "(" if mutilate else text, text=True, check=False)
    assert (checked.returncode != 0) == mutilate


def stops_at_the_first_failure(text: str) -> None:
    assert text.startswith("set -euo pipefail\n"), "it goes on after a failure"


def tells_how_it_ended(text: str) -> None:
    assert "--stack 'Stack' --resource 'Group' --region 'eu-west-1'" in text, "nobody is told"
    assert text.index("trap 'tell $?' EXIT") < text.index("dnf install"), "an early failure is not told"


def healthy_last(text: str) -> None:
    last = text.rstrip().splitlines()[-1]
    assert last.startswith("curl --fail") and last.endswith("http://127.0.0.1:8080/health"), "it does not wait"  # noqa: PT018


def environment_is_as_agreed(text: str) -> None:
    """Also what the local cloud reads: the heredoc, word for word."""
    found = re.search(r"cat > /etc/shop\.env <<'ENVIRONMENT'\n(.*?)\nENVIRONMENT\n", text, re.DOTALL)
    assert found, "there is no environment"
    wanted = ["PORT=8080", "AWS_REGION=eu-west-1", "ROOT=/mnt/files", "TABLE=it's $HOME `x`"]
    assert found[1].splitlines() == wanted, "another environment"


def runs_the_package(text: str) -> None:
    assert "\nExecStart=/usr/bin/python3.13 -m shop\n" in text, "it runs something else"
    assert "\nRestart=always\n" in text, "it stays down"


def confined(text: str) -> None:
    for line in (
        "User=shop",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "PrivateTmp=yes",
    ):
        assert f"\n{line}\n" in text, f"{line} is missing"


def followed(text: str) -> None:
    assert "\nStandardOutput=append:/var/log/shop/output.log\n" in text, "its output is lost"
    assert '"file_path": "/var/log/shop/output.log"' in text, "the agent follows another file"
    assert '"log_group_name": "Logs"' in text, "the agent writes elsewhere"


HOLDS = [
    stops_at_the_first_failure,
    tells_how_it_ended,
    healthy_last,
    environment_is_as_agreed,
    runs_the_package,
    confined,
    followed,
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(holds: Callable[[str], None]) -> None:
    holds(script(BOOT))


@pytest.mark.parametrize(
    ("holds", "old", "new", "says"),
    [
        (stops_at_the_first_failure, "set -euo pipefail", "set -u", "goes on"),
        (tells_how_it_ended, "--resource 'Group'", "", "nobody is told"),
        (healthy_last, "/health", "/", "does not wait"),
        (environment_is_as_agreed, "<<'ENVIRONMENT'", "<<ENVIRONMENT", "no environment"),
        (environment_is_as_agreed, "PORT=8080\n", "", "another environment"),
        (runs_the_package, "python3.13 -m", "python3 -m", "something else"),
        (confined, "NoNewPrivileges=yes\n", "", "NoNewPrivileges=yes is missing"),
        (followed, '"Logs"', '"Other"', "writes elsewhere"),
    ],
)
def test_and_would_be_missed(holds: Callable[[str], None], old: str, new: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(script(BOOT).replace(old, new))


def test_a_file_system_is_mounted_read_only_over_tls_now_and_after_a_reboot() -> None:
    text = script(BOOT)
    options = "tls,iam,accesspoint=fsap-1,ro,noexec,nosuid,nodev"
    assert f"\nagain mount -t efs -o {options} fs-1:/ /mnt/files\n" in text
    assert f"'fs-1:/ /mnt/files efs _netdev,{options} 0 0' >> /etc/fstab" in text
    assert "amazon-efs-utils" in text
    assert "After=network-online.target remote-fs.target" in text
    assert ",rw," in script(replace(BOOT, mount=("fs-1", "fsap-1", "/mnt/files", True)))


def test_what_is_not_wanted_is_not_done() -> None:
    text = script(SMALL)
    assert "mount" not in text
    assert "efs" not in text
    assert "needs.zip" not in text
    assert "--proto" not in text


def test_files_are_fetched_over_https_alone() -> None:
    assert "--proto '=https' --create-dirs --output '/opt/rds/bundle.pem'" in script(BOOT)

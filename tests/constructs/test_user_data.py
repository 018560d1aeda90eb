"""The script that makes an instance a server: what it does, in which order, and that a shell can read it."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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


def home_can_be_looked_into(text: str) -> None:
    """A home that may not be looked into keeps libpq, which looks there for a certificate, from connecting."""
    found = re.search(r"^useradd .*--home-dir (\S+) .*shop$", text, re.MULTILINE)
    assert found, "its home is below /home"
    assert "\nProtectHome=yes\n" in text, "it looks into other homes"
    assert not found[1].startswith(("/home", "/root", "/run/user")), "its home is closed to it"
    assert f"\ninstall -d {found[1]}\n" in text, "it has no home"


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
    home_can_be_looked_into,
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
        (home_can_be_looked_into, "--home-dir /opt/shop ", "", "below /home"),
        (home_can_be_looked_into, "--home-dir /opt/shop ", "--home-dir /home/shop ", "closed to it"),
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
    assert "ReadWritePaths" not in text, "the unit may write there"


def test_a_file_system_that_servers_may_write_to_is_writable_for_the_unit_too() -> None:
    """ProtectSystem=strict makes the whole hierarchy read-only, mounted file systems included (systemd.exec(5))."""
    text = script(replace(BOOT, mount=("fs-1", "fsap-1", "/mnt/files", True)))
    assert ",rw," in text
    assert "\nProtectSystem=strict\nReadWritePaths=/mnt/files\n" in text


def test_what_is_not_wanted_is_not_done() -> None:
    text = script(SMALL)
    assert "mount" not in text
    assert "efs" not in text
    assert "needs.zip" not in text
    assert "--proto" not in text


def test_files_are_fetched_over_https_alone() -> None:
    assert "--proto '=https' --output '/opt/rds/bundle.pem'" in script(BOOT)


# As curl(1) says: the folders that it makes itself have mode 0750.
CURL = """again() { "$@"; }
curl() {
  local path
  while [ "$1" != --output ]; do [ "$1" = --create-dirs ] && made=yes; shift; done
  path=$2
  [ "${made:-}" = yes ] && (umask 027; mkdir -p "$(dirname "$path")")
  echo certificates > "$path"
}
"""


@pytest.mark.parametrize("by_curl", [False, True], ids=["as it is", "by curl"])
def test_what_is_fetched_can_be_read_by_the_applications_user(tmp_path: Path, by_curl: bool) -> None:
    path = tmp_path / "rds" / "authorities" / "bundle.pem"
    text = script(replace(BOOT, downloads={str(path): "https://trust.example.com/bundle.pem"}))
    if by_curl:
        text = re.sub("^mkdir .*\n", "", text, flags=re.MULTILINE).replace("--output", "--create-dirs --output")
    fetch = "\n".join(line for line in text.splitlines() if str(tmp_path) in line)
    bash = shutil.which("bash")
    assert bash, "no bash on this machine"
    subprocess.run([bash, "-euc", f"umask 022\n{CURL}{fetch}"], check=True)
    assert path.stat().st_mode & 0o777 == 0o644
    open_to_all = [folder.stat().st_mode & 0o005 == 0o005 for folder in (path.parent, path.parent.parent)]
    assert all(open_to_all) is not by_curl

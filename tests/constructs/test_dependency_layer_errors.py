"""What uv 0.13 says when a layer cannot be built, and the one sentence that becomes of it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from constructs_lib import BundlingError, FunctionTarget
from constructs_lib._layers import layer_zip

BUILT_FOR = "Python 3.13 on arm64 (aarch64-manylinux_2_34)"
MISSING = f"no wheel for {BUILT_FOR}; pin another version in "
OFFLINE = f"building this layer for {BUILT_FOR} needs the network once, and it cannot be reached"


def _no_solution(because: str, hint: str = "") -> str:
    return (
        f"error: No solution found when resolving dependencies\n  cause: Because {because}, we can conclude that your "
        f"requirements are unsatisfiable.\n\nhint: {hint}\n"
    )


def _no_connection(*causes: str) -> str:
    url = "https://index.example/simple/six/"
    said = [
        "error: Failed to fetch: " + url,
        f"error sending request for url ({url})",
        "client error (Connect)",
        *causes,
    ]
    return "\n  cause: ".join(said)


# name -> what uv wrote, what is said
SAID = {
    "source only": (
        _no_solution(
            "pyspark==3.5.3 has no usable wheels and you require pyspark==3.5.3",
            "Wheels are required for `pyspark` because building from source is disabled for all packages",
        ),
        f"pyspark==3.5.3: {MISSING}",
    ),
    "no wheel for the platform": (
        _no_solution(
            "pywin32==311 has no wheels with a matching platform tag (e.g., `manylinux_2_34_aarch64`) and you require "
            "pywin32==311",
            "Wheels are available for `pywin32` (v311) on the following platforms: `win32`, `win_amd64`, `win_arm64`",
        ),
        f"pywin32==311: {MISSING}",
    ),
    "no wheel for the Python": (
        _no_solution(
            "torch==2.0.0 has no wheels with a matching Python ABI tag (e.g., `cp313`) and you require torch==2.0.0",
            "You require CPython 3.13 (`cp313`), but we only found wheels for `torch` (v2.0.0) with the following ...",
        ),
        f"torch==2.0.0: {MISSING}",
    ),
    "refused": (_no_connection("tcp connect error", "Connection refused (os error 111)"), OFFLINE),
    "no such host": (_no_connection("dns error", "failed to lookup address information"), OFFLINE),
    "too slow": ("error: Failed to download `six==1.17.0`\n  cause: operation timed out", OFFLINE),
    "network disabled": (
        _no_solution(
            "six was not found in the cache and you require six==1.17.0",
            "Packages were unavailable because the network was disabled. When the network is disabled, registry ...",
        ),
        OFFLINE,
    ),
    "no such version": (
        _no_solution("there is no version of six==99.0 and you require six==99.0"),
        f"could not be installed for {BUILT_FOR}: error: No solution found when resolving dependencies cause: Because",
    ),
    "another content, of a package named like a network error": (
        "error: Failed to download `snowflake-connector-python==1.0`\n  cause: Hash mismatch",
        f"could not be installed for {BUILT_FOR}: error: Failed to download `snowflake-connector-python==1.0`",
    ),
}


@pytest.fixture
def target(tmp_path: Path) -> FunctionTarget:
    return FunctionTarget(layers_cache=tmp_path / "layers")


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("six==1.17.0 --hash=sha256:abc\n")
    return path


@pytest.mark.parametrize(("stderr", "message"), SAID.values(), ids=SAID)
def test_what_uv_says_becomes_one_sentence(
    stderr: str, message: str, target: FunctionTarget, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **kwargs: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0 if "--version" in command else 1, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(BundlingError, match=re.escape(message)) as refusal:
        layer_zip(requirements, target)
    assert "\n" not in str(refusal.value)
    assert str(requirements) in str(refusal.value)


def test_without_uv_it_says_how_to_get_it(
    target: FunctionTarget, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **kwargs: subprocess.CompletedProcess(command, 1))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BundlingError, match=r"^uv: not found, .* install it with: pip install uv$"):
        layer_zip(requirements, target)


def test_uv_of_the_machine_will_do(target: FunctionTarget, requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(command: list[str], **kwargs: object) -> subprocess.CompletedProcess[str]:
        ran.append(command[0])
        return subprocess.CompletedProcess(command, 0 if command[0] == "/opt/uv" else 1, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", {"uv": "/opt/uv"}.get)
    layer_zip(requirements, target)
    assert ran[-1] == "/opt/uv"

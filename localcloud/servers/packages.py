"""An environment per server package: exactly what its requirements pin, made once and kept by content."""

import fcntl
import hashlib
import subprocess
import sys
import sysconfig
from pathlib import Path

from localcloud import cdk
from localcloud.errors import LocalCloudError
from localcloud.process import require
from localcloud.progress import Progress

KEPT = cdk.ROOT / "build" / "servers"
SECONDS = 600.0


def python_of(package: Path, progress: Progress, *, kept: Path = KEPT) -> Path:
    """The interpreter of the environment of a package, made now when there is none for these requirements.

    Args:
        package: its folder, with requirements.txt (hashes required).
        progress: where it says that it makes one.
        kept: the folder of the environments.

    Raises:
        LocalCloudError: no such package, or its requirements cannot be installed.
    """
    if not (package / "__init__.py").is_file():
        raise LocalCloudError(f"there is no server package {package.name} in {package.parent}")
    wanted = package / "requirements.txt"
    text = wanted.read_bytes() if wanted.is_file() else b""
    here = f"{sys.version} {sysconfig.get_platform()}".encode()
    made = kept / f"{package.name}-{hashlib.sha256(here + text).hexdigest()[:16]}"
    kept.mkdir(parents=True, exist_ok=True)
    with made.with_suffix(".lock").open("w") as lock:
        # Another local cloud may make the same one at this moment.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / ".ready").exists():
            with progress.phase(f"installing what {package.name} needs", live=False):
                _make(made, wanted if text else None)
            (made / ".ready").touch()
    return made / "bin" / "python"


def _make(made: Path, requirements: Path | None) -> None:
    uv = require(Path(sysconfig.get_path("scripts")) / "uv", "uv")
    base = [str(uv), "--no-config", "--no-progress", "--quiet"]
    _run([*base, "venv", "--clear", "--python", sys.executable, str(made)])
    if requirements:
        install = [*base, "pip", "sync", "--require-hashes", "--compile-bytecode"]
        _run([*install, "--python", str(made / "bin" / "python"), str(requirements)])


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, env=cdk.clean_environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise LocalCloudError(f"the environment of a server could not be made: {said or 'uv said nothing'}")

"""Build a dependency layer without Docker: pinned requirements in, one reproducible zip out, kept by content."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from constructs_lib.function_target import FunctionTarget

# Part of every key: raise it when the way a layer is built changes.
_FORMAT = "1"
# Source: AWS Lambda developer guide, "Lambda quotas": function and layers together, unzipped.
_MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
# Of the folder that uv fills: console scripts and its lock.
_LEFT_OUT = {"bin", ".lock"}
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


class BundlingError(RuntimeError):
    """A layer could not be built; the message says which package, Python version and architecture, and why."""


def layer_key(requirements: Path, target: FunctionTarget) -> str:
    """The layer's identity: what is asked for and what it is built for; the same on every machine."""
    text = requirements.read_text(encoding="utf-8").replace("\r\n", "\n")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    identity = "\n".join([_FORMAT, target.python, target.wheel_platform, *lines])
    return hashlib.sha256(identity.encode()).hexdigest()


def layer_zip(requirements: Path, target: FunctionTarget) -> Path:
    """The layer as a zip: from the cache, or else installed with uv from the hashed requirements.

    Raises:
        BundlingError: uv is missing, a wheel is missing for the target, the network is needed and absent, or the
            layer is larger than Lambda allows.
    """
    cache = target.layers_cache or Path.home() / ".cache" / "constructs_lib"
    built = cache / f"{layer_key(requirements, target)}.zip"
    if not built.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as work:
            root = Path(work) / "layer"
            _install(requirements, target, root / "python")
            _check_size(requirements, root)
            # Written aside and renamed, so that another process never reads half a layer.
            _zip(root, Path(work) / "layer.zip").replace(built)
    return built


def _install(requirements: Path, target: FunctionTarget, into: Path) -> None:
    command = [*_uv(), "pip", "install", "--quiet", "--no-config", "--no-progress", "--target", str(into)]
    command += ["--python", sys.executable, "--python-version", target.python]
    command += ["--python-platform", target.wheel_platform, "--only-binary", ":all:", "--link-mode", "copy"]
    command += ["--no-deps", "--require-hashes", "--no-compile-bytecode", "-r", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words only
    if done.returncode:
        raise BundlingError(_reason(done.stderr, requirements, target))


def _uv() -> list[str]:
    probe = [sys.executable, "-m", "uv"]
    if subprocess.run([*probe, "--version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return probe
    found = shutil.which("uv")
    if found:
        return [found]
    raise BundlingError("uv: not found, it builds the functions' layers; install it with: pip install uv")


def _reason(stderr: str, requirements: Path, target: FunctionTarget) -> str:
    built_for = f"Python {target.python} on {target.architecture} ({target.wheel_platform})"
    # As uv 0.13 says it: "no usable wheels", "no wheels with a matching platform tag", or "... Python ABI tag".
    missing = re.search(r"Because (\S+) has no (?:usable )?wheels", stderr)
    if missing:
        return f"{missing[1]}: no wheel for {built_for}; pin another version in {requirements}"
    if re.search(r"error sending request|operation timed out|network was disabled", stderr):
        return f"{requirements}: building this layer for {built_for} needs the network once, and it cannot be reached"
    return f"{requirements}: could not be installed for {built_for}: {' '.join(stderr.split())}"


def _files(root: Path) -> list[Path]:
    found = {path: path.relative_to(root / "python").parts for path in root.rglob("*") if path.is_file()}
    return sorted(path for path, parts in found.items() if parts[0] not in _LEFT_OUT and "__pycache__" not in parts)


def _check_size(requirements: Path, root: Path) -> None:
    size = sum(path.stat().st_size for path in _files(root))
    if size > _MAX_UNZIPPED_BYTES:
        raise BundlingError(
            f"{requirements}: the layer must be at most {_MAX_UNZIPPED_BYTES} bytes unzipped, got {size}"
        )


def _zip(root: Path, into: Path) -> Path:
    """Sorted names, one date and two modes: the same bytes from the same files."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in _files(root):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _FIXED_TIME)
            entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return into

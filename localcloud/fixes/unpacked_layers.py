"""A layer is unpacked once, and what Python compiles of it is kept, also from run to run.

Without this fix every new function process unpacks its layers anew and compiles all that it imports, which makes a cold
start of a function with Powertools cost seconds of processor time; on AWS it costs a fraction of one.
"""

import hashlib
import os
import shutil
import tempfile
import types
import zipfile
from pathlib import Path
from typing import Any

from localcloud.internals import need

KEPT = 16
"""Unpacked layers kept; the longest unused go first."""


def apply() -> None:
    """Give the function runtime a `zipfile` that remembers layers."""
    runtime = need("core.lambda_runtime", "zipfile", "Worker")
    store = Path(os.environ["LAYER_STORE"])
    store.mkdir(parents=True, exist_ok=True)
    for old in sorted(store.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old)

    class Remembering(zipfile.ZipFile):
        def extractall(self, path: Any = None, *args: Any, **more: Any) -> None:
            # The runtime unpacks code into `code` and layers into `layer_<n>`.
            if not Path(path).name.startswith("layer_"):
                super().extractall(path, *args, **more)
                return
            digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
            unpacked = store / digest
            if not unpacked.exists():
                fresh = Path(tempfile.mkdtemp(dir=store))
                super().extractall(fresh, *args, **more)
                _publish(fresh, unpacked)
            unpacked.touch()
            for entry in unpacked.iterdir():
                (Path(path) / entry.name).symlink_to(entry)

    shim = types.ModuleType("zipfile")
    vars(shim).update(vars(zipfile), ZipFile=Remembering)
    vars(runtime)["zipfile"] = shim


def _publish(fresh: Path, unpacked: Path) -> None:
    """Another process may have been quicker: then its copy is as good."""
    try:
        fresh.rename(unpacked)
    except OSError:
        shutil.rmtree(fresh)
        if not unpacked.exists():
            raise

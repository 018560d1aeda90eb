"""The house's rules for Dockerfiles, beside those of hadolint; one sentence per offence."""

import json
import re
import subprocess
import sys
from pathlib import Path

_EXACT = re.compile(r"python:3\.\d+\.\d+-slim-[a-z]+")
_SECRET = re.compile(r"(?i)(password|passwd|secret|token|access_?key|private_?key|credential)")


def offences(dockerfile: Path, package: str) -> list[str]:
    """What the Dockerfile of a package breaks."""
    steps = instructions(dockerfile.read_text(encoding="utf-8"))
    last = max((number for number, (name, _) in enumerate(steps) if name == "FROM"), default=0)
    stages, final = [value for name, value in steps if name == "FROM"], steps[last:]
    bases = [value.partition("=")[2] for name, value in steps if name == "ARG" and value.startswith("PYTHON=")]
    users = [value for name, value in final if name == "USER"]
    command = json.dumps(["python", "-m", package])
    return [
        said
        for broken, said in [
            (len(bases) != 1 or not _EXACT.fullmatch(bases[0]), f"base: must be one exact version, got {bases}"),
            (any(not stage.startswith("${PYTHON}") for stage in stages), f"FROM: must be ${{PYTHON}}, got {stages}"),
            (len(stages) < 2, "FROM: must be several stages, so that what builds does not run"),
            (not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]), f"USER: must be numbers, got {users}"),
            (("CMD", command) not in final, f"CMD: must be {command}"),
            (
                not any(name == "HEALTHCHECK" and 'CMD ["' in value for name, value in final),
                "HEALTHCHECK: must be there",
            ),
            (any(name == "RUN" for name, _ in final), "RUN: must be in an earlier stage"),
            (any(name == "ADD" for name, _ in steps), "ADD: must be COPY"),
            (
                not any("--require-hashes" in value for name, value in steps if name == "RUN"),
                "pip: must require hashes",
            ),
            (
                any(name in {"ENV", "ARG"} and _SECRET.search(value) for name, value in steps),
                "ENV: must hold no secret: images are read by many",
            ),
        ]
        if broken
    ]


def instructions(text: str) -> list[tuple[str, str]]:
    """(name, rest) of each, comments and line ends taken away."""
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    whole = re.sub(r"\\\n\s*", "", plain)
    pairs = [line.strip().partition(" ") for line in whole.splitlines() if line.strip()]
    return [(name.upper(), re.sub(r"\s+", " ", value).strip()) for name, _, value in pairs]


def lint(dockerfile: Path) -> list[str]:
    """What hadolint says."""
    hadolint = str(Path(sys.executable).with_name("hadolint"))
    command = [hadolint, "--no-color", "--disable-ignore-pragma", "-f", "gnu", str(dockerfile)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.splitlines()

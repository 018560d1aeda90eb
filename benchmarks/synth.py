"""Synthesis of each scenario, and of all, against an app with one stack and nothing to speak of in it."""

import functools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._measure import ROOT, in_turns, run
from stacks.catalog import keys

# One resource, since CDK refuses a template without any.
_EMPTY = (
    "import aws_cdk as cdk; app = cdk.App(); "
    "cdk.CfnWaitConditionHandle(cdk.Stack(app, 'Empty'), 'Nothing'); app.synth()"
)


def measure(*, rounds: int = 3) -> dict[str, Any]:
    """Median seconds and ratios to the empty app; layers are cached by a first round that does not count."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    with tempfile.TemporaryDirectory() as folder:

        def synth(command: list[str], name: str, context: dict[str, Any]) -> None:
            env = {"CDK_OUTDIR": str(Path(folder) / name), "CDK_CONTEXT_JSON": json.dumps(flags | context)}
            run([sys.executable, *command], env=os.environ | env)

        candidates = {"empty app": functools.partial(synth, ["-c", _EMPTY], "empty", {})}
        for key in keys():
            candidates[key] = functools.partial(synth, ["app.py"], key, {"scenario": key})
        candidates["all scenarios"] = functools.partial(synth, ["app.py"], "all", {})
        in_turns(candidates, rounds=1)
        seconds = in_turns(candidates, rounds=rounds)
    return {
        name: {"seconds": round(taken, 2), "times the empty app": round(taken / seconds["empty app"], 2)}
        for name, taken in seconds.items()
    }

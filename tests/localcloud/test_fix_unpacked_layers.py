"""localcloud/fixes/unpacked_layers.py."""

import json
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def homes(cloud: LocalCloud) -> list[Path]:
    """Where two functions with the same layer found its module."""
    layer = probes.layer(cloud, python__shared="")
    source = "import os, shared\ndef handler(event, context): return os.path.realpath(shared.__file__)"
    made = probes.deploy(
        cloud,
        {
            "Layer": layer,
            "Role": probes.role("lambda.amazonaws.com"),
            "One": probes.function(source, "Role", Layers=[{"Ref": "Layer"}]),
            "Two": probes.function(source, "Role", Layers=[{"Ref": "Layer"}]),
        },
    )
    functions = cloud.client("lambda")
    answers = [functions.invoke(FunctionName=made[name])["Payload"].read() for name in ("One", "Two")]
    return [Path(json.loads(answer)) for answer in answers]


def test_functions_share_one_copy_and_what_was_compiled(cloud: LocalCloud) -> None:
    first, second = homes(cloud)
    assert first == second
    assert list((first.parent / "__pycache__").glob("shared.*.pyc"))


def test_the_emulator_alone_still_unpacks_for_each(bare: LocalCloud) -> None:
    first, second = homes(bare)
    assert first != second

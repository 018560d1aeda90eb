"""The house keeps its arrows, and no arrow that points the wrong way goes unnoticed."""

from pathlib import Path

import pytest

from tests.repo.arrows import offences
from tests.templates import ROOT

LIB, STACK, JOURNEY = "constructs_lib/a.py", "stacks/a.py", "journeys/a.py"
CLOUD, FUNCTION, SERVER = "localcloud/a.py", "lambda_src/worker/a.py", "container_src/shop/parts/a.py"


def _house(root: Path, name: str, source: str) -> Path:
    """A made-up checkout of one module."""
    package = root / "lambda_src" / "worker"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "requirements.txt").write_text("pydantic==2.14.3 \\\n    --hash=sha256:0\n")
    (root / "lambda_src" / "other").mkdir()
    (root / "lambda_src" / "other" / "__init__.py").touch()
    for server in ("shop", "shop/parts", "service_kit", "bank"):
        (root / "container_src" / server).mkdir(parents=True, exist_ok=True)
        (root / "container_src" / server / "__init__.py").touch()
    (root / "container_src" / "shop" / "requirements.txt").write_text("pydantic==2.14.3 \\\n    --hash=sha256:0\n")
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(source)
    return root


def test_the_house_keeps_its_arrows() -> None:
    assert offences(ROOT) == []


@pytest.mark.parametrize(
    ("name", "source", "offence"),
    [
        (LIB, "import boto3", "constructs_lib/a.py:1: constructs_lib must not import boto3"),
        (LIB, "from stacks.settings import Settings", "constructs_lib must not import stacks.settings"),
        (LIB, "def f():\n    import jsii", "constructs_lib/a.py:2: constructs_lib must not import jsii"),
        (LIB, "import worker.rules", "constructs_lib must not import worker.rules"),
        (LIB, "import os\nx = os.environ['A']", "a.py:2: must be told, not read it from outside: environ"),
        (LIB, "from os import getenv", "must be told, not read it from outside: getenv"),
        (LIB, "import os\nx = os.getcwd()", "must be told, not read it from outside: getcwd"),
        (LIB, "from pathlib import Path\nx = Path.cwd()", "read it from outside: cwd"),
        (STACK, "def f(app):\n    app.node.try_get_context('x')", "a.py:2: must be told"),
        (LIB, "if target.is_local:\n    pass", "a.py:1: must not know of a local cloud, got 'is_local'"),
        (STACK, "def f(*, local=False): ...", "must not know of a local cloud, got 'local'"),
        (FUNCTION, "url = 'http://127.0.0.1:4566'", "must not know of a local cloud, got 'http://127.0.0.1:4566'"),
        (FUNCTION, "if settings.local_cloud: ...", "must not know of a local cloud, got 'local_cloud'"),
        (FUNCTION, "if where == 'local': ...", "must not know of a local cloud, got 'local'"),
        (STACK, "import boto3", "stacks must not import boto3"),
        (STACK, "from journeys import order_queue", "stacks must not import journeys.order_queue"),
        ("app.py", "from constructs_lib import QueuedApi", "app.py:1: app must not import constructs_lib.QueuedApi"),
        (JOURNEY, "import aws_cdk", "journeys must not import aws_cdk"),
        (JOURNEY, "from stacks import catalog", "journeys must not import stacks.catalog"),
        (JOURNEY, "from constructs_lib import QueuedApi", "journeys must not import constructs_lib.QueuedApi"),
        (JOURNEY, "from localcloud.cloud import LocalCloud", "journeys must not import localcloud.cloud.LocalCloud"),
        (JOURNEY, "import requests", "journeys must not import requests"),
        (CLOUD, "from stacks import order_queue", "localcloud must not import stacks.order_queue"),
        (CLOUD, "import stacks", "localcloud must not import stacks"),
        (CLOUD, "import aws_cdk", "localcloud must not import aws_cdk"),
        (CLOUD, "from tests import templates", "must not import tests.templates"),
        (FUNCTION, "from other import rules", "must import its own package alone, got other.rules"),
        (FUNCTION, "import constructs_lib", "must import its own package alone, got constructs_lib"),
        (FUNCTION, "import requests", "requests must be pinned in worker/requirements.txt"),
        ("lambda_src/other/a.py", "import pydantic", "pydantic must be pinned in other/requirements.txt"),
        (SERVER, "from bank import rules", "a server must import its own package alone, got bank.rules"),
        (SERVER, "import boto3", "boto3 must be pinned in shop/requirements.txt, or the server does not have it"),
        (SERVER, "if where == 'local': ...", "must not know of a local cloud, got 'local'"),
    ],
)
def test_an_arrow_that_points_the_wrong_way_is_noticed(name: str, source: str, offence: str, tmp_path: Path) -> None:
    found = offences(_house(tmp_path, name, source))
    assert len(found) == 1
    assert offence in found[0]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (LIB, '"""Works on the local cloud too."""\nimport json\nimport aws_cdk\nfrom constructs import Construct'),
        (STACK, "from constructs_lib import QueuedApi\nfrom stacks.settings import Settings"),
        ("app.py", "import sys\nfrom stacks import catalog\nx.node.try_get_context('y')"),
        (JOURNEY, "import boto3\nimport rich\nfrom journeys._world import World\nfrom mypy_boto3_sqs import SQSClient"),
        (CLOUD, "import typer\nfrom stacks import catalog\nfrom journeys._world import World"),
        ("benchmarks/a.py", "from stacks import catalog\nfrom worker import rules\nfrom localcloud import cloud"),
        ("tests/a.py", "import localcloud.cloud\nimport stacks.order_queue"),
        (SERVER, "import pydantic\nfrom service_kit import answers\nfrom shop import rules"),
        (FUNCTION, "import boto3\nimport pydantic\nfrom worker import rules\nlocal, _, domain = 'a@b'.partition('@')"),
    ],
)
def test_what_may_be_imported_is_left_alone(name: str, source: str, tmp_path: Path) -> None:
    assert offences(_house(tmp_path, name, source)) == []

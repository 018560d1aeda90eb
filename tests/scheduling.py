"""Which of pytest's workers runs what: a file's tests stay together, and so do those of a deployed scenario.

What a file or a scenario needs is then made once, by one worker. Scenarios come first: their journeys mostly wait, and
the many short files fill the workers' time up to the end.
"""

import importlib
import re
from typing import Any

import pytest

_OF_A_SCENARIO = re.compile(r"tests/journeys/test_scenarios\.py::.*\[([\w-]+)\]$")
_PAGES = {"tests/web/test_blog.py": "my-blog"}
# One PostgreSQL and one server over it are for all of these.
_OF_CUSTOMERS = re.compile(r"tests/servers/test_(clients_from_documents|customers_service\w*)\.py$")
_SCENARIO = "scenario "


def scope(nodeid: str) -> str:
    """The work unit that a test belongs to."""
    file = nodeid.partition("::")[0]
    if _OF_CUSTOMERS.match(file):
        return "customers"
    found = _OF_A_SCENARIO.search(nodeid)
    return f"{_SCENARIO}{found[1] if found else _PAGES[file]}" if found or file in _PAGES else file


def scenarios_first(items: list[pytest.Item]) -> None:
    """Sort what was collected; work is handed out in this order."""
    items.sort(key=lambda item: not scope(item.nodeid).startswith(_SCENARIO))


def by_scope(config: pytest.Config, log: Any) -> Any:
    """A scheduler of work units as `scope` says, in the order of collection."""
    config.option.loadscopereorder = False
    scheduler: Any = importlib.import_module("xdist.scheduler").LoadScopeScheduling(config, log)
    scheduler._split_scope = scope
    return scheduler

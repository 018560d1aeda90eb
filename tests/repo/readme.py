"""The generated parts of the README; ``python -m tests.repo.readme`` (``make docs``) writes them anew."""

import re
from collections.abc import Callable, Iterable

from stacks import catalog
from stacks.scenario import Scenario
from tests.templates import ROOT

README = ROOT / "README.md"


def scenario_table(scenarios: Iterable[Scenario]) -> str:
    """A row for each scenario: where its stack is, what flows, what proves it."""
    rows = [
        f"| [{one.key}](stacks/{one.module}.py) | {one.summary.replace('|', '&#124;')} "
        f"| [journey](journeys/{one.module}.py) |"
        for one in scenarios
    ]
    return "\n".join(["| scenario | what flows | proven by |", "|---|---|---|", *rows])


PARTS: dict[str, Callable[[], str]] = {"scenarios": lambda: scenario_table(catalog.load())}


def rewritten(text: str, parts: dict[str, Callable[[], str]]) -> str:
    """The text with every part between its markers as it is now.

    Raises:
        ValueError: A part has no place in the text.
    """
    for name, render in parts.items():
        place = re.compile(rf"(?s)(<!-- {name} -->\n).*?(<!-- /{name} -->)")
        if not place.search(text):
            raise ValueError(f"README: must have the markers <!-- {name} --> and <!-- /{name} -->")
        body = f"\n{render()}\n\n"
        text = place.sub(lambda found, body=body: f"{found[1]}{body}{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8"), PARTS), encoding="utf-8")

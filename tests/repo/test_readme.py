"""The README says what is so: its table is current, its commands and links exist, its example runs."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app
from stacks import catalog
from tests.repo.hourly import dollars_a_day
from tests.repo.readme import PARTS, README, rewritten, scenario_table
from tests.templates import NO_BUNDLING, ROOT, flags, resources, scenarios, scratch, template

PAGES = [README, ROOT / "CONTRIBUTING.md"]


def commands(text: str) -> set[str]:
    """Every ``make <target>`` that a page tells its reader to type."""
    code = re.findall(r"(?s)```.*?```|`[^`]+`|^(?: {4}|\t).*?$", text, re.MULTILINE)
    return {target for line in code for target in re.findall(r"\bmake ([a-z][a-z-]*)", line)}


def targets(makefile: str) -> set[str]:
    """The targets that a makefile has."""
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def links(text: str) -> set[str]:
    """The files that a page links to."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return {link for link in found if not re.match(r"[a-z]+:", link)}


def examples(text: str) -> list[str]:
    """The Python that a page shows."""
    return re.findall(r"(?s)```python\n(.*?)```", text)


def costs(text: str) -> dict[str, int]:
    """Scenario -> dollars a day, as a page says in a row of a table, or in passing."""
    rows = re.findall(r"(?m)^\| ([a-z-]+) \|.*\| (\d+) \$ \|$", text)
    return {key: int(dollars) for key, dollars in rows + re.findall(r"([a-z-]+) \([^()]*, (\d+) \$ a day\)", text)}


def test_the_generated_parts_are_current() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == rewritten(text, PARTS), "run: make docs"


def test_the_table_has_a_row_for_each_scenario() -> None:
    rows = scenario_table(catalog.load()).splitlines()[2:]
    assert [re.findall(r"\[([\w-]+)\]", row)[0] for row in rows] == scenarios()


def test_a_table_that_is_not_current_is_noticed() -> None:
    stale = "a\n<!-- scenarios -->\n| order-queue |\n<!-- /scenarios -->\nb\n"
    assert rewritten(stale, {"scenarios": lambda: "| new |"}) == (
        "a\n<!-- scenarios -->\n\n| new |\n\n<!-- /scenarios -->\nb\n"
    )


def test_a_part_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="must have the markers <!-- scenarios --> and <!-- /scenarios -->"):
        rewritten("no markers", PARTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_there(page: Path) -> None:
    shown = commands(page.read_text(encoding="utf-8"))
    assert shown
    assert shown - targets((ROOT / "Makefile").read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    shown = links(page.read_text(encoding="utf-8"))
    assert sorted(link for link in shown if not (page.parent / link).exists()) == []


def test_commands_and_links_that_are_not_there_are_noticed() -> None:
    text = "Run `make gone`, not make believe:\n\n    make nowhere SCENARIO=x\n\n[page](docs/none.md#a) [web](https://x.y)\n"
    assert commands(text) - targets("test: setup\n\techo\n") == {"gone", "nowhere"}
    assert links(text) == {"docs/none.md"}


@pytest.mark.parametrize("key", scenarios())
def test_what_costs_by_the_hour_is_said(key: str) -> None:
    dollars = dollars_a_day(template(key))
    assert costs(README.read_text(encoding="utf-8")).get(key, 0) == round(dollars), f"{key}: {dollars:.2f} $ a day"


def test_a_cost_that_is_not_said_is_noticed() -> None:
    made = template("network")
    gateways = resources(made, "AWS::EC2::NatGateway")
    before = dollars_a_day(made)
    for name in gateways:
        del made["Resources"][name]
    assert before - dollars_a_day(made) == pytest.approx(3 * 24 * 0.045)
    assert costs("| network | a | b | 6 $ |\n| other | 5 |\nand my-own (x, 2 $ a day), theirs (3 $)") == {
        "network": 6,
        "my-own": 2,
    }


def test_a_network_can_cost_nothing_by_the_hour() -> None:
    """The command is run as the CLI does it: what it tells the app of the stacks that it will use is this context."""
    used, outdir = "aws:cdk:bundling-stacks", scratch()
    context = {"nat_gateways": "0", "interface_endpoints": "none", "vpn_remote": "none"}
    said = " ".join(f"-c {name}={value}" for name, value in context.items())
    assert f"npx cdk deploy Network --exclusively {said}\n" in README.read_text(encoding="utf-8")
    app.build(cdk.App(context={**flags(), **context, used: ["Network"]}, outdir=str(outdir))).synth()
    assert [one.name for one in outdir.glob("*.template.json")] == ["Network.template.json"]
    assert dollars_a_day(json.loads((outdir / "Network.template.json").read_text(encoding="utf-8"))) == 0
    with pytest.raises(ValueError, match="nat_gateways: must be 1 or 2 for microservices"):
        app.build(cdk.App(context={**flags(), **context, **NO_BUNDLING, "scenario": "network,microservices"}))


def test_the_readme_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, but for the function that the example speaks of; it has no requirements."""
    package = tmp_path / "my_functions" / "consumer"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "handler.py").write_text("def handler(event, context): ...\n")
    monkeypatch.chdir(tmp_path)
    shown = examples(README.read_text(encoding="utf-8"))
    assert shown
    for source in shown:
        made: dict[str, Any] = {}
        exec(compile(source, "README.md", "exec"), made)  # noqa: S102 - the page's own words
        assert made["app"].synth().stacks
        shutil.rmtree(made["app"].outdir)

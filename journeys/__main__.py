"""Runs journeys against a real AWS account: ``python -m journeys order-queue``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from journeys._account import AccountError, Deployed, NotDeployedError, caller, deployed
from journeys._report import Report, ScenarioResult, render, write
from journeys._runner import BrokenJourneyError, UnknownJourneyError, load, run_journey, select, stack_id
from journeys._target import Target
from journeys._world import World

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_WRONG_USE = 2
_INTERRUPTED = 130


def main(
    names: Annotated[list[str], typer.Argument(help="Keys of scenarios, or all.", metavar="KEY", show_default=False)],
    region: Annotated[str | None, typer.Option(help="The region; left out: the caller's own.")] = None,
    prefix: Annotated[str, typer.Option(help="The prefix of the stacks' names, as in cdk -c prefix=...")] = "",
    build: Annotated[Path, typer.Option(help="The folder for the report and what journeys make.")] = Path("build"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing to the account.")] = False,
) -> None:
    """Run journeys against the stacks that are deployed in your AWS account, with your credentials."""
    console = Console()
    try:
        journeys = [load(key) for key in select(names)]
        session, account, chosen = caller(region)
        cloudformation = session.client("cloudformation")
        stacks = {
            journey.key: _stack(cloudformation, journey.key, chosen, prefix=prefix, required="all" not in names)
            for journey in journeys
        }
    except (UnknownJourneyError, BrokenJourneyError, AccountError, NotDeployedError) as error:
        _stop(str(error))
    if any(isinstance(stack, Deployed) for stack in stacks.values()):
        _ask(account, chosen, yes=yes)
    results: list[ScenarioResult] = []
    try:
        for journey in journeys:
            stack = stacks[journey.key]
            if isinstance(stack, Deployed):
                world = World(journey.key, Target.aws(chosen), stack.outputs, build=build, console=console)
                results.append(run_journey(journey.key, world, resources=stack.resources, journey=journey))
            else:
                results.append(ScenarioResult(journey.key, "not-run", reason=stack))
    except KeyboardInterrupt:
        _report(results, chosen, build, console)
        _stop("interrupted: the journey was cleaned up after, later ones were not run", status=_INTERRUPTED)
    raise typer.Exit(_report(results, chosen, build, console).exit_status)


def _report(results: list[ScenarioResult], region: str, build: Path, console: Console) -> Report:
    report = Report(tuple(results), target="aws", region=region)
    write(report, build / "report.json")
    render(report, console)
    return report


def _stack(
    cloudformation: "CloudFormationClient", key: str, region: str, *, prefix: str, required: bool
) -> Deployed | str:
    """The deployed stack, or why there is none when it is not required."""
    try:
        deploy = f"cdk deploy {stack_id(key)}{f' -c prefix={prefix}' if prefix else ''}"
        return deployed(cloudformation, prefix + stack_id(key), region, deploy=deploy)
    except NotDeployedError as error:
        if required:
            raise
        return str(error)


def _ask(account: str, region: str, *, yes: bool) -> None:
    place = f"account {account}, {region}"
    if yes:
        typer.echo(f"Journeys write to {place}.")
        return
    if not _asks():
        _stop(f"journeys write to {place}: pass --yes to agree, as there is nobody to ask")
    if not typer.confirm(f"Journeys write to {place}. Go on?"):
        _stop("nothing was run")


def _asks() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def _stop(message: str, *, status: int = _WRONG_USE) -> NoReturn:
    Console(stderr=True).print(Text(message, style="red"), soft_wrap=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    typer.run(main)

"""The local cloud's command line: `python -m localcloud run|up|down`."""

import contextlib
import shlex
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from journeys._report import Report, ScenarioResult, render, write
from journeys._runner import BrokenJourneyError, UnknownJourneyError, load, run_journey
from journeys._servers import Server
from localcloud import cdk, differences, leftovers
from localcloud import grants as drill
from localcloud.cloud import REGION, LocalCloud
from localcloud.errors import LocalCloudError
from localcloud.picture import WIDEST, draw
from localcloud.progress import Progress
from stacks import catalog

BUILD = cdk.ROOT / "build"
STATES = BUILD / "local"
FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

cli = typer.Typer(help="An emulated AWS on this machine, with TLS on and IAM enforced.", add_completion=False)
Names = Annotated[list[str], typer.Argument(help="Scenarios by key or stack id, or all.", metavar="SCENARIO...")]


@cli.command()
def run(
    names: Names,
    picture: Annotated[Path | None, typer.Option(help="Also draw the run into this SVG file.")] = None,
) -> None:
    """Deploy scenarios, run their journeys, report, and stop."""
    console = Console(record=True, width=WIDEST, force_terminal=False) if picture else Console()
    keys = _keys(names)
    results: list[ScenarioResult] = []
    try:
        journeys = {key: load(key) for key in keys}
        with LocalCloud.start(STATES / "run", progress=Progress(console)) as cloud:
            stacks = cloud.deploy(keys)
            differences.render(cloud.ready, stacks, console)
            for key in keys:
                world = cloud.world(key, console=console)
                results.append(run_journey(key, world, resources=cloud.resources(key), journey=journeys[key]))
                cloud.check_alive()
    except (UnknownJourneyError, BrokenJourneyError) as error:
        _stop(str(error), WRONG_USE)
    except LocalCloudError as error:
        _report(results, console)
        _stop(str(error), FAILED)
    except KeyboardInterrupt:
        _report(results, console)
        _stop("interrupted: everything that was started has ended", INTERRUPTED)
    status = _report(results, console)
    if picture:
        picture.write_text(draw(console, f"localcloud run {' '.join(names)}"), encoding="utf-8")
    raise typer.Exit(status)


@cli.command()
def grants(names: Names) -> None:
    """Take away each grant of the scenarios' functions in turn: the journey must fail without it."""
    console = Console()
    keys = _keys(names)
    missed = 0
    try:
        with LocalCloud.start(STATES / "grants", progress=Progress(console)) as cloud:
            cloud.deploy(keys)
            for key in keys:
                findings = drill.drill(cloud, key, load(key), console)
                drill.render(key, findings, console)
                missed += sum(finding.result == "passed" for finding in findings)
    except LocalCloudError as error:
        _stop(str(error), FAILED)
    except KeyboardInterrupt:
        _stop("interrupted: everything that was started has ended", INTERRUPTED)
    if missed:
        _stop(f"{missed} grants are proven by no journey", FAILED)


@cli.command()
def up(
    names: Annotated[list[str] | None, typer.Argument(help="Scenarios to deploy.", metavar="SCENARIO...")] = None,
) -> None:
    """Deploy scenarios and stay, until Ctrl-C."""
    console = Console()
    keys = _keys(names) if names else []
    try:
        with LocalCloud.start(STATES / "up", progress=Progress(console)) as cloud:
            stacks = cloud.deploy(keys) if keys else []
            differences.render(cloud.ready, stacks, console)
            with contextlib.closing(cloud.servers()) as servers:
                running = [server for stack in stacks for server in servers.of_stack(stack.name)]
                _tell(cloud, console)
                _tell_servers(running, servers.proxy_url, console)
                while True:
                    cloud.check_alive()
                    time.sleep(0.5)
    except LocalCloudError as error:
        _stop(str(error), FAILED)
    except KeyboardInterrupt:
        _stop("interrupted: everything that was started has ended", INTERRUPTED)


@cli.command()
def down() -> None:
    """Stop whatever local cloud runs from this checkout."""
    console = Console()
    stopped = leftovers.stop(STATES)
    for state in stopped:
        console.print(f"stopped the local cloud of {_short(state)}")
    if not stopped:
        console.print("no local cloud runs from this checkout")


def _keys(names: list[str]) -> list[str]:
    try:
        return catalog.keys() if "all" in names else catalog.resolve(names)
    except catalog.UnknownScenarioError as error:
        _stop(str(error), WRONG_USE)


def _tell(cloud: LocalCloud, console: Console) -> None:
    """What to export to use the cloud, and what was deployed."""
    for name, value in cloud.environment.items():
        console.print(Text(f"export {name}={shlex.quote(value)}"), soft_wrap=True)
    for stack, outputs in cloud.outputs.items():
        for name, value in outputs.items():
            console.print(Text.assemble((f"{stack}.{name}", "bold"), f" = {value}"), soft_wrap=True)


def _tell_servers(running: list[Server], proxy_url: str, console: Console) -> None:
    """Which servers run, and how the names in front of them are reached."""
    for server in running:
        console.print(Text.assemble((server.name, "bold"), f" at {server.target} in {server.zone}"), soft_wrap=True)
    if running:
        console.print(
            Text(f"Names lead here by the proxy: curl --proxy {proxy_url} --cacert $AWS_CA_BUNDLE https://...")
        )
    console.print("Up. Ctrl-C (or make down) ends it.")


def _report(results: list[ScenarioResult], console: Console) -> int:
    """Write and print what is known so far; the exit status that it means."""
    report = Report(tuple(results), target="local", region=REGION)
    if results:
        write(report, BUILD / "report.json")
        render(report, console)
    return report.exit_status


def _short(path: Path) -> str:
    return str(path.relative_to(cdk.ROOT))


def _stop(message: str, status: int) -> NoReturn:
    Console(stderr=True).print(Text(message, style="red"), soft_wrap=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    cli()

"""The table of who reaches whom: computed, compared with what should be, and shown."""

from collections.abc import Iterable, Mapping
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from journeys._network_model import Place
from journeys._network_reading import Deployed
from journeys._reachability import Verdict, trace, way_of

Verdicts = Mapping[str, Mapping[str, Verdict]]
"""Row -> column -> verdict."""
Ways = Mapping[str, Mapping[str, str]]
"""Row -> column -> how it is reached; what is not there is not."""

_WIDTH = 170
# What stands in a cell where both ends are elsewhere.
_NOT_ASKED = "both are elsewhere"


def tiers(deployed: Deployed) -> Verdicts:
    """By routes and network ACLs alone: whoever a server's security groups let in or out.

    Every subnet of a tier is asked, and each time the subnet of the next zone is the target: a row says what is so in
    all of them.
    """
    zones = range(len(deployed.subnets["public"]))
    found = [_tiers_from(deployed, zone, (zone + 1) % len(zones)) for zone in zones]
    for other in found[1:]:
        for row, verdicts in other.items():
            for column, verdict in verdicts.items():
                first = found[0][row][column]
                same = (first.reached, first.how.split()[0]) == (verdict.reached, verdict.how.split()[0])
                assert same, f"{row} -> {column} is not the same in every zone: {first.how}, {verdict.how}"
    return found[0]


def ways(deployed: Deployed) -> dict[str, set[str]]:
    """Tier -> what the routes of its subnets lead to, wherever they lead: a table asks for a few addresses alone."""
    return {
        tier: {way_of(route) for subnet in subnets for route in subnet.routes}
        for tier, subnets in deployed.subnets.items()
    }


def _tiers_from(deployed: Deployed, here: int, there: int) -> Verdicts:
    rows = {tier: deployed.server(tier, here) for tier in deployed.subnets}
    columns = [
        ("internet:443", deployed.internet, 443),
        *((f"{name}:443", place, 443) for name, place in deployed.services.items()),
        *([("office:443", deployed.office, 443)] if deployed.office else []),
        ("public:443", deployed.server("public", there), 443),
        *((f"private:{port}", deployed.server("private", there), port) for port in (443, 8080, 22)),
        ("isolated:5432", deployed.server("isolated", there), 5432),
    ]
    return _computed(deployed, rows, columns)


def servers(deployed: Deployed, groups: Mapping[str, str], endpoints: str | None) -> Verdicts:
    """With security groups: "web", "app" and "data" servers, one in each tier; and the endpoints' own group."""
    standing = {"web": "public", "app": "private", "data": "isolated"}
    here = {name: deployed.server(tier, 0, groups[name], name=name) for name, tier in standing.items()}
    there = {name: deployed.server(tier, 1, groups[name], name=name) for name, tier in standing.items()}
    columns = [
        ("internet:443", deployed.internet, 443),
        ("S3:443", deployed.services["S3"], 443),
        ("web:443", there["web"], 443),
        ("web:22", there["web"], 22),
        ("app:8080", there["app"], 8080),
        ("app:22", there["app"], 22),
        ("data:5432", there["data"], 5432),
        ("data:22", there["data"], 22),
    ]
    if endpoints:
        columns.append(("endpoints:443", deployed.server("private", 1, endpoints, name="endpoints"), 443))
    return _computed(deployed, here, columns)


def _computed(deployed: Deployed, rows: Mapping[str, Place], columns: Iterable[tuple[str, Place, int]]) -> Verdicts:
    elsewhere = {"internet": deployed.internet} | ({"office": deployed.office} if deployed.office else {})
    return {
        row: {column: trace(deployed.network, source, target, port) for column, target, port in columns}
        for row, source in {**elsewhere, **rows}.items()
    }


def reached(verdicts: Verdicts) -> dict[str, dict[str, str]]:
    """Only what is reached, and how."""
    return {
        row: {column: one.how for column, one in columns.items() if one.reached} for row, columns in verdicts.items()
    }


def differences(verdicts: Verdicts, wanted: Ways) -> list[str]:
    """One sentence per cell that is not as wanted."""
    found = []
    for row, columns in verdicts.items():
        for column, one in columns.items():
            way = wanted.get(row, {}).get(column)
            if way != (one.how if one.reached else None):
                found.append(f"{row} -> {column}: should be {way or 'refused'}, is {one.how}")
    asked = {(row, column) for row, columns in verdicts.items() for column in columns}
    missing = [(row, column) for row, columns in wanted.items() for column in columns if (row, column) not in asked]
    return [*found, *(f"{row} -> {column}: was not asked" for row, column in missing)]


def render(verdicts: Verdicts, title: str) -> Table:
    """For people: a row per source, a column per target."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("from \\ to", style="bold", no_wrap=True)
    for column in next(iter(verdicts.values())):
        table.add_column(column.replace(":", "\n"), no_wrap=True)
    for row, columns in verdicts.items():
        table.add_row(row, *(_cell(one) for one in columns.values()))
    return table


def _cell(verdict: Verdict) -> Text:
    if verdict.how == _NOT_ASKED:
        return Text("")
    if verdict.reached:
        return Text(verdict.how.removesuffix(" gateway"), style="green")
    what = verdict.how.removeprefix("answer: ").split()[0]
    return Text({"ACL": "- ACL", "group": "- group"}.get(what, "- route"), style="red")


def as_text(tables: Iterable[Table], *verdicts: Verdicts) -> str:
    """The tables as they are kept in a file, with what is in the way of each connection that is refused."""
    out = StringIO()
    console = Console(file=out, width=_WIDTH)
    for table in tables:
        console.print(table)
    for row, column, one in (
        (row, *cell) for each in verdicts for row, columns in each.items() for cell in columns.items()
    ):
        if not one.reached and one.how != _NOT_ASKED:
            console.print(f"{row} -> {column}: {one.how}", soft_wrap=True)
    return out.getvalue()

"""How a site's files are named, and which path is which file."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib._site_assets import stage
from constructs_lib._site_router import router_code
from tests.templates import ROOT


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def staged(site: Path, into: Path) -> dict[str, str]:
    stage(site, into)
    return {path.relative_to(into).as_posix(): path.read_text() for path in into.rglob("*") if path.is_file()}


def test_assets_are_named_by_content_wherever_they_are_named(tmp_path: Path) -> None:
    site = write(
        tmp_path / "site",
        index_dot_html='<script src="/assets/app.js"></script> and a file /robots.txt',
        robots_dot_txt="/assets/app.js stays in a text",
        assets__app_dot_js='import "/assets/lib/deep.js"',
        assets__lib__deep_dot_js="1",
    )
    found = staged(site, tmp_path / "out")
    (app,) = [name for name in found if name.startswith("assets/app.")]
    (deep,) = [name for name in found if name.startswith("assets/lib/deep.")]
    assert found["index.html"] == f'<script src="/{app}"></script> and a file /robots.txt'
    assert found[app] == f'import "/{deep}"'
    assert found["robots.txt"] == "/assets/app.js stays in a text"
    assert len(found) == 4


def test_a_changed_leaf_renames_all_that_leads_to_it(tmp_path: Path) -> None:
    site = write(
        tmp_path / "site", index_dot_html="/assets/a.js", assets__a_dot_js='"/assets/b.js"', assets__b_dot_js="1"
    )
    first = staged(site, tmp_path / "one")
    write(site, assets__b_dot_js="2")
    second = staged(site, tmp_path / "two")
    assert set(first) & set(second) == {"index.html"}


def test_what_is_no_text_is_copied_as_it_is(tmp_path: Path) -> None:
    site = write(tmp_path / "site", index_dot_html="x")
    (site / "assets").mkdir()
    (site / "assets" / "p.png").write_bytes(b"\xff/assets/p.png")
    stage(site, tmp_path / "out")
    (made,) = (tmp_path / "out" / "assets").iterdir()
    assert made.read_bytes() == b"\xff/assets/p.png"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"index_dot_html": "/assets/no.js"}, "site: index.html names /assets/no.js, which is not there"),
        (
            {"assets__a_dot_js": "/assets/b.js", "assets__b_dot_js": "/assets/a.js", "index_dot_html": ""},
            "in a circle, got assets/a.js -> assets/b.js -> assets/a.js",
        ),
    ],
)
def test_broken_references_are_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stage(write(tmp_path / "site", **files), tmp_path / "out")


def test_a_long_404_page_is_refused() -> None:
    with pytest.raises(ValueError, match=r"404\.html must be short, .* may have 10240 bytes, got 1"):
        router_code([], {}, "x" * 10_000)


def answers(code: str, *paths: str) -> list[dict[str, Any]]:
    """What the function makes of requests, run by Node."""
    events = [{"request": {"uri": path}} for path in paths]
    run = f"{code}\nconsole.log(JSON.stringify({json.dumps(events)}.map(handler)))"
    found = subprocess.run([ROOT / ".venv" / "bin" / "node", "-e", run], capture_output=True, check=True, text=True)
    told: list[dict[str, Any]] = json.loads(found.stdout)
    return told


def test_paths_of_the_router() -> None:
    code = router_code(["/posts/*", "/write"], {"x-frame-options": "DENY"}, 'a "quoted"\n<p>')
    pages = ["/", "/posts/1", "/posts/1/", "/posts/%F0", "/write"]
    files = ["/assets/a.js", "/robots.txt", "/posts/x.y", "/.well-known/a.b"]
    nothing = ["/posts", "/posts/", "/posts/1/2", "/writer", "//", "/a.b/c", "/no"]
    told = answers(code, *pages, *files, *nothing)
    assert [one.get("uri") for one in told] == ["/index.html"] * len(pages) + files + [None] * len(nothing)
    refusal = told[-1]
    assert (refusal["statusCode"], refusal["body"]["data"]) == (404, 'a "quoted"\n<p>')
    assert refusal["headers"]["x-frame-options"] == {"value": "DENY"}
    assert refusal["headers"]["content-type"] == {"value": "text/html; charset=utf-8"}


@given(st.text(max_size=200))
def test_any_404_page_is_a_text_in_the_function(page: str) -> None:
    line = next(one for one in router_code([], {}, page).split("\n") if one.startswith("var NOT_FOUND"))
    assert json.loads(line.removeprefix("var NOT_FOUND = ").removesuffix(";")) == page

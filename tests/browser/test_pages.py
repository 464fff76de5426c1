"""The static pages in a real browser: on a phone and a desk, by day and night, from disk and on paper.

Each check first finds a fault that is planted into a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.support.browser import PAPER, Scheme, Screen, screen  # noqa: F401 - a fixture
from tests.support.pipeline_figures import pipeline_records
from tests.support.release_reports import (
    failed_report,
    hostile_report,
    large_report,
    little_known_report,
    ordinary_report,
)

from unmoor.metrics.judge.figures import read_figures
from unmoor.metrics.judge.judging import judge
from unmoor.metrics.judge.model import RuleLimits
from unmoor.metrics.store.database import build
from unmoor.render.html import release_page
from unmoor.render.html.metrics_page import metrics_page


def _metrics(*, empty: bool = False) -> str:
    limits = RuleLimits(budgets={"ci.yml": 900.0, "*scan*": 300.0})
    figures = read_figures(build([] if empty else pipeline_records(days=30)))
    judged = judge(figures, limits, figures.newest) if figures.newest else ()
    return metrics_page("acme/demo", figures, judged, limits).decode()


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "release": lambda: release_page.render(ordinary_report()),
    "hostile": lambda: release_page.render(hostile_report()),
    "large": lambda: release_page.render(large_report()),
    "failed": lambda: release_page.render(failed_report()),
    "unknown": lambda: release_page.render(little_known_report()),
    "metrics": _metrics,
    "no-metrics": lambda: _metrics(empty=True),
}
VIEWS: Final[tuple[tuple[int, Scheme, bool], ...]] = (
    (400, "light", False),
    (400, "dark", True),
    (1280, "dark", False),
    (1280, "light", True),
)
"""Widths and schemes, and whether axe looks too: it takes longest, and sees each width and each scheme once."""
FOR_LAYOUT: Final = frozenset({"large"})
"""Pages made as others, only larger: axe finds nothing else there, and takes ten times as long."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A file for each page, as it is on disk."""
    folder = tmp_path_factory.mktemp("pages")
    files = {name: folder / f"{name}.html" for name in PAGES}
    for name, file in files.items():
        file.write_text(PAGES[name](), encoding="utf-8", newline="\n")
    return files


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault(screen: Screen, pages: Mapping[str, Path], name: str) -> None:  # noqa: F811 - the fixture
    """In each view it says and asks for nothing, fits the screen and can be read; axe finds nothing in two of them."""
    found = {}
    screen.open(pages[name])
    for width, scheme, axe in VIEWS:
        screen.show(width=width, scheme=scheme)
        found[width, scheme] = screen.faults(axe=axe and name not in FOR_LAYOUT)
    assert {view: faults for view, faults in found.items() if faults} == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_whole(screen: Screen, pages: Mapping[str, Path], name: str) -> None:  # noqa: F811 - the fixture
    """On paper nothing is cut, too wide or too small, and the browser makes a PDF of it."""
    screen.open(pages[name], width=PAPER)
    assert screen.print_faults() == {}
    assert screen.pdf().startswith(b"%PDF-")


_LINES = "line<br>" * 9
FAULTS: Final = (
    ("console", "<script>console.log(1)</script>", "light"),
    ("console", "<script>throw new Error('x')</script>", "light"),
    ("requests", '<img src="http://127.0.0.1:9/x.png" alt="x">', "light"),
    ("requests", "<style>body { background: url('x.png') }</style>", "light"),
    ("sideways", '<p style="width: 2000px">x</p>', "light"),
    ("sideways", f"<p>{'x' * 400}</p><style>body {{ overflow-wrap: normal !important }}</style>", "light"),
    ("sideways", '<div style="overflow: auto" tabindex="0"><p style="width: 2000px">x</p></div>', "light"),
    ("small text", '<p style="font-size: 11px">x</p>', "light"),
    ("small text", '<p style="transform: scale(.6)">x</p>', "light"),
    (
        "small text",
        '<svg viewBox="0 0 1000 100" width="300" height="30"><text y="50" font-size="16">x</text></svg>',
        "light",
    ),
    ("small text", "<style>h1::before { content: 'x'; font-size: 8px }</style>", "light"),
    ("axe", '<p style="color: #999; background: #fff">some text</p>', "light"),
    ("axe", '<p style="color: #111">some text</p>', "dark"),
    ("axe", "<button></button>", "light"),
)


@pytest.mark.parametrize(("check", "fault", "scheme"), FAULTS, ids=map(str, range(len(FAULTS))))
def test_each_check_finds_a_planted_fault(
    screen: Screen,  # noqa: F811 - the fixture
    pages: Mapping[str, Path],
    tmp_path: Path,
    *,
    check: str,
    fault: str,
    scheme: Scheme,
) -> None:
    """It is silent about the page without its fault, and finds it with the fault, also where the policy is gone."""
    screen.open(_planted(pages["unknown"], fault, tmp_path), width=400, scheme=scheme)
    assert check in screen.faults(axe=check == "axe")


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        ("cut", f'<div style="height: 2em; overflow: hidden">{_LINES}</div>'),
        ("cut", f'<div style="height: 2em; overflow: auto">{_LINES}</div>'),
        ("sideways", '<p style="width: 800px">x</p>'),
        ("small text", "<style>@media print { p { font-size: 6pt } }</style>"),
    ],
    ids=["hidden", "scrolled", "wide", "small"],
)
def test_the_checks_of_paper_find_a_planted_fault(
    screen: Screen,  # noqa: F811 - the fixture
    pages: Mapping[str, Path],
    tmp_path: Path,
    check: str,
    fault: str,
) -> None:
    """What a screen would scroll is lost on paper."""
    screen.open(_planted(pages["unknown"], fault, tmp_path), width=PAPER)
    assert check in screen.print_faults()


@pytest.mark.parametrize(
    "fault",
    [
        '<p style="color: red">x</p>',
        "<script>1</script>",
        '<img src="http://127.0.0.1:9/x.png" alt="x">',
        "<style>p { color: red }</style>",
    ],
    ids=["style", "script", "picture", "sheet"],
)
def test_the_policy_of_a_page_stops_what_it_does_not_allow(
    screen: Screen,  # noqa: F811 - the fixture
    pages: Mapping[str, Path],
    tmp_path: Path,
    fault: str,
) -> None:
    """Whatever got into a page would neither run nor be asked for, and the console names it."""
    file = tmp_path / "page.html"
    file.write_text(pages["unknown"].read_text("utf-8").replace("</main>", f"{fault}</main>"), encoding="utf-8")
    screen.open(file)
    assert any("Content Security Policy" in each for each in screen.console)
    assert not [each for each in screen.requests if not each.startswith("http://127.0.0.1:9/")]


def _planted(page: Path, fault: str, folder: Path) -> Path:
    """A copy of a page with a fault at its end. Its policy, which would stop most of them, is gone."""
    text = page.read_text("utf-8").replace("Content-Security-Policy", "x-nothing")
    file = folder / "page.html"
    file.write_text(text.replace("</main>", f"{fault}</main>"), encoding="utf-8", newline="\n")
    return file

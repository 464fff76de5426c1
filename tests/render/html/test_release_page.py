"""The page of a release: what it says, what it names as not known, and that text from outside stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from tests.support.release_reports import (
    HOSTILE,
    WHEEL,
    failed_report,
    hostile_report,
    large_report,
    little_known_report,
    ordinary_report,
)

from unmoor.products import Proof, Subject
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.render.html.release_page import render
from unmoor.render.report.model import ReleaseReport, ReportPart, Timeline, TimelineStage
from unmoor.util.values import replace


class _Page(HTMLParser):
    """Collects elements with their attributes, and the text of each part by its id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.parts: dict[str, str] = {"": ""}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "section":
            self.parts[dict(attrs)["id"] or ""] = ""

    def handle_data(self, data: str) -> None:
        last = next(reversed(self.parts))
        self.parts[last] = " ".join(f"{self.parts[last]} {data}".split())


def page_of(report: ReleaseReport) -> _Page:
    """The page of a report, read again."""
    return _Page(render(report))


@pytest.mark.parametrize(
    ("part", "texts"),
    [
        ("", ("Release of lighthouse 1.2.0", "v1.2.0", "d4" * 20, "final release, the latest", "37.5 s")),
        ("attention", ("Released in an emergency", "pending index , 2 of 3 items", "warning access", "left out")),
        ("what-is-where", (WHEEL, "a1" * 32, "pending: not in the simple index yet", "ghcr.io/acme/lighthouse")),
        ("timeline", ("prove-dists", "21.0 s", "already there", "skipped", "final", "0 s to 37.5 s")),
        ("files", ("3 files, 35.3 kB", "18.2 kB", "b2" * 32)),
        ("tests", ("On the bytes of this release: its wheels and sdist, 2 files by sha256.", "not tested", "waived")),
        ("images", ("target production", "29.1 MB", f"sha256:{'5' * 64}", "1.2.0-dev", "layers not known")),
        ("notes", ("Fixed", "The lamp turns again ( #12 ).", "From CHANGELOG.md")),
        ("attestations", ("valid", "not checked", "release.yml@refs/tags/v1.2.0", "not known")),
        ("approvals", ("pypi", "approved", "grace", "go")),
        ("waived-gates", ("the mirror is down", "amelia, according to GitHub Actions", "not run", "no network")),
        ("tools", ("hatchling", "1.27.0", "f6" * 32, "wheel-from = tree")),
    ],
)
def test_each_part_shows_what_the_report_holds(part: str, texts: tuple[str, ...]) -> None:
    """Names, digests, sizes, times, verdicts, people and reasons are on the page."""
    shown = page_of(ordinary_report()).parts[part]
    assert [text for text in texts if text not in shown] == []


def test_the_parts_have_their_order_and_are_linked() -> None:
    """What needs attention comes first, then the parts in the order of the report; each link leads to one of them."""
    page = page_of(ordinary_report())
    ids = [str(part).replace(" ", "-") for part in ReportPart]
    assert list(page.parts)[1:] == ["attention", *ids]
    links = [attrs["href"] or "" for tag, attrs in page.found if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} == {"main", "attention", *ids}


def test_what_is_not_known_says_so() -> None:
    """Each part gives the reason, and none says that there is nothing."""
    parts = page_of(little_known_report()).parts
    for part in ReportPart:
        shown = parts[str(part).replace(" ", "-")]
        assert f"not known the {part}: the run folder of this release is on another machine" in shown
        assert not any(word in shown for word in ("no files", "No gate", "Nobody", "Nothing is signed", "no images"))
    assert "commit not known" in parts[""]
    assert "kind not known" in parts[""]


def test_what_is_empty_says_so() -> None:
    """A part without anything, and without a reason why that is not known, is really empty."""
    empty = replace(
        failed_report(), files=(), proofs=(), timeline=None, notes=" \n", emergencies=(), tools=(), unknown=()
    )
    parts = page_of(replace(empty, decisions=(), summary="nothing")).parts
    expected = {
        "what-is-where": "There are no surfaces.",
        "timeline": "No stage ran.",
        "files": "The release has no files.",
        "tests": "No tests are recorded.",
        "images": "The release has no images.",
        "notes": "The release has no notes.",
        "attestations": "Nothing is signed.",
        "approvals": "Nobody was asked to approve.",
        "waived-gates": "No gate is waived.",
        "tools": "No tools are recorded.",
    }
    for part, text in expected.items():
        assert parts[part].partition(" Written by")[0].endswith(text)


def test_a_failure_comes_first_with_its_next_step() -> None:
    """Whoever opens the page of a failed run sees why it failed, where, and what to do."""
    shown = page_of(failed_report()).parts["attention"]
    assert shown.startswith("Needs attention prove-dists failed 2 tests failed: tests/test_lamp.py::test_on")
    assert f"Where {WHEEL} Next correct the project" in shown


def test_other_bytes_are_shown_beside_the_expected_ones() -> None:
    """A surface with a conflict names both digests, whatever the others hold."""
    items = (Item(name=WHEEL, state=State.CONFLICTING, expected="a1" * 32, seen="0f" * 32),)
    others = (SurfaceState.of("index", items), ordinary_report().surfaces[2])
    shown = page_of(replace(ordinary_report(), surfaces=others)).parts["what-is-where"]
    assert f"{WHEEL} {'a1' * 32} index conflicting, has {'0f' * 32} github" in shown
    assert "holds exactly these bytes" not in shown


@pytest.mark.parametrize(
    ("subjects", "text"),
    [
        pytest.param(((WHEEL, "a1"),), f"On 1 of the files above, by sha256: name sha256 {WHEEL}", id="some"),
        pytest.param(((WHEEL, "ff"),), "On none of the files above, but on these bytes:", id="other bytes"),
        pytest.param((), "It is not known which bytes these ran on.", id="none"),
    ],
)
def test_tests_name_the_bytes_they_ran_on(subjects: tuple[tuple[str, str], ...], text: str) -> None:
    """Bytes that are not those of the release are never called so."""
    tested = tuple(Subject(name=name, sha256=digits * 32) for name, digits in subjects)
    report = replace(ordinary_report(), proofs=(Proof(name="prove-dists", subjects=tested, results=()),))
    assert text in page_of(report).parts["tests"]


@pytest.mark.parametrize(
    ("begin", "seconds", "whole", "bar"),
    [
        pytest.param(0.0, 5.0, 10.0, "M0 5H500", id="half"),
        pytest.param(10.0, 0.0, 10.0, "M994 5H1000", id="moment at the end"),
        pytest.param(0.0, 0.0, 0.0, "M0 5H6", id="no time"),
        pytest.param(-1.0, float("inf"), float("nan"), "M0 5H6", id="odd numbers"),
        pytest.param(1e300, 1e300, 1.0, "M500 5H1000", id="too long"),
    ],
)
def test_where_a_bar_is(begin: float, seconds: float, whole: float, bar: str) -> None:
    """It is a path on the scale of the whole run, never without a length and never out of its picture."""
    stage = TimelineStage(name="dists", outcome="made", begin=begin, seconds=seconds)
    timeline = Timeline(started=None, seconds=whole, stages=(stage,))
    paths = [attrs["d"] for tag, attrs in page_of(replace(ordinary_report(), timeline=timeline)).found if tag == "path"]
    assert paths == [bar]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (102.4, "1 min 42 s"), (3700.0, "1 h 2 min"), (float("inf"), "0.0 s")],
    ids=str,
)
def test_how_long_a_run_took(seconds: float, text: str) -> None:
    """Times are as exact as they can be read."""
    timeline = Timeline(started=None, seconds=seconds, stages=())
    assert f"took {text} surfaces" in page_of(replace(ordinary_report(), timeline=timeline)).parts[""]


def test_hostile_text_stays_text() -> None:
    """It makes no element and no attribute, leads nowhere but to http and https, and is shown in one line."""
    html = render(hostile_report())
    page = _Page(html)
    tags = {tag for tag, _ in page.found}
    assert not tags & {"script", "img", "iframe", "link", "object", "base", "form", "input", "template"}
    assert tags & {"style", "meta"} == {"style", "meta"}
    assert not any(name.startswith("on") or name in {"style", "src"} for _, attrs in page.found for name in attrs)
    links = [attrs.get("href") or "" for _, attrs in page.found]
    assert all(link == "" or link.startswith(("#", "https://")) for link in links)
    assert not set("\x1b\x07\x00\u202e") & set(html)
    assert HOSTILE[:30] in page.parts["files"]
    assert "{{ 7*7 }}" in page.parts["files"]


@pytest.mark.parametrize(
    "report",
    [ordinary_report, little_known_report, failed_report, hostile_report, large_report],
    ids=lambda f: f.__name__,
)
def test_every_table_can_be_focused_and_has_its_own_name(report: Callable[[], ReleaseReport]) -> None:
    """A table that scrolls is reached by keyboard, and no two of a page are called the same."""
    page = page_of(report())
    regions = [attrs for _, attrs in page.found if attrs.get("role") == "region"]
    assert len(regions) == sum(tag == "table" for tag, _ in page.found)
    assert all(attrs["tabindex"] == "0" for attrs in regions)
    names = [attrs["aria-label"] for attrs in regions]
    assert len(names) == len(set(names))


def test_notes_that_cannot_be_rendered_are_shown_as_written() -> None:
    """Too many levels would take minutes, and their text is not lost."""
    shown = page_of(replace(ordinary_report(), notes=">" * 3000)).parts["notes"]
    assert "shown as they are written" in shown
    assert ">" * 400 in shown


def test_a_large_release_has_a_small_page() -> None:
    """Two hundred files on two surfaces, tested each, take less than 200 kB."""
    assert len(render(large_report()).encode()) < 200_000


def test_equal_reports_give_equal_pages() -> None:
    """Nothing of the clock, of chance or of this machine is on the page."""
    assert render(ordinary_report()) == render(ordinary_report())
    assert re.search(r"/(home|root|tmp)/", render(ordinary_report())) is None

"""The page about a pipeline, against records whose truth is known."""

from __future__ import annotations

import html
import re

import pytest
from tests.support.pipeline_figures import HOSTILE, pipeline_records

from unmoor.metrics.judge.figures import Figures, read_figures
from unmoor.metrics.judge.judging import judge
from unmoor.metrics.judge.model import RuleLimits
from unmoor.metrics.store.database import build
from unmoor.render.html.metrics_page import metrics_page

LIMITS = RuleLimits(budgets={"ci.yml": 900.0, "*scan*": 300.0})


def text_of(figures: Figures) -> str:
    """The page of the figures."""
    assert figures.newest is not None
    return metrics_page("acme/demo", figures, judge(figures, LIMITS, figures.newest), LIMITS).decode()


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Four months of runs."""
    return read_figures(build(pipeline_records()))


def part(text: str, name: str) -> str:
    """A section of the page."""
    found = re.search(rf'<section id="{name}">(.*?)</section>', text, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_page_shows_the_figures(figures: Figures) -> None:
    """The slow job, the flaky job, the coverage, the updates and the releases are in their parts."""
    text = text_of(figures)
    jobs = part(text, "jobs")
    assert jobs.count("<figure>") == jobs.count("<svg ") == jobs.count("<table>") == 3
    assert "8 min 5" in jobs
    assert "6 min 4" in jobs
    assert re.search(r'<th scope="row">ci.yml: lint</th><td>36</td><td>\d+</td><td>10\.\d %</td>', part(text, "flaky"))
    assert "75.2 %" in part(text, "coverage")
    assert "2 open, 1 merged, half of them within 2 days." in part(text, "updates")
    assert part(text, "releases").index("v1.1.0") < part(text, "releases").index("v1.0.0")
    assert html.escape(HOSTILE.replace("\u202e ", ""), quote=False)[:40] in jobs


def test_what_is_unknown_stands_apart(figures: Figures) -> None:
    """A rule that cannot speak is in no table of those that hold."""
    rules = part(text_of(figures), "rules")
    groups = dict(re.findall(r'<h3><span class="state \w+">(\w+)</span></h3>(.*?</table>)', rules, re.DOTALL))
    assert list(groups) == ["broken", "unknown", "holds"]
    assert [name for name, rows in groups.items() if "*scan*" in rows] == ["unknown"]


def test_many_jobs_are_cut_with_a_word_about_it() -> None:
    """The page stays small: the thirty jobs with the most runs, and how many are left out."""
    figures = read_figures(build(pipeline_records(days=40, names=[f"job {number}" for number in range(60)])))
    jobs = part(text_of(figures), "jobs")
    assert jobs.count("<figure>") == 30
    assert "32 with fewer are left out." in jobs


def test_the_page_is_small(figures: Figures) -> None:
    """Points are integers and weeks are one row each."""
    assert len(text_of(figures)) < 60_000

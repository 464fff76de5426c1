"""bench.yml: one job measures, another one comments."""

from __future__ import annotations

import pytest
from tests.support.optional_workflows import PROJECTS, jobs_of, may, scripts_of

from unmoor.config.bench import BenchSettings
from unmoor.config.settings import Settings
from unmoor.errors import ConfigError
from unmoor.util.values import replace
from unmoor.workflows.bench import bench_workflow
from unmoor.workflows.facts import WorkflowFacts


def test_the_one_that_comments_has_the_permission() -> None:
    """It also runs if the comparison failed, because then people want to know what is slower."""
    jobs = jobs_of(bench_workflow)
    assert {name: may(job) for name, job in jobs.items()} == {
        "compare": {"contents": "read"},
        "comment": {"contents": "read", "pull-requests": "write"},
    }
    assert jobs["comment"].only_if.startswith("!cancelled()")
    assert "--against 'HEAD^1' --report report.json" in scripts_of(jobs["compare"])


def test_it_has_time_to_measure() -> None:
    """The job ends later than the measuring does by itself."""
    facts = PROJECTS["plain"]
    long = replace(facts, settings=replace(facts.settings, bench=BenchSettings(max_time="90 min")))
    (compare, _) = bench_workflow(long).jobs
    assert getattr(compare, "minutes", 0) == 120


def test_without_settings_there_is_nothing_to_measure() -> None:
    """A workflow that can only fail is not written."""
    with pytest.raises(ConfigError, match=r"no table \[tool.unmoor.bench\]"):
        bench_workflow(WorkflowFacts(settings=Settings(), project="small"))

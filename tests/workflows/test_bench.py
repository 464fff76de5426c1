"""bench.yml: one job measures, another one comments, a third one keeps the figures."""

from __future__ import annotations

import pytest
from tests.support.optional_workflows import PROJECTS, jobs_of, may, scripts_of

from unmoor.config.bench import BenchSettings
from unmoor.config.metrics import MetricsSettings
from unmoor.config.settings import Settings
from unmoor.errors import ConfigError
from unmoor.util.values import replace
from unmoor.workflows.bench import bench_workflow
from unmoor.workflows.facts import WorkflowFacts


def test_the_ones_that_write_have_the_permission() -> None:
    """They also run if the comparison failed, because then people want to know what is slower."""
    jobs = jobs_of(bench_workflow)
    assert {name: may(job) for name, job in jobs.items()} == {
        "compare": {"contents": "read"},
        "comment": {"contents": "read", "pull-requests": "write"},
        "record": {"contents": "write"},
    }
    assert all(jobs[name].only_if.startswith("!cancelled()") for name in ("comment", "record"))
    assert "--against 'HEAD^1' --report report.json" in scripts_of(jobs["compare"])


def test_it_has_time_to_measure() -> None:
    """The job ends later than the measuring does by itself."""
    facts = PROJECTS["plain"]
    long = replace(facts, settings=replace(facts.settings, bench=BenchSettings(max_time="90 min")))
    compare, *_ = bench_workflow(long).jobs
    assert getattr(compare, "minutes", 0) == 120


def test_figures_in_a_folder_are_not_kept_by_a_job() -> None:
    """What a job writes into its checkout is gone with it."""
    facts = PROJECTS["plain"]
    folder = replace(facts.settings, metrics=MetricsSettings(store="folder:metrics"))
    assert [job.id for job in bench_workflow(replace(facts, settings=folder)).jobs] == ["compare", "comment"]


def test_without_settings_there_is_nothing_to_measure() -> None:
    """A workflow that can only fail is not written."""
    with pytest.raises(ConfigError, match=r"no table \[tool.unmoor.bench\]"):
        bench_workflow(WorkflowFacts(settings=Settings(), project="small"))

"""metrics.yml: figures are fetched, judged and shown, each by a job with what it needs."""

from __future__ import annotations

import pytest
from tests.support.optional_workflows import PROJECTS, jobs_of, may

from unmoor.config.metrics import MetricsSettings
from unmoor.errors import ConfigError
from unmoor.util.values import replace
from unmoor.workflows.metrics import metrics_workflow


def test_each_job_has_what_it_needs() -> None:
    """Only the one that fetches writes the branch, and only the one that judges writes an issue."""
    assert {name: may(job) for name, job in jobs_of(metrics_workflow).items()} == {
        "fetch": {"contents": "write", "actions": "read", "pull-requests": "read"},
        "check": {"contents": "read", "issues": "write"},
        "report": {"contents": "read"},
    }


def test_a_page_is_written_even_if_a_rule_is_broken() -> None:
    """The page shows since when it is."""
    assert jobs_of(metrics_workflow)["report"].needs == ("fetch",)


def test_a_folder_is_no_store_of_a_job() -> None:
    """What a job writes there is gone when it ends."""
    facts = PROJECTS["plain"]
    settings = replace(facts.settings, metrics=MetricsSettings(store="folder:metrics"))
    with pytest.raises(ConfigError, match="names a folder"):
        metrics_workflow(replace(facts, settings=settings))

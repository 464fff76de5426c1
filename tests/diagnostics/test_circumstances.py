"""Versions of Python's side, the settings, and the CI job."""

from __future__ import annotations

import importlib.metadata

import pytest

from unmoor.config.settings import Settings
from unmoor.diagnostics import circumstances
from unmoor.diagnostics.facts import FactState, Question, look_up


def _facts(*questions: Question) -> dict[str, str]:
    return {each.name: each.value for each in look_up(questions, within=5)}


def test_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """unmoor, Python, the system and libraries; one that is not installed says so."""
    monkeypatch.setattr(circumstances, "_LIBRARIES", ("click", "no-such-library"))
    facts = _facts(*circumstances.versions(lambda: "System 7"))
    assert facts["unmoor"].startswith(importlib.metadata.version("unmoor"))
    assert facts["system"] == "System 7"
    assert facts["libraries"] == f"click {importlib.metadata.version('click')}, no-such-library none"


def test_settings_are_named_without_their_values() -> None:
    """A value may name a host or a person."""
    assert _facts(circumstances.settings(Settings()))["settings"] == "readable; all are the defaults"
    found = _facts(circumstances.settings(Settings(test_command="pytest secret", deadline=1)))["settings"]
    assert found == "readable; not the defaults: test-command, deadline"


JOB = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "RUNNER_OS": "Linux"}


def test_a_job_of_github_actions() -> None:
    """The facts of a job; a variable that is not set is unknown."""
    facts = {each.name: each for each in look_up(list(circumstances.ci_job(JOB)), within=5)}
    assert facts["job"].value == "GitHub Actions"
    assert (facts["event"].value, facts["runner system"].value) == ("push", "Linux")
    assert (facts["runner image"].state, facts["runner image"].value) == (
        FactState.UNKNOWN,
        "unknown: ImageOS is not set",
    )


@pytest.mark.parametrize(
    ("environ", "job", "variables"),
    [
        ({}, "none", "none"),
        ({"CI": "1"}, "another CI service (CI is set)", "none"),
        ({"https_proxy": "http://u:p@h", "UV_INDEX": "x", "PATH": "x"}, "none", "UV_INDEX, https_proxy"),
    ],
    ids=["none", "another", "variables"],
)
def test_elsewhere(environ: dict[str, str], job: str, variables: str) -> None:
    """Variables that change what a run does are named, without their values."""
    facts = _facts(*circumstances.ci_job(environ))
    assert (facts["job"], facts["variables"]) == (job, variables)

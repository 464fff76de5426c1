"""Only a run for a branch pushes the images of a branch, and only those of its own commit."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from unmoor.ci.github_actions import RunContext
from unmoor.cli.push_rules import refuse_push
from unmoor.errors import Refused
from unmoor.images.tags import TagContext

COMMIT, OTHER = "a" * 40, "b" * 40
ACTIONS = RunContext(actions=True, commit=COMMIT)


def refusal(
    *,
    ref: str = "refs/heads/main",
    event: str = "push",
    ci: RunContext = ACTIONS,
    repository: str = "acme/demo",
    home: str = "",
    on_a_branch: bool | None = True,
    real: bool = True,
) -> tuple[str, tuple[str, ...]]:
    """Return the error and the ids of its advice; nothing if the run may push."""
    checkout = SimpleNamespace(folder="here", on_a_branch=lambda _: on_a_branch)
    project = SimpleNamespace(
        ci=ci, checkout=checkout, repository=repository, settings=SimpleNamespace(repository=home)
    )
    context = TagContext(ref=ref, event=event, sha=COMMIT, now=datetime(2026, 1, 2, tzinfo=UTC))
    try:
        refuse_push(cast("Any", project), COMMIT, context, real=real)
    except Refused as error:
        return error.what, error.advice_ids
    return "", ()


@pytest.mark.parametrize(
    "run",
    [
        {},
        {"ref": "refs/heads/feature/x", "event": "workflow_dispatch"},
        {"event": "schedule"},
        {"ci": RunContext(), "on_a_branch": None},
        {"ci": RunContext(), "on_a_branch": True},
        {"home": "Acme/Demo"},
        {"home": "someone/else", "real": False},
    ],
)
def test_a_branch_may(run: dict[str, Any]) -> None:
    """On GitHub Actions at the commit of the run; elsewhere at a commit that the remote has, as far as is known."""
    assert refusal(**run) == ("", ())


@pytest.mark.parametrize(
    ("run", "what", "advice"),
    [
        ({"event": "pull_request", "ref": "refs/pull/7/merge"}, "of a pull request are never", "push-from-branch"),
        ({"event": "pull_request"}, "of a pull request are never", "push-from-branch"),
        ({"event": "pull_request_target"}, "of a pull request are never", "push-from-branch"),
        ({"event": "pull_request_review"}, "of a pull request are never", "push-from-branch"),
        ({"event": "merge_group", "ref": "refs/heads/main"}, "of a pull request are never", "push-from-branch"),
        ({"ref": "refs/heads/gh-readonly-queue/main/pr-7-abc"}, "of a pull request are never", "push-from-branch"),
        ({"event": "push", "ref": "refs/pull/7/head"}, "of a pull request are never", "push-from-branch"),
        ({"ref": "refs/tags/v1.0"}, "refs/tags/v1.0, which is no branch", "release-tag-instead"),
        ({"ref": ""}, "which is no branch", "release-tag-instead"),
        ({"ci": RunContext(actions=True, commit=OTHER)}, f"started for commit {OTHER}", "check-out-run-commit"),
        ({"ci": RunContext(actions=True)}, "started for commit unknown", "check-out-run-commit"),
        ({"ci": RunContext(), "on_a_branch": False}, "no branch of the remote contains", "push-branch-first"),
        ({"home": "someone/else"}, "released only from someone/else", "release-from-home"),
    ],
)
def test_refused(run: dict[str, Any], what: str, advice: str) -> None:
    """Each refusal says why, and what to do instead."""
    said, ids = refusal(**run)
    assert what in said
    assert advice in ids

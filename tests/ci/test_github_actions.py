"""What is taken from GitHub Actions' variables."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from unmoor.ci.github_actions import RunContext, _file, default_branch, repository_of
from unmoor.errors import ConfigError

SHA = "0123456789abcdef0123456789abcdef01234567"
PUSH = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/tags/v1.2.3",
    "GITHUB_REF_TYPE": "tag",
    "GITHUB_SHA": SHA,
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_STEP_SUMMARY": "/tmp/summary",
    "GITHUB_OUTPUT": "/tmp/output",
}


def test_a_pushed_tag() -> None:
    """Everything a run needs to know comes from the run itself."""
    assert RunContext.from_environ(PUSH) == RunContext(
        actions=True,
        tag="v1.2.3",
        commit=SHA,
        repository="owner/name",
        event="push",
        summary=Path("/tmp/summary"),
        output=Path("/tmp/output"),
    )


def test_elsewhere_nothing_is_believed() -> None:
    """Outside of Actions the same variables mean nothing."""
    assert RunContext.from_environ({**PUSH, "GITHUB_ACTIONS": ""}) == RunContext()


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({}, "v1.2.3"),
        ({"GITHUB_EVENT_NAME": "workflow_dispatch"}, "v1.2.3"),
        ({"GITHUB_EVENT_NAME": "release"}, "v1.2.3"),
        ({"GITHUB_REF": "refs/tags/group/v1"}, "group/v1"),
        ({"GITHUB_REF": "refs/heads/v1.2.3", "GITHUB_REF_TYPE": "branch"}, ""),
        ({"GITHUB_REF": "refs/heads/refs/tags/v1.2.3", "GITHUB_REF_TYPE": "branch"}, ""),
        ({"GITHUB_REF_TYPE": "branch"}, ""),
        ({"GITHUB_EVENT_NAME": "pull_request"}, ""),
        ({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/1/merge"}, ""),
        ({"GITHUB_EVENT_NAME": "pull_request_target"}, ""),
        ({"GITHUB_EVENT_NAME": "issue_comment"}, ""),
        ({"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_REF": "refs/heads/v1.2.3", "GITHUB_REF_TYPE": "branch"}, ""),
        ({"GITHUB_EVENT_NAME": "workflow_run"}, ""),
        ({"GITHUB_REF": ""}, ""),
    ],
)
def test_where_a_tag_comes_from(changes: dict[str, str], tag: str) -> None:
    """A tag comes from a tag's ref alone, and never from a pull request or a branch."""
    assert RunContext.from_environ({**PUSH, **changes}).tag == tag


def test_the_commit_belongs_to_the_runs_own_tag() -> None:
    """A run dispatched from a branch for a tag given by hand does not know the tag's commit."""
    assert RunContext.from_environ(PUSH).commit_of("v1.2.3") == SHA
    assert RunContext.from_environ(PUSH).commit_of("v1.2.4") == ""
    branch = RunContext.from_environ({**PUSH, "GITHUB_REF": "refs/heads/main", "GITHUB_REF_TYPE": "branch"})
    assert branch.commit == SHA
    assert branch.commit_of("v1.2.3") == ""
    assert branch.commit_of("") == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GITHUB_SHA", "HEAD"),
        ("GITHUB_SHA", SHA + "\n"),
        ("GITHUB_REPOSITORY", "owner/name/more"),
        ("GITHUB_REPOSITORY", "owner/.."),
        ("GITHUB_STEP_SUMMARY", "summary"),
        ("GITHUB_OUTPUT", "out\x00"),
    ],
)
def test_values_that_actions_would_never_set(variable: str, value: str) -> None:
    """A value that cannot be right is refused by the variable's name."""
    with pytest.raises(ConfigError) as raised:
        RunContext.from_environ({**PUSH, variable: value})
    assert str(raised.value) == f"the environment variable {variable}: GitHub Actions does not set such a value"


@pytest.mark.parametrize(
    ("remote", "repository"),
    [
        ("https://github.com/owner/name", "owner/name"),
        ("https://github.com/owner/name.git", "owner/name"),
        ("https://github.com/owner/name/", "owner/name"),
        ("https://token@GitHub.com/owner/na.me.git", "owner/na.me"),
        ("git@github.com:owner/name.git", "owner/name"),
        ("github.com:owner/name", "owner/name"),
        ("git@github.com:/owner/name.git", "owner/name"),
        ("ssh://git@github.com/owner/name.git", "owner/name"),
        ("ssh://git@ssh.github.com:443/owner/name.git", "owner/name"),
        ("git://github.com/owner/name", "owner/name"),
        ("https://www.github.com/owner/name", "owner/name"),
        ("https://example.org/owner/name", ""),
        ("https://github.com.example.org/owner/name", ""),
        ("https://github.com/owner", ""),
        ("https://github.com/owner/name/tree/main", ""),
        ("https://github.com/owner/..", ""),
        ("git@example.org:github.com/owner/name", ""),
        ("/srv/github.com/owner/name", ""),
        ("file:///github.com/owner/name", ""),
        ("origin", ""),
        ("", ""),
        ("https://github.com/owner/na me", ""),
        ("https://github.com/-owner/name", ""),
    ],
)
def test_the_repository_of_a_remote(remote: str, repository: str) -> None:
    """Reads owner and name from GitHub's forms of addresses, and from no other."""
    assert repository_of(remote) == repository


def test_the_repository_of_a_remote_on_another_host() -> None:
    """GitHub Enterprise has its own host."""
    assert repository_of("git@git.example.org:owner/name.git", host="git.example.org") == "owner/name"
    assert repository_of("git@github.com:owner/name.git", host="git.example.org") == ""


@pytest.mark.parametrize(
    ("kind", "value", "accepted"),
    [
        (PurePosixPath, "/home/runner/work/_temp/output", True),
        (PurePosixPath, "output", False),
        (PurePosixPath, r"D:\a\_temp\output", False),
        (PureWindowsPath, r"D:\a\_temp\output", True),
        (PureWindowsPath, "D:/a/_temp/output", True),
        (PureWindowsPath, r"\\server\share\output", True),
        (PureWindowsPath, r"a\output", False),
        (PureWindowsPath, r"D:output", False),
        (PureWindowsPath, "D:\\a\0", False),
    ],
)
def test_the_files_of_a_runner(kind: type[PurePath], value: str, *, accepted: bool) -> None:
    """A runner names its files by absolute paths of its system; anything else is no file of a runner."""
    if accepted:
        assert str(_file({"GITHUB_OUTPUT": value}, "GITHUB_OUTPUT", kind)) == value
        return
    with pytest.raises(ConfigError) as caught:
        _file({"GITHUB_OUTPUT": value}, "GITHUB_OUTPUT", kind)
    assert caught.value.where == "the environment variable GITHUB_OUTPUT"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ('{"repository": {"default_branch": "trunk"}, "ref": "refs/heads/x"}', "trunk"),
        ('{"repository": {}}', ""),
        ('{"repository": null}', ""),
        ("not JSON", ""),
        (None, ""),
    ],
)
def test_the_default_branch_is_in_the_event(tmp_path: Path, event: str | None, expected: str) -> None:
    """The checkout of a run does not know it. Elsewhere, and if the event does not say it, nobody guesses."""
    path = tmp_path / "event.json"
    if event is not None:
        path.write_text(event, "utf-8")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(path)}
    assert default_branch(environ) == expected
    assert default_branch({**environ, "GITHUB_ACTIONS": ""}) == ""

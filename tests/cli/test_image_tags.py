"""``unmoor image-tags`` in checkouts, and in the environment of GitHub Actions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_repos import Repo

from unmoor.cli.app import run

SHA = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
IMAGE = ("--image", "ghcr.io/Owner/name")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A checkout on main that knows the default branch of its remote."""
    repo = Repo.new(tmp_path / "checkout")
    repo.git("remote", "add", "origin", "https://github.com/harbour/lighthouse.git")
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return repo


def _output(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> str:
    assert run(["image-tags", *args]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def _document(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_output(capsys, "--json", *args))
    return document


def test_a_branch_of_a_checkout(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The ref, the commit, its date, the repository and its default branch come from git."""
    rules = "type=ref,event=branch\ntype=sha\ntype=raw,value={{commit_date 'YYYYMMDD'}},enable={{is_default_branch}}"
    document = _document(
        capsys, "--directory", str(repo.path), "--rules", rules, *IMAGE, "--date", "2026-01-31T12:00:00Z"
    )
    head = repo.git("rev-parse", "HEAD")
    assert document["tag-names"] == ["main", "20231114", f"sha-{head[:7]}"]
    assert document["tags"][0] == "ghcr.io/owner/name:main"
    labels = document["labels"]
    assert labels["org.opencontainers.image.created"] == "2026-01-31T12:00:00.000Z"
    assert labels["org.opencontainers.image.revision"] == head
    assert labels["org.opencontainers.image.source"] == "https://github.com/harbour/lighthouse"
    assert labels["org.opencontainers.image.title"] == "lighthouse"


def test_a_tag_of_a_checkout(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """On a detached HEAD, the ref is the release tag on it."""
    repo.git("tag", "v1.2.3")
    repo.git("checkout", "--quiet", "--detach")
    output = _output(
        capsys, "--directory", str(repo.path), *IMAGE, "--rules", "type=pep440,pattern={{major}}.{{minor}}"
    )
    assert output.splitlines() == ["ghcr.io/owner/name:1.2", "ghcr.io/owner/name:latest"]


def test_a_ref_by_name(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The commit of a named tag is the tag's own, not HEAD."""
    repo.git("tag", "-a", "v1.0.0", "-m", "one")
    first = repo.git("rev-parse", "HEAD")
    repo.commit({"more": "x"})
    document = _document(capsys, "--directory", str(repo.path), "--ref", "refs/tags/v1.0.0", "--rules", "type=sha")
    assert document["tag-names"] == [f"sha-{first[:7]}"]


def test_a_detached_head_without_a_tag_is_refused(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The command does not guess. The message names the option to use."""
    repo.git("checkout", "--quiet", "--detach")
    assert "--ref" in _output(capsys, "--directory", str(repo.path), code=3)


def test_no_repository_is_needed_if_the_ref_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Outside a checkout, options are enough."""
    flags = ("--directory", str(tmp_path), "--ref", "refs/pull/123/merge", "--sha", SHA)
    assert _output(capsys, *flags, "--rules", "type=ref,event=pr", "--rules", "type=sha").split() == [
        "pr-123",
        "sha-0a1b2c3",
    ]
    assert "repository" in _output(capsys, "--directory", str(tmp_path), code=4)


def _actions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ref: str, name: str, payload: dict[str, Any]) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload))
    for key, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REF": ref,
        "GITHUB_SHA": SHA,
        "GITHUB_REPOSITORY": "harbour/lighthouse",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(path),
    }.items():
        monkeypatch.setenv(key, value)


REPOSITORY = {"name": "lighthouse", "default_branch": "main", "html_url": "https://github.com/harbour/lighthouse"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (("refs/heads/main", "push", {}), ["main", "default"]),
        (("refs/heads/dev", "push", {}), ["dev"]),
        (("refs/heads/main", "schedule", {}), ["nightly", "main", "default"]),
        (("refs/tags/v1.2.3", "push", {}), ["v1.2.3", "latest"]),
        (("refs/pull/5/merge", "pull_request", {"number": 5}), ["pr-5"]),
        (("refs/heads/main", "pull_request_target", {"number": 6}), ["pr-6"]),
    ],
)
def test_a_run_of_github_actions(
    event: tuple[str, str, dict[str, Any]],
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without options, everything comes from the environment and the event file."""
    ref, name, extra = event
    _actions(monkeypatch, tmp_path, ref, name, {"repository": REPOSITORY, **extra})
    rules = [
        f"--rules={rule}"
        for rule in (
            *("type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"),
            "type=raw,default,enable={{is_default_branch}}",
        )
    ]
    document = _document(capsys, "--directory", str(tmp_path), *rules)
    assert document["tag-names"] == expected
    assert document["labels"]["org.opencontainers.image.revision"] == SHA


def test_variables_of_docker_metadata_action_apply(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They set the length of a short commit id, the head of a pull request and the levels of annotations."""
    payload = {"number": 5, "pull_request": {"head": {"sha": "f" * 40}}, "repository": REPOSITORY}
    _actions(monkeypatch, tmp_path, "refs/pull/5/merge", "pull_request", payload)
    monkeypatch.setenv("DOCKER_METADATA_SHORT_SHA_LENGTH", "12")
    monkeypatch.setenv("DOCKER_METADATA_PR_HEAD_SHA", "true")
    monkeypatch.setenv("DOCKER_METADATA_ANNOTATIONS_LEVELS", "manifest,index")
    document = _document(capsys, "--directory", str(tmp_path), "--rules", "type=sha", "--annotation", "a=b")
    assert document["tag-names"] == [f"sha-{'f' * 12}"]
    assert {"manifest:a=b", "index:a=b"} <= set(document["annotations"])


def test_an_option_overrides_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--ref`` applies even if the event is about another ref."""
    _actions(monkeypatch, tmp_path, "refs/heads/main", "pull_request_target", {"number": 6, "repository": REPOSITORY})
    output = _output(capsys, "--directory", str(tmp_path), "--ref", "refs/tags/v2.0.0", "--rules", "type=ref,event=tag")
    assert output.split() == ["v2.0.0", "latest"]


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--ref", "v1.2.3"), "refs/tags/v1.2.3"),
        (("--date", "yesterday"), "--date"),
        (("--event", "missing.json"), "missing.json"),
        (("--event", "broken.json"), "broken.json"),
        (("--event", "deep.json"), "deep.json"),
        (("--event", "list.json"), "JSON object"),
        (("--rules", "type=raw,\x1b[31m{{x}}"), "column"),
        (("--image", "a b"), "'a b' is not a valid image name"),
    ],
)
def test_mistakes_end_in_one_message(
    repo: Repo, flags: tuple[str, str], word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what is wrong, where, and what to do. It has no control characters, and the exit code is 3."""
    repo.write({"broken.json": "{", "deep.json": "[" * 100_000, "list.json": "[]"})
    monkeypatch.chdir(repo.path)
    output = _output(capsys, *flags, code=3)
    assert word in output
    assert "next:" in output
    assert "\x1b[31m{" not in output


@pytest.mark.parametrize("length", ["0", "-1", "seven", "65", "1e3"])
def test_an_invalid_length_of_commit_ids(
    length: str, repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the variable."""
    monkeypatch.setenv("DOCKER_METADATA_SHORT_SHA_LENGTH", length)
    assert "DOCKER_METADATA_SHORT_SHA_LENGTH" in _output(capsys, "--directory", str(repo.path), code=3)


def test_warnings_go_to_stderr(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning does not change the result on stdout."""
    assert run(["image-tags", "--directory", str(repo.path), "--rules", "type=raw,x,colour=red"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "x\n"
    assert "colour" in captured.err


def test_compat(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Rules that give no tag are an error, except with ``--compat``."""
    flags = ("--directory", str(repo.path), "--rules", "type=semver,pattern={{version}}")
    assert "no rule gives a tag" in _output(capsys, *flags, code=3)
    assert _output(capsys, *flags, "--compat") == ""


@pytest.mark.parametrize("where", ["no checkout", "an empty ref", "a detached head", "a run without a ref"])
def test_compat_without_any_ref(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The answer is empty, as that of docker/metadata-action; without ``--compat`` it is an error."""
    repo.git("checkout", "--quiet", "--detach")
    flags = ["--directory", str(repo.path), *IMAGE]
    if where == "no checkout":
        flags[1] = str(tmp_path)
    elif where == "an empty ref":
        flags += ["--ref", ""]
    elif where == "a run without a ref":
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run(["image-tags", *flags]) in {3, 4}
    capsys.readouterr()
    assert _output(capsys, *flags, "--compat") == ""
    document = _document(capsys, *flags, "--compat")
    assert (document["tag-names"], document["tags"], document["version"]) == ([], [], "")


def test_latest_on_the_default_branch(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The default branch gets latest only with the option."""
    flags = ("--directory", str(repo.path), "--rules", "type=ref,event=branch")
    assert _output(capsys, *flags).split() == ["main"]
    assert _output(capsys, *flags, "--latest-on-default-branch").split() == ["main", "latest"]

"""The unsigned provenance: what made the files, and nothing that must not be public."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.sample_values import sample_release, sample_run

from unmoor.products import Dists, File, Release, Subject, Tool
from unmoor.provenance.build import build_provenance
from unmoor.provenance.statements import BY_HAND, WORKFLOW, made_by
from unmoor.util.values import replace

RUN = replace(sample_run(), commit="c" * 40)
RELEASE = replace(sample_release(), date=1_700_000_000)
FILES = tuple(
    File(name=name, sha256=digit * 64, size=1, path=Path(name))
    for name, digit in (("small_one-1.0-py3-none-any.whl", "1"), ("small_one-1.0.tar.gz", "2"))
)
TOOLS = (Tool(name="hatchling", version="1.32", sha256="3" * 64), Tool(name="python", version="3.13.1"))
DISTS = Dists(files=FILES, tools=TOOLS, decisions=("formats = wheel", "sdist normalized"))


def described(release: Release = RELEASE, dists: Dists = DISTS) -> Any:
    """Return the definition of the build in the statement."""
    return json.loads(build_provenance(release, dists).statement)["predicate"]["buildDefinition"]


def test_it_names_the_files_the_commit_and_the_tools() -> None:
    """Every file is a subject; the commit and each tool is a dependency, with its digest if that is known."""
    made = build_provenance(RELEASE, DISTS)
    assert made.subjects == tuple(Subject(name=file.name, sha256=file.sha256) for file in FILES)
    assert made.summary == "2 files, made with 2 tools"
    assert described()["buildType"] == BY_HAND
    assert described()["resolvedDependencies"] == [
        {"uri": "git+https://github.com/o/n@refs/tags/v1.0", "digest": {"gitCommit": "a" * 40}},
        {"uri": "pkg:generic/python@3.13.1"},
        {"uri": "pkg:pypi/hatchling@1.32", "digest": {"sha256": "3" * 64}},
    ]
    assert described()["internalParameters"] == {
        "unmoor": {
            "project": "small-one",
            "version": "1.0",
            "source-date-epoch": 1_700_000_000,
            "decisions": ["formats = wheel", "sdist normalized"],
        }
    }


def test_every_job_writes_the_same_bytes() -> None:
    """Neither the folder of the files, nor the order of files and tools, nor the time of the run matters."""
    elsewhere = tuple(replace(file, path=Path("/elsewhere") / file.name) for file in reversed(FILES))
    again = replace(DISTS, files=elsewhere, tools=TOOLS[::-1])
    one = build_provenance(RELEASE, DISTS).statement
    assert build_provenance(RELEASE, again).statement == one


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"path": "packages/one"}, {"path": "packages/one"}),
        ({"settings": f"u.toml sha256:{'4' * 64}"}, {"settings": f"u.toml sha256:{'4' * 64}"}),
        ({"date": 0}, {"source-date-epoch": 315_532_800}),
    ],
)
def test_what_decided_the_build_is_told(changed: dict[str, Any], told: dict[str, Any]) -> None:
    """A project in a folder, settings that are not the commit's own, and the time of the files."""
    parameters = described(replace(RELEASE, **changed))["internalParameters"]["unmoor"]
    assert parameters | told == parameters
    assert ("path" in parameters) is ("path" in changed)
    assert ("settings" in parameters) is ("settings" in changed)


@pytest.mark.parametrize(
    "secret",
    [
        "build-constraints = a @ https://bob:hunter22@example.org/a.whl",
        f"build-constraints = a @ https://x/{'gh' + 'p_' + 'a' * 36}/a.whl",
        f"skipped {'pypi' + '-' + 'A' * 60}",
    ],
)
def test_what_looks_like_a_secret_does_not_become_public(secret: str) -> None:
    """It is left out, and the statement says how many are."""
    decisions = described(dists=replace(DISTS, decisions=("formats = wheel", secret)))["internalParameters"]["unmoor"][
        "decisions"
    ]
    assert decisions == ["formats = wheel", "left out, since they look like secrets: 1"]


def test_whoever_signs_adds_only_its_run() -> None:
    """Files, tools and parameters stay; the commit is the one of the ID token."""
    built = build_provenance(RELEASE, DISTS).statement
    signed = json.loads(made_by(built, RUN))
    definition = signed["predicate"]["buildDefinition"]
    assert definition["buildType"] == WORKFLOW
    assert signed["subject"] == json.loads(built)["subject"]
    assert definition["resolvedDependencies"][1:] == described()["resolvedDependencies"][1:]
    assert definition["internalParameters"]["unmoor"] == described()["internalParameters"]["unmoor"]
    assert definition["resolvedDependencies"][0] == {
        "uri": "git+https://github.com/o/n@refs/tags/v1.0",
        "digest": {"gitCommit": RUN.commit},
    }

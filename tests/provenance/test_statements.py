"""Statements: the same bytes for the same input, in the shapes that indexes and GitHub read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.sample_values import sample_run

from unmoor.errors import Unknown
from unmoor.ports.signer import Identity
from unmoor.products import Subject, Tool
from unmoor.provenance.statements import (
    BY_HAND,
    Dependency,
    image_provenance,
    made_by,
    publish_statement,
    release_provenance,
)
from unmoor.util.values import replace

RUN = sample_run()
WHEEL = Subject(name="demo-1.0-py3-none-any.whl", sha256="1" * 64)
SDIST = Subject(name="demo-1.0.tar.gz", sha256="2" * 64)
HATCHLING = Dependency.of_tool(Tool(name="hatchling", version="1.32", sha256="3" * 64))
ELSEWHERE = Dependency.of_tool(Tool(name="hatchling", version="1.32", sha256="5" * 64))
PYTHON = Dependency.of_tool(Tool(name="python", version="3.13.1+local"))
# What GitHub's action writes for that run.
GITHUB = {
    "buildDefinition": {
        "buildType": "https://actions.github.io/buildtypes/workflow/v1",
        "externalParameters": {
            "workflow": {
                "ref": "refs/tags/v1.0",
                "repository": "https://github.com/o/n",
                "path": ".github/workflows/release.yml",
            }
        },
        "internalParameters": {
            "github": {
                "event_name": "push",
                "repository_id": "2",
                "repository_owner_id": "1",
                "runner_environment": "github-hosted",
            }
        },
        "resolvedDependencies": [
            {"uri": "git+https://github.com/o/n@refs/tags/v1.0", "digest": {"gitCommit": "a" * 40}},
        ],
    },
    "runDetails": {
        "builder": {"id": "https://github.com/o/n/.github/workflows/release.yml@refs/tags/v1.0"},
        "metadata": {"invocationId": "https://github.com/o/n/actions/runs/7/attempts/1"},
    },
}


def predicate(statement: bytes) -> Any:
    """Return the predicate of a statement."""
    return json.loads(statement)["predicate"]


def test_a_publish_statement_is_the_one_that_pypi_documents() -> None:
    """It is, byte for byte, the statement that ``pypi-attestations`` signs for the same file."""
    from pypi_attestations import AttestationType
    from sigstore.dsse import DigestSet, StatementBuilder
    from sigstore.dsse import Subject as TheirSubject

    theirs = StatementBuilder([TheirSubject(name=WHEEL.name, digest=DigestSet(root={"sha256": WHEEL.sha256}))])
    expected = theirs.predicate_type(AttestationType.PYPI_PUBLISH_V1).build()
    assert publish_statement(WHEEL) == expected._contents


def test_provenance_of_a_run_is_what_githubs_action_writes() -> None:
    """Without dependencies and parameters there is nothing else in it."""
    assert predicate(release_provenance([WHEEL], run=RUN)) == GITHUB
    assert predicate(image_provenance("ghcr.io/o/n", f"sha256:{'4' * 64}", run=RUN)) == GITHUB


def test_a_reusable_workflow_is_the_builder_and_its_caller_the_parameter() -> None:
    """A tag may have an ``@`` in its name, too."""
    run = replace(
        RUN,
        caller="https://github.com/o/n/.github/workflows/ci.yml@refs/tags/pkg@1.0",
        workflow="https://github.com/org/shared/.github/workflows/release.yml@refs/heads/main",
    )
    made = predicate(release_provenance([WHEEL], run=run))
    assert made["buildDefinition"]["externalParameters"]["workflow"] == {
        "ref": "refs/tags/pkg@1.0",
        "repository": "https://github.com/o/n",
        "path": ".github/workflows/ci.yml",
    }
    assert made["runDetails"]["builder"] == {"id": run.workflow}


def test_the_subjects_are_all_files_or_one_image() -> None:
    """Subjects have a name and a sha256; an image's name has no tag."""
    files = json.loads(release_provenance([SDIST, WHEEL], run=RUN))["subject"]
    assert files == [{"name": each.name, "digest": {"sha256": each.sha256}} for each in (WHEEL, SDIST)]
    image = json.loads(image_provenance("ghcr.io/o/n", f"sha256:{'4' * 64}", run=RUN))["subject"]
    assert image == [{"name": "ghcr.io/o/n", "digest": {"sha256": "4" * 64}}]


def test_dependencies_are_package_urls_with_the_digests_that_are_known() -> None:
    """The commit comes first, then the others by URI, each once. Parameters are apart from GitHub's."""
    made = predicate(
        release_provenance(
            [WHEEL], run=RUN, parameters={"tag": "v1.0"}, dependencies=[PYTHON, HATCHLING, ELSEWHERE, PYTHON]
        )
    )
    assert made["buildDefinition"]["resolvedDependencies"][1:] == [
        {"uri": "pkg:generic/python@3.13.1%2Blocal"},
        {"uri": "pkg:pypi/hatchling@1.32", "digest": {"sha256": "3" * 64}},
        {"uri": "pkg:pypi/hatchling@1.32", "digest": {"sha256": "5" * 64}},
    ]
    assert made["buildDefinition"]["internalParameters"]["unmoor"] == {"tag": "v1.0"}


def test_the_same_input_gives_the_same_bytes() -> None:
    """The order of files and dependencies does not matter."""
    one = release_provenance([WHEEL, SDIST], run=RUN, dependencies=[HATCHLING, PYTHON])
    assert release_provenance([SDIST, WHEEL], run=RUN, dependencies=[PYTHON, HATCHLING]) == one


def test_a_release_by_hand_names_no_workflow() -> None:
    """It has the commit as it is given."""
    commit = Dependency.of_commit("https://github.com/o/n", "refs/tags/v1.0", "a" * 40)
    made = predicate(release_provenance([WHEEL], run=None, dependencies=[HATCHLING, commit]))
    assert made["runDetails"] == {"builder": {"id": BY_HAND}}
    assert made["buildDefinition"]["externalParameters"] == {}
    assert made["buildDefinition"]["resolvedDependencies"] == [commit.document, HATCHLING.document]


@pytest.mark.parametrize("built_by", [None, replace(RUN, repository_id="66", commit="b" * 40, ref="refs/heads/evil")])
def test_whoever_signs_writes_its_own_run(built_by: Identity | None) -> None:
    """Repository, workflow, commit and run of a statement from a build are replaced; the rest stays."""
    commit = [] if built_by else [Dependency.of_commit("https://github.com/o/x", "refs/heads/evil", "b" * 40)]
    parameters = {"tag": "v1.0"}
    built = release_provenance([WHEEL, SDIST], run=built_by, parameters=parameters, dependencies=[*commit, HATCHLING])
    expected = release_provenance([WHEEL, SDIST], run=RUN, parameters=parameters, dependencies=[HATCHLING])
    assert made_by(built, RUN) == expected
    assert made_by(expected, RUN) == expected


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"predicate":null}',
        b'{"predicate":{"buildDefinition":[]}}',
        b'{"predicate":{"buildDefinition":{"internalParameters":{},"resolvedDependencies":[{}]}}}',
        b'{"predicate":{"buildDefinition":{"internalParameters":{},"resolvedDependencies":[]}},"subject":[{"name":1}]}',
        b'{"predicate":{"buildDefinition":{"internalParameters":[],"resolvedDependencies":[]}},"subject":[]}',
        publish_statement(WHEEL),
        b"[" * 5000,
    ],
)
def test_what_is_no_provenance_is_unknown(garbage: bytes) -> None:
    """Other JSON than a statement of this module is one error, with what to do."""
    with pytest.raises(Unknown, match="the provenance that the build wrote cannot be read") as caught:
        made_by(garbage, RUN)
    assert caught.value.next_step

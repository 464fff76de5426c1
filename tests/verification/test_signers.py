"""Who may have signed: the workflow of the repository, by number, at the tag and its commit."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

import pytest

from unmoor.ports.index import Publisher
from unmoor.ports.signer import Identity, VerifiedSignature
from unmoor.provenance.identity import ISSUER
from unmoor.verification.checks import Mark
from unmoor.verification.signers import ReleaseSource, Signers, judge_publisher

SITE = "https://github.com"
COMMIT, OTHER = "a" * 40, "b" * 40
WORKFLOW = "acme/demo/.github/workflows/release.yml"
SIGNER = Identity(
    repository="acme/demo",
    repository_id="7",
    owner_id="1",
    workflow=f"{SITE}/{WORKFLOW}@refs/tags/v1",
    caller=f"{SITE}/{WORKFLOW}@refs/tags/v1",
    commit=COMMIT,
    ref="refs/tags/v1",
    run="",
    event="push",
    visibility="public",
    issuer=ISSUER,
)
SOURCE = ReleaseSource(repository="acme/demo", repository_id="7", tag="v1", commit=COMMIT)
SHARED = f"{SITE}/acme/ci/.github/workflows/release.yml@refs/heads/main"


def by(**fields: Any) -> VerifiedSignature:
    """A signature that verifies."""
    return VerifiedSignature(identity=changed(SIGNER, **fields), subjects=(), log_index=1, time=1)


JUDGED: list[tuple[dict[str, Any], str, Mark, str]] = [
    ({}, "", Mark.OK, "signed by acme/demo/.github/workflows/release.yml"),
    ({}, "acme/demo", Mark.OK, "signed by"),
    ({}, WORKFLOW, Mark.OK, "signed by"),
    ({}, "Acme/demo", Mark.WRONG, "signed for acme/demo, expected Acme/demo"),
    ({}, f"{WORKFLOW}x", Mark.WRONG, f"expected {WORKFLOW}x"),
    ({}, "acme/demo/.github/workflows/other.yml", Mark.WRONG, "expected acme/demo/.github/workflows/other.yml"),
    ({"workflow": SHARED}, "", Mark.WRONG, "which is not a workflow of the repository"),
    ({"workflow": SHARED}, "acme/ci/.github/workflows/release.yml", Mark.OK, "signed by acme/ci"),
    ({"workflow": SHARED}, WORKFLOW, Mark.WRONG, "signed by acme/ci"),
    (
        {"repository": "evil/demo", "workflow": f"{SITE}/evil/demo/.github/workflows/release.yml@refs/tags/v1"},
        WORKFLOW,
        Mark.WRONG,
        "signed by evil/demo",
    ),
    ({"repository_id": "8"}, "", Mark.WRONG, "the repository number is 8, expected 7"),
    ({"commit": OTHER}, "", Mark.WRONG, f"the commit is {OTHER}"),
    ({"ref": "refs/heads/main"}, "", Mark.WRONG, "the ref is refs/heads/main"),
    ({"issuer": "https://accounts.example.org"}, "", Mark.WRONG, "the issuer is"),
    ({"workflow": "somebody@example.org"}, "", Mark.WRONG, "which is not a workflow"),
]


@pytest.mark.parametrize(("fields", "identity", "mark", "note"), JUDGED)
def test_the_signer(fields: dict[str, Any], identity: str, mark: Mark, note: str) -> None:
    """Each difference is wrong, and an expected name is compared exactly."""
    found = Signers(source=SOURCE, identity=identity).judge(by(**fields))
    assert found[0] is mark, found
    assert note in found[1]


def test_one_workflow_signs_everything() -> None:
    """Without an expected workflow the first one that signed is it."""
    signers = Signers(source=SOURCE)
    assert signers.judge(by())[0] is Mark.OK
    other = f"{SITE}/acme/demo/.github/workflows/ci.yml@refs/tags/v1"
    assert signers.judge(by(workflow=other)) == (
        Mark.WRONG,
        "the workflow is .github/workflows/ci.yml, expected .github/workflows/release.yml",
    )


@pytest.mark.parametrize("unknown", [{"repository_id": ""}, {"commit": ""}])
def test_what_is_not_known_never_passes(unknown: dict[str, str]) -> None:
    """A signature is neither good nor bad if the forge did not say what it has to name."""
    source = ReleaseSource(
        **({"repository": "acme/demo", "repository_id": "7", "tag": "v1", "commit": COMMIT} | unknown)
    )
    mark, note = Signers(source=source).judge(by())
    assert mark is Mark.UNKNOWN
    assert "could not be read" in note


PUBLISHER = Publisher(kind="GitHub", repository="acme/demo", workflow="release.yml")
NO_TAG = ReleaseSource(repository="acme/demo", repository_id="7")
PUBLISHED: list[tuple[dict[str, Any], ReleaseSource, str, Mark, str]] = [
    ({}, SOURCE, "", Mark.OK, "signed by acme/demo/.github/workflows/release.yml"),
    ({"ref": "refs/heads/main"}, NO_TAG, "", Mark.OK, "on refs/heads/main"),
    ({}, NO_TAG, "", Mark.UNKNOWN, "the tag's commit could not be read"),
    ({}, ReleaseSource(repository="acme/demo"), "", Mark.UNKNOWN, "the number of the repository"),
    ({"commit": OTHER}, SOURCE, "", Mark.WRONG, "the commit is"),
    ({"repository_id": "8"}, NO_TAG, "", Mark.WRONG, "the repository number is 8"),
    ({"repository": "evil/demo"}, SOURCE, "", Mark.WRONG, "the repository is evil/demo"),
    ({}, SOURCE, "acme/other", Mark.WRONG, "expected acme/other"),
    ({"issuer": "x"}, SOURCE, "", Mark.WRONG, "the issuer is x"),
]


@pytest.mark.parametrize(("fields", "source", "identity", "mark", "note"), PUBLISHED)
def test_the_publisher_of_a_package(
    fields: dict[str, Any], source: ReleaseSource, identity: str, mark: Mark, note: str
) -> None:
    """Another tool's release may be of a branch; the publisher that the index names, and the number, are compared."""
    found = judge_publisher(by(**fields), PUBLISHER, source, identity)
    assert found[0] is mark, found
    assert note in found[1]

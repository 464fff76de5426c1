"""Whether a signature that verifies was made by the run that made a release."""

from __future__ import annotations

import pytest
from tests.support.sample_values import sample_release, sample_run

from unmoor.ports.signer import Identity, VerifiedSignature
from unmoor.products import Subject
from unmoor.provenance.identity import signed_by_release
from unmoor.util.values import replace

SITE = "https://github.com"
PATH = ".github/workflows/release.yml"
SHARED = f"org/shared/{PATH}"
RUN = sample_run()
SHARED_RUN = replace(RUN, workflow=f"{SITE}/{SHARED}@refs/heads/main")


def differences(signer: Identity, *, workflow: str = PATH, repository_id: str = "2") -> str:
    """Return what differs between a signer and the release v1.0 of repository 2."""
    subjects = (Subject(name="", sha256="f" * 64),)
    verified = VerifiedSignature(identity=signer, subjects=subjects, log_index=1, time=1)
    return signed_by_release(verified, sample_release(), repository_id=repository_id, workflow=workflow)


@pytest.mark.parametrize(
    ("signer", "workflow"),
    [
        pytest.param(RUN, PATH, id="the run for the tag"),
        pytest.param(replace(RUN, event="workflow_dispatch", run="", visibility="", runner=""), PATH, id="another run"),
        pytest.param(sample_run("new/name"), PATH, id="before the repository moved"),
        pytest.param(SHARED_RUN, SHARED, id="a reusable workflow of another repository"),
        pytest.param(replace(RUN, caller=f"{SITE}/o/n/.github/workflows/ci.yml@refs/tags/v1.0"), PATH, id="called"),
    ],
)
def test_the_workflow_run_of_a_tag_signs_its_release(signer: Identity, workflow: str) -> None:
    """Repository number, workflow, ref and commit are those of the release. Everything else may differ."""
    assert differences(signer, workflow=workflow) == ""


@pytest.mark.parametrize(
    ("signer", "says"),
    [
        (replace(RUN, repository_id="3"), "the repository number is 3, expected 2"),
        (replace(RUN, repository_id=""), "the repository number is missing, expected 2"),
        (replace(RUN, issuer="https://gitlab.com"), "the issuer is https://gitlab.com, expected"),
        (
            replace(RUN, workflow=f"{SITE}/o/n/.github/workflows/ci.yml@refs/tags/v1.0"),
            f"the workflow is .github/workflows/ci.yml, expected {PATH}",
        ),
        (SHARED_RUN, f"the workflow is {SHARED}, expected {PATH}"),
        (
            replace(RUN, workflow=f"https://github.com.evil.example/o/n/{PATH}@refs/tags/v1.0", issuer="x"),
            "the issuer is x",
        ),
        (replace(RUN, workflow="me@example.org"), "the workflow is me"),
        (replace(RUN, ref="refs/heads/main"), "the ref is refs/heads/main, expected refs/tags/v1.0"),
        (replace(RUN, ref="refs/tags/v1.0.1"), "the ref is refs/tags/v1.0.1, expected refs/tags/v1.0"),
        (
            replace(RUN, workflow=f"{SITE}/o/n/{PATH}@refs/heads/main"),
            "the ref of the workflow is refs/heads/main, expected refs/tags/v1.0",
        ),
        (replace(RUN, commit="b" * 40), f"the commit is {'b' * 40}, expected {'a' * 40}"),
        (replace(RUN, commit=""), "the commit is missing"),
    ],
)
def test_every_other_signer_is_named(signer: Identity, says: str) -> None:
    """What differs is said, with both values."""
    assert says in differences(signer)


def test_what_is_not_known_matches_nothing() -> None:
    """A repository number or a workflow that is not known does not match one that is missing in the certificate."""
    assert differences(replace(RUN, repository_id=""), repository_id="") == (
        "the repository number is missing, expected a known one"
    )
    assert "the workflow is missing" in differences(replace(RUN, workflow=""), workflow="")

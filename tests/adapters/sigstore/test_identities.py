"""Identities from ID tokens. Those from certificates are compared with them where something is signed."""

from __future__ import annotations

import pytest
from tests.support.sample_values import sample_run

from unmoor.adapters.identity.claims import Claims
from unmoor.adapters.sigstore.identities import from_claims
from unmoor.ports.signer import Identity
from unmoor.util.values import replace

RUN = sample_run()
CLAIMS = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:o@1/n@2:ref:refs/tags/v1.0",
    "repository": "o/n",
    "repository_id": "2",
    "repository_owner": "o",
    "repository_owner_id": "1",
    "repository_visibility": "public",
    "job_workflow_ref": "o/n/.github/workflows/release.yml@refs/tags/v1.0",
    "workflow_ref": "o/n/.github/workflows/release.yml@refs/tags/v1.0",
    "ref": "refs/tags/v1.0",
    "sha": "a" * 40,
    "event_name": "push",
    "run_id": "7",
    "run_attempt": "1",
    "runner_environment": "github-hosted",
}
SHARED = "org/shared/.github/workflows/release.yml@refs/heads/main"


@pytest.mark.parametrize(
    ("changed", "identity"),
    [
        ({}, RUN),
        ({"job_workflow_ref": SHARED}, replace(RUN, workflow=f"https://github.com/{SHARED}")),
        ({"repository_visibility": "private"}, replace(RUN, visibility="private")),
        ({"run_attempt": ""}, replace(RUN, run="")),
        ({"sha": "", "workflow_ref": ""}, replace(RUN, commit="", caller="")),
    ],
)
def test_claims_name_the_run(changed: dict[str, str], identity: Identity) -> None:
    """Workflows and the run are addresses, as in the certificate; what is missing is empty."""
    found = from_claims(Claims({**CLAIMS, **changed}))
    assert found == identity
    assert found.issuer == CLAIMS["iss"]


def test_without_claims_nothing_is_known() -> None:
    """No address is made of missing parts."""
    assert set(vars(from_claims(Claims())).values()) == {""}

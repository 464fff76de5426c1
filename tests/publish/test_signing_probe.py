"""Before anything is built, a run knows what will be signed, and which indexes get attestations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.support.listed_index import FakeIndex
from tests.support.sample_values import sample_release
from tests.support.signers import SigningJob

from unmoor.adapters.sigstore import Sigstore
from unmoor.errors import Denied
from unmoor.ports.index import Holding
from unmoor.ports.world import Login
from unmoor.products import Certainty
from unmoor.publish.signing_probe import probe_signing
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.secret import Secret
from unmoor.util.values import replace

RELEASE = replace(sample_release(repository="acme/demo"), tag="v1.0", commit="a" * 40)
INDEX = FakeIndex(Holding(simple={}, json=None))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """A world whose ID tokens are of v1.0 and a commit of only a's."""
    with local.start(tmp_path_factory.mktemp("world"), repository="acme/demo", checkout=None) as running:
        yield running


@pytest.mark.parametrize(
    ("claims", "index", "says"),
    [
        ({}, INDEX, ["the files will be signed as https://github.com/acme/demo/.github/workflows/release.yml@"]),
        (
            {},
            replace(INDEX, refuses="the login is from a file"),
            ["the files will be signed as", "gets the files without attestations: the login is from a file"],
        ),
        (
            {"workflow_ref": "acme/demo/.github/workflows/other.yml@refs/tags/v1.0"},
            INDEX,
            ["the files will be signed as", "without attestations: the job is in a reusable workflow"],
        ),
        ({"repository_visibility": "private"}, INDEX, ["nothing will be signed: acme/demo is private"]),
        ({"ref": "refs/heads/main"}, INDEX, ["nothing will be signed: this run is of refs/heads/main"]),
    ],
    ids=["signed", "an API token", "a reusable workflow", "private", "a branch"],
)
def test_what_will_be_signed(world: LocalWorld, claims: Mapping[str, Any], index: FakeIndex, says: list[str]) -> None:
    """What is missing is a finding; if signatures are required, it stops the run, except that private is consent."""
    job = SigningJob(world=world)
    with job.claims(**claims):
        found = probe_signing(job.sigstore(), [index], RELEASE, required=False, asks=True)
        assert len(found) == len(says)
        assert all(said in each.detail for said, each in zip(says, found, strict=True))
        if len(says) == 1 and "private" not in says[0] and "nothing" not in says[0]:
            assert probe_signing(job.sigstore(), [index], RELEASE, required=True, asks=True) == found
        elif "private" in says[0]:
            (one,) = probe_signing(job.sigstore(), [index], RELEASE, required=True, asks=True)
            assert one.detail.startswith("the files will be signed as")
        else:
            with pytest.raises(Denied, match=r"would refuse them|would not name this release"):
                probe_signing(job.sigstore(), [index], RELEASE, required=True, asks=True)


@pytest.mark.parametrize(
    ("signing", "why"),
    [(None, r"this world has no \[signing\]"), ("nobody", "no token was given")],
)
def test_nobody_to_sign_as(world: LocalWorld, signing: str | None, why: str) -> None:
    """Without an identity nothing is signed and nothing asked; that stops a run whose signatures are required."""
    login = Login(username="", secret=Secret(""), origin="no token was given")
    sigstore: Sigstore | None = None
    if signing is not None:
        sigstore = SigningJob(world=world).sigstore(token=login)
    (found,) = probe_signing(sigstore, [INDEX], RELEASE, required=False, asks=True)
    assert found.detail.startswith("nothing will be signed: ")
    with pytest.raises(Denied, match=why):
        probe_signing(sigstore, [INDEX], RELEASE, required=True, asks=True)


def test_a_plan_asks_for_no_token(world: LocalWorld) -> None:
    """An ID token is requested only by a run that may write."""
    job = SigningJob(world=world)
    before = job.requests("/token")
    (found,) = probe_signing(job.sigstore(), [INDEX], RELEASE, required=True, asks=False)
    assert found.certainty is Certainty.UNPROVEN
    assert job.requests("/token") == before

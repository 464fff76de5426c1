"""Attestations reach the indexes of a local world with the files, or not at all."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.faulty_index import build_dists
from tests.support.sample_values import FakeClock, sample_release
from tests.support.signers import SigningJob

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.config.worlds import read_world
from unmoor.errors import Denied, Rejected
from unmoor.ports.world import Login
from unmoor.products import Dists, File, Release, Signed, Subject
from unmoor.provenance.names import bundle_name
from unmoor.provenance.statements import publish_statement
from unmoor.publish.signatures import signatures_for
from unmoor.publish.upload import upload
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.secret import Secret
from unmoor.util.values import replace


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """One world for all tests here; each has its own version."""
    with local.start(tmp_path_factory.mktemp("world"), repository="acme/demo", checkout=None) as running:
        yield running


@dataclass(frozen=True)
class Uploading:
    """A release with signatures, and the index of the world."""

    world: LocalWorld
    http: BoundedSession
    release: Release
    dists: Dists
    signed: Signed

    def index(self, kind: str = "pypi") -> PackageIndex:
        """The index, with one of the world's tokens."""
        place = read_world(self.world.world_file, {}).index
        secret = Secret(json.loads((self.world.folder / "credentials.json").read_text())[kind])
        return PackageIndex(
            replace(place, login=Login(username="__token__", secret=secret, origin="a test")), self.http, FakeClock()
        )

    def attested(self, file: File) -> bool:
        """Whether the index serves the attestation of a file."""
        place = read_world(self.world.world_file, {}).index
        root = place.simple.removesuffix("/simple/")
        address = f"{root}/integrity/{self.release.project}/{self.release.version}/{file.name}/provenance"
        return self.http.get(address).status == 200


_VERSIONS = itertools.count(1)


@pytest.fixture
def it(world: LocalWorld, tmp_path: Path) -> Iterator[Uploading]:
    """A wheel and an sdist of a version of its own, both signed."""
    version = f"{next(_VERSIONS)}.0"
    dists = Dists(files=build_dists(tmp_path, version))
    signer = SigningJob(world=world).sigstore().signer
    bundles = []
    for file in dists.files:
        path = tmp_path / bundle_name(file.name)
        path.write_bytes(signer.sign_statement(publish_statement(Subject(name=file.name, sha256=file.sha256))))
        bundles.append(File(name=path.name, sha256="", size=0, path=path))
    with BoundedSession() as http:
        release = replace(sample_release(project="demo"), version=version)
        yield Uploading(world, http, release, dists, Signed(bundles=tuple(bundles)))


def send(it: Uploading, index: PackageIndex, signed: Signed) -> None:
    """Upload the files with the signatures that the index gets."""
    signatures = signatures_for(index, signed, it.dists)
    upload(index, it.release, it.dists, clock=FakeClock(), say=lambda _: None, signatures=signatures)


@pytest.mark.parametrize(
    ("token", "changes", "attested"),
    [
        ("pypi", {}, True),
        ("pypi", {"withheld": "the job is in a reusable workflow"}, False),
        ("pypi", {"why_not": "the repository is private", "bundles": ()}, False),
        ("pypi", {"why_not": "the run is of a branch, and another one has signed"}, True),
        ("pypi_api", {}, False),
    ],
)
def test_an_index_gets_signatures_that_it_takes(
    it: Uploading, token: str, changes: dict[str, Any], *, attested: bool
) -> None:
    """The files arrive in any case; if signatures are required, nothing arrives without one."""
    signed = replace(it.signed, **changes)
    index = it.index(token)
    if not attested:
        with pytest.raises(Denied, match="would get files without attestations, which are required"):
            send(it, index, replace(signed, required=True))
        assert not index.holding("demo", it.release.version).names
    send(it, index, signed)
    assert index.holding("demo", it.release.version).names == {file.name for file in it.dists.files}
    assert [it.attested(file) for file in it.dists.files] == [attested, attested]
    listed = index.holding("demo", it.release.version).simple
    verifier = SigningJob(world=it.world).sigstore().verifier
    for file in it.dists.files:
        read = index.attestations(listed[file.name])
        assert len(read) == (1 if attested else 0)
        for bundle in read:
            made = it.signed.named(bundle_name(file.name))
            assert made is not None
            # The index serves the signature that it got, in another encoding.
            assert verifier.statement(bundle) == verifier.statement(made.path.read_bytes())


def test_an_index_that_refuses_a_signature_gets_no_file(it: Uploading) -> None:
    """The signature of another file is refused, with a way out; the index stays empty."""
    first, second = it.signed.bundles
    swapped = Signed(bundles=(replace(first, path=second.path), replace(second, path=first.path)))
    index = it.index()
    with pytest.raises(Rejected, match="attestation") as caught:
        send(it, index, swapped)
    assert "UNMOOR_ATTESTATIONS=off" in str(caught.value.next_step)
    assert not index.holding("demo", it.release.version).names

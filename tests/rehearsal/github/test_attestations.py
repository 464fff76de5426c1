"""The attestations of a repository: what the forge takes, refuses and lists."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from sigstore.models import Bundle
from sigstore.sign import Signer
from tests.rehearsal.conftest import world_table
from tests.rehearsal.github.contract import ForgeClient
from tests.support.sigstore_client import PUBLISH, RELEASE, SLSA, SigstoreClient, statement

from unmoor.rehearsal.github.attestations import AttestationStore, Stored
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.shared import store

SBOM = "https://cyclonedx.org/bom"


@pytest.fixture
def forge(world: LocalWorld) -> ForgeClient:
    """A user with write access."""
    return ForgeClient(world.addresses["forge"], world_table(world)["forge"]["token"])


@pytest.fixture(scope="module")
def signer(world: LocalWorld) -> Iterator[Signer]:
    """One certificate for all tests of this file."""
    with SigstoreClient(world).signer() as signer:
        yield signer


def signed(signer: Signer, sha256: str, predicate: str = SLSA, names: tuple[str, ...] = ("a", "b")) -> dict[str, Any]:
    """Return the bundle of a statement about files with one digest."""
    bundle: dict[str, Any] = json.loads(
        signer.sign_dsse(statement(*names, sha256=sha256, predicate=predicate)).to_json()
    )
    return bundle


def digest_of(name: str) -> str:
    """Return a digest that no other test uses."""
    return hashlib.sha256(name.encode()).hexdigest()


def test_what_is_stored_is_listed(forge: ForgeClient, world: LocalWorld, signer: Signer, name: str) -> None:
    """A bundle is found under the digest of each subject, unchanged, and verifies. The newest is the first."""
    sha256 = digest_of(name)
    bundles = [signed(signer, sha256, predicate) for predicate in (SLSA, SBOM, PUBLISH)]
    answers = [forge.call("POST", "/attestations", json={"bundle": bundle}) for bundle in bundles]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    numbers = [answer.json()["id"] for answer in answers]
    assert numbers == sorted(set(numbers))
    found = forge.call("GET", f"/attestations/sha256:{sha256}").json()["attestations"]
    assert [each["bundle"] for each in found] == bundles[::-1]
    assert {(each["repository_id"], each["initiator"]) for each in found} == {(2, "user")}
    assert forge.call("GET", "").json()["id"] == 2
    SigstoreClient(world).verifier.verify_dsse(Bundle.from_json(json.dumps(found[0]["bundle"])), RELEASE)


@pytest.mark.parametrize(
    ("asked", "predicates"),
    [("provenance", [SLSA]), ("sbom", [SBOM]), (PUBLISH, [PUBLISH]), ("release", []), ("", [PUBLISH, SBOM, SLSA])],
)
def test_one_kind_of_attestation(
    forge: ForgeClient, signer: Signer, name: str, asked: str, predicates: list[str]
) -> None:
    """A list may be limited to a predicate type, or to a kind of them."""
    bundles = {predicate: signed(signer, digest_of(name), predicate) for predicate in (SLSA, SBOM, PUBLISH)}
    for bundle in bundles.values():
        forge.call("POST", "/attestations", json={"bundle": bundle})
    found = forge.call("GET", f"/attestations/sha256:{digest_of(name)}?predicate_type={asked}").json()["attestations"]
    assert [each["bundle"] for each in found] == [bundles[predicate] for predicate in predicates]


def test_pages(forge: ForgeClient, signer: Signer, name: str) -> None:
    """The Link header leads to the next page."""
    for number in range(5):
        bundle = signed(signer, digest_of(name), names=(str(number),))
        assert forge.call("POST", "/attestations", json={"bundle": bundle}).status_code == 201
    sizes, address = [], f"{forge.base}{forge.root}/attestations/sha256:{digest_of(name)}?per_page=2"
    while address:
        answer = forge.call("GET", address)
        sizes.append(len(answer.json()["attestations"]))
        address = answer.links.get("next", {}).get("url", "")
    assert sizes == [2, 2, 1]


def test_bundles_that_are_refused(forge: ForgeClient, world: LocalWorld, signer: Signer, name: str) -> None:
    """The forge refuses what is no bundle of a statement, has a subject twice, or is of another repository."""
    sha256, good = digest_of(name), signed(signer, digest_of(name))
    with SigstoreClient(world).claims(repository="acme/other"), SigstoreClient(world).signer() as stranger:
        foreign = signed(stranger, sha256)
    mismatch = "values do not match: https://github.com/acme/other != https://github.com/acme/demo"
    table: list[tuple[Any, str]] = [
        ({}, "malformed bundle: "),
        ({"bundle": {}}, "malformed bundle: "),
        (good | {"dsseEnvelope": {}}, "malformed bundle: "),
        (good | {"dsseEnvelope": {"payload": "e30="}}, "malformed bundle: "),
        (good | {"verificationMaterial": {}}, "no certificate"),
        (good | {"verificationMaterial": {"certificate": {"rawBytes": "AAAA"}}}, "the certificate cannot be read"),
        (signed(signer, sha256, names=("a", "a")), "duplicate subject in statement"),
        (foreign, mismatch),
    ]
    for bundle, message in table:
        answer = forge.call("POST", "/attestations", json={"bundle": bundle})
        assert answer.status_code == 422
        assert answer.json()["message"].startswith(f"Invalid Argument - {message}")
    assert forge.call("POST", "/attestations", json={}).status_code == 422
    assert forge.call("GET", f"/attestations/sha256:{sha256}").json() == {"attestations": []}


@pytest.mark.parametrize(("who", "status"), [("", 401), ("read", 403), ("installation", 201), ("forge", 201)])
def test_who_may_store(world: LocalWorld, signer: Signer, name: str, who: str, status: int) -> None:
    """Storing needs write access."""
    credentials = json.loads((world.folder / "credentials.json").read_text())
    forge = ForgeClient(world.addresses["forge"], credentials[who] if who else "")
    answer = forge.call("POST", "/attestations", json={"bundle": signed(signer, digest_of(name))})
    assert answer.status_code == status


@pytest.mark.parametrize(("owner", "status"), [("", 403), ("organisation", 201)])
def test_a_private_repository(
    world: LocalWorld, forge: ForgeClient, signer: Signer, name: str, *, owner: str, status: int
) -> None:
    """Strangers do not see it, ID tokens say that it is private, and a user's own one has no attestations."""
    controls = [world.folder / "forge" / each for each in ("private", owner) if each]
    for control in controls:
        control.touch()
    try:
        seen = forge.call("GET", "").json()
        hidden = ForgeClient(forge.base, "").call("GET", "").status_code
        answer = forge.call("POST", "/attestations", json={"bundle": signed(signer, digest_of(name))})
        token = SigstoreClient(world).token()
    finally:
        for control in controls:
            control.unlink()
    assert (seen["private"], seen["visibility"], hidden, answer.status_code) == (True, "private", 404, status)
    assert jwt.decode(token, options={"verify_signature": False})["repository_visibility"] == "private"


def test_bundles_are_not_in_memory(tmp_path: Path) -> None:
    """A world that serves many releases would grow by all their signatures."""
    size, count = 20_000, 30
    for number in range(1, count + 1):
        bundle = {"payload": f"{number}" * (size // len(f"{number}"))}
        store.save(tmp_path / f"{number}.json", Stored(id=number, digests=("sha256:1",), predicate=SLSA, bundle=bundle))
    tracemalloc.start()
    try:
        kept = AttestationStore(tmp_path)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < count * size / 10
    assert [each.id for each in kept.about("sha256:1")] == list(range(count, 0, -1))


def test_bundles_that_come_together(tmp_path: Path, signer: Signer, name: str) -> None:
    """Each has a number of its own, and none replaces another."""
    kept, bundle, count = AttestationStore(tmp_path), signed(signer, digest_of(name)), 8
    with ThreadPoolExecutor(count) as pool:
        numbers = list(pool.map(lambda _: kept.add(bundle, "acme/demo"), range(count)))
    assert sorted(numbers) == list(range(1, count + 1))
    assert [each.id for each in kept.about(f"sha256:{digest_of(name)}")] == list(range(count, 0, -1))

"""Whole signed releases, judged by sigstore's own command and by what the index serves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.local_release import LocalRelease, small_repo, start_release, vouching

pytestmark = pytest.mark.journey

ENTRY = "/api/v1/log/entries"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[LocalRelease]:
    """A small project and a world for it."""
    with start_release(tmp_path) as running:
        yield running


def entries(place: LocalRelease) -> int:
    """How many entries the log has got."""
    return sum(each["path"] == ENTRY for each in place.requests())


def address_of_index(place: LocalRelease) -> str:
    """The address of the index, from the world file."""
    line = next(line for line in place.world_file.read_text().splitlines() if line.startswith("simple = "))
    return str(json.loads(line.partition(" = ")[2])).removesuffix("/simple/")


def verify(place: LocalRelease, bundle: Path, file: Path) -> subprocess.CompletedProcess[str]:
    """Verify the signature of a file as anybody would, with sigstore's command."""
    trust = str(place.world / "trust.json")
    whose = ("--repository", "acme/small", "--ref", "refs/tags/v1.0")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "sigstore",
            "--trust-config",
            trust,
            "verify",
            "github",
            "--bundle",
            bundle,
            *whose,
            file,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_stranger_verifies_what_was_released(place: LocalRelease) -> None:
    """The lists verify, other bytes do not; the index serves the very signature that is on the release."""
    ran = place.release()
    assert ran.returncode == 0, ran.stderr
    assert "the files will be signed as https://github.com/acme/small/.github/workflows/release.yml@" in ran.stderr
    run = place.repo.path / ".unmoor" / "v1.0"
    sums = run / "assets" / "SHA256SUMS"
    good = verify(place, run / "signatures" / "SHA256SUMS.sigstore.json", sums)
    assert good.returncode == 0, good.stderr
    assert verify(place, run / "signatures" / "SHA256SUMS.sigstore.json", run / "manifest.json").returncode == 1
    wheel = next((run / "dists").glob("*.whl"))
    bundle = json.loads((run / "signatures" / f"{wheel.name}.sigstore.json").read_bytes())
    address = f"{address_of_index(place)}/integrity/small-one/1.0/{wheel.name}/provenance"
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - on loopback
        (served,) = json.load(answer)["attestation_bundles"]
    (attestation,) = served["attestations"]
    assert attestation["envelope"]["signature"] == bundle["dsseEnvelope"]["signatures"][0]["sig"]
    assert attestation["envelope"]["statement"] == bundle["dsseEnvelope"]["payload"]


def test_nothing_is_signed_twice(place: LocalRelease, tmp_path: Path) -> None:
    """A second run, and one on another machine, take the signatures that exist."""
    held = place.release("--hold")
    assert held.returncode == 0, held.stderr
    made = entries(place)
    assert made == 6
    other = small_repo(tmp_path / "elsewhere" / "small")
    elsewhere = LocalRelease(repo=other, world=place.world, state=tmp_path / "state")
    ran = elsewhere.release(*vouching(held.stdout, held.stderr))
    assert ran.returncode == 0, ran.stderr
    assert place.release().returncode == 0
    assert entries(place) == made
    described = [next(each.repo.path.glob(".unmoor/v1.0/sboms/*.whl.cdx.json")) for each in (place, elsewhere)]
    assert described[0].read_bytes() == described[1].read_bytes()


@pytest.mark.parametrize(
    ("policy", "code", "signed"),
    [("off", 0, 0), ("required", 0, 6), ("required, an API token", 5, 0), ("auto, an API token", 0, 6)],
)
def test_the_policy(tmp_path: Path, policy: str, code: int, signed: int) -> None:
    """What is required and cannot be is known before the build; what is not required holds nothing up."""
    repo = small_repo(tmp_path / "small")
    setting = policy.partition(",")[0]
    with start_release(tmp_path, repo) as place:
        if "API" in policy:
            tokens = json.loads((place.world / "credentials.json").read_text())
            text = place.world_file.read_text()
            place.world_file.write_text(
                text.replace(tokens["pypi"], tokens["pypi_api"]).replace(tokens["testpypi"], tokens["testpypi_api"])
            )
        ran = place.unmoor(*("release", "--world", str(place.world_file), "v1.0"), env={"UNMOOR_ATTESTATIONS": setting})
        assert ran.returncode == code, ran.stderr
        assert entries(place) == signed
        if code:
            assert "would refuse them" in ran.stderr
            assert not place.stored()
            assert not (place.repo.path / ".unmoor" / "v1.0" / "dists").exists()


def test_a_key_signs_the_list_of_checksums(place: LocalRelease, tmp_path: Path) -> None:
    """Anyone who knows the key verifies the list with ssh-keygen; without the key nothing is built or sent."""
    program = shutil.which("ssh-keygen")
    if program is None:
        pytest.skip("needs ssh-keygen")
    key = tmp_path / "key"
    release = ("release", "--world", str(place.world_file), "v1.0")
    absent = place.unmoor(*release, env={"UNMOOR_SIGN_WITH": f"ssh:{key}"})
    assert absent.returncode == 5, absent.stderr
    assert "the key of sign-with is not on this machine" in absent.stderr
    assert not (place.repo.path / ".unmoor" / "v1.0" / "dists").exists()
    subprocess.run([program, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    ran = place.unmoor(*release, env={"UNMOOR_SIGN_WITH": f"ssh:{key}"})
    assert ran.returncode == 0, ran.stderr
    assert "SHA256SUMS will be signed with ssh:" in ran.stderr
    run = place.repo.path / ".unmoor" / "v1.0"
    signers = tmp_path / "signers"
    signers.write_text(f"me@acme.test {(tmp_path / 'key.pub').read_text()}")
    args = ("-Y", "verify", "-f", signers, "-I", "me@acme.test", "-n", "file", "-s", run / "signatures/SHA256SUMS.sig")
    with (run / "assets" / "SHA256SUMS").open("rb") as sums:
        verified = subprocess.run([program, *args], stdin=sums, capture_output=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert any("SHA256SUMS.sig" in line and line.startswith("forge") for line in ran.stdout.splitlines())
    again = place.unmoor(*release, env={"UNMOOR_SIGN_WITH": f"ssh:{key}"})
    assert again.returncode == 0, again.stderr
    assert "does not count" not in again.stderr
    assert place.unmoor("status", "--world", str(place.world_file), "v1.0").returncode == 0

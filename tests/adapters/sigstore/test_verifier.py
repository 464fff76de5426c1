"""Checks of signatures: nothing that was changed passes, and what is wrong is told apart from what is unreadable."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.signers import SigningJob

from unmoor.adapters.sigstore.trust import Trust
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.errors import BadSignature, Unknown
from unmoor.ports.signer import MAX_BUNDLE, VerifiedSignature
from unmoor.products import Subject
from unmoor.provenance.statements import publish_statement
from unmoor.rehearsal import local
from unmoor.rehearsal.shared.oidc import Issuer
from unmoor.rehearsal.sigstore.app import Sigstore as Instance

SHA256, OTHER = "5" * 64, "6" * 64
STATEMENT = publish_statement(Subject(name="demo-1.0.tar.gz", sha256=SHA256))
# Neither says anything: the digest is only a hint, and no authority is trusted for time stamps.
HINTS = {"messageDigest", "timestampVerificationData", "rfc3161Timestamps"}


class Signed:
    """A statement and a file that were signed in a world which is gone, and its trust config."""

    def __init__(self, folder: Path) -> None:
        with local.start(folder, repository="acme/demo", checkout=None) as world:
            signer = SigningJob(world=world).sigstore().signer
            self.statement, self.file = signer.sign_statement(STATEMENT), signer.sign_file(SHA256)
        self.verifier = SigstoreVerifier(trust=Trust(path=str(folder / "trust.json")))

    def check(self, kind: str) -> tuple[bytes, Callable[[bytes], VerifiedSignature]]:
        """Return one of the two bundles, and the check for it."""
        if kind == "statement":
            return self.statement, self.verifier.statement
        return self.file, lambda bundle: self.verifier.file(bundle, SHA256)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """One world for all tests here, which has stopped: nothing is asked."""
    return Signed(tmp_path_factory.mktemp("world"))


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything in a JSON value, except for the value itself."""
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(inner, (*path, key))


def without(document: Any, path: tuple[str | int, ...]) -> Any:
    """Return a copy without the value at a path."""
    copied = copy.deepcopy(document)
    place = copied
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return copied


def changed(document: Any, path: tuple[str | int, ...]) -> Any:
    """Return a copy with another character in the middle of the text at a path; the same if it is no text."""
    copied = copy.deepcopy(document)
    place = copied
    for key in path[:-1]:
        place = place[key]
    text = place[path[-1]]
    if isinstance(text, str):
        middle = len(text) // 2
        place[path[-1]] = f"{text[:middle]}{'A' if text[middle] != 'A' else 'B'}{text[middle + 1 :]}"
    return copied


@pytest.mark.parametrize("change", [without, changed])
@pytest.mark.parametrize("kind", ["statement", "file"])
def test_nothing_of_a_bundle_can_be_changed(signed: Signed, kind: str, change: Callable[[Any, Any], Any]) -> None:
    """Whatever is taken out or replaced, the check fails with one of its two errors."""
    bundle, check = signed.check(kind)
    document, passed = json.loads(bundle), []
    assert check(bundle).log_index > 0
    for path in leaves(document):
        other = change(document, path)
        if other == document or HINTS & set(path):
            continue
        try:
            check(json.dumps(other).encode())
        except (BadSignature, Unknown) as error:
            assert error.next_step  # noqa: PT017 - each of many
        else:
            passed.append(path)
    assert passed == []


def test_a_signature_is_of_some_bytes_only(signed: Signed) -> None:
    """Both digests are said."""
    with pytest.raises(BadSignature, match=f"it is of a file with sha256 {SHA256}, and this one has {OTHER}") as caught:
        signed.verifier.file(signed.file, OTHER)
    assert "do not use" in caught.value.next_step
    unsaid = json.loads(signed.file)
    del unsaid["messageSignature"]["messageDigest"]
    with pytest.raises(BadSignature, match="does not verify"):
        signed.verifier.file(json.dumps(unsaid).encode(), OTHER)


def test_the_payload_is_what_was_signed(signed: Signed) -> None:
    """A statement about another file does not verify with the signature of the first."""
    other = json.loads(signed.statement)
    forged = publish_statement(Subject(name="demo-1.0.tar.gz", sha256=OTHER))
    other["dsseEnvelope"]["payload"] = base64.b64encode(forged).decode()
    with pytest.raises(BadSignature, match="invalid signature"):
        signed.verifier.statement(json.dumps(other).encode())


def test_the_kind_of_a_signature_counts(signed: Signed) -> None:
    """A signature of a file is no statement, nor the other way round."""
    with pytest.raises(BadSignature, match="it signs a file, and not a statement"):
        signed.verifier.statement(signed.file)
    with pytest.raises(BadSignature, match="it signs a statement, and not a file"):
        signed.verifier.file(signed.statement, SHA256)


def test_a_part_of_one_signature_does_not_fit_another(signed: Signed) -> None:
    """The log entry of another signature of the same run is not that of this one."""
    ours, theirs = json.loads(signed.statement), json.loads(signed.file)
    material = ours["verificationMaterial"]
    material["tlogEntries"] = theirs["verificationMaterial"]["tlogEntries"]
    with pytest.raises(BadSignature):
        signed.verifier.statement(json.dumps(ours).encode())


def test_another_instance_is_not_trusted(signed: Signed, tmp_path: Path) -> None:
    """A signature is wrong for everyone who trusts other keys."""
    issuer = Issuer(folder=tmp_path / "issuer", base="http://127.0.0.1:1", repository="acme/demo", runner="x")
    trust = tmp_path / "trust.json"
    Instance(folder=tmp_path / "sigstore", base="http://127.0.0.1:2", issuer=issuer, trust=trust).begin()
    with pytest.raises(BadSignature, match="does not verify"):
        SigstoreVerifier(trust=Trust(path=str(trust))).statement(signed.statement)


def test_a_bundle_has_a_limit(signed: Signed) -> None:
    """A larger one is not even parsed."""
    with pytest.raises(Unknown, match=f"signatures at most {MAX_BUNDLE}"):
        signed.verifier.statement(signed.statement + b" " * MAX_BUNDLE)

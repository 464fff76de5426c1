"""The forge's own statements: the chain, the time stamp and the signature, none of which can be changed."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.immutable_releases import OBJECT, attested

from unmoor.adapters.sigstore.trust import TrustFiles
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.errors import BadSignature, Unknown
from unmoor.rehearsal.sigstore import trust
from unmoor.rehearsal.sigstore.authority import Authority

HERE = Path(__file__).parent
DIGESTS = {"demo-1.0.tar.gz": "5" * 64}


def verifier(*paths: Path) -> SigstoreVerifier:
    """What checks, against the trusted roots in files."""
    return SigstoreVerifier(trust=TrustFiles(paths=tuple(map(str, paths))))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path]:
    """A bundle, and the trusted root of its forge."""
    return attested(tmp_path_factory.mktemp("forge"), DIGESTS)


def test_what_the_forge_says(made: tuple[bytes, Path]) -> None:
    """The tag's object, the assets, the release and the repository by number."""
    bundle, root = made
    statement = verifier(root).forge_statement(bundle)
    assert statement.subjects == (
        ("pkg:github/acme/demo@v1.0", {"sha1": OBJECT}),
        ("demo-1.0.tar.gz", {"sha256": "5" * 64}),
    )
    assert statement.predicate_type == "https://in-toto.io/attestation/release/v0.2"
    assert {"tag": "v1.0", "repository": "acme/demo"}.items() <= statement.predicate.items()
    assert statement.time > 1_700_000_000


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every text in a JSON value."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(inner, (*path, key))
    if isinstance(value, str):
        yield path


def taken(place: Any, key: str | int) -> None:
    """Take something out."""
    del place[key]


def turned(place: Any, key: str | int) -> None:
    """Change one character in the middle."""
    text = place[key]
    middle = len(text) // 2
    place[key] = f"{text[:middle]}{'A' if text[middle] != 'A' else 'B'}{text[middle + 1 :]}"


@pytest.mark.parametrize("change", [taken, turned])
def test_nothing_can_be_changed(made: tuple[bytes, Path], change: Callable[[Any, Any], None]) -> None:
    """Whatever is taken out or replaced, the check fails with one of its two errors."""
    bundle, root = made
    check, document = verifier(root), json.loads(bundle)
    for path in leaves(document):
        changed = copy.deepcopy(document)
        place = changed
        for key in path[:-1]:
            place = place[key]
        change(place, path[-1])
        with pytest.raises((BadSignature, Unknown)) as caught:
            check.forge_statement(json.dumps(changed).encode())
        assert caught.value.next_step, path


def test_the_payload_is_what_was_signed(made: tuple[bytes, Path]) -> None:
    """A statement of somebody else does not verify with the signature of the forge."""
    bundle, root = made
    document = json.loads(bundle)
    document["dsseEnvelope"]["payload"] = base64.b64encode(b'{"subject": []}').decode()
    with pytest.raises(BadSignature, match="invalid signature"):
        verifier(root).forge_statement(json.dumps(document).encode())


def test_only_its_own_authority_counts(made: tuple[bytes, Path], tmp_path: Path) -> None:
    """Without the forge's root nothing is known; that of another forge makes it wrong; a Sigstore's is of no use."""
    bundle, root = made
    public = tmp_path / "trust.json"
    trust.write(public, Authority.open(tmp_path / "keys.json"), base="http://127.0.0.1:1", issuer="http://127.0.0.1:1")
    with pytest.raises(Unknown, match="no trusted root has the keys") as caught:
        verifier(public).forge_statement(bundle)
    assert "gh attestation trusted-root" in caught.value.next_step
    _, other = attested(tmp_path / "other", DIGESTS)
    with pytest.raises(BadSignature):
        verifier(public, other).forge_statement(bundle)
    assert verifier(public, root).forge_statement(bundle).subjects


def test_a_clock_that_nobody_trusts(made: tuple[bytes, Path], tmp_path: Path) -> None:
    """The time stamp has to be of an authority in the root, within its time."""
    bundle, root = made
    document = json.loads(root.read_bytes())
    clocks = document["timestampAuthorities"]
    for clock in ([], [{**clocks[0], "validFor": {"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}}]):
        path = tmp_path / "root.json"
        path.write_text(json.dumps({**document, "timestampAuthorities": clock}))
        with pytest.raises(BadSignature, match="no time stamp of a trusted authority"):
            verifier(path).forge_statement(bundle)


def test_a_statement_of_github_itself() -> None:
    """What GitHub signed of a real release verifies against the keys that it publishes, and changed it does not."""
    data, root = HERE / "github-release.sigstore.json", HERE / "github-trusted-root.json"
    statement = verifier(root).forge_statement(data.read_bytes())
    assert [sorted(digests) for _, digests in statement.subjects] == [["sha1"], ["sha256"]]
    assert statement.predicate["repositoryId"] == "1317911390"
    changed = json.loads(data.read_bytes())
    payload = base64.b64decode(changed["dsseEnvelope"]["payload"]).replace(b"1317911390", b"1317911391")
    changed["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(BadSignature, match="invalid signature"):
        verifier(root).forge_statement(json.dumps(changed).encode())

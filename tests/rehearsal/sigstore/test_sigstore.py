"""The local Sigstore: its clients sign and verify with it unchanged, and it refuses and fails as the real one does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pypi_attestations import Attestation, GitHubPublisher
from sigstore._internal.fulcio.client import FulcioClientError
from sigstore.errors import VerificationError
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier
from tests.support.fault_plans import failing
from tests.support.git_repos import Repo
from tests.support.sigstore_client import PUBLISH, RELEASE, SLSA, SigstoreClient, statement

from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.options import options
from unmoor.rehearsal.shared.oidc import Issuer
from unmoor.rehearsal.shared.remote import Remote
from unmoor.rehearsal.sigstore.app import Refusal, Sigstore
from unmoor.rehearsal.sigstore.log import FIRST

DATA = b"the bytes of a file"
WORKFLOW = "https://github.com/acme/demo/.github/workflows/release.yml@refs/tags/v0.2.0"


@pytest.fixture
def client(world: LocalWorld) -> SigstoreClient:
    """The instance of the world."""
    return SigstoreClient(world)


def test_a_signature_of_a_file(client: SigstoreClient) -> None:
    """Sigstore's client signs a file, and verifies that signature only for these bytes and this workflow."""
    with client.signer() as signer:
        first, second = signer.sign_artifact(DATA), signer.sign_artifact(DATA)
    for bundle in (first, second):
        client.verify(DATA, bundle)
    with pytest.raises(VerificationError, match="digest mismatch"):
        client.verify(DATA + b".", first)
    with pytest.raises(VerificationError, match="does not match expected Trusted Publisher"):
        client.verify(DATA, first, GitHubPublisher(repository="acme/demo", workflow="other.yml")._as_policy())
    assert second.log_entry._inner.log_index == first.log_entry._inner.log_index + 1


def test_a_statement_and_an_attestation(client: SigstoreClient) -> None:
    """A statement verifies as a bundle, and as the attestation (PEP 740) made of it."""
    digest = hashlib.sha256(DATA).hexdigest()
    with client.signer() as signer:
        bundle = signer.sign_dsse(statement("a", "b", sha256=digest, predicate=SLSA, buildDefinition={}))
        attestation = Attestation.from_bundle(signer.sign_dsse(statement("demo-1.0.tar.gz", sha256=digest)))
    kind, payload = client.verifier.verify_dsse(Bundle.from_json(bundle.to_json()), RELEASE)
    assert kind == "application/vnd.in-toto+json"
    assert [each["name"] for each in json.loads(payload)["subject"]] == ["a", "b"]
    _, payload = client.verifier.verify_dsse(attestation.to_bundle(), RELEASE)
    assert json.loads(payload)["predicateType"] == PUBLISH


def test_another_instance_is_not_trusted(client: SigstoreClient, instance: Sigstore) -> None:
    """A signature verifies with the keys of its own instance only."""
    with client.signer() as signer:
        bundle = signer.sign_artifact(DATA)
    instance.begin()
    stranger = Verifier(trusted_root=ClientTrustConfig.from_json(instance.trust.read_text()).trusted_root)
    with pytest.raises(VerificationError):
        stranger.verify_artifact(DATA, bundle, RELEASE)


def test_a_certificate_says_what_fulcio_says(client: SigstoreClient) -> None:
    """The extensions follow from the claims, with GitHub's issuer and host. All of 8 to 22 are there."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    reusable = "acme/shared/.github/workflows/publish.yml@refs/heads/main"
    job = {"sha": commit, "run_id": "77", "run_attempt": "3", "repository_visibility": "private", "environment": "pypi"}
    with client.claims(**job, job_workflow_ref=reusable, job_workflow_sha="b" * 40), client.signer() as signer:
        bundle = signer.sign_dsse(statement("demo-1.0.tar.gz"))
    said = {
        int(oid.rpartition(".")[2]): text for oid, text in Attestation.from_bundle(bundle).certificate_claims.items()
    }
    assert said == {
        8: "https://token.actions.githubusercontent.com",
        9: f"https://github.com/{reusable}",
        10: "b" * 40,
        11: "github-hosted",
        12: "https://github.com/acme/demo",
        13: commit,
        14: "refs/tags/v0.2.0",
        15: "2",
        16: "https://github.com/acme",
        17: "1",
        18: WORKFLOW,
        19: said[19],
        20: "push",
        21: "https://github.com/acme/demo/actions/runs/77/attempts/3",
        22: "private",
    }
    certificate = bundle.signing_certificate
    name = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert name.get_values_for_type(x509.UniformResourceIdentifier) == [f"https://github.com/{reusable}"]
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert (life.total_seconds(), certificate.subject.rdns) == (600, [])


@pytest.mark.parametrize(
    ("tag", "claim"),
    [
        ("", "refs/tags/v0.2.0"),
        ("v0.1.0", "refs/tags/v0.1.0"),
        ("none", "a" * 40),
        ("demo/v1%2", "refs/tags/demo/v1%2"),
    ],
)
def test_the_run_of_a_token(client: SigstoreClient, tag: str, claim: str) -> None:
    """A token is for the tag of the world, or for that in the path of its request, with the commit that it leads to."""
    claims = jwt.decode(client.token(tag=tag), options={"verify_signature": False})
    assert claim in {claims["ref"], claims["sha"]}
    assert claims["sha"] == claims["workflow_sha"] == claims["job_workflow_sha"]
    assert claims["workflow_ref"] == f"acme/demo/.github/workflows/release.yml@{claims['ref']}"


def test_nothing_is_made_before_it_is_used(tmp_path: Path) -> None:
    """A world has no keys and loads nothing to make them, until a token to sign with is requested."""
    with local.start(tmp_path / "world", repository="acme/demo", checkout=None) as world:
        client = SigstoreClient(world)
        loaded = Path(f"/proc/{world.process.pid}/maps")
        if loaded.exists():
            assert "cryptography" not in loaded.read_text()
        assert not client.folder.exists()
        client.token("local-pypi")
        assert not (world.folder / "trust.json").exists()
        client.token()
        assert client.config.signing_config.get_fulcio().url == client.base
        assert (client.folder / "keys.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("tag", "ref"), [("", "refs/tags/v1.10"), ("v1.0", "refs/tags/v1.0"), ("none", "refs/tags/none")]
)
def test_the_tag_of_a_rehearsal(tmp_path: Path, tag: str, ref: str) -> None:
    """The tokens of a rehearsal are for its tag; without one, for the newest, or the highest of those."""
    repo = Repo.new(tmp_path / "repo")
    for date, name in enumerate(("v2.0", "v1.0", "v1.9", "v1.10")):
        repo.commit({name: name}, date=1_700_000_000 + min(date, 2))
        repo.git("tag", name)
    remote = Remote(repo.path / ".git")
    assert options([str(tmp_path), "--repository", "a/b", "--tag", tag]).tag == tag
    issuer = Issuer(folder=tmp_path / "i", base="", repository="a/b", runner="", remote=remote, tag=tag)
    claims = issuer.claims("sigstore")
    assert (claims["ref"], claims["sha"]) == (ref, remote.commit_of(ref) or "a" * 40)


def test_signatures_side_by_side(client: SigstoreClient) -> None:
    """Every entry is proven, however many arrive at the same time."""
    with client.signer() as signer, ThreadPoolExecutor(16) as pool:
        bundles = list(pool.map(lambda number: signer.sign_artifact(b"%d" % number), range(40)))
    assert len({bundle.log_entry._inner.log_index for bundle in bundles}) == 40
    for number, bundle in enumerate(bundles):
        client.verify(b"%d" % number, bundle)


def test_keys_and_log_survive_a_restart(tmp_path: Path) -> None:
    """A world that starts again, on other ports, has the same keys and entries, and goes on from there."""
    folder = tmp_path / "world"
    with local.start(folder, repository="acme/demo", checkout=None, signing=True) as world:
        client = SigstoreClient(world)
        assert client.config.signing_config.get_fulcio().url == client.base
        with client.signer() as signer:
            before = signer.sign_artifact(DATA)
        entry = requests.get(f"{client.base}/api/v1/log/entries?logIndex=1", timeout=20).json()
    (folder / "ports.json").unlink()
    with (folder / "sigstore" / "log.jsonl").open("a") as log:
        log.write('{"body":"e30=","ti')  # the server was killed while it wrote
    with local.start(folder, repository="acme/demo", checkout=None) as world:
        client = SigstoreClient(world)
        with client.signer() as signer:
            after = signer.sign_artifact(DATA)
        for bundle in (before, after):
            client.verify(DATA, bundle)
        (uuid,) = entry
        again = requests.get(f"{client.base}/api/v1/log/entries/{uuid}", timeout=20).json()
        assert again[uuid]["body"] == entry[uuid]["body"]
        assert again[uuid]["verification"]["inclusionProof"]["treeSize"] == 3
        assert after.log_entry._inner.log_index == 2


def test_an_instance_that_moves(tmp_path: Path) -> None:
    """The trust config has the current addresses, and the keys that it had."""
    issuer = Issuer(folder=tmp_path / "issuer", base="http://127.0.0.1:2", repository="acme/demo", runner="")

    def config(base: str) -> Any:
        Sigstore(folder=tmp_path / "s", base=base, issuer=issuer, trust=tmp_path / "trust.json").begin()
        ClientTrustConfig.from_json((tmp_path / "trust.json").read_text())
        return json.loads((tmp_path / "trust.json").read_text())

    first, second = config("http://127.0.0.1:3"), config("http://127.0.0.1:4")
    assert second["signingConfig"]["caUrls"][0]["url"] == "http://127.0.0.1:4"
    assert json.dumps(first).replace("127.0.0.1:3", "127.0.0.1:4") == json.dumps(second)
    for broken in ("", "{}", '{"signingConfig": {"caUrls": [], "oidcUrls": []}}'):
        (tmp_path / "trust.json").write_text(broken)
        assert config("http://127.0.0.1:4") == second


@pytest.mark.parametrize("kind", ["index", "uuid", "leaf"])
def test_reading_the_log(client: SigstoreClient, kind: str) -> None:
    """An entry is found by its index and its UUID. The first entry of a log is nobody's."""
    with client.signer() as signer:
        bundle = signer.sign_artifact(DATA)
    log = f"{client.base}/api/v1/log"
    index = bundle.log_entry._inner.log_index
    found = requests.get(f"{log}/entries", params={"logIndex": index}, timeout=20).json()
    (uuid,) = found
    state = requests.get(log, timeout=20).json()
    assert int(state["treeSize"]) > int(index) > 0
    assert state["signedTreeHead"].startswith(f"127.0.0.1 - {state['treeID']}\n{state['treeSize']}\n")
    path = {"index": f"entries?logIndex={index}", "uuid": f"entries/{uuid}", "leaf": f"entries/{uuid[16:]}"}[kind]
    again = requests.get(f"{log}/{path}", timeout=20).json()
    assert again[uuid]["body"] == found[uuid]["body"]
    first = requests.get(f"{log}/entries?logIndex=0", timeout=20).json()
    assert [base64.b64decode(entry["body"]) for entry in first.values()] == [FIRST]
    pem = requests.get(f"{log}/publicKey", timeout=20).content
    assert isinstance(serialization.load_pem_public_key(pem), ec.EllipticCurvePublicKey)


@pytest.mark.parametrize("path", ["entries?logIndex=100000", "entries?logIndex=-1", "entries?logIndex=x", "entries/00"])
def test_entries_that_are_not_there(client: SigstoreClient, path: str) -> None:
    """An entry that the log does not have is a 404."""
    assert requests.get(f"{client.base}/api/v1/log/{path}", timeout=20).status_code == 404


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Sigstore:
    """An instance without a server."""
    folder = tmp_path_factory.mktemp("instance")
    issuer = Issuer(folder=folder / "issuer", base="http://127.0.0.1:2", repository="acme/demo", runner="")
    return Sigstore(folder=folder / "s", base="http://127.0.0.1:3", issuer=issuer, trust=folder / "trust.json")


def request_for(key: Any = None, *, breaks: bool = False) -> bytes:
    """Return the body of a request for a certificate."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    der = bytearray(built.public_bytes(serialization.Encoding.DER))
    der[-1] ^= breaks
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE REQUEST-----\n"
    return json.dumps({"certificateSigningRequest": base64.b64encode(pem.encode()).decode()}).encode()


BAD_TOKEN = "There was an error processing the identity token"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 1}, BAD_TOKEN),
        ({"nbf": 1 << 40}, BAD_TOKEN),
        ({"aud": "local-pypi"}, BAD_TOKEN),
        ({"iss": "https://token.actions.githubusercontent.com"}, BAD_TOKEN),
        ({"sub": None}, BAD_TOKEN),
        ({"exp": None}, BAD_TOKEN),
        ({"sha": None}, "value <sha> not present in either claims or defaults."),
        ({"job_workflow_ref": None}, "value <job_workflow_ref> not present in either claims or defaults."),
    ],
)
def test_tokens_that_fulcio_refuses(instance: Sigstore, claims: dict[str, Any], message: str) -> None:
    """Fulcio tells whoever has a wrong token nothing about it. Only a missing claim is named."""
    folder = instance.issuer.folder
    folder.mkdir(exist_ok=True)
    (folder / "claims.json").write_text(json.dumps({"sub": "repo:acme/demo:ref:refs/tags/v1.0", **claims}))
    token = instance.issuer.token("sigstore")
    (folder / "claims.json").unlink()
    with pytest.raises(Refusal) as raised:
        instance.certify(request_for(), f"Bearer {token}")
    assert (raised.value.status, raised.value.body) == (400, {"code": 3, "message": message, "details": []})


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5"])
def test_no_token(instance: Sigstore, authorization: str) -> None:
    """A request without a token is refused like one with a wrong token."""
    with pytest.raises(Refusal) as raised:
        instance.certify(request_for(), authorization)
    assert raised.value.body == {"code": 3, "message": BAD_TOKEN, "details": []}


def test_a_token_of_another_key(instance: Sigstore) -> None:
    """A token counts only if the issuer has signed it."""
    claims = instance.issuer.claims("sigstore")
    forged = jwt.encode(claims, rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm="RS256")
    unsigned = jwt.encode(claims, "", algorithm="none")
    for token in (forged, unsigned):
        with pytest.raises(Refusal) as raised:
            instance.certify(request_for(), f"Bearer {token}")
        assert raised.value.body == {"code": 3, "message": BAD_TOKEN, "details": []}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "invalid JSON"),
        (b'{"certificateSigningRequest": 1}', "invalid JSON"),
        (b"{}", "The public key supplied in the request could not be parsed"),
        (b'{"certificateSigningRequest": "AAAA"}', "The certificate signing request could not be parsed"),
        (request_for(breaks=True), "The signature supplied in the request could not be verified"),
        (
            request_for(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 - to be refused
            "The public key supplied in the request is insecure",
        ),
        (
            request_for(ec.generate_private_key(ec.SECP192R1())),
            "The public key supplied in the request is insecure",
        ),
    ],
    # Keys are made anew, and a test has the same name in every process.
    ids=["not JSON", "a number", "nothing", "not a request", "a wrong signature", "a short key", "a short curve"],
)
def test_requests_that_fulcio_refuses(instance: Sigstore, body: bytes, message: str) -> None:
    """Fulcio refuses a request that is none, a weak key, and one whose private key its sender does not have."""
    with pytest.raises(Refusal) as raised:
        instance.certify(body, f"Bearer {instance.issuer.token('sigstore')}")
    assert (raised.value.status, raised.value.body) == (400, {"code": 3, "message": message, "details": []})


KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
DIGEST = hashlib.sha256(DATA).hexdigest()


def b64(data: bytes) -> str:
    """Encode as base64."""
    return base64.b64encode(data).decode()


def rekord(**changed: Any) -> dict[str, Any]:
    """Return a proposed entry for the signature of a file."""
    signature = {"content": b64(KEY.sign(DATA, ec.ECDSA(hashes.SHA256()))), "publicKey": {"content": b64(PEM)}}
    spec = {"data": {"hash": {"algorithm": "sha256", "value": DIGEST}}, "signature": signature}
    return {"kind": "hashedrekord", "apiVersion": "0.0.1", "spec": spec | changed}


def dsse(payload: bytes = b"{}", signed: bytes = b"{}", verifier: bytes = PEM, signatures: int = 1) -> dict[str, Any]:
    """Return a proposed entry for a signed statement."""
    kind = "application/vnd.in-toto+json"
    encoded = f"DSSEv1 {len(kind)} {kind} {len(signed)} ".encode() + signed
    made = [{"sig": b64(KEY.sign(encoded, ec.ECDSA(hashes.SHA256())))} for _ in range(signatures)]
    envelope = json.dumps({"payload": b64(payload), "payloadType": kind, "signatures": made})
    content = {"envelope": envelope, "verifiers": [b64(verifier)]}
    return {"kind": "dsse", "apiVersion": "0.0.1", "spec": {"proposedContent": content}}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"", ""),
        (b"[]", ""),
        ({"kind": "rekord", "apiVersion": "0.0.1", "spec": {}}, "unknown kind 'rekord' specified"),
        (
            {"kind": "dsse", "apiVersion": "0.0.2", "spec": {}},
            "entry kind 'dsse' does not support inserting entries of version '0.0.2'",
        ),
        (rekord(signature={}), ""),
        (rekord(data={"hash": {"algorithm": "sha256", "value": "00"}}), "invalid value for hash"),
        (rekord(data={"hash": {"algorithm": "md5", "value": "0" * 32}}), "invalid value for hash"),
        (rekord(data={"hash": {"algorithm": "sha256", "value": "0" * 64}}), "verifying signature: invalid signature"),
        (rekord(data={"hash": {"algorithm": "sha256", "value": "x" * 64}}), "verifying signature: invalid signature"),
        (
            rekord(signature={"content": "AAAA", "publicKey": {"content": "AAAA"}}),
            "invalid public key: failure decoding PEM",
        ),
        (dsse(signatures=0), "DSSE envelope must contain 1 or more signatures"),
        (dsse(payload=b"[]"), "could not verify envelope: accepted signatures do not match threshold"),
        (dsse(verifier=b"x"), "invalid public key: failure decoding PEM"),
    ],
)
def test_entries_that_rekor_refuses(instance: Sigstore, entry: bytes | dict[str, Any], message: str) -> None:
    """The log takes only signatures that verify with the key beside them."""
    size = len(instance.log)
    with pytest.raises(Refusal) as raised:
        instance.record(entry if isinstance(entry, bytes) else json.dumps(entry).encode())
    assert raised.value.status == 400
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["code"] == 400
    assert raised.value.body["message"].startswith(f"error processing entry: {message}")
    assert len(instance.log) == size


@pytest.mark.parametrize("entry", [rekord(), dsse()])
def test_an_entry_that_exists(instance: Sigstore, entry: dict[str, Any]) -> None:
    """The log refuses an entry that it has, and says where that is, also after a restart."""
    body = json.dumps(entry).encode()
    (uuid,) = instance.record(body)
    instance._made.clear()
    with pytest.raises(Refusal) as raised:
        instance.record(body)
    message = f"an equivalent entry already exists in the transparency log with UUID {uuid}"
    assert (raised.value.status, raised.value.body) == (409, {"code": 409, "message": message})
    assert raised.value.headers == {"location": f"/api/v1/log/entries/{uuid}"}


def test_a_full_disk(instance: Sigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that does not fit is not in the log, not even a part of it."""
    size, write = len(instance.log), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[:10]))
        with pytest.raises(OSError, match="No space left"):
            instance.record(json.dumps(dsse(b"[1]", b"[1]")).encode())
    instance.record(json.dumps(dsse(b"[2]", b"[2]")).encode())
    instance._made.clear()
    assert len(instance.log) == size + 1


def test_a_lost_answer(client: SigstoreClient) -> None:
    """An entry whose answer is lost is in the log: the same request again is refused with 409."""
    entry, address = rekord(), f"{client.base}/api/v1/log/entries"
    client.token()
    with client.failing("lost-reply", "POST /api/v1/log/entries"):
        with pytest.raises(requests.ConnectionError):
            requests.post(address, json=entry, timeout=20)
        again = requests.post(address, json=entry, timeout=20)
    assert again.status_code == 409
    assert requests.get(client.base + again.headers["location"], timeout=20).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status"), [("down", [503, 503]), ("busy", [429, 201]), ("garbage", [200, 200]), ("", [201, 201])]
)
@pytest.mark.parametrize("passing", [0, 2])
def test_failures(client: SigstoreClient, fault: str, status: list[int], passing: int) -> None:
    """A fault begins at the first request or a later one, and leaves other requests alone."""
    client.token()
    nothing = contextlib.nullcontext()
    with client.failing(fault, "POST /api/v1/log/entries", nth=passing + 1) if fault else nothing:
        answers = [
            requests.post(f"{client.base}/api/v1/log/entries", json=rekord(), timeout=20)
            for _ in range(passing + len(status))
        ]
        assert requests.get(f"{client.base}/api/v2/trustBundle", timeout=20).status_code == 200
    assert [answer.status_code for answer in answers] == [201] * passing + status


@pytest.mark.parametrize(("fault", "status"), [("down", 503), ("busy", 429), ("garbage", 200)])
def test_failures_of_fulcio(client: SigstoreClient, fault: str, status: int) -> None:
    """Fulcio fails without the log."""
    headers = {"Authorization": f"Bearer {client.token()}"}
    with client.failing(fault, "POST /api/v2/signingCert"):
        address = f"{client.base}/api/v2/signingCert"
        answer = requests.post(address, data=request_for(), headers=headers, timeout=20)
        assert requests.post(f"{client.base}/api/v1/log/entries", json=rekord(), timeout=20).status_code == 201
    assert answer.status_code == status
    assert "certificates" not in answer.text


def test_silence(client: SigstoreClient) -> None:
    """A silent server answers when the fault is over, not before."""
    client.token()
    with client.failing("silent", "GET =/api/v1/*"), pytest.raises(requests.ReadTimeout):
        requests.get(f"{client.base}/api/v1/log", timeout=0.3)
    assert requests.get(f"{client.base}/api/v1/log", timeout=20).status_code == 200


def test_an_issuer_that_fails(client: SigstoreClient) -> None:
    """The issuer of ID tokens has the same faults."""
    with failing(client.world.folder, "down", "issuer"), pytest.raises(requests.HTTPError, match="503"):
        client.token()
    assert client.token()


@pytest.mark.parametrize(
    ("clock", "seconds", "error"),
    [
        ("fulcio-ahead", 400, FulcioClientError),
        ("fulcio-ahead", -700, FulcioClientError),
        ("fulcio-ahead", 200, VerificationError),
        ("log-ahead", 700, VerificationError),
        ("log-ahead", -60, VerificationError),
    ],
)
def test_clocks_that_differ(client: SigstoreClient, clock: str, seconds: int, error: type[Exception]) -> None:
    """Refused: a token at a time for which it is not valid; a certificate and an entry of different times."""

    def sign_and_verify() -> None:
        with client.signer() as signer:
            bundle = signer.sign_artifact(DATA)
        client.verify(DATA, bundle)

    with client.control(clock, str(seconds)), pytest.raises(error):
        sign_and_verify()

"""Signing in a local world: what is signed verifies, and whatever fails is one error that says what to do."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
from tests.support.signers import SigningJob

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.sigstore import clients
from unmoor.adapters.sigstore.attestations import to_attestation, to_bundle
from unmoor.adapters.sigstore.signer import SigstoreSigner
from unmoor.errors import Denied, Unknown, UnmoorError
from unmoor.ports.world import Login, SigningPlace
from unmoor.products import Subject
from unmoor.provenance.statements import publish_statement, publish_type
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.concurrency import run_parallel
from unmoor.util.secret import Secret
from unmoor.util.values import replace

SHA256 = "5" * 64
WHEEL = Subject(name="demo-1.0-py3-none-any.whl", sha256=SHA256)
STATEMENT = publish_statement(WHEEL)
CERTIFICATE, ENTRY, TOKEN = "/api/v2/signingCert", "/api/v1/log/entries", "/token"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """One world for all tests here."""
    with local.start(tmp_path_factory.mktemp("world"), repository="acme/demo", checkout=None) as running:
        yield running


@pytest.fixture
def job(world: LocalWorld) -> SigningJob:
    """A job in the world."""
    return SigningJob(world=world)


def sign_many(signer: SigstoreSigner, count: int) -> tuple[list[bytes], tuple[BaseException, ...]]:
    """Sign one statement many times, side by side. Return the bundles and what failed."""
    bundles: list[bytes] = []
    failures = run_parallel(range(count), lambda _: bundles.append(signer.sign_statement(STATEMENT)), width=count)
    return bundles, failures


# ---- what is signed


def test_a_statement_is_signed_as_the_run_of_the_token(job: SigningJob) -> None:
    """The certificate has the identity of the ID token; the statement is what was given."""
    sigstore = job.sigstore()
    found = sigstore.verifier.statement(sigstore.signer.sign_statement(STATEMENT))
    assert found.subjects == (WHEEL,)
    assert (found.predicate_type, found.predicate) == (publish_type(), {})
    assert found.identity == sigstore.signer.identity()
    assert found.identity.workflow.startswith("https://github.com/acme/demo/.github/workflows/release.yml@refs/tags/")
    assert all(vars(found.identity).values())
    assert abs(found.time - time.time()) < 60
    assert found.log_index > 0


def test_a_file_is_signed_by_its_digest(job: SigningJob) -> None:
    """The signature has the same identity and no statement."""
    sigstore = job.sigstore()
    found = sigstore.verifier.file(sigstore.signer.sign_file(SHA256), SHA256)
    assert found.subjects == (Subject(name="", sha256=SHA256),)
    assert found.identity == sigstore.signer.identity()
    assert (found.predicate_type, found.predicate) == ("", {})


@pytest.mark.parametrize("tag", ["pkg@1.0", "pkg/v1.0+local", "päckchen-v1.0", "v1.0 (final)"])
def test_a_tag_may_have_any_name(job: SigningJob, tag: str) -> None:
    """The certificate holds addresses with the tag in them, which are escaped there."""
    ref = f"refs/tags/{tag}"
    workflow = f"acme/demo/.github/workflows/release.yml@{ref}"
    sigstore = job.sigstore()
    with job.claims(ref=ref, workflow_ref=workflow, job_workflow_ref=workflow):
        identity = sigstore.signer.identity()
        found = sigstore.verifier.file(sigstore.signer.sign_file(SHA256), SHA256)
    assert found.identity == identity
    assert identity.workflow.endswith(f"@{ref}")


def test_a_statement_without_sha256_is_not_read(job: SigningJob) -> None:
    """Indexes of other languages sign other digests, which mean nothing here."""
    statement = json.loads(STATEMENT)
    statement["subject"][0]["digest"] = {"sha512": "5" * 128}
    with pytest.raises(Unknown, match="a subject has no sha256"):
        job.sigstore().signer.sign_statement(json.dumps(statement).encode())


def test_both_encodings_are_one_signature(job: SigningJob) -> None:
    """The attestation made of a bundle is the same bundle again, byte for byte."""
    bundle = job.sigstore().signer.sign_statement(STATEMENT)
    attestation = to_attestation(bundle)
    assert to_bundle(attestation) == bundle
    assert json.loads(attestation).keys() == {"version", "verification_material", "envelope"}


def test_many_signatures_share_one_certificate(job: SigningJob) -> None:
    """Threads wait for the first one, and every signature is a new entry of the log."""
    sigstore = job.sigstore()
    before = [job.requests(path) for path in (TOKEN, CERTIFICATE, ENTRY)]
    bundles, failures = sign_many(sigstore.signer, 20)
    assert failures == ()
    assert [job.requests(path) - had for path, had in zip((TOKEN, CERTIFICATE, ENTRY), before, strict=True)] == [
        1,
        1,
        20,
    ]
    assert len({sigstore.verifier.statement(bundle).log_index for bundle in bundles}) == 20


def test_the_token_that_was_looked_at_is_used(job: SigningJob) -> None:
    """What `identity` says is what signs next, so that nobody checks one token and signs with another."""
    sigstore = job.sigstore()
    before = job.requests(TOKEN)
    identity = sigstore.signer.identity()
    with job.claims(sha="b" * 40):
        found = sigstore.verifier.file(sigstore.signer.sign_file(SHA256), SHA256)
    assert found.identity == identity
    assert job.requests(TOKEN) - before == 1


@pytest.mark.parametrize(("passed", "certificates"), [(0, 1), (300, 1), (500, 2), (10_000, 2)])
def test_a_certificate_is_renewed_before_it_expires(job: SigningJob, passed: float, certificates: int) -> None:
    """Certificates are valid for ten minutes. The last minutes are left for retries."""
    sigstore = job.sigstore()
    before = job.requests(CERTIFICATE)
    sigstore.signer.sign_file(SHA256)
    job.clock.time += passed
    sigstore.signer.sign_file(SHA256)
    assert job.requests(CERTIFICATE) - before == certificates


@pytest.mark.parametrize("wrong", [1, 99])
def test_a_machine_may_have_slept(job: SigningJob, monkeypatch: pytest.MonkeyPatch, wrong: int) -> None:
    """Its clock stood still while the certificate expired: it gets another one. A clock that is wrong stays so."""
    sigstore = job.sigstore()
    sigstore.signer.sign_file(SHA256)
    looks = iter(range(100))

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            return cls.fromtimestamp(time.time() + (3_600 if next(looks) < wrong else 0), tz)

    monkeypatch.setattr("sigstore.sign.datetime", Later)
    before = job.requests(CERTIFICATE)
    with contextlib.nullcontext() if wrong == 1 else pytest.raises(Denied, match="certificate has expired") as caught:
        assert sigstore.signer.sign_file(SHA256)
    assert job.requests(CERTIFICATE) - before == 1
    assert caught is None or "set this machine's clock" in caught.value.next_step


# ---- what fails once


@pytest.mark.parametrize(
    ("fault", "path", "tries"),
    [
        ("lost-reply", ENTRY, 2),
        ("busy", ENTRY, 2),
        ("lost-reply", CERTIFICATE, 2),
        ("busy", CERTIFICATE, 2),
    ],
)
def test_a_fault_that_passes_is_waited_out(job: SigningJob, fault: str, path: str, tries: int) -> None:
    """A lost answer is a new signature: the log would refuse the same one. A wait is as long as the server asks."""
    sigstore = job.sigstore()
    before = job.requests(path)
    with job.failing(fault, f"POST ={path}"):
        bundle = sigstore.signer.sign_statement(STATEMENT)
    assert job.requests(path) - before == tries
    assert sigstore.verifier.statement(bundle).subjects == (WHEEL,)
    assert len(job.clock.slept) == 1
    if fault == "busy":
        assert job.clock.slept == [1.0]


# ---- what fails for good


@pytest.mark.parametrize(
    ("control", "text", "kind", "says"),
    [
        ("down", CERTIFICATE, "unknown", "the certificate authority answered 503"),
        ("garbage", CERTIFICATE, "unknown", "the certificate authority's answer cannot be used"),
        ("down", ENTRY, "unknown", "the transparency log answered 503"),
        ("garbage", ENTRY, "unknown", "the transparency log's answer cannot be used"),
        ("fulcio-ahead", "400", "denied", "error processing the identity token"),
        ("fulcio-ahead", "-400", "denied", "error processing the identity token"),
        ("log-ahead", "1000", "unknown", "the transparency log gave an entry with which the signature does not verify"),
        ("log-ahead", "-1000", "unknown", "the transparency log gave an entry with which"),
    ],
)
def test_what_does_not_pass_is_said(job: SigningJob, control: str, text: str, kind: str, says: str) -> None:
    """The error names the server and its address, and what to do; no signature is handed out."""
    signer = job.sigstore().signer
    set_up = job.failing(control, f"POST ={text}") if text.startswith("/") else job.control(control, text)
    with set_up, pytest.raises(UnmoorError, match=says) as caught:
        signer.sign_statement(STATEMENT)
    assert caught.value.kind == kind
    assert caught.value.where.startswith(job.world.addresses["sigstore"])
    assert caught.value.next_step or caught.value.otherwise


@pytest.mark.parametrize("path", [CERTIFICATE, ENTRY])
def test_silence_ends(job: SigningJob, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer is given up in bounded time, for all threads at once."""
    monkeypatch.setattr(clients, "BOUNDS", Bounds(total=0.3))
    signer = job.sigstore().signer
    with job.failing("silent", f"POST ={path}"):
        bundles, failures = sign_many(signer, 16)
    assert (bundles, len(failures)) == ([], 16)
    assert all(isinstance(each, Unknown) and "within 0.3 s" in each.what for each in failures)


def test_a_failed_certificate_is_not_requested_by_every_thread(job: SigningJob) -> None:
    """Threads that waited for it get the same error, so that a release fails within one time-out."""
    signer = job.sigstore().signer
    before = job.requests(CERTIFICATE)
    with job.failing("down", f"POST ={CERTIFICATE}"):
        _, failures = sign_many(signer, 16)
    assert len({str(each) for each in failures}) == 1
    assert job.requests(CERTIFICATE) - before <= 6
    assert signer.sign_file(SHA256)


def test_an_instance_may_have_no_log_of_that_version(job: SigningJob, tmp_path: Path) -> None:
    """A config without a log of version 1 is named, since attestations need one."""
    config = json.loads((job.world.folder / "trust.json").read_text())
    config["signingConfig"]["rekorTlogUrls"][0]["majorApiVersion"] = 2
    (tmp_path / "trust.json").write_text(json.dumps(config))
    with pytest.raises(Unknown, match="No valid Rekor transparency log") as caught:
        job.sigstore(trust=str(tmp_path / "trust.json")).signer.sign_file(SHA256)
    assert "client trust config" in caught.value.next_step


# ---- identities


@pytest.mark.parametrize(
    ("claims", "kind", "says"),
    [
        ({"aud": "pypi"}, Denied, "the ID token is for pypi, and not for sigstore"),
        ({"aud": ["a", "b"]}, Denied, "the ID token is for several audiences"),
        ({"iat": 99_999_999_999, "exp": 99_999_999_999}, Denied, "this machine's clock is .* behind the issuer's"),
        ({"iat": 1_000, "exp": 2_000}, Denied, "this machine's clock is .* or more ahead of the issuer's"),
        ({"sub": None}, Unknown, "lacks a claim that Sigstore needs"),
        ({"repository": None}, Denied, "not one of a workflow run of GitHub Actions"),
        ({"job_workflow_ref": None}, Denied, "not one of a workflow run of GitHub Actions"),
        ({"iss": "https://issuer.example"}, Denied, "error processing the identity token"),
    ],
)
def test_another_identity_is_refused(
    job: SigningJob, claims: dict[str, object], kind: type[UnmoorError], says: str
) -> None:
    """Audience, validity and claims are looked at before anything is sent; the authority decides on the rest."""
    signer = job.sigstore().signer
    with job.claims(**claims), pytest.raises(kind, match=says) as caught:
        signer.sign_file(SHA256)
    assert caught.value.next_step or caught.value.otherwise


def test_a_wrong_secret_for_the_issuer_is_said(job: SigningJob) -> None:
    """The error says where the secret came from, and not what it is."""
    login = Login(username="", secret=Secret("wrong-secret"), origin="the variable X")
    with pytest.raises(Denied, match="issuer of ID tokens denies access") as caught:
        job.sigstore(token=login).signer.sign_file(SHA256)
    assert "the variable X" in caught.value.next_step
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "present", "says"),
    [
        ({}, False, "no CI gives this process an identity"),
        ({"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": "x"}, False, "GitLab runs this job"),
        ({"CIRCLECI": "true"}, False, "CircleCI runs this job"),
        ({"GITHUB_ACTIONS": "true"}, False, "no permission 'id-token: write'"),
        (
            {
                "GITHUB_ACTIONS": "true",
                "ACTIONS_ID_TOKEN_REQUEST_URL": "x",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
            },
            True,
            "GitHub Actions",
        ),
    ],
)
def test_the_identity_is_known_without_a_request(
    job: SigningJob, environ: dict[str, str], says: str, *, present: bool
) -> None:
    """A process without one says why before anything is built, and signs nothing."""
    signer: SigstoreSigner = replace(job.sigstore().signer, place=SigningPlace(), environ=environ)
    credential = signer.credential()
    assert credential.present is present
    assert says in credential.origin
    assert bool(credential.remedy) is not present
    if not present:
        with pytest.raises(Denied, match="nothing can be signed") as caught:
            signer.sign_file(SHA256)
        assert caught.value.next_step == credential.remedy


def test_github_gives_the_token(job: SigningJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a job of GitHub Actions the library for trusted publishing gets it."""
    place = job.place
    environ = {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{place.identity}?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": place.token.secret.reveal(),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    sigstore = job.sigstore()
    signer = replace(sigstore.signer, place=SigningPlace(trust=place.trust), environ=environ)
    assert signer.identity() == sigstore.verifier.file(signer.sign_file(SHA256), SHA256).identity

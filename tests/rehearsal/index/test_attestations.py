"""Attestations of uploaded files: what an index checks and serves of them, as PyPI does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pypi_attestations import Attestation, Distribution, GitHubPublisher, Provenance, VerificationError
from sigstore.sign import Signer
from sigstore.verify import Verifier
from tests.rehearsal.conftest import IndexClient
from tests.rehearsal.index.made_dists import Upload, sdist, wheel
from tests.support.ci_jobs import PUBLISHER, TrustedJob
from tests.support.sigstore_client import PUBLISH, SLSA, SigstoreClient, statement

from unmoor.rehearsal.index.attestations import verify
from unmoor.rehearsal.local import LocalWorld

INTEGRITY = "application/vnd.pypi.integrity.v1+json"
INVALID = "Invalid attestations supplied during upload: "
UNVERIFIED = f"{INVALID}Could not verify the uploaded artifact using the included attestation: Verification failed: "
RELEASE = GitHubPublisher(repository="acme/demo", workflow="release.yml")
OTHER_JOB = {
    "job_workflow_ref": "acme/demo/.github/workflows/other.yml@refs/tags/v0.2.0",
    "workflow_ref": "acme/demo/.github/workflows/other.yml@refs/tags/v0.2.0",
}


@pytest.fixture
def client(world: LocalWorld) -> SigstoreClient:
    """Sigstore's client."""
    return SigstoreClient(world)


@pytest.fixture(scope="module")
def signer(world: LocalWorld) -> Iterator[Signer]:
    """One certificate for all tests of this file."""
    with SigstoreClient(world).signer() as signer:
        yield signer


@pytest.fixture
def upload(name: str) -> Upload:
    """Return a wheel of a new project."""
    return Upload.of(wheel(name, "1.0"), name, "1.0")


def attested(signer: Signer, upload: Upload, predicate: str = PUBLISH, **changed: Any) -> Attestation:
    """Make an attestation of a file."""
    facts = {"name": upload.filename, "sha256": upload.form["sha256_digest"]} | changed
    made = statement(facts["name"], sha256=facts["sha256"], predicate=predicate)
    return Attestation.from_bundle(signer.sign_dsse(made))


def field_of(*attestations: Attestation) -> str:
    """Write the form's field."""
    return json.dumps([json.loads(each.model_dump_json()) for each in attestations])


@pytest.mark.parametrize("kinds", [[PUBLISH], [SLSA], [PUBLISH, SLSA]])
def test_an_attested_file(index: IndexClient, signer: Signer, upload: Upload, name: str, kinds: list[str]) -> None:
    """Both forms of the simple page link the provenance, which is what was uploaded, and verifies."""
    made = [attested(signer, upload, kind) for kind in kinds]
    assert index.send(upload.but(attestations=field_of(*made))).status_code == 200
    (file,) = index.simple(name)["files"]
    address = f"{index.base}/integrity/{name}/1.0/{upload.filename}/provenance"
    assert file["provenance"] == address
    assert f'data-provenance="{address}"' in index.get(f"/simple/{name}/").text
    answer = index.get(address.removeprefix(index.base))
    assert (answer.status_code, answer.headers["content-type"]) == (200, INTEGRITY)
    (bundle,) = Provenance.model_validate_json(answer.content).attestation_bundles
    assert (bundle.publisher, list(bundle.attestations)) == (RELEASE, made)


def test_a_file_without_attestations(index: IndexClient, upload: Upload, name: str) -> None:
    """It has no provenance, and never gets one: the same bytes are accepted before attestations are read."""
    assert index.send(upload).status_code == 200
    assert index.send(upload.but(attestations="nonsense")).status_code == 200
    assert index.simple(name)["files"][0]["provenance"] is None
    assert "data-provenance" not in index.get(f"/simple/{name}/").text
    answer = index.get(f"/integrity/{name}/1.0/{upload.filename}/provenance")
    assert (answer.status_code, answer.json()) == (404, {"message": f"No provenance available for {upload.filename}"})


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("{name}/1.0/{file}", "", 200),
        ("{name}/1.0/{file}", "application/json", 200),
        ("{name}/1.0/{file}", "text/html", 406),
        ("{name}/2.0/{file}", "*/*", 404),
        ("{name}/1.0/other.whl", "*/*", 404),
        ("none/1.0/{file}", "*/*", 404),
    ],
)
def test_reading_provenance(
    index: IndexClient, signer: Signer, upload: Upload, name: str, *, path: str, accept: str, status: int
) -> None:
    """Provenance is JSON of one of two types, under its own name and version only."""
    assert index.send(upload.but(attestations=field_of(attested(signer, upload)))).status_code == 200
    answer = index.get(f"/integrity/{path.format(name=name, file=upload.filename)}/provenance", accept)
    assert answer.status_code == status
    assert answer.headers["content-type"] == (
        INTEGRITY if status == 200 and accept in {"", "*/*"} else "application/json"
    )


Make = Callable[[Signer, Upload], str]


def changed_signature(signer: Signer, upload: Upload) -> str:
    """Return an attestation whose statement was changed after it was signed."""
    content = json.loads(field_of(attested(signer, upload)))
    content[0]["envelope"]["statement"] = content[0]["envelope"]["statement"][:-8] + "AAAAAAA="
    return json.dumps(content)


def two_subjects(signer: Signer, upload: Upload) -> str:
    """Return an attestation of two files."""
    made = statement(upload.filename, "other-1.0.tar.gz", sha256=upload.form["sha256_digest"])
    return field_of(Attestation.from_bundle(signer.sign_dsse(made)))


REFUSALS: list[tuple[Make, str]] = [
    (lambda _signer, _upload: "nonsense", "Malformed attestations: "),
    (lambda _signer, _upload: "{}", "Malformed attestations: "),
    (lambda _signer, _upload: "[]", "Malformed attestations: an empty attestation set is not permitted"),
    (lambda _signer, _upload: '[{"version": 1}]', "Malformed attestations: "),
    (
        lambda signer, upload: field_of(*[attested(signer, upload)] * 3),
        "A maximum of 2 attestations per file are supported",
    ),
    (
        lambda signer, upload: field_of(attested(signer, upload), attested(signer, upload)),
        f"Multiple attestations for the same file with the same predicate type ({PUBLISH}) are not supported",
    ),
    (two_subjects, "Verification failed: too many subjects in statement (must be exactly one)"),
    (
        lambda signer, upload: field_of(attested(signer, upload, name="demo-1.0.tar.gz")),
        "Verification failed: subject does not match distribution name: demo-1.0.tar.gz != ",
    ),
    (
        lambda signer, upload: field_of(attested(signer, upload, name="no distribution")),
        "Verification failed: invalid subject: unknown distribution format: no distribution",
    ),
    (
        lambda signer, upload: field_of(attested(signer, upload, sha256="0" * 64)),
        "Verification failed: subject does not match distribution digest",
    ),
    (
        lambda signer, upload: field_of(attested(signer, upload, predicate="https://example.org/other")),
        "Verification failed: unknown attestation type: https://example.org/other",
    ),
    (changed_signature, "Verification failed: "),
]


@pytest.mark.parametrize(("make", "message"), REFUSALS)
def test_attestations_that_are_refused(
    index: IndexClient, signer: Signer, upload: Upload, name: str, *, make: Make, message: str
) -> None:
    """Each is refused in PyPI's words, and the file with it."""
    answer = index.send(upload.but(attestations=make(signer, upload)))
    assert answer.status_code == 400
    assert answer.reason.startswith(INVALID)
    assert message in answer.reason
    assert index.get(f"/simple/{name}/").status_code == 404


def test_an_empty_field_is_none(index: IndexClient, upload: Upload) -> None:
    """PyPI drops empty fields of a form before it reads them."""
    assert index.send(upload.but(attestations="")).status_code == 200


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (OTHER_JOB, "does not match expected Trusted Publisher (release.yml @ acme/demo)"),
        ({"repository": "acme/other"}, "Certificate's OIDCSourceRepositoryURI does not match"),
        # A reusable workflow: the certificate has the caller as its configuration, so that only the caller counts.
        ({"workflow_ref": OTHER_JOB["workflow_ref"]}, "does not match expected Trusted Publisher"),
    ],
)
def test_attestations_of_another_workflow(
    index: IndexClient, client: SigstoreClient, upload: Upload, claims: dict[str, str], message: str
) -> None:
    """The certificate must be of the repository and the workflow file of the publisher."""
    with client.claims(**claims), client.signer() as signer:
        text = field_of(attested(signer, upload))
    answer = index.send(upload.but(attestations=text))
    assert answer.status_code == 400
    assert answer.reason.startswith(UNVERIFIED)
    assert message in answer.reason


@pytest.mark.parametrize("control", ["", "api-token"])
def test_attestations_with_an_api_token(index: IndexClient, signer: Signer, upload: Upload, control: str) -> None:
    """They are refused, whatever they are. Without them the upload succeeds."""
    credentials = json.loads((index.folder.parent / "credentials.json").read_text())
    auth = None if control else ("__token__", credentials["pypi_api"])
    sent = upload.but(attestations=field_of(attested(signer, upload)))
    with index.control(control, ""):
        refused, taken = index.send(sent, auth=auth), index.send(upload, auth=auth)
    assert (refused.status_code, taken.status_code) == (400, 200)
    assert refused.reason == f"{INVALID}Attestations are only supported when using Trusted Publishing"


@pytest.mark.parametrize(("workflow", "status"), [("release.yml", 200), ("other.yml", 400)])
def test_attestations_with_a_minted_token(
    world: LocalWorld,
    index: IndexClient,
    client: SigstoreClient,
    upload: Upload,
    *,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    workflow: str,
    status: int,
) -> None:
    """The publisher that the token was minted for is the one that must have signed."""
    job = TrustedJob.start(world, monkeypatch)
    job.publishers(PUBLISHER | {"project": name, "pending": True})
    token = job.mint().json()["token"]
    claims = {} if workflow == "release.yml" else OTHER_JOB
    with client.claims(**claims), client.signer() as signer:
        text = field_of(attested(signer, upload))
    assert index.send(upload.but(attestations=text), auth=("__token__", token)).status_code == status


def test_attestations_that_are_turned_off(index: IndexClient, signer: Signer, upload: Upload, name: str) -> None:
    """PyPI can turn attestations off: it then ignores them, and serves none."""
    other = Upload.of(sdist(name, "1.0"), name, "1.0")
    assert index.send(other.but(attestations=field_of(attested(signer, other)))).status_code == 200
    with index.control("no-attestations", ""):
        assert index.send(upload.but(attestations="nonsense")).status_code == 200
        answer = index.get(f"/integrity/{name}/1.0/{other.filename}/provenance")
    assert (answer.status_code, answer.json()) == (403, {"message": "Attestations temporarily disabled"})
    assert [bool(file["provenance"]) for file in index.simple(name)["files"]] == [True, False]


@pytest.mark.parametrize("make", [make for make, _ in REFUSALS[5:]] + [lambda s, u: field_of(attested(s, u))])
def test_checks_are_those_of_pypi(
    client: SigstoreClient, signer: Signer, upload: Upload, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks of one attestation have the outcome and the words of the library that PyPI checks with."""
    attestation = Attestation.model_validate(json.loads(make(signer, upload))[0])
    distribution = Distribution(name=upload.filename, digest=upload.form["sha256_digest"])

    def outcome(check: Callable[[], str]) -> str:
        try:
            return check()
        except VerificationError as error:
            return str(error)

    verifier = client.verifier
    monkeypatch.setattr(Verifier, "production", lambda **_: verifier)
    ours = outcome(lambda: verify(attestation, verifier, RELEASE._as_policy(), distribution))
    assert ours == outcome(lambda: attestation.verify(RELEASE, distribution)[0])

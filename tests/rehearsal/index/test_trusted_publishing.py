"""The index's side of trusted publishing: the tokens it mints, and each reason for a refusal."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from pymacaroons import Macaroon  # type: ignore[import-untyped]
from tests.rehearsal.conftest import IndexClient
from tests.rehearsal.index.made_dists import Upload, sdist, wheel
from tests.support.ci_jobs import PUBLISHER, REUSABLE_WORKFLOW, TrustedJob

from unmoor.rehearsal.index.refusal import Refusal
from unmoor.rehearsal.index.store import ProjectStore
from unmoor.rehearsal.index.trusted_publishing import LIFE, Minting
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.shared.oidc import Issuer

REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
HERE = "acme/demo/.github/workflows"


def read_token(token: str) -> tuple[str, list[Any]]:
    """Return the location and the caveats of a token. pypitoken does not know those of trusted publishing."""
    read = Macaroon.deserialize(token.removeprefix("pypi-"))
    return read.location, [json.loads(caveat.caveat_id) for caveat in read.caveats]


def a_wheel(name: str) -> Upload:
    """Return a wheel of a project, ready to upload."""
    return Upload.of(wheel(name, "1.0"), name, "1.0")


def an_sdist(name: str) -> Upload:
    """Return an sdist of a project, ready to upload."""
    return Upload.of(sdist(name, "1.0"), name, "1.0")


@pytest.fixture
def job(world: LocalWorld, monkeypatch: pytest.MonkeyPatch) -> TrustedJob:
    """A job in the world of these tests."""
    return TrustedJob.start(world, monkeypatch)


def test_each_index_has_its_own_audience(world: LocalWorld) -> None:
    """An ID token for one index is not valid for the other."""
    answers = [requests.get(f"{world.addresses[each]}/_/oidc/audience", timeout=20) for each in ("pypi", "testpypi")]
    assert [each.json() for each in answers] == [{"audience": "local-pypi"}, {"audience": "local-testpypi"}]


@pytest.mark.parametrize("path", ["/_/oidc/mint-token", "/_/oidc/github/mint-token"])
def test_a_matching_job_gets_a_token_for_minutes(job: TrustedJob, name: str, path: str) -> None:
    """The token is a macaroon with index, publisher, project and expiry, as PyPI's."""
    job.publishers(PUBLISHER | {"project": name})
    answer = job.mint(path=path).json()
    assert answer["success"] is True
    assert abs(answer["expires"] - time.time() - LIFE) < 60
    location, caveats = read_token(answer["token"])
    end = int(answer["expires"])
    assert (location, caveats[1:]) == (job.base.partition("://")[2], [[1, [name]], [0, end, end - LIFE]])
    kind, publisher, claims = caveats[0]
    assert (kind, type(publisher), claims["ref"]) == (4, str, "refs/tags/v0.2.0")


def test_a_pending_publisher_is_redeemed_by_the_mint(job: TrustedJob, name: str) -> None:
    """Afterwards the project exists without files, and the publisher is no longer pending."""
    job.publishers(PUBLISHER | {"project": name, "pending": True})
    assert requests.get(f"{job.base}/simple/{name}/", timeout=20).status_code == 404
    assert job.mint().status_code == 200
    assert requests.get(f"{job.base}/simple/{name}/", timeout=20).status_code == 200
    (left,) = json.loads((job.folder / "publishers.json").read_text())
    assert (left["project"], left["pending"]) == (name, False)
    assert job.mint().status_code == 200


def test_a_pending_publisher_of_an_existing_project_is_refused_once(job: TrustedJob, name: str) -> None:
    """It is removed; the next time the project's own publisher counts."""
    job.publishers(PUBLISHER | {"project": name, "pending": True})
    assert job.mint().status_code == 200
    job.publishers(PUBLISHER | {"project": name, "pending": True}, PUBLISHER | {"project": name, "environment": ""})
    assert job.code(job.mint()) == "invalid-pending-publisher"
    assert job.mint().status_code == 200


def test_a_pending_publisher_of_a_forbidden_name_creates_nothing(job: TrustedJob) -> None:
    """The rules for names are those of uploads."""
    job.publishers(PUBLISHER | {"project": "json", "pending": True})
    answer = job.mint()
    assert job.code(answer) == "invalid-payload"
    assert "isn't allowed" in answer.json()["errors"][0]["description"]


@pytest.mark.parametrize(
    ("publisher", "claims"),
    [
        ({"workflow": "other.yml"}, {}),
        ({"repository": "acme/other"}, {}),
        ({"environment": "pypi"}, {}),
        ({"environment": "pypi"}, {"environment": "testpypi"}),
        ({}, {"job_workflow_ref": REUSABLE_WORKFLOW}),
        ({}, {"job_workflow_ref": None}),
        ({}, {"job_workflow_ref": f"{HERE}/release.yml@refs/heads/main"}),
        ({}, {"job_workflow_ref": "acme/other/.github/workflows/release.yml@refs/tags/v0.2.0"}),
        ({}, {"repository_owner_id": "7"}),
        ({"owner_id": "7"}, {}),
        ({}, {"event_name": "pull_request_target"}),
    ],
)
def test_a_publisher_must_match(job: TrustedJob, publisher: dict[str, str], claims: dict[str, str]) -> None:
    """Repository, owner, workflow and environment must all match the publisher's, and the workflow's ref the job's."""
    job.publishers(PUBLISHER | publisher)
    job.claims(**claims)
    assert job.code(job.mint()) == "invalid-publisher"


@pytest.mark.parametrize(
    ("publisher", "claims"),
    [
        ({"environment": "PyPI"}, {"environment": "pypi"}),
        ({"repository": "Acme/Demo"}, {}),
        ({}, {"environment": "anything"}),
        ({}, {"sub": "repo:somebody/else:ref:refs/heads/main"}),
        ({}, {"sub": "my-own:format"}),
        ({}, {"sha": "a" * 40, "job_workflow_ref": f"{HERE}/release.yml@{'a' * 40}"}),
        ({"workflow": "publish.yml"}, {"job_workflow_ref": f"{HERE}/publish.yml@refs/tags/v0.2.0"}),
    ],
)
def test_case_and_an_unnamed_environment_do_not_matter(
    job: TrustedJob, publisher: dict[str, str], claims: dict[str, str]
) -> None:
    """GitHub ignores case, an empty environment allows any, the subject is never compared, nor the calling workflow."""
    job.publishers(PUBLISHER | publisher)
    job.claims(**claims)
    assert job.mint().status_code == 200


def test_a_publisher_that_names_the_environment_is_preferred(job: TrustedJob, name: str) -> None:
    """A token is for the projects of the more specific publisher only."""
    job.publishers(
        PUBLISHER | {"project": name, "environment": "pypi"}, PUBLISHER | {"project": f"{name}-any", "environment": ""}
    )
    job.claims(environment="pypi")
    _, (_, names, _) = read_token(job.mint().json()["token"])
    assert names == [1, [name]]


@pytest.mark.parametrize(
    ("days", "status"), [(None, 200), (0, 200), (29.9, 200), (30.1, 422)], ids=["undated", "new", "old", "expired"]
)
def test_a_pending_publisher_expires_after_30_days(job: TrustedJob, name: str, days: float | None, status: int) -> None:
    """An expired one is no publisher, and creates no project."""
    added = {} if days is None else {"added": time.time() - days * 86400}
    job.publishers(PUBLISHER | {"project": name, "pending": True} | added)
    answer = job.mint()
    assert answer.status_code == status
    assert requests.get(f"{job.base}/simple/{name}/", timeout=20).status_code == (404 if status == 422 else 200)
    assert status == 200 or job.code(answer) == "invalid-publisher"


@pytest.mark.parametrize(
    ("claims", "rest"),
    [
        ({}, "ref:refs/tags/v0.2.0"),
        ({"ref": "refs/heads/main"}, "ref:refs/heads/main"),
        ({"environment": "pypi"}, "environment:pypi"),
        ({"environment": "a:b"}, "environment:a%3Ab"),
        ({"event_name": "pull_request"}, "pull_request"),
        ({"event_name": "pull_request", "environment": "pypi"}, "environment:pypi"),
    ],
)
@pytest.mark.parametrize(
    ("control", "repository"), [("", "acme@1/demo@2"), ("name-subject", "acme/demo")], ids=["new", "old"]
)
def test_the_issuer_makes_both_forms_of_the_subject(
    job: TrustedJob, claims: dict[str, str], rest: str, control: str, repository: str
) -> None:
    """New and renamed repositories have numbers in it; the rest says what the job runs for. Both forms mint."""
    job.publishers(PUBLISHER)
    job.claims(**claims)
    if control:
        (job.world.folder / "issuer" / control).touch()
    token = job.id_token()
    decoded = jwt.decode(token, options={"verify_signature": False})
    assert decoded["sub"] == f"repo:{repository}:{rest}"
    # The workflow's ref is still that of the tag.
    assert (job.mint(token).status_code == 200) == ("ref" not in claims)


def test_an_id_token_works_once(job: TrustedJob) -> None:
    """A second exchange of the same token is refused."""
    job.publishers(PUBLISHER)
    token = job.id_token()
    assert job.mint(token).status_code == 200
    assert job.code(job.mint(token)) == "invalid-reuse-token"


def test_an_invalid_id_token_is_refused(job: TrustedJob) -> None:
    """A token is refused if it is forged, for another audience, expired, or from another issuer."""
    job.publishers(PUBLISHER)
    head, body, signature = job.id_token().split(".")
    assert job.code(job.mint(f"{head}.{body}.AAAA{signature[4:]}")) == "invalid-token"
    assert job.code(job.mint(job.id_token("local-testpypi"))) == "invalid-token"
    ended = job.id_token()
    job.ahead(400)
    assert job.code(job.mint(ended)) == "invalid-token"
    job.claims(iss="https://example.org")
    assert job.code(job.mint()) == "invalid-payload"
    assert job.code(job.mint("a.b.c")) == "invalid-payload"
    assert job.code(requests.post(f"{job.base}/_/oidc/mint-token", data=b"{}", timeout=20)) == "invalid-payload"


def test_it_can_be_disabled(job: TrustedJob) -> None:
    """Then the index gives neither an audience nor a token."""
    job.publishers(PUBLISHER)
    token = job.id_token()
    (job.folder / "no-trusted-publishing").touch()
    assert requests.get(f"{job.base}/_/oidc/audience", timeout=20).status_code == 403
    assert job.code(job.mint(token)) == "not-enabled"


def test_a_minted_token_uploads_only_to_its_project(job: TrustedJob, index: IndexClient, name: str) -> None:
    """It is refused for another project and for a new one, and after its expiry for any."""
    other = f"{name}-other"
    job.publishers(*(PUBLISHER | {"project": each, "pending": True} for each in (name, other)))
    for _ in range(2):
        assert job.mint().status_code == 200
    job.publishers(PUBLISHER | {"project": name})
    auth = ("__token__", job.mint().json()["token"])
    assert index.send(a_wheel(name), auth=auth).status_code == 200
    elsewhere = index.send(a_wheel(other), auth=auth)
    assert (elsewhere.status_code, "not valid for project" in elsewhere.reason) == (403, True)
    nowhere = index.send(a_wheel(f"{name}-none"), auth=auth)
    assert (nowhere.status_code, "Non-user identities" in nowhere.reason) == (400, True)
    job.ahead(LIFE + 1)
    late = index.send(an_sdist(name), auth=auth)
    assert (late.status_code, late.reason) == (403, "Invalid API Token: token is expired")


def test_no_token_is_written_down(job: TrustedJob, name: str) -> None:
    """The world stores only hashes and ids of ID tokens and minted tokens."""
    job.publishers(PUBLISHER | {"project": name})
    id_token = job.id_token()
    minted = job.mint(id_token).json()["token"]
    for path in job.world.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert id_token.encode() not in data, path
            assert minted.encode() not in data, path


def test_the_issuer_publishes_its_keys(job: TrustedJob) -> None:
    """Configuration and keys are at the paths of OpenID Connect, and verify a token."""
    base = job.world.addresses["issuer"]
    configuration = requests.get(f"{base}/.well-known/openid-configuration", timeout=20).json()
    assert configuration["issuer"] == base
    client = jwt.PyJWKClient(configuration["jwks_uri"])
    token = job.id_token("somebody")
    claims = jwt.decode(
        token, client.get_signing_key_from_jwt(token), algorithms=["RS256"], audience="somebody", issuer=base
    )
    assert claims["repository"] == "acme/demo"


def test_the_issuer_requires_the_job_token(job: TrustedJob) -> None:
    """A job without the permission gets no ID token."""
    address = f"{job.world.addresses['issuer']}/token?audience=x"
    for headers in ({}, {"Authorization": "bearer x"}, {"Authorization": f"basic {job.environ[REQUEST_TOKEN]}"}):
        assert requests.get(address, headers=headers, timeout=20).status_code == 401


def test_the_clock_is_an_argument(tmp_path: Path) -> None:
    """An exchange works without a server, and uses the given clock."""
    now = [1_000_000.0]
    issuer = Issuer(
        folder=tmp_path / "issuer", base="http://example.invalid", repository="acme/demo", runner="", now=lambda: now[0]
    )
    project_store = ProjectStore(tmp_path / "pypi")
    minting = Minting(project_store=project_store, issuer=issuer, location="example.invalid", clock=lambda: now[0])
    (tmp_path / "pypi" / "publishers.json").write_text(json.dumps([PUBLISHER]))
    token, expires = minting.exchange(json.dumps({"token": issuer.token(minting.expected_audience)}).encode())
    assert expires == now[0] + LIFE
    now[0] += LIFE - 1
    minted = minting.bearer(token)
    assert minted is not None
    assert minted.projects == ("demo",)
    now[0] += 1
    with pytest.raises(Refusal, match="expired"):
        minting.bearer(token)
    assert minting.bearer("pypi-other") is None

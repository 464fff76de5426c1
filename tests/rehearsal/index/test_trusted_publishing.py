"""The index's side of trusted publishing: what it gives, and each way in which it says no."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jwt
import pytest
import requests
from pypitoken import DateRestriction, ProjectNamesRestriction, Token  # type: ignore[import-untyped]
from tests.rehearsal.conftest import IndexClient
from tests.rehearsal.index.made_dists import Upload, sdist, wheel
from tests.support.ci_jobs import PUBLISHER, REUSABLE_WORKFLOW, TrustedJob

from unmoor.rehearsal.index.refusal import Refusal
from unmoor.rehearsal.index.store import ProjectStore
from unmoor.rehearsal.index.trusted_publishing import LIFE, Minting
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.shared.oidc import Issuer

REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


def a_wheel(name: str) -> Upload:
    """A wheel of a project, ready to be sent."""
    return Upload.of(wheel(name, "1.0"), name, "1.0")


def an_sdist(name: str) -> Upload:
    """An sdist of a project, ready to be sent."""
    return Upload.of(sdist(name, "1.0"), name, "1.0")


@pytest.fixture
def job(world: LocalWorld, monkeypatch: pytest.MonkeyPatch) -> TrustedJob:
    """A job in the world of these tests."""
    return TrustedJob.start(world, monkeypatch)


def test_each_index_has_an_audience_of_its_own(world: LocalWorld) -> None:
    """An ID token for one is worth nothing at the other."""
    answers = [requests.get(f"{world.addresses[each]}/_/oidc/audience", timeout=20) for each in ("pypi", "testpypi")]
    assert [each.json() for each in answers] == [{"audience": "local-pypi"}, {"audience": "local-testpypi"}]


@pytest.mark.parametrize("path", ["/_/oidc/mint-token", "/_/oidc/github/mint-token"])
def test_a_matching_job_gets_a_token_for_minutes(job: TrustedJob, name: str, path: str) -> None:
    """It is a macaroon that names index, project and end, as pypitoken reads it."""
    job.publishers(PUBLISHER | {"project": name})
    answer = job.mint(path=path).json()
    assert answer["success"] is True
    assert abs(answer["expires"] - time.time() - LIFE) < 60
    token = Token.load(answer["token"])
    assert token.domain == job.base.partition("://")[2]
    end = int(answer["expires"])
    assert token.restrictions == [
        ProjectNamesRestriction(project_names=[name]),
        DateRestriction(not_before=end - LIFE, not_after=end),
    ]


def test_a_pending_publisher_is_redeemed_by_the_mint(job: TrustedJob, name: str) -> None:
    """The project is there afterwards, empty, and the publisher is no longer pending."""
    job.publishers(PUBLISHER | {"project": name, "pending": True})
    assert requests.get(f"{job.base}/simple/{name}/", timeout=20).status_code == 404
    assert job.mint().status_code == 200
    assert requests.get(f"{job.base}/simple/{name}/", timeout=20).status_code == 200
    (left,) = json.loads((job.folder / "publishers.json").read_text())
    assert (left["project"], left["pending"]) == (name, False)
    assert job.mint().status_code == 200


def test_a_pending_publisher_of_a_project_that_is_there_is_refused_once(job: TrustedJob, name: str) -> None:
    """It is thrown away; the publisher of the project itself counts the next time."""
    job.publishers(PUBLISHER | {"project": name, "pending": True})
    assert job.mint().status_code == 200
    job.publishers(PUBLISHER | {"project": name, "pending": True}, PUBLISHER | {"project": name, "environment": ""})
    assert job.code(job.mint()) == "invalid-pending-publisher"
    assert job.mint().status_code == 200


def test_a_pending_publisher_of_a_forbidden_name_makes_nothing(job: TrustedJob) -> None:
    """The rules for names are the same as at an upload."""
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
    ],
)
def test_what_does_not_match_is_no_publisher(
    job: TrustedJob, publisher: dict[str, str], claims: dict[str, str]
) -> None:
    """Repository, workflow and environment must all be the publisher's."""
    job.publishers(PUBLISHER | publisher)
    job.claims(**claims)
    assert job.code(job.mint()) == "invalid-publisher"


@pytest.mark.parametrize(
    ("publisher", "claims"),
    [
        ({"environment": "PyPI"}, {"environment": "pypi"}),
        ({"repository": "Acme/Demo"}, {}),
        ({}, {"environment": "anything"}),
    ],
)
def test_case_and_an_unnamed_environment_do_not_matter(
    job: TrustedJob, publisher: dict[str, str], claims: dict[str, str]
) -> None:
    """GitHub does not tell case apart, and no environment stands for any."""
    job.publishers(PUBLISHER | publisher)
    job.claims(**claims)
    assert job.mint().status_code == 200


def test_an_id_token_works_once(job: TrustedJob) -> None:
    """The second exchange of the same one is refused."""
    job.publishers(PUBLISHER)
    token = job.id_token()
    assert job.mint(token).status_code == 200
    assert job.code(job.mint(token)) == "invalid-reuse-token"


def test_what_cannot_be_believed_is_refused(job: TrustedJob) -> None:
    """A forged one, one for another audience, one that has ended, and one from somebody else."""
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


def test_it_can_be_switched_off(job: TrustedJob) -> None:
    """Neither an audience nor a token is given then."""
    job.publishers(PUBLISHER)
    token = job.id_token()
    (job.folder / "no-trusted-publishing").touch()
    assert requests.get(f"{job.base}/_/oidc/audience", timeout=20).status_code == 403
    assert job.code(job.mint(token)) == "not-enabled"


def test_a_minted_token_uploads_to_its_project_alone(job: TrustedJob, index: IndexClient, name: str) -> None:
    """To another project it is refused, to none that is not there, and after its time to none at all."""
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
    """What the world keeps of ID tokens and minted ones is hashes and numbers."""
    job.publishers(PUBLISHER | {"project": name})
    id_token = job.id_token()
    minted = job.mint(id_token).json()["token"]
    for path in job.world.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert id_token.encode() not in data, path
            assert minted.encode() not in data, path


def test_the_issuer_says_how_to_check_its_tokens(job: TrustedJob) -> None:
    """Configuration and keys stand where OpenID Connect has them, and check a token."""
    base = job.world.addresses["issuer"]
    said = requests.get(f"{base}/.well-known/openid-configuration", timeout=20).json()
    assert said["issuer"] == base
    client = jwt.PyJWKClient(said["jwks_uri"])
    token = job.id_token("somebody")
    claims = jwt.decode(
        token, client.get_signing_key_from_jwt(token), algorithms=["RS256"], audience="somebody", issuer=base
    )
    assert claims["repository"] == "acme/demo"


def test_the_issuer_answers_nobody_without_the_token(job: TrustedJob) -> None:
    """A job without the permission gets nothing."""
    address = f"{job.world.addresses['issuer']}/token?audience=x"
    for headers in ({}, {"Authorization": "bearer x"}, {"Authorization": f"basic {job.environ[REQUEST_TOKEN]}"}):
        assert requests.get(address, headers=headers, timeout=20).status_code == 401


def test_time_is_handed_in(tmp_path: Path) -> None:
    """A desk of one's own needs no server, and its time goes as told."""
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

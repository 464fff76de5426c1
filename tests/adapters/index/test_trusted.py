"""Trusted publishing against the local world's indexes and issuer: what is used, what is refused, and why."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from tests.support.ci_jobs import PUBLISHER, REUSABLE_WORKFLOW, TrustedJob
from tests.support.faulty_index import BOUNDS, build_dists, index_place
from tests.support.faulty_server import Exchange, run_server
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.identity import ambient
from unmoor.adapters.identity.ambient import Ambient, id_token
from unmoor.adapters.identity.claims import Claims
from unmoor.adapters.index.trusted import TrustedPublishing
from unmoor.adapters.index.trusted.exchange import Endpoints
from unmoor.errors import Denied, TryLater, Unknown
from unmoor.ports.index import LoginProbe, Sent
from unmoor.ports.world import IndexPlace, Login, Trusted
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.render.advice import next_step
from unmoor.util.secret import Secret
from unmoor.util.values import replace

REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
REQUEST_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """One world for all tests here."""
    folder = tmp_path_factory.mktemp("world")
    with local.start(folder, repository="acme/demo", checkout=None) as running:
        yield running


@pytest.fixture
def job(world: LocalWorld, monkeypatch: pytest.MonkeyPatch) -> TrustedJob:
    """A job in the world."""
    return TrustedJob.start(world, monkeypatch)


# ---- which credential counts


@pytest.mark.parametrize(
    ("policy", "password", "minted"),
    [
        (Trusted.AUTO, "", True),
        (Trusted.AUTO, "pypi-x", False),
        (Trusted.ALWAYS, "", True),
        (Trusted.NEVER, "", False),
        (Trusted.NEVER, "pypi-x", False),
    ],
)
def test_the_policy_decides_which_login_is_used(
    job: TrustedJob, policy: Trusted, password: str, *, minted: bool
) -> None:
    """A stored login takes precedence unless trusted publishing is required; nothing is sent."""
    credential = job.index(policy, password).credential()
    assert (credential.minted, credential.present) == (minted, minted or bool(password))
    assert ("GitHub Actions" in credential.origin) is minted


def test_mixed_credentials_are_refused_by_name(job: TrustedJob, tmp_path: Path) -> None:
    """If trusted publishing is required, another credential is refused, also at an upload."""
    index = job.index(Trusted.ALWAYS, "pypi-x")
    for use in (index.credential, lambda: index.send(build_dists(tmp_path)[0])):
        with pytest.raises(Denied, match=r"another credential, from ~/\.pypirc") as caught:
            use()
        assert "remove that one" in caught.value.next_step


@pytest.mark.parametrize("missing", [REQUEST_TOKEN, REQUEST_URL])
def test_a_missing_permission_is_named_without_a_request(job: TrustedJob, missing: str) -> None:
    """The most common mistake is found at once."""
    del job.environ[missing]
    with pytest.raises(Denied, match="no permission 'id-token: write'") as caught:
        job.index(Trusted.ALWAYS).credential()
    assert "permissions: id-token: write" in caught.value.next_step
    assert "fork" in caught.value.next_step
    credential = job.index(Trusted.AUTO).credential()
    assert not credential.present
    assert "no trusted publishing: this job has no permission 'id-token: write'" in credential.origin
    assert "id-token: write" in credential.remedy


def test_the_permission_may_also_turn_out_to_be_missing(job: TrustedJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own error for a missing permission has the same meaning."""
    monkeypatch.delenv(REQUEST_TOKEN)
    with pytest.raises(Denied, match="id-token: write"):
        id_token("x", job.environ)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        ({"GITLAB_CI": "true", "PYPI_ID_TOKEN": "x"}, Ambient(name="GitLab", renews=False)),
        ({"CIRCLECI": "true"}, Ambient(name="CircleCI")),
        ({"BUILDKITE": "true"}, Ambient(name="Buildkite")),
        ({"GOOGLE_SERVICE_ACCOUNT_NAME": "x@example.org"}, Ambient(name="Google Cloud")),
    ],
)
def test_the_ci_is_detected_by_its_variables(environ: dict[str, str], found: Ambient | None) -> None:
    """All CIs that the library supports are detected."""
    assert ambient.ambient(environ) == found


def test_gitlab_without_an_id_token_lacks_one() -> None:
    """GitLab jobs need an ID token in their configuration."""
    found = ambient.ambient({"GITLAB_CI": "true"})
    assert found is not None
    assert "no ID token" in found.lacking
    assert "id_tokens:" in found.remedy


def test_outside_of_a_ci_there_is_none(job: TrustedJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it is required on a laptop, it is refused after nothing but the request for the audience."""
    for name in list(job.environ):
        monkeypatch.delenv(name)
    job.environ.clear()
    with pytest.raises(Denied, match="no CI gives ID tokens here"):
        job.index(Trusted.ALWAYS).prove_login("demo", LoginProbe.ASKING)
    assert not job.index(Trusted.AUTO).credential().present


# ---- the exchange


def test_a_token_is_minted_used_and_shown_to_nobody(
    job: TrustedJob, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """For a new project, the mint creates it, and the files arrive."""
    job.publishers(PUBLISHER | {"pending": True})
    before, index = job.minted(), job.index()
    for file in build_dists(tmp_path):
        assert index.send(file) == Sent()
    assert index.status("demo") is not None
    assert job.minted() == before + 1
    trusted = index.trusted
    assert trusted is not None
    secret = trusted.login().secret.reveal()
    assert secret.startswith("pypi-")
    assert secret not in f"{index!r} {trusted!r} {trusted.login()!r}"
    assert capfd.readouterr() == ("", "")


def test_proving_goes_only_as_far_as_it_may(job: TrustedJob) -> None:
    """Reading sends nothing, asking gets the identity of the job, and only minting changes the index."""
    before, index = job.minted(), job.index()
    job.publishers(PUBLISHER)
    job.claims(environment="pypi")
    read = index.prove_login("demo", LoginProbe.READING)
    assert (read.taken, "no token requested" in read.detail) == (False, True)
    asked = index.prove_login("demo", LoginProbe.ASKING)
    assert (asked.taken, asked.detail.partition(", as ")[2]) == (
        False,
        "acme/demo, workflow release.yml, environment pypi",
    )
    assert job.minted() == before
    minted = index.prove_login("demo", LoginProbe.MINTING)
    assert (minted.taken, "minted a token" in minted.detail) == (True, True)
    assert job.minted() == before + 1


def test_a_token_is_used_for_ten_minutes_and_then_replaced(job: TrustedJob) -> None:
    """A token is replaced well before it expires after fifteen minutes, each time with a new ID token."""
    job.publishers(PUBLISHER)
    trusted = job.trusted()
    first = trusted.login()
    job.clock.time += 599
    assert trusted.login() == first
    job.clock.time += 2
    second = trusted.login()
    assert second.secret != first.secret
    assert trusted.login() == second


def test_many_threads_mint_one_token(job: TrustedJob) -> None:
    """Parallel uploads share a token."""
    job.publishers(PUBLISHER)
    before, trusted = job.minted(), job.trusted()
    with ThreadPoolExecutor(8) as pool:
        logins = list(pool.map(lambda _: trusted.login(), range(16)))
    assert len({each.secret for each in logins}) == 1
    assert job.minted() == before + 1


def test_the_two_indexes_have_tokens_of_their_own(
    job: TrustedJob, world: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each index has its own audience and its own publishers."""
    job.publishers(PUBLISHER)
    other = TrustedJob.start(world, monkeypatch, "testpypi")
    assert job.trusted().login().secret
    with pytest.raises(Denied, match="testpypi has no trusted publisher that matches this job"):
        other.trusted().login()


# ---- refused, in each of its ways


def _reused(job: TrustedJob) -> None:
    job.publishers(PUBLISHER)
    job.claims(jti="same")
    assert job.mint().status_code == 200


def _taken(job: TrustedJob) -> None:
    job.publishers(PUBLISHER | {"project": "there", "pending": True})
    assert job.mint().status_code == 200
    job.publishers(PUBLISHER | {"project": "There", "pending": True})


REFUSED: dict[str, tuple[Callable[[TrustedJob], None], tuple[str, ...]]] = {
    "not-enabled": (
        lambda job: (job.folder / "no-github").touch(),
        ("switched trusted publishing off", "API token", "repository: acme/demo"),
    ),
    "not-enabled: Trusted publishing functionality": (
        lambda job: (job.folder / "no-trusted-publishing").touch(),
        ("switched trusted publishing off", "API token"),
    ),
    "invalid-payload": (
        lambda job: job.claims(iss="https://ci.example.org"),
        ("does not know who issued", "iss: https://ci.example.org", "GitHub Enterprise Server"),
    ),
    "invalid-token": (
        lambda job: job.claims(iat=1, exp=2),
        ("does not accept the ID token", "aud: local-pypi", "clock"),
    ),
    "invalid-reuse-token": (
        _reused,
        ("seen this ID token before", "start a new job"),
    ),
    "invalid-publisher": (
        lambda job: job.publishers(PUBLISHER | {"workflow": "other.yml"}),
        ("no trusted publisher that matches", "'Publishing'"),
    ),
    "invalid-pending-publisher": (
        _taken,
        ("which exists already", "if the project is yours"),
    ),
    "name": (
        lambda job: job.publishers(PUBLISHER | {"project": "json", "pending": True}),
        ("the name is not allowed", "another name"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_refusal_has_its_own_message(job: TrustedJob, case: str) -> None:
    """The message has the meaning, the index's code and what to do, and never a token."""
    prepare, expected = REFUSED[case]
    prepare(job)
    with pytest.raises(Denied) as caught:
        job.trusted().login()
    message = f"{caught.value}\n{next_step(caught.value)}"
    assert all(each in message for each in expected), message
    assert case in message or case == "name"
    assert "eyJ" not in message


@pytest.mark.parametrize(
    ("control", "subject"),
    [("", "repo:acme@1/demo@2:ref:refs/tags/v1"), ("name-subject", "repo:acme/demo:ref:refs/tags/v1")],
    ids=["with numbers", "names only"],
)
def test_the_claims_are_next_to_the_publishers_fields(job: TrustedJob, control: str, subject: str) -> None:
    """Claims are decoded, and absent ones are marked. The subject is shown in either form, and never compared."""
    job.claims(environment=None, ref="refs/tags/v1\x1b[31m")
    if control:
        (job.world.folder / "issuer" / control).touch()
    with pytest.raises(Denied) as caught:
        job.trusted().login()
    ref = "acme/demo/.github/workflows/release.yml@refs/tags/v1.0"
    assert caught.value.what.splitlines()[1:] == [
        "claims of this job's ID token | required of the publisher on pypi",
        "repository: acme/demo | owner acme, repository demo",
        "repository_owner_id: 1 | the account that owned the repository when the publisher was added",
        f"job_workflow_ref: {ref} | workflow release.yml",
        "environment: MISSING | no environment given",
        "event_name: push | any but pull_request_target",
        f"workflow_ref: {ref} | not compared",
        "ref: refs/tags/v1 | not compared",
        f"sub: {subject} | not compared",
    ]


HERE = "acme/demo/.github/workflows"
DOUBTFUL: dict[str, tuple[dict[str, Any], tuple[str, ...], bool]] = {
    "a reusable workflow elsewhere": (
        {"job_workflow_ref": REUSABLE_WORKFLOW},
        ("reusable workflow", REUSABLE_WORKFLOW, f"called by {HERE}/release.yml"),
        False,
    ),
    "a reusable workflow at another ref": (
        {"job_workflow_ref": f"{HERE}/publish.yml@refs/heads/main"},
        ("reusable workflow", "at the same ref"),
        False,
    ),
    "a reusable workflow of this repository": (
        {"job_workflow_ref": f"{HERE}/publish.yml@refs/tags/v1.0"},
        ("reusable workflow",),
        True,
    ),
    "a pull request's base": (
        {"event_name": "pull_request_target", "job_workflow_ref": f"{HERE}/publish.yml@refs/tags/v1.0"}
        | {"workflow_ref": f"{HERE}/publish.yml@refs/tags/v1.0"},
        ("pull_request_target", "start it for a tag"),
        False,
    ),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_a_doubtful_job_is_warned_of_and_the_index_decides(job: TrustedJob, case: str) -> None:
    """Asking gives the reason as a warning; the exchange happens, and a refusal has the reason next to the claims."""
    claims, expected, taken = DOUBTFUL[case]
    job.publishers(PUBLISHER | {"workflow": "publish.yml"})
    job.claims(**claims)
    asked = job.index().prove_login("demo", LoginProbe.ASKING)
    assert all(each in asked.warning for each in expected), asked.warning
    if taken:
        assert job.index().prove_login("demo", LoginProbe.MINTING).taken
        return
    with pytest.raises(Denied, match="no trusted publisher that matches") as caught:
        job.index().prove_login("demo", LoginProbe.MINTING)
    assert all(each in caught.value.what for each in expected), caught.value.what


def test_an_ordinary_job_has_no_warning(job: TrustedJob) -> None:
    """The workflow that the tag starts is the one that has the steps."""
    assert job.index().prove_login("demo", LoginProbe.ASKING).warning == ""


def test_the_paths_of_an_index_come_from_one_place() -> None:
    """They are on the host that takes uploads, whatever the path of the uploads is."""
    place = replace(
        index_place("https://upload.example.org:8443"), upload="https://upload.example.org:8443/a/legacy/?x"
    )
    found = Endpoints.of(place)
    assert (found.audience, found.mint) == (f"{found.root}/_/oidc/audience", f"{found.root}/_/oidc/mint-token")
    assert found.root == "https://upload.example.org:8443"


def test_claims_of_another_ci() -> None:
    """GitLab's claims have their own rows."""
    claims = Claims({"iss": "https://gitlab.example.org", "project_path": "group/sub/demo", "sub": "project_path:x"})
    table = claims.table("pypi")
    assert "project_path: group/sub/demo | namespace group/sub, project demo" in table
    assert "ci_config_ref_uri: MISSING" in table
    assert claims.brief() == "group/sub/demo"
    assert Claims().brief() == "an ID token that names nobody"


HEAD = base64.urlsafe_b64encode(b'{"alg":"RS256","typ":"JWT"}').rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text", ["", "a.b", *(f"{head}.{body}.c" for head in ("a", HEAD) for body in ("b", "W10", "!!!", "\u00e9", "MQ"))]
)
def test_an_invalid_id_token_is_unknown(text: str) -> None:
    """The error does not contain it."""
    with pytest.raises(Unknown, match="is not an ID token"):
        Claims.of(Secret(text))


# ---- one ID token a job


def gitlab(job: TrustedJob, patch: pytest.MonkeyPatch) -> TrustedJob:
    """The same job in GitLab, with its only ID token in a variable."""
    token = job.id_token()
    for name in list(job.environ):
        patch.delenv(name)
    job.environ.clear()
    job.environ.update({"GITLAB_CI": "true", "LOCAL_PYPI_ID_TOKEN": token})
    for name, value in job.environ.items():
        patch.setenv(name, value)
    return job


def test_one_id_token_is_kept_for_the_upload_and_used_to_its_end(
    job: TrustedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ID token is not used early, and its API token is used as long as it is valid."""
    job.publishers(PUBLISHER)
    before, index = job.minted(), gitlab(job, monkeypatch).index()
    proved = index.prove_login("demo", LoginProbe.MINTING)
    assert (proved.taken, "saved for the upload" in proved.detail) == (False, True)
    assert job.minted() == before
    trusted = index.trusted
    assert trusted is not None
    login = trusted.login()
    job.clock.time += 700
    assert trusted.login() == login
    job.clock.time += 200
    with pytest.raises(Denied, match="only one ID token") as caught:
        trusted.login()
    assert "start the job again" in caught.value.next_step


def test_an_id_token_for_another_audience_does_not_count(job: TrustedJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitLab's variables are named after audiences; the error names the missing one."""
    gitlab(job, monkeypatch)
    monkeypatch.delenv("LOCAL_PYPI_ID_TOKEN")
    with pytest.raises(Denied, match="LOCAL_PYPI_ID_TOKEN not found") as caught:
        job.index().prove_login("demo", LoginProbe.ASKING)
    assert "id_tokens:" in caught.value.next_step


# ---- an index, or a CI, that does not answer as it should


def encoded(**claims: Any) -> str:
    """An unsigned ID token."""
    return jwt.encode({"aud": "mine"} | claims, "", "none")


def trusting(url: str, patch: pytest.MonkeyPatch, http: BoundedSession, clock: FakeClock) -> TrustedPublishing:
    """Trusted publishing to an index that a test scripts, which is also the CI."""
    environ = {"GITHUB_ACTIONS": "true", REQUEST_URL: f"{url}/ci", REQUEST_TOKEN: "runner-secret"}
    for name, value in environ.items():
        patch.setenv(name, value)
    place = IndexPlace(
        name="mine",
        upload=f"{url}/legacy/",
        simple=f"{url}/simple/",
        json="",
        page="",
        login=Login(username="__token__", secret=Secret(""), origin="nowhere"),
        trusted=Trusted.AUTO,
    )
    return TrustedPublishing(place=place, http=http, clock=clock, environ=environ)


Answers = dict[str, Callable[[Exchange], None]]


def script(answers: Answers) -> Callable[[Exchange], None]:
    """Answer as usual unless a test overrides it."""
    numbers = iter(range(1000))

    def serve(exchange: Exchange) -> None:
        path = exchange.path.partition("?")[0]
        usual: Answers = {
            "/_/oidc/audience": lambda x: x.json({"audience": "mine"}),
            "/ci": lambda x: x.json({"value": encoded(jti=str(next(numbers)))}),
            "/_/oidc/mint-token": lambda x: x.json({"token": "minted"}),
        }
        (usual | answers)[path](exchange)

    return serve


AUDIENCE, MINT = "/_/oidc/audience", "/_/oidc/mint-token"
ODD: dict[str, tuple[str, Callable[[Exchange], None], type[Exception], str]] = {
    "no trusted publishing": (AUDIENCE, lambda x: x.answer(404), Denied, "mine has no trusted publishing"),
    "switched off": (AUDIENCE, lambda x: x.answer(403), Denied, "switched trusted publishing off"),
    "audience on fire": (AUDIENCE, lambda x: x.answer(500), Unknown, "answered 500"),
    "audience in HTML": (AUDIENCE, lambda x: x.answer(200, "<h1>hi</h1>"), Unknown, "is not JSON"),
    "audience missing": (AUDIENCE, lambda x: x.json({}), Unknown, "names no audience"),
    "audience not text": (AUDIENCE, lambda x: x.json({"audience": 7}), Unknown, "names no audience"),
    "audience not printable": (AUDIENCE, lambda x: x.json({"audience": "a\nb"}), Unknown, "names no audience"),
    "audience of the public index": (AUDIENCE, lambda x: x.json({"audience": "pypi"}), Denied, "act as this job"),
    "audience of a signer": (AUDIENCE, lambda x: x.json({"audience": "Sigstore"}), Denied, "act as this job"),
    "CI on fire": ("/ci", lambda x: x.answer(500, "runner-secret"), Unknown, "gave no ID token"),
    "CI without a token": ("/ci", lambda x: x.json({}), Unknown, "malformed"),
    "CI for another audience": ("/ci", lambda x: x.json({"value": encoded(aud="x")}), Unknown, "audience"),
    "CI that gives no token": ("/ci", lambda x: x.json({"value": "hunter2"}), Unknown, "Malformed token"),
    "mint in HTML": (MINT, lambda x: x.answer(200, "hi"), Unknown, "is not JSON"),
    "mint without a token": (MINT, lambda x: x.json({"success": True}), Unknown, "returned no token"),
    "mint that breaks lines": (MINT, lambda x: x.json({"token": "a\nb"}), Unknown, "returned no token"),
    "mint on fire": (MINT, lambda x: x.answer(503), Unknown, "answered 503"),
    "mint that is busy": (MINT, lambda x: x.answer(429, headers={"Retry-After": "7"}), TryLater, "answered 429"),
    "mint that is busy for long": (MINT, lambda x: x.answer(429, headers={"Retry-After": "900"}), TryLater, "429"),
    "mint that resets": (MINT, Exchange.reset, Unknown, "the connection failed"),
    "mint that redirects": (MINT, lambda x: x.redirect("/elsewhere"), Denied, "refused to mint"),
    "mint that says no in HTML": (MINT, lambda x: x.answer(400, "no"), Denied, "refused to mint a token"),
    "mint that says something new": (
        MINT,
        lambda x: x.answer(422, '{"errors": [{"code": "new", "description": "because"}, 7]}', kind="application/json"),
        Denied,
        "new: because",
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_an_unusable_answer_is_refused_or_unknown(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never counts as a token, and the error has no secret."""
    path, answer, error, expected = ODD[case]
    with run_server(script({path: answer})) as server, BoundedSession(BOUNDS) as http:
        trusted = trusting(server.url, monkeypatch, http, FakeClock(time=1000.0))
        with pytest.raises(error, match=expected) as caught:
            trusted.login()
    message = f"{caught.value} {getattr(caught.value, 'next_step', '')}"
    assert "runner-secret" not in message


def test_a_token_that_comes_back_in_a_refusal_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers repeat the request in their answer."""

    def echo(exchange: Exchange) -> None:
        errors = [{"code": "invalid-payload", "description": json.loads(exchange.read())["token"]}]
        exchange.answer(422, json.dumps({"errors": errors}), kind="application/json")

    with run_server(script({MINT: echo})) as server, BoundedSession(BOUNDS) as http:
        trusted = trusting(server.url, monkeypatch, http, FakeClock(time=1000.0))
        with pytest.raises(Denied, match=r"invalid-payload: \*\*\*"):
            trusted.login()


def test_a_lost_answer_is_retried_with_another_id_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ID token may be used up. Waits and retries are bounded."""
    sent: list[str] = []

    def lose(exchange: Exchange) -> None:
        sent.append(json.loads(exchange.read())["token"])
        if len(sent) < 3:
            exchange.reset()
        else:
            exchange.json({"token": "minted"})

    clock = FakeClock(time=1000.0)
    with run_server(script({MINT: lose})) as server, BoundedSession(BOUNDS) as http:
        login = trusting(server.url, monkeypatch, http, clock).login()
    assert login.secret == Secret("minted")
    assert (len(sent), len(set(sent)), clock.slept) == (3, 3, [1.0, 4.0])


def test_a_shorter_token_is_replaced_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index may give shorter tokens than PyPI; a wrong clock does not mint a new one for each file."""
    clock = FakeClock(time=1000.0)
    answers: Answers = {MINT: lambda x: x.json({"token": "minted", "expires": 1})}
    with run_server(script(answers)) as server, BoundedSession(BOUNDS) as http:
        trusted = trusting(server.url, monkeypatch, http, clock)
        for seconds, exchanges in ((0, 1), (29, 1), (2, 2)):
            clock.time += seconds
            trusted.login()
            assert len(server.paths("POST")) == exchanges


def test_a_redirected_audience_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect could name the audience of another service."""
    with run_server(lambda x: x.json({"audience": "mine"})) as other:
        answers: Answers = {AUDIENCE: lambda x: x.redirect(f"{other.url}/x")}
        with run_server(script(answers)) as server, BoundedSession(BOUNDS) as http:
            trusted = trusting(server.url, monkeypatch, http, FakeClock(time=1000.0))
            with pytest.raises(Denied, match="redirects to"):
                trusted.login()


def test_a_ci_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library alone would wait four times for half a minute."""
    monkeypatch.setattr(ambient, "_PATIENCE", 0.2)
    with run_server(script({"/ci": Exchange.hang})) as server, BoundedSession(BOUNDS) as http:
        trusted = trusting(server.url, monkeypatch, http, FakeClock(time=1000.0))
        with pytest.raises(Unknown, match="no ID token within"):
            trusted.login()


def test_an_invalid_address_of_the_ci_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that the library does not catch is reported by its type only."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv(REQUEST_TOKEN, "x")
    monkeypatch.setenv(REQUEST_URL, "http://[")
    with pytest.raises(Unknown, match="cannot ask the CI"):
        id_token("x", os.environ)

"""Every advice about trusted publishing leads to a token, on the index and the issuer of a local world."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast

import jwt
import pytest
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.ci_jobs import PUBLISHER, TrustedJob
from tests.support.faulty_index import BOUNDS
from tests.support.faulty_server import Exchange, run_server
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index.trusted import TrustedPublishing
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import Denied
from unmoor.ports.index import LoginProbe
from unmoor.ports.world import IndexPlace, Login, Trusted
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.secret import Secret

TOKEN, URL = "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"
TYPO = {"workflow": "other.yml"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """One world for all walks here."""
    with local.start(tmp_path_factory.mktemp("world"), repository="acme/demo", checkout=None) as running:
        yield running


def job_of(place: Place) -> TrustedJob:
    """The job of a walk."""
    job = place.kept["job"]
    assert isinstance(job, TrustedJob)
    return job


def _mint(place: Place) -> object:
    """Get a token by the policy and with the password that the walk keeps."""
    trusted = job_of(place).trusted(place.kept.get("trusted", Trusted.AUTO), place.kept.get("password", ""))
    return trusted.login() if trusted.credential().minted else trusted.credential()


def _ask(place: Place) -> object:
    return job_of(place).trusted(Trusted.ALWAYS).prove(LoginProbe.ASKING)


def publishers(*each: Mapping[str, object]) -> Callable[..., object]:
    """Set the publishers of the index, each as the default one with these changes."""
    return lambda place, *_: job_of(place).publishers(*(PUBLISHER | dict(changes) for changes in each))


def touched(name: str) -> Callable[[Place], object]:
    """Make a control file of the index."""
    return lambda place: (job_of(place).folder / name).touch()


def claims(**values: object) -> Callable[..., object]:
    """Change the claims of the next ID tokens."""
    return lambda place, *_: job_of(place).claims(**values)


def environ(place: Place, **values: str) -> None:
    """Change the variables of the job; an empty value removes one."""
    job, patch = job_of(place), place.kept["patch"]
    for name, value in values.items():
        job.environ[name] = value
        patch.setenv(name, value)
        if not value:
            del job.environ[name]
            patch.delenv(name)


def _policy(place: Place, text: str) -> None:
    """Write the policy that the advice spells out, with a token, since all of these say to set one."""
    found = re.findall(r'trusted-publishing = "(\w+)"', text)
    place.kept["trusted"] = Trusted(found[0])
    if "API token" in text:
        place.kept["password"] = "pypi-token"


def _without_permission(place: Place) -> None:
    place.kept["saved"] = job_of(place).environ[TOKEN]
    environ(place, **{TOKEN: ""})
    place.kept["trusted"] = Trusted.ALWAYS
    publishers({})(place)


def _permit(place: Place, text: str) -> None:
    assert "'permissions: id-token: write'" in text
    environ(place, **{TOKEN: place.kept["saved"]})


def _gitlab(place: Place, **more: str) -> None:
    """The same job in GitLab, with the ID tokens that its configuration names."""
    publishers({})(place)
    place.kept["token"] = job_of(place).id_token()
    environ(place, **{TOKEN: "", URL: "", "GITHUB_ACTIONS": "", "GITLAB_CI": "true", **more})


def _give(place: Place, text: str) -> None:
    """Give the job the ID token that is named after the index's audience."""
    assert "'id_tokens:'" in text
    name = re.findall(r"<AUDIENCE>(_ID_TOKEN)", text)[0]
    environ(place, **{f"LOCAL_PYPI{name}": place.kept["token"]})


def _spent(place: Place) -> None:
    _gitlab(place, LOCAL_PYPI_ID_TOKEN=job_of(place).id_token())
    place.kept["publishing"] = publishing = job_of(place).trusted()
    publishing.login()
    job_of(place).clock.time += 900


def _new_job(place: Place, text: str) -> None:
    """Start the job again: a new process, with another ID token in its variable."""
    assert text.startswith("start the job again")
    environ(place, LOCAL_PYPI_ID_TOKEN=place.kept["token"])
    place.kept["publishing"] = job_of(place).trusted()


def _used_up(place: Place) -> None:
    publishers({})(place)
    claims(jti="same")(place)
    assert job_of(place).mint().status_code == 200


def _taken(place: Place) -> None:
    publishers({"project": "there", "pending": True})(place)
    assert job_of(place).mint().status_code == 200
    publishers({"project": "There", "pending": True})(place)


def _match(place: Place, text: str) -> None:
    """Add a publisher with the fields that the error shows on its right."""
    assert "add a publisher with the fields on the right" in text
    with pytest.raises(Denied) as caught:
        _mint(place)
    shown = dict(re.findall(r"\| (?:owner \w+, )?(repository|workflow) ([\w.]+)$", str(caught.value), re.MULTILINE))
    publishers({"repository": f"acme/{shown['repository']}", "workflow": shown["workflow"]})(place)


def refused(begin: Callable[[Place], object], follow: Callable[[Place, str], object], then: str = "") -> Walk:
    """A mint that the index refuses."""
    return Walk(begin=begin, act=_mint, follow=follow, then=then)


IN_WORLD: dict[str, Walk] = {
    "grant-id-tokens": refused(_without_permission, _permit),
    "give-id-tokens": Walk(begin=_gitlab, act=_ask, follow=_give),
    "give-id-tokens for another audience": Walk(
        begin=lambda place: _gitlab(place, PYPI_ID_TOKEN="x"), act=_ask, follow=_give
    ),
    "release-from-ci": refused(
        also(keep(trusted=Trusted.ALWAYS), lambda place: environ(place, **{TOKEN: "", URL: "", "GITHUB_ACTIONS": ""})),
        _policy,
    ),
    "keep-one-credential": refused(keep(trusted=Trusted.ALWAYS, password="pypi-x"), _policy),
    "keep-one-credential by removing it": refused(
        also(publishers({}), keep(trusted=Trusted.ALWAYS, password="pypi-x")),
        lambda place, text: place.kept.update(password="" if text.startswith("remove that one") else "x"),
    ),
    "start-another-job": Walk(begin=_spent, act=lambda place: place.kept["publishing"].login(), follow=_new_job),
    "start-job-for-token": refused(_used_up, claims()),
    "wait-for-trusted-publishing": refused(
        also(publishers({}), touched("no-github")), lambda place, _: (job_of(place).folder / "no-github").unlink()
    ),
    "wait-for-trusted-publishing or a token": refused(touched("no-trusted-publishing"), _policy),
    "check-trust-in-ci": refused(claims(iss="https://ci.example.org"), _policy),
    "compare-issuer": refused(also(publishers({}), claims(iat=1, exp=2)), claims()),
    "match-publisher": refused(publishers(TYPO), _match),
    "add-publisher-to-project": refused(_taken, publishers({"project": "there"})),
    "choose-another-name": refused(
        publishers({"project": "json", "pending": True}), publishers({"project": "demo", "pending": True})
    ),
}


@pytest.mark.parametrize("name", IN_WORLD)
def test_advice_is_followed(name: str, tmp_path: Path, world: LocalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The publisher, the permission or the setting that the advice names gives a token."""
    job = TrustedJob.start(world, monkeypatch)
    kept = {"job": job, "patch": monkeypatch}
    walk(name, IN_WORLD, Place(folder=tmp_path, shell=cast("LocalShell", None), kept=kept))


Answer = Callable[[Exchange], None]
AUDIENCE, MINT = "/_/oidc/audience", "/_/oidc/mint-token"
RIGHT: dict[str, Answer] = {
    AUDIENCE: lambda each: each.json({"audience": "mine"}),
    MINT: lambda each: each.json({"token": "minted"}),
}


def _elsewhere(exchange: Exchange) -> None:
    exchange.redirect(f"http://localhost:{exchange.server.server_port}/elsewhere")


def _no_id_token(exchange: Exchange) -> None:
    """Answer with what has the payload of an ID token, and no header."""
    payload = jwt.encode({"aud": "mine"}, "", "none").split(".")[1]
    exchange.json({"value": f"e30.{payload}.x"})


def scripted(path: str, answer: Answer, follow: Callable[[Place, str], object]) -> Walk:
    """An index that answers wrongly until its operator, or the world file, is corrected."""
    return Walk(begin=keep(answers=RIGHT | {path: answer}), act=_exchange, follow=follow)


def _exchange(place: Place) -> object:
    """Ask for the audience and mint, by the policy that the walk keeps."""
    login = Login(username="__token__", secret=Secret(place.kept.get("password", "")), origin="a test")
    url = place.kept["url"]
    index = IndexPlace(
        name="mine",
        upload=f"{url}/legacy/",
        simple=f"{url}/simple/",
        json="",
        page="",
        login=login,
        trusted=place.kept.get("trusted", Trusted.AUTO),
    )
    job = {"GITHUB_ACTIONS": "true", TOKEN: "x", URL: f"{url}/ci"}
    with BoundedSession(BOUNDS) as http, pytest.MonkeyPatch.context() as patch:
        for name, value in job.items():
            patch.setenv(name, value)
        trusted = TrustedPublishing(place=index, http=http, clock=FakeClock(), environ=job)
        return trusted.login() if trusted.credential().minted else None


repaired = keep(answers=RIGHT)
SCRIPTED: dict[str, Walk] = {
    "switch-trusted-publishing-off": scripted(AUDIENCE, lambda each: each.answer(404), _policy),
    "ask-for-audience": scripted(AUDIENCE, lambda each: each.json({"audience": "sigstore"}), repaired),
    "correct-address-or-use-token": scripted(AUDIENCE, _elsewhere, _policy),
    "correct-or-use-token": scripted(MINT, lambda each: each.answer(400, "no"), _policy),
    "check-status-page": scripted(AUDIENCE, lambda each: each.answer(500), repaired),
    "check-status-page no audience": scripted(AUDIENCE, lambda each: each.json({}), repaired),
    "check-status-page no token": scripted(MINT, lambda each: each.json({}), repaired),
    "check-status-page of the CI": scripted("/ci", lambda each: each.answer(500), repaired),
    "open-address": scripted(AUDIENCE, lambda each: each.answer(200, "<h1>log in</h1>"), repaired),
    "check-id-token-settings": scripted("/ci", _no_id_token, repaired),
}
WALKS = IN_WORLD | SCRIPTED


@pytest.mark.parametrize("name", SCRIPTED)
def test_advice_about_an_index_is_followed(name: str, tmp_path: Path) -> None:
    """With the setting that the advice spells out, or a repaired server, the same command works."""
    place = Place(folder=tmp_path, shell=cast("LocalShell", None))
    numbers = itertools.count()

    def serve(exchange: Exchange) -> None:
        usual: dict[str, Answer] = {
            "/ci": lambda each: each.json(
                {"value": jwt.encode({"aud": "mine", "jti": str(next(numbers))}, "", "none")}
            ),
            "/elsewhere": RIGHT[AUDIENCE],
        }
        (usual | place.kept["answers"])[exchange.path.partition("?")[0]](exchange)

    with run_server(serve) as server:
        place.kept["url"] = server.url
        walk(name, SCRIPTED, place)

"""A stranger reads without credentials, whatever the world or the environment has."""

from __future__ import annotations

import pytest
from tests.support.local_forge import place_at
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.reading import create_readers, without_logins
from unmoor.adapters.sigstore.trust import TrustFiles
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.config.real_world import real_world
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.secret import Secret
from unmoor.util.values import replace


def test_no_login_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes, forge, registries and Sigstore: none of them gets one."""
    for name in ("TWINE_PASSWORD", "UNMOOR_TESTPYPI_PASSWORD", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "secret")
    login = Login(username="me", secret=Secret("secret"), origin="a test")
    world = real_world("acme/demo", {"TWINE_PASSWORD": "secret", "GITHUB_TOKEN": "secret"})
    world = replace(
        world,
        forge=place_at("http://127.0.0.1:1", token="secret"),
        registries=(RegistryPlace(host="ghcr.io", address="http://127.0.0.1:1", login=login),),
    )
    bare = without_logins(world)
    assert bare.staging is not None
    assert bare.signing is not None
    logins = [bare.index.login, bare.staging.login, bare.forge.login, bare.registries[0].login, bare.signing.token]
    assert not any(bool(each.secret) or each.username for each in logins)
    assert replace(bare, forge=replace(bare.forge, login=world.forge.login)).forge == world.forge


@pytest.mark.parametrize(
    ("given", "site", "fetched"),
    [
        (False, "https://github.com", ["Trust", "GitHubTrust"]),
        (False, "https://github.example.org", ["Trust", "NoneType"]),
        (True, "https://github.com", ["TrustFiles", "NoneType"]),
    ],
)
def test_keys_that_were_given_are_the_only_ones(*, given: bool, site: str, fetched: list[str]) -> None:
    """Without a trusted root the public Sigstore is asked, and GitHub for its own keys; with one, nobody."""
    world = real_world("acme/demo", {})
    world = replace(world, forge=replace(world.forge, site=site))
    trust = TrustFiles(paths=("root.json",)) if given else None
    with BoundedSession() as http:
        verifier = create_readers(world, http, FakeClock(), trust=trust).verifier
    assert isinstance(verifier, SigstoreVerifier)
    assert [type(each).__name__ for each in (verifier.trust, verifier.forge_trust)] == fetched

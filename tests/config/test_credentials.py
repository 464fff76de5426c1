"""Credentials of the real world: where they are found, in which order, and that none goes to the wrong index."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest
import twine.utils
from hypothesis import given
from hypothesis import strategies as st

from unmoor.config import credentials
from unmoor.config.credentials import SecretReference, checked_reference, forge_login, from_keyring, index_login
from unmoor.errors import ConfigError
from unmoor.ports.world import Login
from unmoor.util.secret import Secret

CANARY = "canary-7f3a"
OTHER = "other-canary-91bc"
PRODUCTION = twine.utils.DEFAULT_REPOSITORY
STAGING = twine.utils.TEST_REPOSITORY
UPLOADS = {"pypi": PRODUCTION, "testpypi": STAGING}


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1.0

    def __init__(self, passwords: dict[tuple[str, str], str], hold: threading.Event | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # keyring's own is not annotated
        self.passwords, self.hold = passwords, hold

    def get_password(self, service: str, username: str) -> str | None:
        """Return a password. Waits first if a test blocks the keyring."""
        if self.hold:
            self.hold.wait(30)
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a password."""
        self.passwords[service, username] = password


class BrokenKeyring(MemoryKeyring):
    """A keyring that fails with a message that must not be shown."""

    def get_password(self, service: str, username: str) -> str | None:
        """Fail."""
        raise RuntimeError(f"{CANARY} {service} {username}")


@pytest.fixture(autouse=True)
def _usual_keyring() -> Iterator[None]:
    """Restore the keyring after each test."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def home_with(tmp_path: Path, text: str) -> dict[str, str]:
    """Write a .pypirc, and return the environment with its home."""
    (tmp_path / ".pypirc").write_text(text, encoding="utf-8")
    return {"HOME": str(tmp_path), "GITHUB_ACTIONS": "true"}


def found(name: str, environ: dict[str, str]) -> tuple[str, str]:
    """Find a login, and return its secret and origin. Neither its ``repr`` nor its origin may contain the secret."""
    login = index_login(name, UPLOADS[name], environ)
    assert CANARY not in f"{login!r}"
    assert OTHER not in f"{login!r}"
    return login.secret.reveal(), login.origin


@pytest.mark.parametrize(
    ("environ", "production", "staging"),
    [
        ({}, "", ""),
        ({"TWINE_PASSWORD": "t"}, "t", ""),
        ({"TWINE_PASSWORD": "t", "TWINE_REPOSITORY": "pypi"}, "t", ""),
        ({"TWINE_PASSWORD": "t", "TWINE_REPOSITORY": "testpypi"}, "", "t"),
        ({"TWINE_PASSWORD": "t", "TWINE_REPOSITORY": "private"}, "", ""),
        ({"TWINE_PASSWORD": "t", "TWINE_REPOSITORY_URL": STAGING}, "", "t"),
        ({"TWINE_PASSWORD": "t", "TWINE_REPOSITORY_URL": PRODUCTION.rstrip("/")}, "t", ""),
        ({"TWINE_PASSWORD": "t", "TWINE_REPOSITORY_URL": "https://example.org/", "TWINE_REPOSITORY": "pypi"}, "", ""),
        ({"UNMOOR_PYPI_PASSWORD": "p"}, "p", ""),
        ({"UNMOOR_TESTPYPI_PASSWORD": "s"}, "", "s"),
        ({"UNMOOR_PYPI_PASSWORD": "p", "UNMOOR_TESTPYPI_PASSWORD": "s", "TWINE_PASSWORD": "t"}, "p", "s"),
        ({"UNMOOR_PYPI_PASSWORD": "", "TWINE_PASSWORD": "t"}, "t", ""),
    ],
)
def test_variables(tmp_path: Path, environ: dict[str, str], production: str, staging: str) -> None:
    """Each variable is used for its own index only."""
    environ = {"HOME": str(tmp_path), "GITHUB_ACTIONS": "true", **environ}
    assert (found("pypi", environ)[0], found("testpypi", environ)[0]) == (production, staging)


@pytest.mark.parametrize(
    ("text", "production", "staging"),
    [
        ("", "", ""),
        (f"[pypi]\npassword = {CANARY}\n", CANARY, ""),
        (f"[testpypi]\nusername = __token__\npassword = {OTHER}\n", "", OTHER),
        (f"[pypi]\npassword: {CANARY}\n[testpypi]\npassword: {OTHER}\n", CANARY, OTHER),
        ("[pypi]\npassword = a%%b%\n", "a%%b%", ""),
        (f"[server-login]\npassword = {CANARY}\n", "", ""),
        (f"[pypi]\nrepository = https://example.org/\npassword = {CANARY}\n", "", ""),
        (f"[pypi]\nrepository = {PRODUCTION.rstrip('/')}\npassword = {CANARY}\n", CANARY, ""),
        (f"[mine]\nrepository = {STAGING}\npassword = {OTHER}\n", "", OTHER),
        (f"[a]\nrepository={PRODUCTION}\npassword={CANARY}\n[b]\nrepository={PRODUCTION}\npassword={OTHER}\n", "", ""),
    ],
)
def test_pypirc(tmp_path: Path, text: str, production: str, staging: str) -> None:
    """A section is matched by its name or its address, and never used for another index."""
    environ = home_with(tmp_path, text)
    assert (found("pypi", environ)[0], found("testpypi", environ)[0]) == (production, staging)


def test_origins_name_the_place(tmp_path: Path) -> None:
    """The origin says where the secret was found, or lists every place that was searched."""
    environ = home_with(tmp_path, f"[pypi]\npassword = {CANARY}\n")
    assert found("pypi", environ)[1] == f"[pypi] in {tmp_path / '.pypirc'}"
    assert found("testpypi", environ)[1] == f"nowhere: looked in UNMOOR_TESTPYPI_PASSWORD, {tmp_path / '.pypirc'}"
    assert found("pypi", {**environ, "TWINE_PASSWORD": OTHER})[1] == "the environment variable TWINE_PASSWORD"
    several = home_with(
        tmp_path, f"[a]\nrepository={PRODUCTION}\npassword={CANARY}\n[b]\nrepository={PRODUCTION}\npassword={OTHER}\n"
    )
    assert "several sections are for this index: set UNMOOR_PYPI_PASSWORD" in found("pypi", several)[1]


def test_usernames(tmp_path: Path) -> None:
    """The default is the user name of API tokens. TWINE_USERNAME applies to TWINE_PASSWORD only."""
    base = {"HOME": str(tmp_path), "GITHUB_ACTIONS": "true"}
    twine_user = {**base, "TWINE_USERNAME": "me", "TWINE_PASSWORD": "t"}
    assert index_login("pypi", PRODUCTION, base).username == "__token__"
    assert index_login("pypi", PRODUCTION, twine_user).username == "me"
    assert index_login("testpypi", STAGING, {**twine_user, "UNMOOR_TESTPYPI_PASSWORD": "s"}).username == "__token__"
    own = {**twine_user, "UNMOOR_PYPI_USERNAME": "you", "UNMOOR_PYPI_PASSWORD": "p"}
    assert index_login("pypi", PRODUCTION, own) == Login(
        username="you", secret=Secret("p"), origin="the environment variable UNMOOR_PYPI_PASSWORD"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"password = {CANARY}\n", ", line 1"),
        (f"[pypi]\npassword = a\n\n{CANARY}\n", ", line 4"),
        (f"[pypi]\npassword = {CANARY}\npassword = {CANARY}\n", ", line 3"),
        (f"[pypi]\n[pypi]\npassword = {CANARY}\n", ", line 2"),
    ],
)
def test_a_broken_pypirc(tmp_path: Path, text: str, place: str) -> None:
    """The error for a file that cannot be parsed names the line and does not quote it."""
    with pytest.raises(ConfigError) as raised:
        found("pypi", home_with(tmp_path, text))
    file = tmp_path / ".pypirc"
    assert str(raised.value) == f"{file}{place}: this is not INI, or a section or an option appears twice"


def test_the_keyring_is_asked_for_the_upload_address(tmp_path: Path) -> None:
    """The service is the upload address, so the two indexes never share a password."""
    keyring.set_keyring(MemoryKeyring({(PRODUCTION, "__token__"): CANARY}))
    environ = {"HOME": str(tmp_path)}
    assert found("pypi", environ) == (CANARY, f"the keyring ({PRODUCTION}, __token__)")
    assert found("testpypi", environ)[0] == ""
    assert found("pypi", {**environ, "GITHUB_ACTIONS": "true"})[0] == ""
    assert found("pypi", {**environ, "GITHUB_ACTIONS": "true", "PYTHON_KEYRING_BACKEND": "x"})[0] == CANARY


def test_a_keyring_that_fails() -> None:
    """A backend may raise any exception, and its message is not repeated."""
    keyring.set_keyring(BrokenKeyring({}))
    assert from_keyring("service", "me") == (Secret(""), "the keyring (service, me), which failed (RuntimeError)")


def test_a_keyring_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring that waits for its user times out."""
    monkeypatch.setattr(credentials, "_KEYRING_PATIENCE", 0.05)
    hold = threading.Event()
    keyring.set_keyring(MemoryKeyring({("service", "me"): CANARY}, hold))
    try:
        secret, origin = from_keyring("service", "me")
    finally:
        hold.set()
    assert (secret, origin) == (Secret(""), "the keyring (service, me), which did not answer within 0 s")


def test_without_the_keyring_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring package is optional."""
    monkeypatch.delitem(sys.modules, "keyring")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert from_keyring("service", "me")[1] == "the keyring (service, me), but the keyring package is not installed"


@pytest.mark.parametrize(
    ("environ", "secret", "origin"),
    [
        ({"GITHUB_TOKEN": CANARY, "GH_TOKEN": OTHER}, CANARY, "the environment variable GITHUB_TOKEN"),
        ({"GITHUB_TOKEN": "", "GH_TOKEN": f"{OTHER}\n"}, OTHER, "the environment variable GH_TOKEN"),
        ({}, "", "nowhere: neither GITHUB_TOKEN nor GH_TOKEN is set"),
    ],
)
def test_the_forges_token(environ: dict[str, str], secret: str, origin: str) -> None:
    """GITHUB_TOKEN takes precedence over GH_TOKEN. An empty variable is ignored."""
    assert forge_login(environ) == Login(username="", secret=Secret(secret), origin=origin)


@given(st.text(max_size=30))
def test_a_refused_reference_is_never_quoted(text: str) -> None:
    """No error quotes the refused text, and accepted text is a literal or a known reference."""
    marked = text + CANARY
    try:
        checked_reference(marked)
    except ValueError as error:
        assert CANARY not in str(error)  # noqa: PT017 - accepted text is checked below
        return
    lookup = SecretReference.parse(Secret(marked)).lookup
    assert lookup is None or marked.startswith(f"{lookup}:")

"""The project's code gets the variables that it needs, and no logins."""

from __future__ import annotations

import pytest

from unmoor.adapters.process.variables import (
    is_public,
    keyring_variables,
    project_variables,
    server_variables,
    tool_variables,
    utf8_variables,
    windows_variables,
)
from unmoor.ports.system import LINUX, MACOS, WINDOWS, System


def test_no_token_passes() -> None:
    """The project's code gets the variables it needs to build, and no release credentials and no HOME."""
    seen = project_variables(
        {
            "PATH": "/bin",
            "LC_ALL": "C",
            "SSL_CERT_FILE": "/ca",
            "PIP_INDEX_URL": "https://example.org/simple",
            "HOME": "/home/someone",
            "XDG_CONFIG_HOME": "/home/someone/.config",
            "CARGO_HOME": "/home/someone/.cargo",
            "GITHUB_TOKEN": "t",
            "GH_TOKEN": "t",
            "TWINE_PASSWORD": "t",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
            "UV_PUBLISH_TOKEN": "t",
            "UV_INDEX_PRIVATE_PASSWORD": "t",
            "AWS_SECRET_ACCESS_KEY": "t",
            "SSH_AUTH_SOCK": "/run/agent",
            "PYTHONPATH": "/x",
            "PYTHONSTARTUP": "/x",
            "PYTHONHOME": "/x",
            "VIRTUAL_ENV": "/y",
            "GIT_DIR": "/z",
        }
    )
    assert set(seen) == {"PATH", "LC_ALL", "SSL_CERT_FILE", "PIP_INDEX_URL"}


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("PIP_INDEX_URL", "https://user:pass@host/simple", "https://host/simple"),
        ("PIP_INDEX_URL", "https://t0ken@host/simple", "https://host/simple"),
        ("PIP_INDEX_URL", "https://user:p@ss@host/simple", "https://host/simple"),
        ("PIP_INDEX_URL", "https://user:p/ss@host/simple", "https://host/simple"),
        ("PIP_INDEX_URL", "https://user:p#s?s@host/simple", "https://host/simple"),
        ("PIP_INDEX_URL", "https://user:%70@[::1]:8080/simple", "https://[::1]:8080/simple"),
        ("PIP_EXTRA_INDEX_URL", "https://a:b@one/s https://two/s\nhttps://c@three/s", None),
        ("UV_INDEX", "one=https://a:b@one/s two=https://two/s", "one=https://one/s two=https://two/s"),
        ("UV_DEFAULT_INDEX", "https://a:b@one/s", "https://one/s"),
        ("UV_FIND_LINKS", "https://a:b@one/s,/opt/wheels,https://c:d@two/s", "https://one/s,/opt/wheels,https://two/s"),
        ("PIP_FIND_LINKS", "file:///opt/wheels https://a:b@one/s", "file:///opt/wheels https://one/s"),
        ("HTTPS_PROXY", "http://user:pass@proxy:3128", "http://proxy:3128"),
        ("https_proxy", "user:pass@proxy:3128", "proxy:3128"),
        ("ALL_PROXY", "socks5://user:pass@proxy", "socks5://proxy"),
        ("PIP_CONSTRAINT", "https://a:b@one/constraints.txt", "https://one/constraints.txt"),
        # These are no logins.
        ("PIP_INDEX_URL", "https://host/simple/@scope/name", "https://host/simple/@scope/name"),
        ("PIP_INDEX_URL", "https://host:8443/@scope", "https://host:8443/@scope"),
        ("HTTP_PROXY", "proxy:3128", "proxy:3128"),
        ("CFLAGS", "-O2 -DADDRESS=x@y", "-O2 -DADDRESS=x@y"),
    ],
)
def test_addresses_lose_their_logins(name: str, value: str, seen: str | None) -> None:
    """Everything before the host goes, however it is written; the rest of the value stays."""
    seen = "https://one/s https://two/s\nhttps://three/s" if seen is None else seen
    assert project_variables({name: value}) == {name: seen}
    assert is_public(name, value) == (seen == value)
    assert tool_variables({name: value}) == {name: seen}
    assert tool_variables({name: value}, logins=True) == {name: value}
    assert server_variables({name: value}).get(name, seen) == seen


def test_what_stays_visible() -> None:
    """Other processes may see only what the project's code gets anyway."""
    assert is_public("PATH", "/bin")
    assert not is_public("GITHUB_TOKEN", "t")
    assert not is_public("HOME", "/home/someone")


def test_what_programs_of_ours_get() -> None:
    """They find the user's settings; no token of a release is passed to any."""
    environ = {
        "HOME": "/home/someone",
        "PYTHONPATH": "/libraries",
        "DOCKER_HOST": "unix:///engine",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/bus",
        "GOOGLE_APPLICATION_CREDENTIALS": "/key.json",
        "GITHUB_TOKEN": "t",
        "UNMOOR_PYPI_PASSWORD": "t",
        "DOCKER_AUTH_CONFIG": "t",
    }
    assert set(tool_variables(environ)) == {"HOME"}
    assert set(server_variables(environ)) == {"HOME", "PYTHONPATH", "DOCKER_HOST"}
    cloud = {"DBUS_SESSION_BUS_ADDRESS", "GOOGLE_APPLICATION_CREDENTIALS"}
    assert set(keyring_variables(environ)) == {"HOME", *cloud}


ON_WINDOWS = {
    "Path": "C:\\Windows",
    "SystemRoot": "C:\\Windows",
    "ComSpec": "C:\\Windows\\system32\\cmd.exe",
    "PATHEXT": ".COM;.EXE",
    "TEMP": "C:\\Users\\me\\AppData\\Local\\Temp",
    "ProgramFiles(x86)": "C:\\Program Files (x86)",
    "INCLUDE": "C:\\VC\\include",
    "pip_index_url": "https://user:pass@host/simple",
    "USERPROFILE": "C:\\Users\\me",
    "AppData": "C:\\Users\\me\\AppData\\Roaming",
    "GITHUB_TOKEN": "t",
    "Github_Token": "t",
    "OneDrive": "C:\\Users\\me\\OneDrive",
}


def test_what_programs_need_on_windows() -> None:
    """Sockets, temporary files and Visual C++ are found, the case of a name does not matter, and no login passes."""
    everywhere = {"Path", "SystemRoot", "ComSpec", "PATHEXT", "TEMP", "ProgramFiles(x86)"}
    project = project_variables(ON_WINDOWS, WINDOWS)
    assert set(project) == everywhere | {"INCLUDE", "pip_index_url"}
    assert project["pip_index_url"] == "https://host/simple"
    assert set(tool_variables(ON_WINDOWS, system=WINDOWS)) == {*project, "USERPROFILE", "AppData"}
    assert set(server_variables(ON_WINDOWS, WINDOWS)) == everywhere | {"USERPROFILE", "AppData"}
    assert set(windows_variables(ON_WINDOWS, WINDOWS)) == (everywhere - {"Path"}) | {"USERPROFILE", "AppData"}


@pytest.mark.parametrize("system", [LINUX, MACOS])
def test_nothing_of_windows_elsewhere(system: System) -> None:
    """A variable of Windows that a shell in WSL inherits does not reach the project's code."""
    assert set(project_variables(ON_WINDOWS, system)) == set()
    assert windows_variables(ON_WINDOWS, system) == {}


@pytest.mark.parametrize(
    ("system", "expected"),
    [(LINUX, {"LC_ALL": "C.UTF-8"}), (MACOS, {"LC_ALL": "en_US.UTF-8"}), (WINDOWS, {"PYTHONUTF8": "1"})],
)
def test_builds_read_utf8(system: System, expected: dict[str, str]) -> None:
    """A build reads a text the same on each system, by what Python looks at there."""
    assert utf8_variables(system) == expected

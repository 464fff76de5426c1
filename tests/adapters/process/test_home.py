"""The project's code gets a HOME of its own, with a few settings of the user and no login."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.sample_projects import write_files
from tests.support.systems import posix

from unmoor.adapters.process.home import _ELSEWHERE, _OF_CARGO, copy_home, make_home
from unmoor.filesystem import layout
from unmoor.filesystem.layout import WindowsLayout
from unmoor.ports.system import LINUX, WINDOWS

CARGO = """\
[registries.mine]
index = "sparse+https://someone:s3cret@example.org/"
token = "s3cret"
credential-provider = "cargo:token-from-stdout s3cret"
[registry]
default = "mine"
token = "s3cret"
[http]
proxy = "someone:s3cret@proxy:3128"
[net]
git-fetch-with-cli = true
[env]
API_KEY = "s3cret"
"""

# What users have in their HOME, and whether the project's code finds it in its own.
FILES: Mapping[str, tuple[str, str | None]] = {
    ".pypirc": ("[pypi]\npassword = s3cret\n", None),
    ".netrc": ("machine example.org login someone password s3cret\n", None),
    ".git-credentials": ("https://someone:s3cret@example.org\n", None),
    ".gitconfig": ("[http]\n  extraheader = s3cret\n", None),
    ".config/git/credentials": ("https://someone:s3cret@example.org\n", None),
    ".config/gh/hosts.yml": ("oauth_token: s3cret\n", None),
    ".docker/config.json": ('{"auths": {"ghcr.io": {"auth": "s3cret"}}}', None),
    ".ssh/id_ed25519": ("s3cret", None),
    ".aws/credentials": ("s3cret", None),
    ".npmrc": (
        "registry=https://a:s3cret@b/\n//b/:_authToken=s3cret\n_auth = s3cret\nkey=s3cret\nfund=false\n",
        "registry=https://b/\nfund=false\n",
    ),
    ".local/share/uv/credentials/credentials.toml": ("password = 's3cret'\n", None),
    ".local/share/python_keyring/keyring_pass.cfg": ("s3cret", None),
    ".cargo/credentials.toml": ("[registry]\ntoken = 's3cret'\n", None),
    ".cargo/credentials": ("[registry]\ntoken = 's3cret'\n", None),
    ".config/pip/pip.conf": (
        "[global]\nindex-url = https://someone:s3cret@example.org/simple\ntimeout = 5\n",
        "[global]\nindex-url = https://example.org/simple\ntimeout = 5\n",
    ),
    ".pip/pip.conf": (
        "[global]\nproxy = someone:s3cret@proxy:3128\nextra-index-url =\n  https://s3cret@one.example.org/simple\n  https://two.example.org/simple\n",
        "[global]\nproxy = proxy:3128\nextra-index-url =\n  https://one.example.org/simple\n  https://two.example.org/simple\n",
    ),
    ".config/uv/uv.toml": (
        'index-url = "https://someone:s3cret@example.org/simple"\nlink-mode = "copy"\n',
        'index-url = "https://example.org/simple"\nlink-mode = "copy"\n',
    ),
    ".cargo/registry/index/one": ("crates", "crates"),
    ".cargo/bin/tool": ("a program", "a program"),
}


def everything(folder: Path) -> dict[str, str]:
    """Every file of a folder, through links too."""
    walked = ((at, name) for at, _, names in os.walk(folder, followlinks=True) for name in names)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in (Path(at, name) for at, name in walked)}


@posix
def test_what_is_in_it(tmp_path: Path) -> None:
    """Only listed files are there, without logins, and variables lead to nothing else."""
    user = write_files(
        tmp_path / "user", {name: text for name, (text, _) in FILES.items()} | {".cargo/config.toml": CARGO}
    )
    variables = make_home(tmp_path / "home", {"HOME": str(user), "PATH": "/bin", "XDG_RUNTIME_DIR": "/run"})
    found = everything(tmp_path / "home")
    cargo = tomllib.loads(found.pop(".cargo/config.toml"))
    assert found == {name: text for name, (_, text) in FILES.items() if text is not None}
    assert cargo == {
        "registries": {"mine": {"index": "sparse+https://example.org/"}},
        "registry": {"default": "mine"},
        "http": {"proxy": "proxy:3128"},
        "net": {"git-fetch-with-cli": True},
        "env": {},
    }
    home = tmp_path / "home"
    assert variables == {"PATH": "/bin", "HOME": str(home), "CARGO_HOME": str(home / ".cargo")}
    assert home.stat().st_mode & 0o777 == 0o700


def test_the_page_on_trust_lists_it() -> None:
    """Users read there what is in the folder, and which variables lead out of it."""
    page = (Path(__file__).parents[3] / "docs" / "concepts" / "trust.md").read_text()
    listed = page.partition("## What the project's code can read")[2].partition("### What stays readable")[0]
    words = set(re.findall(r"[\w./-]+", listed))
    names = {".config/uv/uv.toml", ".config/pip", ".pip", "pip.conf", ".gitconfig", ".npmrc", "config.toml", *_OF_CARGO}
    assert names | _ELSEWHERE.keys() | {"PIP_CONFIG_FILE", "UV_CONFIG_FILE", "CARGO_HOME"} <= words


@pytest.mark.parametrize(
    ("variable", "name", "text", "copied"),
    [
        (
            "PIP_CONFIG_FILE",
            "mine.conf",
            "[install]\nindex-url=https://a:s3cret@b/\n",
            "[install]\nindex-url=https://b/\n",
        ),
        ("UV_CONFIG_FILE", "mine.toml", 'index-url="https://a:s3cret@b/"\n', 'index-url="https://b/"\n'),
    ],
)
def test_files_that_variables_name(tmp_path: Path, variable: str, name: str, text: str, copied: str) -> None:
    """A variable names a copy without logins; if the file cannot be read, the variable is left out."""
    user = write_files(tmp_path / "user", {name: text})
    variables = make_home(tmp_path / "home", {"HOME": str(user), variable: str(user / name)})
    assert Path(variables[variable]).is_relative_to(tmp_path / "home")
    assert Path(variables[variable]).read_text() == copied
    assert variable not in make_home(tmp_path / "other", {variable: str(user / "missing")})
    assert make_home(tmp_path / "none", {"PIP_CONFIG_FILE": os.devnull})["PIP_CONFIG_FILE"] == os.devnull


@posix
def test_settings_elsewhere(tmp_path: Path) -> None:
    """Settings are found where the XDG variables say, and CARGO_HOME where its variable says."""
    user = write_files(tmp_path / "user", {"conf/pip/pip.conf": "[global]\n", "cargo/registry/one": "crate"})
    environ = {"XDG_CONFIG_HOME": str(user / "conf"), "CARGO_HOME": str(user / "cargo")}
    variables = make_home(tmp_path / "home", environ)
    assert set(everything(tmp_path / "home")) == {".config/pip/pip.conf", ".cargo/registry/one"}
    assert set(variables) == {"HOME", "CARGO_HOME"}


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv"), ("NVM_DIR", ".nvm"), ("GOPATH", "go")],
)
def test_folders_of_programs(tmp_path: Path, variable: str, folder: str) -> None:
    """What programs look for below HOME is named by their variable, unless the user names another folder."""
    user = tmp_path / "user"
    (user / folder).mkdir(parents=True)
    assert make_home(tmp_path / "one", {"HOME": str(user)})[variable] == str(user / folder)
    assert make_home(tmp_path / "two", {"HOME": str(user), variable: "/other"})[variable] == "/other"


@pytest.mark.parametrize("text", ["not [ TOML", "\\xff"])
def test_settings_of_cargo_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """They are left out: a login in them could not be found."""
    user = write_files(tmp_path / "user", {".cargo/config.toml": text, ".cargo/config": "[net]\n"})
    make_home(tmp_path / "home", {"HOME": str(user)})
    assert everything(tmp_path / "home") == {".cargo/config": "[net]\n"}


def test_no_home(tmp_path: Path) -> None:
    """Without a HOME of the user, there is an empty one."""
    variables = make_home(tmp_path / "home", {"PATH": "/bin"}, system=LINUX)
    assert variables == {"PATH": "/bin", "HOME": str(tmp_path / "home")}
    assert everything(tmp_path / "home") == {}


def test_a_home_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable that programs look at leads into it; settings are copied to where they look for them there."""
    monkeypatch.setattr(layout, "LAYOUT", WindowsLayout())
    files = {
        "AppData/Roaming/pip/pip.ini": "\ufeff[global]\nindex-url = https://someone:s3cret@example.org/simple\n",
        "pip/pip.ini": "[global]\ntimeout = 5\n",
        "AppData/Roaming/uv/uv.toml": 'index-url = "https://someone:s3cret@example.org/simple"\n',
        "AppData/Roaming/Python/keyring.cfg": "s3cret",
        ".pypirc": "[pypi]\npassword = s3cret\n",
        ".rustup/toolchains/one": "a program",
    }
    user = write_files(tmp_path / "Jörg Müller", files)
    environ = {
        "USERPROFILE": str(user),
        "APPDATA": str(user / "AppData" / "Roaming"),
        "LOCALAPPDATA": str(user / "AppData" / "Local"),
        "SYSTEMROOT": "C:/Windows",
        "Path": "C:/Windows",
        "GITHUB_TOKEN": "s3cret",
    }
    home = tmp_path / "home"
    variables = make_home(home, environ, system=WINDOWS)
    assert everything(home) == {
        "AppData/Roaming/pip/pip.ini": "[global]\nindex-url = https://example.org/simple\n",
        "pip/pip.ini": "[global]\ntimeout = 5\n",
        "AppData/Roaming/uv/uv.toml": 'index-url = "https://example.org/simple"\n',
    }
    assert {name for name, value in variables.items() if str(user) in value} == {"RUSTUP_HOME"}
    assert {name for name, value in variables.items() if str(home).removeprefix(home.drive) in value} == {
        *("HOME", "USERPROFILE", "HOMEPATH", "APPDATA", "LOCALAPPDATA")
    }
    assert set(variables) >= {"Path", "SYSTEMROOT"}
    assert "s3cret" not in str(variables)
    assert Path(variables["LOCALAPPDATA"]).is_dir()


def test_a_copied_home(tmp_path: Path) -> None:
    """The copy has the same files, and its variables take the place of the former ones."""
    user = write_files(tmp_path / "user", {".config/pip/pip.conf": "[global]\n"})
    variables = make_home(tmp_path / "home", {"HOME": str(user), "PATH": "/bin"}, system=LINUX)
    assert copy_home(variables, tmp_path / "copy", system=LINUX) == {"HOME": str(tmp_path / "copy")}
    assert everything(tmp_path / "copy") == everything(tmp_path / "home") == {".config/pip/pip.conf": "[global]\n"}


def test_links_that_nobody_may_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows lets few users make links: then cargo has no downloads of the user, and its settings all the same."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refused)
    user = write_files(
        tmp_path / "user", {".cargo/registry/one": "crate", ".cargo/config.toml": "[net]\noffline = true\n"}
    )
    make_home(tmp_path / "home", {"HOME": str(user)})
    assert everything(tmp_path / "home") == {".cargo/config.toml": "[net]\noffline = true\n"}

"""Git reads private submodules with the user's logins, which no code of the project gets."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.faulty_server import Exchange, run_server
from tests.support.git_repos import Repo
from tests.support.sample_projects import write_files

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import ToolMissing, Unknown

LOGIN = "Basic " + base64.b64encode(b"someone:s3cret").decode()


@pytest.fixture
def private(tmp_path: Path) -> Iterator[str]:
    """The host and port of a server that serves a repository to those with a login."""
    inner = Repo.new(tmp_path / "inner", {"inside": "inside\n"})
    inner.git("clone", "--quiet", "--bare", ".", str(tmp_path / "served" / "inner.git"))
    Repo(tmp_path / "served" / "inner.git").git("update-server-info")

    def serve(exchange: Exchange) -> None:
        file = tmp_path / "served" / exchange.path.partition("?")[0].lstrip("/")
        if exchange.headers.get("Authorization") != LOGIN:
            exchange.answer(401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        else:
            exchange.answer(200 if file.is_file() else 404, file.read_bytes() if file.is_file() else b"")

    with run_server(serve) as server:
        yield server.url.removeprefix("http://")


# Where users keep logins for git: files below HOME.
PLACES: Mapping[str, Mapping[str, str]] = {
    "stored by git": {
        ".gitconfig": "[credential]\n\thelper = store\n",
        ".git-credentials": "http://someone:s3cret@{host}\n",
    },
    "stored by git, elsewhere": {
        ".config/git/config": "[credential]\n\thelper = store\n",
        ".config/git/credentials": "http://someone:s3cret@{host}\n",
    },
    "a helper": {
        ".gitconfig": '[credential "http://{host}"]\n\thelper = "!echo username=someone; echo password=s3cret; :"\n'
    },
    "a netrc": {".netrc": "machine 127.0.0.1 login someone password s3cret\n"},
    "an address": {
        ".gitconfig": '[url "http://someone:s3cret@{host}/"]\n\tinsteadOf = http://{host}/\n',
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_a_private_submodule(place: str, private: str, tmp_path: Path, shell: LocalShell) -> None:
    """It is cloned with the login that git finds itself, and the login is not written into the clone."""
    repo = Repo.new(tmp_path / "repo")
    repo.git("submodule", "--quiet", "add", str(tmp_path / "inner"), "inner")
    repo.git("config", "--file", ".gitmodules", "submodule.inner.url", f"http://{private}/inner.git")
    head = repo.commit({}, "Add a submodule")
    home = write_files(
        tmp_path / "home", {name: text.replace("{host}", private) for name, text in PLACES[place].items()}
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    GitCheckout(repo.path, shell, environ=environ).clone(tmp_path / "clone", commit=head, tag="v1.0")
    assert (tmp_path / "clone" / "inner" / "inside").read_text() == "inside\n"
    configurations = [path.read_text() for path in (tmp_path / "clone" / ".git").rglob("config")]
    assert len(configurations) == 2
    assert [text for text in configurations if "s3cret" in text] == []


def test_without_a_login(private: str, tmp_path: Path, shell: LocalShell) -> None:
    """Without it, the error names the submodule's configuration."""
    repo = Repo.new(tmp_path / "repo")
    repo.git("submodule", "--quiet", "add", str(tmp_path / "inner"), "inner")
    repo.git("config", "--file", ".gitmodules", "submodule.inner.url", f"http://{private}/inner.git")
    head = repo.commit({}, "Add a submodule")
    checkout = GitCheckout(repo.path, shell, environ={"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")})
    with pytest.raises(Unknown, match="cannot fetch a submodule"):
        checkout.clone(tmp_path / "clone", commit=head, tag="v1.0")


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n"


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize(
    ("path", "whole", "large", "stops"),
    [
        ("pkg", True, "brand/logo.png", False),
        ("pkg", True, "pkg2/logo.png", False),
        ("pkg", True, "pkg/data/logo.png", True),
        ("pkg", False, "pkg/data/logo.png", False),
        ("", True, "brand/logo.png", True),
        ("", False, "brand/logo.png", False),
    ],
)
def test_large_files_that_nobody_has(
    path: str, large: str, tmp_path: Path, shell: LocalShell, *, whole: bool, stops: bool, installed: bool
) -> None:
    """They stop only what needs them: not a package in another folder, and not the notes."""
    if installed and shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is missing: apt-get install git-lfs")
    files = {".gitattributes": "*.png filter=lfs diff=lfs merge=lfs -text\n", "pkg/a.py": "", large: POINTER}
    repo = Repo.new(tmp_path / "repo", files)
    repo.remote(tmp_path / "remote.git")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "git").symlink_to(shutil.which("git") or "")
    environ = {"PATH": os.environ["PATH"] if installed else str(tools), "HOME": str(tmp_path / "home")}
    checkout = GitCheckout(repo.path, shell, environ=environ).at(path)

    def clone() -> Path:
        return checkout.clone(tmp_path / "clone", commit=repo.git("rev-parse", "HEAD"), tag="v1.0", whole=whole)

    if stops:
        with pytest.raises(Unknown if installed else ToolMissing, match=large):
            clone()
    else:
        clone()
        assert (tmp_path / "clone" / large).read_text() == POINTER

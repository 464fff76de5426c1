"""Changed files are those whose content differs, however a system writes line ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.systems import posix

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell

FILES = {"unix.txt": "a\nb\n", "dos.md": "a\r\nb\r\n", "größe b.py": "x = 1\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository in a folder with a blank and letters that are not ASCII."""
    repo = Repo.new(tmp_path / "mein Prüfling", {})
    for name, text in FILES.items():
        (repo.path / name).write_bytes(text.encode())
    repo.git("-c", "core.autocrlf=false", "add", "--all")
    repo.git("commit", "--quiet", "-m", "Add files")
    return repo


def with_crlf(repo: Repo) -> None:
    """Check every file out as Git for Windows does."""
    for name in FILES:
        (repo.path / name).unlink()
    repo.git("-c", "core.autocrlf=true", "checkout", "--", ".")
    assert (repo.path / "unix.txt").read_bytes() == b"a\r\nb\r\n"


@pytest.mark.parametrize("autocrlf", ["true", "false", "input"])
@pytest.mark.parametrize(
    ("edits", "changed"),
    [
        ({}, ()),
        ({"unix.txt": b"a\r\nc\r\n"}, ("unix.txt",)),
        ({"größe b.py": b"x = 2\n"}, ("größe b.py",)),
        ({"unix.txt": b"a\r\nb\r\nc\r\n", "dos.md": b"x"}, ("dos.md", "unix.txt")),
    ],
)
def test_a_checkout_with_crlf(
    repo: Repo, shell: LocalShell, autocrlf: str, edits: dict[str, bytes], changed: tuple[str, ...]
) -> None:
    """Files that Git for Windows wrote are unchanged for every git, and a real change among them is found."""
    with_crlf(repo)
    repo.git("config", "core.autocrlf", autocrlf)
    for name, content in edits.items():
        (repo.path / name).write_bytes(content)
    assert GitCheckout(repo.path, shell).changed() == changed


@posix
@pytest.mark.parametrize("autocrlf", ["true", "false"])
def test_links_as_files(repo: Repo, shell: LocalShell, tmp_path: Path, autocrlf: str) -> None:
    """A checkout whose links are files, as often on Windows, is unchanged, and is cloned with its links."""
    (repo.path / "link").symlink_to("unix.txt")
    repo.commit({})
    repo.git("config", "core.symlinks", "false")
    repo.git("config", "core.autocrlf", autocrlf)
    (repo.path / "link").unlink()
    repo.git("checkout", "--", "link")
    assert (repo.path / "link").read_text("utf-8") == "unix.txt"
    git = GitCheckout(repo.path, shell)
    assert git.changed() == ()
    head = str(git.head())
    git.clone(tmp_path / "clone b", commit=head, tag="v1.0")
    assert (tmp_path / "clone b" / "link").is_symlink()
    assert {name: (tmp_path / "clone b" / name).read_bytes().decode() for name in FILES} == FILES

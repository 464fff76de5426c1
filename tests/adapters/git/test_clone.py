"""Clones have the same bytes on every system."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.systems import posix

from unmoor.adapters.git import clone
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.clone import check_out, clone_of
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import ToolMissing
from unmoor.util.values import replace


@pytest.mark.parametrize(
    ("attributes", "committed", "checked_out"),
    [
        ("* text=auto\n", "a\nb\n", "a\nb\n"),
        ("* text\n", "a\nb\n", "a\nb\n"),
        ("* text=auto\n*.txt eol=crlf\n", "a\nb\n", "a\r\nb\r\n"),
        ("* -text\n", "a\r\nb\n", "a\r\nb\n"),
        ("", "a\r\nb\n", "a\r\nb\n"),
    ],
)
def test_line_ends_are_those_of_the_commit(
    tmp_path: Path, shell: LocalShell, attributes: str, committed: str, checked_out: str
) -> None:
    """Only the project's own attributes change line ends: files that are built on Windows are those of Linux."""
    repo = Repo.new(tmp_path / "repo")
    repo.write({".gitattributes": attributes, "a.txt": ""})
    (repo.path / "a.txt").write_bytes(committed.encode())
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "Add a text")
    git = GitCheckout(repo.path, shell)
    own = replace(git.git, own=True)
    clone_of(own, repo.path, tmp_path / "clone")
    check_out(own, tmp_path / "clone", repo.git("rev-parse", "HEAD"))

    assert (tmp_path / "clone" / "a.txt").read_bytes() == checked_out.encode()
    # Its default is what the system has, so CRLF on Windows.
    assert Repo(tmp_path / "clone").git("config", "--local", "core.eol") == "lf"


def add(repo: Repo, mode: str, name: str, content: str) -> None:
    """Add a file to the index that this system may be unable to hold."""
    (repo.path / "content").write_text(content, "utf-8")
    blob = repo.git("hash-object", "-w", "content")
    (repo.path / "content").unlink()
    repo.git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{name}")


@posix
def test_links_that_git_cannot_make(tmp_path: Path, shell: LocalShell) -> None:
    """Git reports a link that it cannot make, and ends as if all were well; a build would lack the file."""
    repo = Repo.new(tmp_path / "repo")
    add(repo, "120000", "link", "a" * 5000)  # longer than a path may be
    repo.git("commit", "--quiet", "-m", "Add a link that Linux cannot make either")
    own = replace(GitCheckout(repo.path, shell).git, own=True)
    clone_of(own, repo.path, tmp_path / "clone")
    words = "cannot make the symbolic links of commit [0-9a-f]{12}: link: error: unable to create symlink link"
    with pytest.raises(ToolMissing, match=words) as caught:
        check_out(own, tmp_path / "clone", repo.git("rev-parse", "HEAD"))
    assert caught.value.advice_ids == ("allow-links",)


def test_files_that_git_cannot_write(tmp_path: Path, shell: LocalShell) -> None:
    """The error gives the names and git's reason; what git reports is no error if every file is there."""
    repo = Repo.new(tmp_path / "repo", {"aux.py": "x = 1\n", "b.py": ""})
    own = replace(GitCheckout(repo.path, shell).git, own=True)
    head = repo.git("rev-parse", "HEAD")
    clone_of(own, repo.path, tmp_path / "clone")
    check_out(own, tmp_path / "clone", head)
    output = "error: unable to create file aux.py: Permission denied\n"
    (tmp_path / "clone" / "b.py").write_text("not in the encoding that an attribute declares\n")
    clone._require_whole(own, tmp_path / "clone", head, output, merged=False)
    (tmp_path / "clone" / "aux.py").unlink()
    with pytest.raises(ToolMissing, match=r"every file of commit [0-9a-f]{12}: aux\.py: error: unable to") as caught:
        clone._require_whole(own, tmp_path / "clone", head, output, merged=False)
    assert caught.value.advice_ids == ("rename-for-all-systems",)


def test_names_that_differ_in_case(tmp_path: Path, shell: LocalShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS and Windows one of two such files has the content of the other, which git does not report."""
    repo = Repo.new(tmp_path / "repo", {"a.txt": "one\n", "A.txt": "two\n"})
    own = replace(GitCheckout(repo.path, shell).git, own=True)
    head = repo.git("rev-parse", "HEAD")
    clone_of(own, repo.path, tmp_path / "clone")
    monkeypatch.setattr(clone, "_ignores_case", lambda _: True)
    check_out(own, tmp_path / "clone", head)
    (tmp_path / "clone" / "A.txt").write_text("one\n")
    with pytest.raises(ToolMissing, match=r"A\.txt: names that differ in case only are one file here"):
        clone._require_whole(own, tmp_path / "clone", head, "", merged=True)

"""Clones have the same bytes on every system."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.clone import check_out, clone_of
from unmoor.adapters.process.shell import LocalShell
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

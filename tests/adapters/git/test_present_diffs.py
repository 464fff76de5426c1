"""The diffs of the work tree and of the index, whatever the settings of git say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_repos import Repo, shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.checks.changed_lines import read_diff
from unmoor.ports.shell import Shell

LINES = "".join(f"{number}\n" for number in range(1, 21))


@pytest.fixture
def shell() -> Iterator[Shell]:
    """Run git."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository in which one file differs on disk and in the index, and another one was moved."""
    repo = Repo.new(tmp_path / "repo", {"a b.py": LINES, "old.py": LINES * 2, "gone.py": "x\n"})
    repo.write({"a b.py": LINES.replace("3\n", "three\n").replace("20\n", "20")})
    repo.git("mv", "old.py", "new.py")
    repo.git("rm", "--quiet", "gone.py")
    repo.git("add", "--all")
    repo.write({"a b.py": LINES.replace("7\n", "7\n7.5\n"), "untracked.py": "x\n"})
    return repo


def test_the_work_tree_and_the_index_differ(repo: Repo, shell: Shell) -> None:
    """Each has its own lines. A moved file has none, and one that git does not track is not in it."""
    checkout = GitCheckout(repo.path, shell)
    commit = repo.git("rev-parse", "HEAD")
    on_disk = read_diff(checkout.work_tree_files().diff(commit))
    staged = read_diff(checkout.staged_files().diff(commit))
    assert on_disk == {"a b.py": (range(8, 9), range(19, 20))}
    assert staged == {"a b.py": (range(3, 4), range(13, 14), range(20, 21))}


@pytest.mark.parametrize(
    "setting",
    [
        ("diff.external", "touch pwned"),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.srcPrefix", "x/"),
        ("diff.context", "9"),
        ("diff.interHunkContext", "99"),
        ("diff.renames", "false"),
        ("diff.relative", "true"),
        ("diff.wordRegex", "."),
        ("diff.colorMoved", "zebra"),
        ("diff.suppressBlankEmpty", "true"),
        ("diff.algorithm", "patience"),
        ("color.diff", "always"),
        ("core.quotePath", "false"),
        ("core.pager", "touch pwned"),
    ],
    ids=lambda setting: setting[0],
)
def test_no_setting_changes_the_diff(repo: Repo, shell: Shell, setting: tuple[str, str]) -> None:
    """Neither one of the user nor one of the checkout, and no program of one runs."""
    commit = repo.git("rev-parse", "HEAD")
    plain = GitCheckout(repo.path, shell).work_tree_files().diff(commit)
    repo.git("config", *setting)
    assert GitCheckout(repo.path, shell).work_tree_files().diff(commit) == plain
    assert not (repo.path / "pwned").exists()


def test_attributes_start_no_program(repo: Repo, shell: Shell) -> None:
    """A driver of the checkout's own that shows files as text is not asked."""
    repo.git("config", "diff.shown.textconv", "touch pwned; cat")
    repo.git("config", "diff.shown.command", "touch pwned")
    repo.write({".gitattributes": "*.py diff=shown\n"})
    commit = repo.git("rev-parse", "HEAD")
    found = read_diff(GitCheckout(repo.path, shell).work_tree_files().diff(commit))
    assert "a b.py" in found
    assert not (repo.path / "pwned").exists()

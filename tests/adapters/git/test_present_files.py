"""The files of a checkout as they are now, in the work tree or in the index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests
from tests.support.systems import posix

from unmoor.adapters.git import present_files
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.checks.changed_lines import read_diff
from unmoor.errors import Unknown
from unmoor.ports.repository_files import RepositoryFiles


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with a commit, in which every kind of change is made."""
    made = Repo.new(tmp_path / "demo", {"kept": "1\n", "gone": "1\n", "a b/\u00e4": "1\n", ".gitignore": "*.log\n"})
    (made.path / "gone").unlink()
    made.write({"kept": "2\n", "new": "1\n", "x.log": "1\n", "staged": "1\n"})
    made.git("add", "staged", "kept")
    made.write({"kept": "3\n"})
    return made


@pytest.fixture
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def both(repo: Repo, shell: LocalShell) -> dict[str, RepositoryFiles]:
    """The files of the work tree, and those of the index."""
    checkout = GitCheckout(repo.path, shell)
    return {"tree": checkout.work_tree_files(), "index": checkout.staged_files()}


@pytest.mark.parametrize(
    ("where", "names", "kept"),
    [
        ("tree", (".gitignore", "a b/\u00e4", "kept", "new", "staged"), b"3\n"),
        ("index", (".gitignore", "a b/\u00e4", "gone", "kept", "staged"), b"2\n"),
    ],
)
def test_what_is_there(repo: Repo, shell: LocalShell, where: str, names: tuple[str, ...], kept: bytes) -> None:
    """Removed files are missing on disk, new ones in the index, and ignored ones in both."""
    files = both(repo, shell)[where]
    assert files.names() == names
    assert files.read("kept") == kept
    assert files.read("nothing") is None
    assert files.read("a b") is None
    assert files.read_many(["kept", "a b/\u00e4", "nothing"]) == {"kept": kept, "a b/\u00e4": b"1\n"}


def test_what_changed(repo: Repo, shell: LocalShell) -> None:
    """Removed and new files count, and from nothing every file does."""
    files = both(repo, shell)
    head = repo.git("rev-parse", "HEAD")
    assert files["tree"].changed(head) == ("gone", "kept", "new", "staged")
    assert files["index"].changed(head) == ("kept", "staged")
    assert files["index"].changed(None) == files["index"].names()
    assert files["tree"].changed(None) == files["tree"].names()


@posix
@pytest.mark.parametrize("where", ["tree", "index"])
def test_links_stay_inside(repo: Repo, shell: LocalShell, tmp_path: Path, where: str) -> None:
    """A link to another file of the repository has its content, one to anything else has none."""
    (tmp_path / "secret").write_text("secret")
    for name, target in {"in": "a b/\u00e4", "out": "../secret", "deep": "a b", "self": "self", "up": ".."}.items():
        (repo.path / name).symlink_to(target)
    repo.git("add", "in", "out", "deep", "self")
    files = both(repo, shell)[where]
    assert files.read("in") == b"1\n"
    assert [files.read(name) for name in ("out", "deep", "self", "../secret", "/etc/passwd")] == [None] * 5
    assert files.read_many(["in", "out", "up/secret", "deep"]) == {"in": b"1\n"}


@pytest.mark.parametrize("where", ["tree", "index"])
def test_a_large_file_is_unknown(repo: Repo, shell: LocalShell, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """It is not read in part."""
    monkeypatch.setattr(present_files, "LARGEST_FILE", 1)
    with pytest.raises(Unknown, match="the file has more than 1 bytes"):
        both(repo, shell)[where].read("kept")


def test_many_files_are_read_at_once(repo: Repo, shell: LocalShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fit into one request take several."""
    monkeypatch.setattr(present_files, "_AT_ONCE", 2)
    files = both(repo, shell)["index"]
    assert set(files.read_many(files.names())) == set(files.names())


def test_where_a_branch_began(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """It is a commit of the remote's branch; without that branch nobody knows."""
    first = repo.git("rev-parse", "HEAD")
    assert both(repo, shell)["tree"].branch_point("main") is None
    repo.remote(tmp_path / "remote.git")
    repo.git("fetch", "--quiet", "origin")
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit({"more": ""})
    files = both(repo, shell)
    assert [each.branch_point("main") for each in files.values()] == [first, first]
    assert [files["tree"].branch_point(name) for name in ("other", "--help", "")] == [None, None, None]


def test_the_index_that_a_hook_is_told(repo: Repo, shell: LocalShell) -> None:
    """``git commit --all`` has an index of its own, which counts if it is in the git directory."""
    other = repo.path / ".git" / "next-index"
    other.write_bytes((repo.path / ".git" / "index").read_bytes())
    repo.git("add", "--all")

    def names(index: str) -> tuple[str, ...]:
        environ = dict(os.environ) | {"GIT_INDEX_FILE": index}
        return GitCheckout(repo.path, shell, environ=environ).staged_files().names()

    assert "gone" in names(".git/next-index")
    assert "gone" in names(str(other))
    assert "gone" not in names("")
    assert "gone" not in names(".git/nothing")
    assert "gone" not in names("next-index")


def test_a_merge_that_is_not_finished(repo: Repo, shell: LocalShell) -> None:
    """Of a file with conflicts our side is read."""
    repo.git("add", "--all")
    repo.commit({"kept": "ours\n"})
    repo.git("checkout", "--quiet", "-b", "other", "HEAD~1")
    repo.commit({"kept": "theirs\n"})
    repo.git("checkout", "--quiet", "main")
    with pytest.raises(Exception, match="non-zero exit status"):
        repo.git("merge", "--quiet", "other")
    assert both(repo, shell)["index"].read("kept") == b"ours\n"


LINES = "".join(f"{number}\n" for number in range(1, 21))


@pytest.fixture
def edited(tmp_path: Path) -> Repo:
    """A repository in which one file differs on disk and in the index, and another one was moved."""
    repo = Repo.new(tmp_path / "repo", {"a b.py": LINES, "old.py": LINES * 2, "gone.py": "x\n"})
    repo.write({"a b.py": LINES.replace("3\n", "three\n").replace("20\n", "20")})
    repo.git("mv", "old.py", "new.py")
    repo.git("rm", "--quiet", "gone.py")
    repo.git("add", "--all")
    repo.write({"a b.py": LINES.replace("7\n", "7\n7.5\n"), "untracked.py": "x\n"})
    return repo


def test_the_work_tree_and_the_index_differ(edited: Repo, shell: LocalShell) -> None:
    """Each has its own lines. A moved file has none, and one that git does not track is not in it."""
    checkout = GitCheckout(edited.path, shell)
    commit = edited.git("rev-parse", "HEAD")
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
def test_no_setting_changes_the_diff(edited: Repo, shell: LocalShell, setting: tuple[str, str]) -> None:
    """Neither one of the user nor one of the checkout, and no program of one runs."""
    commit = edited.git("rev-parse", "HEAD")
    plain = GitCheckout(edited.path, shell).work_tree_files().diff(commit)
    edited.git("config", *setting)
    assert GitCheckout(edited.path, shell).work_tree_files().diff(commit) == plain
    assert not (edited.path / "pwned").exists()


def test_attributes_start_no_program(edited: Repo, shell: LocalShell) -> None:
    """A driver of the checkout's own that shows files as text is not asked."""
    edited.git("config", "diff.shown.textconv", "touch pwned; cat")
    edited.git("config", "diff.shown.command", "touch pwned")
    edited.write({".gitattributes": "*.py diff=shown\n"})
    commit = edited.git("rev-parse", "HEAD")
    found = read_diff(GitCheckout(edited.path, shell).work_tree_files().diff(commit))
    assert "a b.py" in found
    assert not (edited.path / "pwned").exists()

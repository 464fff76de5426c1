"""Deploying pages to a branch that others change, refuse or break meanwhile, with the real git."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.pages import GitPages
from unmoor.deploy.docs.archive import pack
from unmoor.deploy.docs.branch import BranchDeployment
from unmoor.deploy.docs.layout import Placement
from unmoor.errors import Conflict, Refused, Rejected, Unknown, UnmoorError
from unmoor.ports.git_writer import PushOutcome, PushState
from unmoor.ports.pages import FILE, BranchEntry, FormerPages, PagesChange, PagesState, PagesWork
from unmoor.util.values import replace


@dataclass
class Interrupted:
    """A branch on which something happens at each push: before it, or instead of its answer."""

    pages: GitPages
    before: Callable[[], object] = lambda: None
    answer: PushOutcome | None = None
    pushes: list[str] = field(default_factory=list)

    @property
    def branch(self) -> str:
        """The name of the branch."""
        return self.pages.branch

    @property
    def where(self) -> str:
        """Where it is."""
        return self.pages.where

    def address(self, state: PagesState, custom: bytes | None) -> str:
        """The address."""
        return self.pages.address(state, custom)

    def open(self, folder: Path) -> PagesWork:
        """Read the branch."""
        return _Work(self, self.pages.open(folder))


@dataclass
class _Work:
    of: Interrupted
    work: PagesWork

    @property
    def state(self) -> PagesState:
        return self.work.state

    def read(self, name: str) -> bytes | None:
        return self.work.read(name)

    def add(self, folder: Path) -> str:
        return self.work.add(folder)

    def former(self, tree: str) -> FormerPages | None:
        return self.work.former(tree)

    def push(self, change: PagesChange, *, dry_run: bool = False) -> PushOutcome:
        self.of.pushes.append(change.message)
        self.of.before()
        outcome = self.work.push(change, dry_run=dry_run)
        return self.of.answer or outcome


@dataclass
class Place:
    """A remote, its branch, and archives for it."""

    branch: Interrupted
    remote: Repo
    folder: Path

    def archive(self, version: str, text: str = "") -> Path:
        """An archive of one page."""
        page = self.folder / f"{version}.html"
        page.write_text(text or version, "utf-8")
        target = self.folder / version / f"tide-{version}-docs.tar.gz"
        pack({"index.html": page}, target, 1_700_000_000)
        return target

    def deploy(self, version: str, *, stable: bool = True, text: str = "") -> str:
        """Deploy a version, and return its tree."""
        placement = Placement(folder=version, tree="", stable=stable)
        done = BranchDeployment(pages=self.branch).deploy(self.archive(version, text), placement, title=version)
        return done.tree

    def has(self, entries: dict[str, bytes | BranchEntry]) -> None:
        """Let the branch have files and links at its top. Nothing makes no branch."""
        if not entries:
            return
        git = self.remote.git
        git("read-tree", "--empty")
        for name, entry in entries.items():
            data = entry if isinstance(entry, bytes) else b"elsewhere"
            path = self._fresh() / "entry"
            path.write_bytes(data)
            mode = entry.mode if isinstance(entry, BranchEntry) else FILE
            git("update-index", "--add", "--cacheinfo", mode, git("hash-object", "-w", "--", str(path)), name)
        git("update-ref", "refs/heads/gh-pages", git("commit-tree", "-m", "Pages", git("write-tree")))

    def somebody_pushes(self) -> None:
        """Somebody else commits to the branch, each time another file."""
        work = self.branch.pages.open(self._fresh())
        name = f"other-{len(work.state.entries)}"
        assert work.push(PagesChange(message="Other", files={name: b""})).state is PushState.DONE

    def _fresh(self) -> Path:
        folder = self.folder / f"other-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        return folder

    @property
    def names(self) -> list[str]:
        """What is at the top of the branch."""
        return self.remote.git("ls-tree", "--name-only", "gh-pages").splitlines()


def _await_port(port: int) -> None:
    """Wait until a server accepts connections."""
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return


@contextmanager
def read_only_server(folder: Path) -> Iterator[str]:
    """Serve a repository over git's own protocol, which lets nobody push."""
    programs = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607
    program = shutil.which("git-daemon", path=programs)
    if program is None:
        pytest.skip("git has no git-daemon here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--listen=127.0.0.1", f"--port={port}", "--reuseaddr", "--export-all", f"--base-path={folder.parent}")
    with subprocess.Popen([program, *options, str(folder)], stderr=subprocess.DEVNULL) as server:
        try:
            _await_port(port)
            yield f"git://127.0.0.1:{port}/{folder.name}"
        finally:
            server.terminate()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A remote without the branch."""
    repo = Repo.new(tmp_path / "repo")
    remote = repo.remote(tmp_path / "remote.git")
    with shell_for_tests() as shell:
        pages = GitPages(checkout=GitCheckout(repo.path, shell), remote="origin", branch="gh-pages")
        yield Place(branch=Interrupted(pages), remote=remote, folder=tmp_path)


def test_versions_stand_beside_each_other_and_go_again(place: Place) -> None:
    """The second version becomes stable, deploying it again sends nothing, and undo gives stable back to the first."""
    first, second = place.deploy("1.0"), place.deploy("1.1")
    assert place.deploy("1.1") == second
    assert len(place.branch.pushes) == 2
    trees = {name: place.remote.git("rev-parse", f"gh-pages:{name}") for name in ("1.0", "1.1", "stable")}
    assert trees == {"1.0": first, "1.1": second, "stable": second}

    deployment = BranchDeployment(pages=place.branch)
    assert "1.1/ is as it was before" in deployment.take_back(second)
    assert "1.1" not in place.names
    assert place.remote.git("rev-parse", "gh-pages:stable") == first
    assert "no longer had" in deployment.take_back(second)
    assert place.deploy("1.1") == second  # and the release again
    assert "1.1/" in deployment.take_back(second)


def test_a_race_is_settled_by_looking(place: Place) -> None:
    """What somebody else pushed meanwhile stays, and the pages come on top of it."""

    def once() -> None:
        if len(place.branch.pushes) == 1:
            place.somebody_pushes()

    place.branch.before = once
    place.deploy("1.0")

    assert "other-0" in place.names
    assert "1.0" in place.names
    assert len(place.branch.pushes) == 2


def test_a_branch_that_always_moves_ends(place: Place) -> None:
    """The tries are bounded, and nothing of anybody is lost."""
    place.branch.before = place.somebody_pushes

    with pytest.raises(Unknown, match="5 times in a row"):
        place.deploy("1.0")
    assert len([name for name in place.names if name.startswith("other")]) == 5


def test_a_lost_answer_is_found_by_looking(place: Place) -> None:
    """The push arrived although nobody said so: nothing is sent twice."""
    place.branch.answer = PushOutcome(state=PushState.LOST, reason="the connection broke")
    place.deploy("1.0")

    assert "1.0" in place.names
    assert len(place.branch.pushes) == 1


def test_a_protected_branch_is_refused_with_its_words(place: Place) -> None:
    """The branch stays as it is, and the message has the rule and the branch."""
    hook = place.remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'GH006: Protected branch' >&2\nexit 1\n", "utf-8", newline="\n")
    hook.chmod(0o755)

    with pytest.raises(Rejected, match="GH006") as refused:
        place.deploy("1.0")
    assert "gh-pages" in refused.value.where
    assert refused.value.retryable
    assert place.remote.git("branch", "--list", "gh-pages") == ""


LINK = BranchEntry(mode="120000", id="0" * 40)


@pytest.mark.parametrize(
    ("broken", "error", "message"),
    [
        ({}, None, ""),
        ({"versions.json": b"[]", "other.html": b""}, None, ""),
        ({"versions.json": b"not JSON"}, Refused, r"versions\.json on the branch is no list of versions"),
        ({"stable": LINK}, Refused, "stable on the branch is a symbolic link"),
        ({"1.0": LINK}, Conflict, "1.0/ holds other pages"),
        ({"versions.json": LINK}, Refused, r"versions\.json on the branch is a symbolic link"),
        ({"1.0": b"a file"}, Conflict, "1.0/ holds other pages"),
    ],
    ids=["no branch", "fine", "no list", "stable is a link", "version is a link", "list is a link", "a file"],
)
def test_what_would_stop_it_is_found_before(
    place: Place, broken: dict[str, bytes | BranchEntry], error: type[UnmoorError] | None, message: str
) -> None:
    """A check sends nothing, and says the same as the deployment would."""
    place.has(broken)
    deployment, placement = BranchDeployment(pages=place.branch), Placement(folder="1.0", tree="", stable=True)
    before = place.remote.git("for-each-ref")
    for pushes in (False, True):
        with nullcontext() if error is None else pytest.raises(error, match=message) as caught:
            deployment.check(place.archive("1.0"), placement, title="1.0", pushes=pushes)
        assert caught is None or "gh-pages" in caught.value.where
    assert place.remote.git("for-each-ref") == before
    assert len(place.branch.pushes) == (error is None)


def test_a_race_is_no_missing_right(place: Place) -> None:
    """A branch that moves while it is checked is looked at again."""
    place.has({"other.html": b""})

    def once() -> None:
        if len(place.branch.pushes) == 1:
            place.somebody_pushes()

    place.branch.before = once
    placement = Placement(folder="1.0", tree="")
    BranchDeployment(pages=place.branch).check(place.archive("1.0"), placement, title="1.0", pushes=True)
    assert len(place.branch.pushes) == 2


def test_a_missing_right_to_push_is_found_before(place: Place) -> None:
    """A remote that may only be read, here over git's own protocol, stops the check as it would stop the push."""
    place.has({"other.html": b""})
    with read_only_server(place.remote.path) as address:
        pages = replace(place.branch.pages, remote=address)
        deployment, placement = BranchDeployment(pages=pages), Placement(folder="1.0", tree="")
        deployment.check(place.archive("1.0"), placement, title="1.0", pushes=False)
        with pytest.raises(Unknown, match="access denied") as caught:
            deployment.check(place.archive("1.0"), placement, title="1.0", pushes=True)
    assert "gh-pages" in caught.value.where


def test_other_pages_of_a_version_stay(place: Place) -> None:
    """A version has one set of pages: another is a conflict that names the branch, and pushes nothing."""
    place.deploy("1.0")

    with pytest.raises(Conflict) as conflict:
        place.deploy("1.0", text="other")
    assert "gh-pages" in conflict.value.where
    assert len(place.branch.pushes) == 1


def test_history_that_says_nothing(place: Place) -> None:
    """Pages that no commit of ours put there are not guessed away."""
    tree = place.deploy("1.0")
    place.remote.git(
        "update-ref", "refs/heads/gh-pages", place.remote.git("commit-tree", "-m", "Squashed", "gh-pages^{tree}")
    )

    with pytest.raises(Unknown, match="no commit of the branch says"):
        BranchDeployment(pages=place.branch).take_back(tree)
    assert "1.0" in place.names

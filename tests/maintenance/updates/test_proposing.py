"""Tested updates become branches and pull requests, and nobody's commits are overwritten."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.cuts import Pulls
from tests.support.git_repos import Repo
from tests.support.locks import lock_of

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.writing import CheckoutWriter
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import Refused
from unmoor.maintenance.updates.examine import is_plain
from unmoor.maintenance.updates.groups import Update, UpdateGroup
from unmoor.maintenance.updates.lock import Move
from unmoor.maintenance.updates.proposing import Proposing, body_of, trailer_of
from unmoor.maintenance.updates.result import TestedGroup, UpdateResult
from unmoor.util.values import replace

BEFORE = lock_of("aa 1.0", "bb 1.0")
MINOR, MAJOR = lock_of("aa 1.1", "bb 1.0"), lock_of("aa 1.1", "bb 2.0")
BRANCH = "unmoor-deps/minor"


def group(kind: UpdateGroup, name: str, after: str, lock: bytes) -> TestedGroup:
    """A group with one update."""
    return TestedGroup(
        group=kind, updates=(Update(name=name, before="1.0", after=after, group=kind),), lock=lock.decode()
    )


@dataclass
class Place:
    """A checkout with a remote, its pull requests, and what was started."""

    repo: Repo
    hub: Repo
    pulls: Pulls
    started: list[str]
    processes: Processes

    @property
    def result(self) -> UpdateResult:
        """A result for the commit that is checked out."""
        return UpdateResult(
            commit=self.repo.git("rev-parse", "HEAD"),
            lock_sha256=hashlib.sha256(BEFORE).hexdigest(),
            groups=(group(UpdateGroup.MINOR, "aa", "1.1", MINOR), group(UpdateGroup.MAJOR, "bb", "2.0", MAJOR)),
        )

    def propose(self, result: UpdateResult | None = None) -> list[str]:
        """Propose, and return the state of each group."""
        shell = LocalShell(processes=self.processes)
        git = GitCheckout(self.repo.path, shell)

        def start(branch: str) -> str:
            self.started.append(branch)
            return "dispatched"

        proposing = Proposing(
            git=git,
            writer=CheckoutWriter(checkout=git, shell=shell, environ=os.environ),
            pulls=self.pulls,
            folder=self.repo.path / ".unmoor" / "deps",
            default="main",
            start_checks=start,
        )
        done = proposing.run(result or self.result)
        for each in done:  # as a forge does
            for at, branch in enumerate(self.pulls.branches):
                if branch == each.branch:
                    head = self.hub.git("rev-parse", branch)
                    self.pulls.opened[at] = replace(self.pulls.opened[at], head=head)
        return [str(each.state) for each in done]

    def tip(self, branch: str = BRANCH) -> str:
        """The commit of a branch of the remote."""
        return self.hub.git("rev-parse", branch)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A checkout whose only commit is on the remote."""
    hub = Repo(tmp_path / "hub.git")
    hub.path.mkdir()
    hub.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    repo = Repo.new(tmp_path / "work", {"uv.lock": BEFORE.decode(), ".gitignore": ".unmoor\n"})
    repo.git("remote", "add", "origin", str(hub.path))
    repo.git("push", "--quiet", "origin", "HEAD:main")
    with Processes() as processes:
        yield Place(repo, hub, Pulls(), [], processes)


def test_each_group_gets_a_branch_and_a_pull_request(place: Place) -> None:
    """One commit for each, on top of the group before, that changes only the lock; the second time nothing happens."""
    assert place.propose() == ["opened", "opened"]
    assert place.hub.git("show", f"{BRANCH}:uv.lock") == MINOR.decode().strip()
    assert place.hub.git("rev-parse", "unmoor-deps/major~1") == place.tip()
    assert place.hub.git("diff", "--name-only", "main", "unmoor-deps/major") == "uv.lock"
    assert trailer_of(MINOR) in place.hub.git("log", "-1", "--format=%B", BRANCH)
    assert place.started == [BRANCH, "unmoor-deps/major"]
    before = place.tip()
    assert place.propose() == ["unchanged", "unchanged"]
    assert (place.tip(), len(place.pulls.opened), len(place.started)) == (before, 2, 2)


def test_a_pull_request_shows_names_and_versions_only() -> None:
    """What is left out is listed; nothing of what a job wrote besides gets into the text."""
    one = group(UpdateGroup.MINOR, "aa", "1.1", MINOR)
    text = body_of(one, "Not made again.", [Move(name="bb", before="1.0", after="1.1")])
    assert "| `aa` | 1.0 | 1.1 |" in text
    assert "- bb 1.0 -> 1.1" in text
    assert "Not made again." in text
    assert is_plain(Move(name="a-b", before="1!1.0+local", after="2.0rc1"))
    assert not any(
        is_plain(Move(name=name, after=after)) for name, after in (("@all", "1"), ("a", "1 `x`"), ("a", "\n"))
    )


def test_new_versions_replace_our_own_branch(place: Place) -> None:
    """The pull request stays the same one."""
    place.propose()
    lock = lock_of("aa 1.2", "bb 1.0")
    newer = replace(place.result, groups=(group(UpdateGroup.MINOR, "aa", "1.2", lock),))
    assert place.propose(newer) == ["updated"]
    assert place.hub.git("rev-list", "--count", f"main..{BRANCH}") == "1"
    assert place.hub.git("show", f"{BRANCH}:uv.lock") == lock.decode().strip()
    assert len(place.pulls.opened) == 2


@pytest.mark.parametrize("how", ["on top", "amended", "amended lock", "instead"])
def test_commits_of_others_are_never_overwritten(place: Place, how: str) -> None:
    """Whatever they did to the branch, it stays, and the next group does not build on it."""
    place.propose()
    repo = place.repo
    repo.git("fetch", "--quiet", "origin", BRANCH)
    repo.git("checkout", "--quiet", "-b", "theirs", "main" if how == "instead" else "FETCH_HEAD")
    (repo.path / ("uv.lock" if how == "amended lock" else "fix.py")).write_text("x = 1\n", "utf-8")
    repo.git("add", "--all")
    repo.git("commit", "--quiet", *(["--amend", "--no-edit"] if "amended" in how else ["-m", "Fix"]))
    repo.git("push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}")
    repo.git("checkout", "--quiet", "main")
    theirs = place.tip()
    newer = replace(
        place.result,
        groups=(
            group(UpdateGroup.MINOR, "aa", "1.2", lock_of("aa 1.2", "bb 1.0")),
            group(UpdateGroup.MAJOR, "bb", "2.0", lock_of("aa 1.2", "bb 2.0")),
        ),
    )
    # The branch of the majors was built on ours, so it is still ours.
    assert place.propose(newer) == ["kept", "updated"]
    assert place.tip() == theirs
    assert place.hub.git("rev-parse", "unmoor-deps/major~1") == place.hub.git("rev-parse", "main")


def test_a_closed_pull_request_stays_closed(place: Place) -> None:
    """Until there are other versions."""
    place.propose()
    place.pulls.opened[0] = replace(place.pulls.opened[0], is_open=False)
    assert place.propose() == ["declined", "unchanged"]
    lock = lock_of("aa 1.2", "bb 1.0")
    newer = replace(place.result, groups=(group(UpdateGroup.MINOR, "aa", "1.2", lock),))
    assert place.propose(newer) == ["opened"]


def test_a_push_that_broke_off_is_finished(place: Place) -> None:
    """A branch of ours without a pull request gets one."""
    place.propose()
    place.pulls.opened.clear()
    place.pulls.branches.clear()
    assert place.propose() == ["opened", "opened"]


def test_another_lock_on_the_default_branch_is_refused(place: Place) -> None:
    """Somebody updated the lock meanwhile; another commit does not matter."""
    result = place.result
    place.repo.commit({"more.py": ""}, "More")
    place.repo.git("push", "--quiet", "origin", "HEAD:main")
    assert place.propose(result) == ["opened", "opened"]
    place.repo.commit({"uv.lock": MINOR.decode()}, "Update")
    place.repo.git("push", "--quiet", "origin", "HEAD:main")
    with pytest.raises(Refused, match="another lock since"):
        place.propose(result)

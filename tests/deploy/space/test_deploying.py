"""Files are brought into a Space by one commit, verified and awaited; a failure is rolled back; a rerun continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.local_hub import APP, README, TITLE, LocalHub, deployer, files_in, run_hub

from unmoor.adapters.hub import HubSpace
from unmoor.deploy.space.deploying import BACKUP
from unmoor.errors import BuildFailed, CheckFailed, Conflict, Incomplete, TimedOut, Unknown, UnmoorError
from unmoor.ports.space_hub import SpaceChange
from unmoor.products import SpaceFile
from unmoor.rehearsal.hub.spaces import Mood

COMMITS = "POST =/api/spaces/acme/demo/commit*"
FILES = {"app.py": APP, "README.md": README, "assets/logo.png": b"\x89PNG" + b"\0" * 500}
OLD = {"app.py": b"print('old')\n", "other.txt": b"somebody's\n", "old.css": b"a {}\n"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    """Return a hub whose Space has a former application."""
    with run_hub(tmp_path / "hub") as running:
        running.somebody_commits(OLD)
        running.spaces.runtime("acme/demo")
        yield running


@pytest.fixture
def files(tmp_path: Path) -> tuple[SpaceFile, ...]:
    """Return files to deploy, one of which must be in LFS."""
    return files_in(tmp_path / "files", FILES)


def silent(_text: str) -> None:
    """Drop a message."""


def test_one_commit_brings_what_differs(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """Only what differs is sent, what is not listed stays, and the former head has a backup tag."""
    before = hub.spaces.open("acme/demo").head.id
    head, difference = deployer(hub, files, prune=("*.css",)).deploy(silent)
    assert hub.contents() == {"other.txt": OLD["other.txt"], ".gitattributes": b"*.png filter=lfs -text\n", **FILES}
    assert hub.commits()[:2] == [TITLE, "Somebody else"]
    assert (len(difference.changed), difference.deleted, difference.same) == (3, ("old.css",), 0)
    space = hub.spaces.open("acme/demo")
    assert space.head.id == head
    assert [commit for name, commit in space.tags.items() if name.startswith(BACKUP)] == [before]
    assert deployer(hub, files).is_running(head)


def test_nothing_is_sent_twice(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """A Space that holds the files gets no second commit and no second tag."""
    deployer(hub, files).deploy(silent)
    sent = hub.requests()
    _, difference = deployer(hub, files).deploy(silent)
    assert difference.is_none
    assert [each for each in hub.requests()[len(sent) :] if each[0] != "GET"] == []


@pytest.mark.parametrize(
    ("mood", "error"),
    [
        (Mood.BUILD_ERROR, BuildFailed),
        (Mood.RUNTIME_ERROR, CheckFailed),
        (Mood.STUCK, TimedOut),
        (Mood.STALE, TimedOut),
    ],
)
def test_failure_is_rolled_back(
    hub: LocalHub, files: tuple[SpaceFile, ...], mood: Mood, error: type[UnmoorError]
) -> None:
    """What does not build, start or end in time is taken back, and the error has the ends of both logs."""
    before = hub.contents()
    hub.has(mood)
    with pytest.raises(error) as caught:
        deployer(hub, files, prune=("*.css",)).deploy(silent)
    assert hub.contents() == before
    assert hub.commits()[:2] == [f"Roll back: {TITLE}", TITLE]
    assert "the Space has its former files again" in caught.value.what
    assert "ModuleNotFoundError: No module named 'lighthouse'" in caught.value.what
    assert "ERROR: No matching distribution" in caught.value.what
    hub.has()
    deployer(hub, files).deploy(silent)
    assert hub.commits()[0] == TITLE


def test_paused_space_keeps_the_files(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """A Space that somebody pauses meanwhile is no fault of the files: they stay, and the next run waits again."""
    hub.has(Mood.PAUSED)
    with pytest.raises(Incomplete) as caught:
        deployer(hub, files).deploy(silent)
    assert caught.value.next_step.ids == ("restart-space",)
    assert hub.contents()["app.py"] == APP
    hub.has()
    deployer(hub, files).deploy(silent)
    assert hub.commits().count(TITLE) == 1


def test_unnamed_commit_counts_after_a_build(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """A hub that does not name what runs is believed once a build was seen, and never without one."""
    hub.has(Mood.UNNAMED)
    head, _ = deployer(hub, files).deploy(silent)
    assert not deployer(hub, files).is_running(head)
    with pytest.raises(TimedOut) as caught:
        deployer(hub, files).deploy(silent)
    assert "does not say of which commit" in caught.value.what
    assert hub.commits()[0] == TITLE


class Interfering(HubSpace):
    """A Space in which somebody commits between the look and the commit, or that loses what a test says."""

    before: Callable[[], object]

    def commit(self, change: SpaceChange, parent: str) -> str:
        """Let somebody in first."""
        self.before()
        return super().commit(change, parent)


def interfering(hub: LocalHub, before: Callable[[], object]) -> Interfering:
    """Return a Space for which something happens before each commit."""
    plain = hub.space()
    space = Interfering(plain._place, plain.repo, hub.http, hub.clock)
    space.before = before
    return space


def test_somebody_elses_commit_is_a_conflict(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """Nothing is written over a commit that was not looked at; the next run looks at it."""
    space = interfering(hub, lambda: hub.somebody_commits({"app.py": b"print('theirs')\n"}))
    with pytest.raises(Conflict) as caught:
        deployer(hub, files, space=space).deploy(silent)
    assert caught.value.retryable
    assert hub.contents()["app.py"] == b"print('theirs')\n"
    deployer(hub, files).deploy(silent)
    assert hub.contents()["app.py"] == APP


def test_lost_answer_is_settled_by_looking(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """A commit whose answer is lost is found in the history, and not sent again."""
    hub.fail("lost-reply", COMMITS)
    deployer(hub, files).deploy(silent)
    assert hub.commits().count(TITLE) == 1
    assert [path for _, path in hub.requests()].count("/api/spaces/acme/demo/commit/main") == 1


@pytest.mark.parametrize("failure", ["down", "garbage"])
def test_commit_that_never_came_is_unknown(hub: LocalHub, files: tuple[SpaceFile, ...], failure: str) -> None:
    """A commit that the hub does not have after a while is an error; the same command then sends it."""
    hub.fail(failure, COMMITS)
    with pytest.raises(Unknown) as caught:
        deployer(hub, files).deploy(silent)
    assert caught.value.retryable
    hub.heal()
    deployer(hub, files).deploy(silent)
    assert hub.commits().count(TITLE) == 1
    assert len(hub.spaces.open("acme/demo").tags) == 1


def test_busy_hub_is_waited_for(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """A commit that the hub puts off is sent again after the wait that it asks for."""
    hub.fail("busy", COMMITS)
    deployer(hub, files).deploy(silent)
    assert 1.0 in hub.clock.slept
    assert hub.commits().count(TITLE) == 1


class KilledError(BaseException):
    """Stands for a signal that ends the process."""


WRITES = ("tag", "commit", "after-commit")


@pytest.mark.parametrize("at", WRITES)
@pytest.mark.parametrize("mood", [None, Mood.BUILD_ERROR])
def test_killed_deployment_continues(
    hub: LocalHub, files: tuple[SpaceFile, ...], monkeypatch: pytest.MonkeyPatch, at: str, mood: Mood | None
) -> None:
    """After a kill at each write, the same command ends as without one: one backup, one commit, or all as before."""
    before = hub.contents()
    space = hub.space()
    if at == "after-commit":
        sent = space.commit

        def commit(change: SpaceChange, parent: str) -> str:
            sent(change, parent)
            raise KilledError

        monkeypatch.setattr(space, "commit", commit)
    else:

        def killed(*_: object) -> None:
            raise KilledError

        monkeypatch.setattr(space, at, killed)
    with pytest.raises(KilledError):
        deployer(hub, files, space=space).deploy(silent)
    if mood is None:
        deployer(hub, files).deploy(silent)
        assert {path: hub.contents()[path] for path in FILES} == FILES
    else:
        hub.has(mood)
        with pytest.raises(BuildFailed):
            deployer(hub, files).deploy(silent)
        assert hub.contents() == before
    assert hub.commits().count(TITLE) == 1
    assert len(hub.spaces.open("acme/demo").tags) == 1


def test_roll_back_restores_lfs_too(hub: LocalHub, files: tuple[SpaceFile, ...], tmp_path: Path) -> None:
    """Undo gives back changed, new and deleted files, those in LFS too, and again after a new deployment."""
    deployer(hub, files_in(tmp_path / "first", {**FILES, "assets/logo.png": b"\x89PNGold"}), title="Deploy 0.9").deploy(
        silent
    )
    before = hub.contents()
    for _ in range(2):
        made = deployer(hub, files, prune=("*.css",))
        made.deploy(silent)
        ours = made.find_own()
        assert ours is not None
        made.roll_back(ours, silent)
        assert hub.contents() == before


def test_roll_back_leaves_what_others_changed(hub: LocalHub, files: tuple[SpaceFile, ...]) -> None:
    """Somebody's later commit to another file stays, one to a deployed file is in the way."""
    made = deployer(hub, files)
    made.deploy(silent)
    ours = made.find_own()
    assert ours is not None
    hub.somebody_commits({"other.txt": b"new\n"})
    made.roll_back(ours, silent)
    assert (hub.contents()["other.txt"], hub.contents()["app.py"]) == (b"new\n", OLD["app.py"])
    made.deploy(silent)
    hub.somebody_commits({"app.py": b"print('theirs')\n"})
    again = made.find_own()
    assert again is not None
    with pytest.raises(Conflict, match=r"app\.py"):
        made.roll_back(again, silent)

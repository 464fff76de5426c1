"""A store of records on a branch, through the API of the local world's forge."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.local_forge import LocalForge, start_forge
from tests.support.metric_records import EXAMPLES, MOMENT
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge.branch_files import GitHubBranchFiles
from unmoor.adapters.http.session import BoundedSession
from unmoor.errors import Denied, Refused, Rejected, Unknown
from unmoor.metrics.records import BY_FOLDER, ReleasedRecord
from unmoor.metrics.store.records_store import RecordStore
from unmoor.ports.record_files import FilesState
from unmoor.util.secret import Secret
from unmoor.util.values import replace

_NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A world with a forge."""
    with start_forge(tmp_path_factory.mktemp("branch-files")) as running:
        yield running


@pytest.fixture
def branch() -> str:
    """A branch of the test's own, which does not exist."""
    return f"metrics/{next(_NAMES)}"


def files(
    at: LocalForge, branch: str, *, token: str = "", cache: Path | None = None, http: BoundedSession | None = None
) -> GitHubBranchFiles:
    """The adapter, with the token that may push unless another one is given."""
    login = replace(at.place.login, secret=Secret(token)) if token else at.place.login
    place = replace(at.place, login=login)
    return GitHubBranchFiles(place, http or at.http, at.clock, branch=branch, folders=BY_FOLDER, cache=cache)


def store(at: LocalForge, branch: str) -> RecordStore:
    """A store on a branch."""
    return RecordStore(files=files(at, branch), clock=FakeClock())


def release(number: int) -> ReleasedRecord:
    """A release of some number."""
    return ReleasedRecord(id=number, tag=f"v{number}", at=MOMENT, prerelease=False)


def test_records_are_kept_on_a_branch(at: LocalForge, branch: str) -> None:
    """The branch is made with the first record, has a commit for each addition, and shares none with the project."""
    assert store(at, branch).read() == ()
    assert store(at, branch).append(EXAMPLES, "Record all").new == len(EXAMPLES)
    assert store(at, branch).append([release(1), release(2)], "Record two").new == 2
    assert store(at, branch).append([release(1)], "Record none").files == {}
    assert set(store(at, branch).read()) == {*EXAMPLES, release(1), release(2)}
    assert at.world.joinpath("remote.git").is_dir()
    at.repo.git("fetch", "--quiet", str(at.world / "remote.git"), branch)
    assert at.repo.git("log", "--format=%s", "FETCH_HEAD").splitlines() == ["Record two", "Record all"]


def test_two_writers_lose_nothing(at: LocalForge, branch: str) -> None:
    """Of two that record at once, from the first commit on, all records are on the branch, in one line of commits."""
    failed: list[BaseException] = []
    both = threading.Barrier(2)

    def write(numbers: range) -> None:
        try:
            with BoundedSession() as http:
                mine = RecordStore(files=files(at, branch, http=http), clock=FakeClock())
                both.wait(10)
                for number in numbers:
                    mine.append([release(number)], f"Record {number}")
        except BaseException as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    threads = [threading.Thread(target=write, args=(range(first, 6, 2),)) for first in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failed
    assert {each.id for each in store(at, branch).read_kind(ReleasedRecord)} == set(range(6))
    at.repo.git("fetch", "--quiet", str(at.world / "remote.git"), branch)
    assert at.repo.git("rev-list", "--count", "FETCH_HEAD") == "6"


class Racing(GitHubBranchFiles):
    """Another writer adds a release each time after this one looked."""

    other: RecordStore
    numbers: Iterator[int]

    def state(self) -> FilesState:
        """Look, and then be too slow."""
        found = super().state()
        for number in itertools.islice(self.numbers, 1):
            self.other.append([release(number)], "Faster")
        return found


def test_a_lost_race_begins_again(at: LocalForge, branch: str) -> None:
    """What the faster writer added stays, although the commit of the slower one was made before."""
    slow = Racing(at.place, at.http, at.clock, branch=branch, folders=BY_FOLDER)
    slow.other, slow.numbers = store(at, branch), iter((100, 101))
    assert RecordStore(files=slow, clock=FakeClock()).append([release(1)], "Slow").new == 1
    assert {each.id for each in store(at, branch).read_kind(ReleasedRecord)} == {1, 100, 101}


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
def test_a_lost_answer_is_looked_up(
    at: LocalForge, branch: str, monkeypatch: pytest.MonkeyPatch, *, arrived: bool
) -> None:
    """If the branch has the commit, it counts as written; if it has not moved, the error is raised."""
    store(at, branch).append([release(1)], "First")
    ours = files(at, branch)
    move = ours._move

    def lose(before: str, commit: str) -> None:
        if arrived:
            move(before, commit)
        raise Unknown("the connection broke", where="the forge", retryable=True)

    monkeypatch.setattr(ours, "_move", lose)
    both = RecordStore(files=ours, clock=FakeClock())
    if arrived:
        assert both.append([release(2)], "Second").new == 1
    else:
        with pytest.raises(Unknown, match=r"the connection broke"):
            both.append([release(2)], "Second")
    assert len(store(at, branch).read()) == (2 if arrived else 1)


def test_a_refused_branch_is_an_error(at: LocalForge, branch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that is no race ends with the rule's own words, after the branch was found unmoved."""
    store(at, branch).append([release(1)], "First")
    ours = files(at, branch)

    def refuse(before: str, commit: str) -> None:
        del before, commit
        raise Rejected("Repository rule violations found", where="the forge", retryable=True)

    monkeypatch.setattr(ours, "_move", refuse)
    with pytest.raises(Rejected, match=r"rule violations") as caught:
        RecordStore(files=ours, clock=FakeClock()).append([release(2)], "Second")
    assert caught.value.advice_ids == ("allow-metrics-branch",)


def test_a_token_that_may_not_write_is_denied(at: LocalForge, branch: str) -> None:
    """Nothing is written, and the advice names the branch."""
    ours = RecordStore(files=files(at, branch, token=at.read_token), clock=FakeClock())
    assert ours.read() == ()
    with pytest.raises(Denied, match=r"forbids") as caught:
        ours.append([release(1)], "Mine")
    assert branch in caught.value.next_step
    assert store(at, branch).read() == ()


def test_a_repository_that_is_not_there_is_no_empty_store(at: LocalForge, branch: str) -> None:
    """Only a branch may be missing."""
    place = replace(at.place, repository="acme/other")
    with pytest.raises(Denied, match=r"not found"):
        GitHubBranchFiles(place, at.http, at.clock, branch=branch, folders=BY_FOLDER).state()


def test_a_branch_with_other_files_is_refused(at: LocalForge) -> None:
    """The default branch of a project is no store."""
    with pytest.raises(Refused, match=r"used for something else"):
        store(at, "main").append([release(1)], "Mine")


def test_what_was_read_is_kept(at: LocalForge, branch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second read asks for no content, and content that somebody changed on this machine is read again."""
    store(at, branch).append([release(1)], "First")
    first = files(at, branch, cache=tmp_path)
    (path,) = (state := first.state()).ids
    data = first.read(state, path)
    with monkeypatch.context() as without:
        without.setattr(GitHubBranchFiles, "_download", lambda *_args: pytest.fail("asked"))
        assert files(at, branch, cache=tmp_path).read(state, path) == data
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"changed")
    assert files(at, branch, cache=tmp_path).read(state, path) == data
    assert kept.read_bytes() == data
    store(at, branch).append([release(2)], "Second")
    after = files(at, branch, cache=tmp_path)
    assert after.read(after.state(), path) != data
    assert [each.name for each in tmp_path.iterdir()] != [kept.name]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_renamed_branch_is_another_one(at: LocalForge, branch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forge redirects to its new name, where records may not be wanted any more."""
    ours = files(at, branch)
    answer = {"name": "other", "commit": {"sha": at.commit, "commit": {"tree": {"sha": "a" * 40}}}}
    monkeypatch.setattr(ours._api, "read", lambda _path: answer)
    assert ours.state() == FilesState()

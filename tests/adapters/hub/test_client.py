"""A Space is read strictly: what is refused, odd or never ends is one clear error, and nothing counts as absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.local_hub import README, TOKENS, LocalHub, files_in, run_hub

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.hub import HubSpace
from unmoor.errors import Conflict, Denied, Rejected, Unknown, UnmoorError
from unmoor.ports.space_hub import Addition, SpaceChange
from unmoor.rehearsal.hub.spaces import Mood

APP = b"print('new')\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """Return a hub for all tests of this module."""
    with run_hub(tmp_path_factory.mktemp("hub") / "hub") as hub:
        yield hub


@pytest.fixture
def hub(running: LocalHub) -> LocalHub:
    """Return the hub without faults."""
    running.has()
    running.heal()
    return running


def change(folder: Path, contents: dict[str, bytes], **more: object) -> SpaceChange:
    """Return a change that writes files."""
    additions = tuple(Addition(path=each.path, source=each.source) for each in files_in(folder, contents))
    return SpaceChange(title="A change", additions=additions, **more)  # type: ignore[arg-type]


def test_space_is_read(hub: LocalHub) -> None:
    """A Space has a head, files with ids, commits, tags and a runtime."""
    space = hub.space("acme/read")
    info = space.info()
    assert (space.user(), info.private, info.stage) == ("rehearsal", False, "RUNNING")
    tree = space.tree(info.head)
    assert sorted(tree) == [".gitattributes", "README.md"]
    asked = hub.requests()
    assert space.tree(info.head) == tree
    assert hub.requests() == asked  # a commit never gets other files
    data = space.read(info.head, "README.md", size=tree["README.md"].size)
    assert b"sdk: gradio" in data
    assert [each.title for each in space.commits()] == ["initial commit"]
    space.tag("one", info.head)
    assert space.tags() == {"one": info.head}
    assert space.runtime().commit == info.head
    assert space.log("run")[-1] == "ModuleNotFoundError: No module named 'lighthouse'"
    assert (space.repo, space.address) == ("acme/read", f"{hub.address}/spaces/acme/read")


@pytest.mark.parametrize(
    ("token", "said", "step"),
    [
        ("", "no token", "set-space-token"),
        ("hf_bad", "401", "set-space-token"),
        (TOKENS.read, "may only read", "set-space-token"),
    ],
    ids=["none", "bad", "read"],
)
def test_token_that_does_not_do(hub: LocalHub, token: str, said: str, step: str) -> None:
    """A missing, unknown or reading token is refused before anything is sent."""
    with pytest.raises(Denied, match=said) as caught:
        hub.space(token=token).user()
    assert caught.value.next_step.ids == (step,)
    if token:
        assert token not in str(caught.value)


def test_absent_space(hub: LocalHub) -> None:
    """A Space that is not there, or hidden, is not an empty one."""
    hub.has(Mood.ABSENT)
    with pytest.raises(Denied) as caught:
        hub.space("acme/none").info()
    assert caught.value.next_step.ids == ("create-space",)


@pytest.mark.parametrize("failure", ["down", "broken", "garbage"])
@pytest.mark.parametrize(
    "read",
    [HubSpace.info, HubSpace.user, HubSpace.commits, HubSpace.tags, HubSpace.runtime, lambda space: space.tree("main")],
    ids=["info", "user", "commits", "tags", "runtime", "tree"],
)
def test_broken_answer_is_unknown(hub: LocalHub, failure: str, read: Callable[[HubSpace], object]) -> None:
    """An error of the server, and a page that is no answer, say nothing about the Space."""
    hub.fail(failure)
    with pytest.raises(Unknown) as caught:
        read(hub.space())
    assert caught.value.retryable


def test_busy_hub_is_asked_again(hub: LocalHub) -> None:
    """A read that is put off comes again after the wait that the hub asks for."""
    hub.fail("busy")
    before = len(hub.clock.slept)
    assert hub.space().info().head
    assert hub.clock.slept[before:] == [1.0]


@pytest.mark.parametrize("failure", ["drip", "silent"])
def test_answer_that_never_ends(hub: LocalHub, failure: str) -> None:
    """An answer that drips or never begins ends at the deadline, that of a log with what came of it."""
    with BoundedSession(Bounds(total=0.3, stall=0.2)) as http:
        plain = hub.space()
        space = HubSpace(plain._place, plain.repo, http, hub.clock)
        hub.fail(failure, "GET =/api/spaces/acme/demo/commits*")
        with pytest.raises(Unknown):
            space.commits()
        hub.fail(failure, "GET =/api/spaces/acme/demo/logs*")
        if failure == "drip":
            assert http.begin_of(f"{hub.address}/api/spaces/acme/demo/logs/run", limit=2, deadline=0.3).strip() == b""


def test_commit_answers_with_its_id(hub: LocalHub, tmp_path: Path) -> None:
    """A commit adds, restores and deletes files, large ones in LFS, and its id is that of the new head."""
    space = hub.space("acme/sent")
    first = space.info().head
    large = {"app.py": APP, "README.md": README, "model.bin": b"\0" * 3000}
    second = space.commit(change(tmp_path / "1", large), first)
    assert space.info().head == second
    tree = space.tree(second)
    assert (tree["model.bin"].size, len(tree["model.bin"].sha256)) == (3000, 64)
    assert space.read(second, "model.bin", size=3000) == b"\0" * 3000
    third = space.commit(SpaceChange(title="Delete", deletions=("model.bin",)), second)
    assert "model.bin" not in space.tree(third)


@pytest.mark.parametrize(
    ("contents", "error", "said"),
    [
        ({"README.md": b"# no metadata\n"}, Rejected, "sdk"),
        ({"app.py": APP, "gone": b""}, Conflict, "A commit has happened since"),
    ],
    ids=["no-sdk", "stale"],
)
def test_commit_that_is_refused(
    hub: LocalHub, tmp_path: Path, contents: dict[str, bytes], error: type[UnmoorError], said: str
) -> None:
    """The hub's reason for a refusal is in the error, and nothing is committed."""
    space = hub.space("acme/refused")
    parent = space.info().head
    if error is Conflict:
        hub.somebody_commits({"other": b"x"}, "acme/refused")
    titles = hub.commits("acme/refused")
    with pytest.raises(error, match=said):
        space.commit(change(tmp_path, contents), parent)
    assert hub.commits("acme/refused") == titles


def test_lost_bytes_of_lfs(hub: LocalHub, tmp_path: Path) -> None:
    """A large file whose bytes did not arrive is refused as a whole commit."""
    hub.fail("garbage", "PUT =/_lfs/*")
    space = hub.space("acme/lfs")
    with pytest.raises(Rejected, match="does not exist"):
        space.commit(change(tmp_path, {"a.bin": b"\0" * 10}), space.info().head)
    assert hub.commits("acme/lfs") == ["initial commit"]


def test_upload_that_fails_is_repeated(hub: LocalHub, tmp_path: Path) -> None:
    """What comes before a commit is repeated after a fault; a commit is sent once."""
    hub.fail("lost-reply", "PUT =/_lfs/*")
    space = hub.space("acme/again")
    before = len(hub.requests())
    space.commit(change(tmp_path, {"b.bin": b"\1" * 10}), space.info().head)
    sent = [path for verb, path in hub.requests()[before:] if verb in {"PUT", "POST"}]
    assert sum(path.startswith("/_lfs/") for path in sent) == 2
    assert sent.count("/api/spaces/acme/again/commit/main") == 1


def test_login_of_this_machine_is_not_used(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the variables nor the files of huggingface_hub change who commits, where, and what is printed."""
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    space = hub.space("acme/login")
    space.commit(change(tmp_path, {"app.py": APP}), space.info().head)
    out, err = capfd.readouterr()
    assert out + err == ""

"""What this account wrote is remembered outside every checkout, for one tag at one commit, and nowhere else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.systems import posix

from unmoor.artifacts.notebook import StateNotebook

DIGEST, OTHER = "1" * 64, "2" * 64
RELEASE = ("Owner/Name", "v1.0", "a" * 40)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "unmoor"


@pytest.fixture
def notebook(state: Path, tmp_path: Path) -> Callable[..., StateNotebook]:
    """Open the notebook of a release, as another process does."""
    del state

    def opened(*release: str) -> StateNotebook:
        repository, tag, commit = release or RELEASE
        return StateNotebook.of(repository, tag, commit, checkout=tmp_path / "checkout")

    return opened


def test_remembered(notebook: Callable[..., StateNotebook], state: Path) -> None:
    """Another process remembers; the files are for this user only, and a digest is noted once."""
    for _ in range(3):
        notebook().remember(DIGEST, document="manifest.json")
    assert notebook().remembers(DIGEST)
    assert not notebook().remembers(OTHER)
    (file,) = (state / "documents").iterdir()
    assert [json.loads(line)["document"] for line in file.read_text().splitlines()] == ["manifest.json"]
    assert [path.stat().st_mode & 0o777 for path in (state, state / "documents", file)] == [0o700, 0o700, 0o600]


@pytest.mark.parametrize(
    ("release", "same"),
    [
        (("owner/name", "v1.0", "a" * 40), True),
        (("owner/other", "v1.0", "a" * 40), False),
        (("Owner/Name", "v1.1", "a" * 40), False),
        (("Owner/Name", "v1.0", "b" * 40), False),
        (("Owner/Name", "../v1.0", "a" * 40), False),
        (("Owner/Name", "v1.0\x00", "a" * 40), False),
    ],
    ids=["case", "repository", "tag", "commit", "dots", "nul"],
)
def test_the_key(notebook: Callable[..., StateNotebook], state: Path, release: tuple[str, ...], *, same: bool) -> None:
    """A notebook belongs to one repository, tag and commit, whatever characters a tag holds."""
    notebook().remember(DIGEST, document="x")
    notebook(*release).remember(OTHER, document="x")
    assert notebook(*release).remembers(DIGEST) is same
    assert {path.parent for path in state.rglob("*") if path.is_file()} == {state / "documents"}


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "null", "[" * 5000, '{"sha256": "1"}', f'{{"sha256": "{DIGEST}"}}'],
    ids=["empty", "cut", "list", "null", "deep", "short", "no release"],
)
def test_a_line_that_is_no_note(notebook: Callable[..., StateNotebook], line: str) -> None:
    """A line that was cut off when the machine died, or written by hand, says nothing and hides nothing."""
    first = notebook()
    first.remember(OTHER, document="x")
    assert first.file is not None
    with first.file.open("a") as stream:
        stream.write(f"{line}\n")
    assert not notebook().remembers(DIGEST)
    assert notebook().remembers(OTHER)


def _writable(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)


def _link(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    other = folder.parent / "elsewhere"
    other.mkdir()
    folder.symlink_to(other)


def _file(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("")


@pytest.mark.parametrize(
    ("prepare", "below", "why"),
    [
        (_writable, "", "others can write to it"),
        (_link, "", "is not a folder"),
        (_file, "", "is not a folder"),
        (_writable, "documents", "others can write to it"),
        (_link, "documents", "is not a folder"),
    ],
    ids=["open", "link", "file", "open below", "link below"],
)
def test_a_folder_that_is_not_only_ours(
    notebook: Callable[..., StateNotebook], state: Path, prepare: Callable[[Path], None], below: str, why: str
) -> None:
    """A state folder that others can write is not read or written; then only this process remembers, and says why."""
    prepare(state / below if below else state)
    before = sorted(state.parent.rglob("*"))
    here = notebook()
    here.remember(DIGEST, document="x")
    assert here.remembers(DIGEST)
    assert why in here.problem
    assert not notebook().remembers(DIGEST)
    assert sorted(state.parent.rglob("*")) == before


@posix
@pytest.mark.parametrize("how", ["link", "pipe", "open"])
def test_a_planted_file(notebook: Callable[..., StateNotebook], tmp_path: Path, how: str) -> None:
    """A notebook file that is a link, a pipe or writable by others is not believed, and never waited for."""
    first = notebook()
    first.remember(DIGEST, document="x")
    assert first.file is not None
    if how == "link":
        first.file.rename(tmp_path / "moved")
        first.file.symlink_to(tmp_path / "moved")
    elif how == "pipe":
        first.file.unlink()
        if sys.platform != "win32":
            os.mkfifo(first.file)
    else:
        first.file.chmod(0o666)
    assert not notebook().remembers(DIGEST)


@pytest.mark.parametrize("place", ["checkout/.state", "checkout", "link"])
def test_a_state_folder_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """What a commit could hold is no memory of this account, also if the folder is reached through a link."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "checkout")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / place))
    here = StateNotebook.of(*RELEASE, checkout=tmp_path / "checkout")
    assert "inside the checkout" in here.problem
    here.remember(DIGEST, document="x")
    assert list((tmp_path / "checkout").iterdir()) == []


def test_a_folder_that_cannot_be_written(state: Path, tmp_path: Path) -> None:
    """A run goes on without memory, and knows why."""
    here = StateNotebook.of(*RELEASE, checkout=tmp_path / "checkout")
    state.parent.write_text("")  # appears after the notebook was opened
    here.remember(DIGEST, document="x")
    assert here.remembers(DIGEST)
    assert "cannot be written" in here.problem

"""The state of the Spaces of a hub: commits with their trees, tags, and what each runs; a JSON file for each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock

import msgspec

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.shared import store
from unmoor.util.values import replace

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
LARGEST_REGULAR = 10 << 20
"""Bytes from which a file must be in LFS."""
_LFS = (".bin", ".png", ".jpg", ".gif", ".ico", ".pt", ".safetensors", ".wav", ".zip")
_README = b"---\ntitle: Demo\nsdk: gradio\n---\n"
_SDK = re.compile(rb"\A---\r?\n(?:.*\n){0,200}?sdk:[ \t]*[a-z]+[ \t]*\r?\n(?:.*\n){0,200}?---[ \t]*(?:\r?\n|\Z)")


class Mood(StrEnum):
    """What is odd about every Space of a hub, by the name of a control file in its folder."""

    ABSENT = "absent"  # there is none
    PRIVATE = "private"
    PAUSED = "paused"  # takes commits, and builds nothing
    SLEEPING = "sleeping"  # until the next commit
    BUILD_ERROR = "build-error"
    RUNTIME_ERROR = "runtime-error"
    STALE = "stale-running"  # goes on to report RUNNING, with the former commit
    UNNAMED = "unnamed"  # the runtime names no commit
    STUCK = "stuck"  # builds without an end
    AT_ONCE = "at-once"  # runs each commit without a build that anybody sees


class HubProblem(Exception):
    """A refusal: its status, its message, and the code in ``X-Error-Code``."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a tree: the id of its git blob, its size, and the digest of its bytes, which is its name in the store.

    In LFS the blob is that of a pointer.
    """

    oid: str
    size: int
    sha256: str
    lfs: bool = False


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit and its tree."""

    id: str
    title: str
    date: str
    tree: Mapping[str, Blob]


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """A Space: its commits, the newest first, its tags, and how often its runtime was asked for since the last one."""

    commits: tuple[Commit, ...]
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    polls: int = 1000

    @property
    def head(self) -> Commit:
        """The last commit."""
        return self.commits[0]

    def at(self, revision: str) -> Commit:
        """The commit of a branch, a tag or an id. Raises a 404."""
        if revision == "main":
            return self.head
        wanted = self.tags.get(revision, revision)
        found = next((each for each in self.commits if each.id == wanted), None)
        if found is None:
            raise HubProblem(404, f"Invalid rev id: {revision[:100]}", "RevisionNotFound")
        return found


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit asks for: ``files`` by path, ``lfs`` digests and sizes by path, and paths to delete."""

    title: str
    parent: str | None
    files: Mapping[str, bytes]
    lfs: Mapping[str, str]
    deleted: tuple[str, ...]


def blob_id(data: bytes) -> str:
    """The id that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def needs_lfs(path: str, size: int) -> bool:
    """Whether a file must be in LFS: by its name, or by its size."""
    return size > LARGEST_REGULAR or path.endswith(_LFS)


def has_sdk(readme: bytes) -> bool:
    """Whether a README tells the hub what to run."""
    return _SDK.match(readme) is not None


@dataclass(frozen=True)
class Spaces:
    """The Spaces in a folder. A thread holds ``lock`` while it changes one."""

    folder: Path
    lock: Lock = field(default_factory=Lock)

    def has(self, mood: Mood) -> bool:
        """Whether a control file is there."""
        return (self.folder / mood).exists()

    def open(self, name: str) -> Space:
        """A Space; a new one has a README. Raises a 404."""
        if not NAME.fullmatch(name) or self.has(Mood.ABSENT):
            raise HubProblem(404, "Repository not found", "RepoNotFound")
        found = store.load(self._path(name), Space)
        if found is not None:
            return found
        tree = {"README.md": self.keep(_README), ".gitattributes": self.keep(b"*.png filter=lfs -text\n")}
        first = Commit(id=_commit_id("", "initial commit", tree), title="initial commit", date=store.now(), tree=tree)
        return self._save(name, Space(commits=(first,)))

    def bytes_of(self, sha256: str) -> bytes | None:
        """The bytes with a digest, ``None`` if the store has none."""
        try:
            return (self.folder / "objects" / sha256).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, data: bytes, *, lfs: bool = False) -> Blob:
        """Store bytes, and describe them."""
        sha256 = hashlib.sha256(data).hexdigest()
        write_atomic(self.folder / "objects" / sha256, data, sync=False)
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(data)}\n".encode()
        return Blob(oid=blob_id(pointer if lfs else data), size=len(data), sha256=sha256, lfs=lfs)

    def tag(self, name: str, tag: str, revision: str) -> None:
        """Make a tag. Raises a 409."""
        space = self.open(name)
        if tag in space.tags:
            raise HubProblem(409, f"Tag reference exists already: {tag[:100]}")
        self._save(name, replace(space, tags={**space.tags, tag: space.at(revision).id}))

    def commit(self, name: str, change: Change) -> str:
        """Commit onto the branch. Raises what the hub would."""
        space = self.open(name)
        if change.parent is not None and change.parent != space.head.id:
            raise HubProblem(412, "A commit has happened since. Refresh and repeat it.")
        tree = dict(space.head.tree)
        for path, data in change.files.items():
            if needs_lfs(path, len(data)):
                raise HubProblem(400, f"Your push was rejected because it contains binary files: {path[:100]}")
            tree[path] = self.keep(data)
        for path, sha256 in change.lfs.items():
            held = self.bytes_of(sha256)
            if held is None:
                raise HubProblem(400, f"LFS pointer pointed to a file that does not exist: {path[:100]}")
            tree[path] = self.keep(held, lfs=True)
        for path in change.deleted:
            if tree.pop(path, None) is None:
                raise HubProblem(404, "A file with this name doesn't exist", "EntryNotFound")
        readme = tree.get("README.md")
        if readme is None or not has_sdk(self.bytes_of(readme.sha256) or b""):
            raise HubProblem(400, 'Invalid metadata in README.md: "sdk" is required')
        made = Commit(id=_commit_id(space.head.id, change.title, tree), title=change.title, date=store.now(), tree=tree)
        self._save(name, replace(space, commits=(made, *space.commits), polls=0))
        return made.id

    def runtime(self, name: str) -> dict[str, object]:
        """What runs: first the build, then the start, then the application. Counts how often it is asked."""
        space = self.open(name)
        self._save(name, replace(space, polls=space.polls + 1))
        stage, commit = self._stage(space), space.head.id
        if self.has(Mood.STALE):
            stage, commit = "RUNNING", space.commits[min(1, len(space.commits) - 1)].id
        answer: dict[str, object] = {"stage": stage, "hardware": {"current": "cpu-basic", "requested": None}}
        if stage in {"BUILD_ERROR", "RUNTIME_ERROR"}:
            answer["errorMessage"] = f"{stage}: exit code: 1"
        return answer if self.has(Mood.UNNAMED) else {**answer, "sha": commit}

    def _stage(self, space: Space) -> str:
        if self.has(Mood.PAUSED):
            return "PAUSED"
        # A roll-back repairs what the control files break.
        broken = not space.head.title.startswith("Roll back")
        if self.has(Mood.STUCK) and broken:
            return "BUILDING"
        last = "SLEEPING" if self.has(Mood.SLEEPING) and space.polls >= 1000 else "RUNNING"  # noqa: PLR2004 - as a new one
        if broken and self.has(Mood.RUNTIME_ERROR):
            last = "RUNTIME_ERROR"
        if broken and self.has(Mood.BUILD_ERROR):
            return ("BUILDING", "BUILD_ERROR")[min(space.polls, 1)]
        return last if self.has(Mood.AT_ONCE) else ("BUILDING", "APP_STARTING", last)[min(space.polls, 2)]

    def _path(self, name: str) -> Path:
        return self.folder / "spaces" / f"{name.replace('/', '%2F')}.json"

    def _save(self, name: str, space: Space) -> Space:
        store.save(self._path(name), space)
        return space


def _commit_id(parent: str, title: str, tree: Mapping[str, Blob]) -> str:
    text = msgspec.json.encode([parent, title, sorted((path, blob.oid) for path, blob in tree.items())])
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()

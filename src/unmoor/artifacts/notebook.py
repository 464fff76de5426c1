"""Remember which documents this account wrote: their sha256, in the user's state folder, outside every checkout.

One file for each repository, tag and commit, one JSON line for each document. What runs as the same account can
write there as well; ``docs/concepts/trust.md`` says what follows from that.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from unmoor.util.decode import decode_json
from unmoor.util.digests import is_sha256

_LIMIT = 1_000_000
_WRITING = threading.Lock()


class NotedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a notebook: a document that this account wrote, by its name and sha256."""

    repository: str
    tag: str
    commit: str
    document: str
    sha256: str


@dataclass(kw_only=True)
class StateNotebook:
    """The notebook of one release in the state folder.

    ``file`` is ``None`` if there is no usable state folder; then only this process remembers, and ``problem`` says why.
    """

    file: Path | None
    release: tuple[str, str, str]
    problem: str = ""
    _own: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, repository: str, tag: str, commit: str, *, checkout: Path) -> StateNotebook:
        """The notebook of a tag at a commit of a repository (``owner/name``). Creates nothing."""
        release = (repository.lower(), tag, commit)
        folder = _state_folder()
        problem = _why_unusable(folder, checkout)
        # A tag may hold what no file name may, so the key is hashed; the lines have it in plain text.
        key = hashlib.sha256(json.dumps(release).encode()).hexdigest()
        return cls(file=None if problem else folder / "documents" / f"{key}.jsonl", release=release, problem=problem)

    def remembers(self, digest: str) -> bool:
        """Whether this account wrote the document with this sha256."""
        return digest in self._own or digest in set(self._noted())

    def remember(self, digest: str, *, document: str) -> None:
        """Note the sha256 of a document. If it cannot be written down, this process still remembers it."""
        if self.remembers(digest):
            self._own.add(digest)
            return
        self._own.add(digest)
        if self.file is None:
            return
        import msgspec

        repository, tag, commit = self.release
        noted = NotedDocument(repository=repository, tag=tag, commit=commit, document=document, sha256=digest)
        try:
            with _WRITING:
                _append(self.file, msgspec.json.encode(noted) + b"\n")
        except OSError as error:
            self.problem = f"{self.file.parent} cannot be written: {error.strerror or error}"
            self.file = None

    def _noted(self) -> Iterator[str]:
        if self.file is None:
            return
        for line in _read_own(self.file).splitlines():
            try:
                noted = decode_json(line, NotedDocument)
            except ValueError:
                continue  # a line that was cut off when the machine died
            if (noted.repository, noted.tag, noted.commit) == self.release and is_sha256(noted.sha256):
                yield noted.sha256


def _state_folder() -> Path:
    """Where this user's state belongs (platformdirs; on Linux the XDG Base Directory specification)."""
    import platformdirs

    return platformdirs.user_state_path("unmoor", appauthor=False)


def _why_unusable(folder: Path, checkout: Path) -> str:
    """Say why a folder must not be used for what this account remembers; empty if it may be."""
    if not folder.is_absolute():
        return f"{folder} is not an absolute path"
    if folder.resolve().is_relative_to(checkout.resolve()):
        return f"{folder} is inside the checkout, where a commit could put files"
    return next(filter(None, map(_why_not_ours, (folder, folder / "documents"))), "")


def _why_not_ours(folder: Path) -> str:
    """Say why a folder is not this user's alone; empty if it is, or does not exist yet."""
    try:
        held = folder.lstat()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{folder} cannot be read: {error.strerror or error}"
    if not stat.S_ISDIR(held.st_mode):
        return f"{folder} is not a folder"
    return f"{folder} belongs to another user, or others can write to it" if _is_open_to_others(held) else ""


def _is_open_to_others(held: os.stat_result) -> bool:
    """Whether anyone but this user can write a file. Systems without user ids have no such bits."""
    get_user = getattr(os, "geteuid", None)
    return get_user is not None and (held.st_uid != get_user() or bool(held.st_mode & 0o022))


def _read_own(file: Path) -> bytes:
    """Read a file of this user that only this user can write; nothing from any other."""
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as stream:
        held = os.fstat(stream.fileno())
        if not stat.S_ISREG(held.st_mode) or _is_open_to_others(held):
            return b""
        return stream.read(_LIMIT)


def _append(file: Path, line: bytes) -> None:
    """Append a line that survives a crash. Only this user can read the folder and the file."""
    file.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.parent.mkdir(exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(file, flags, 0o600)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)

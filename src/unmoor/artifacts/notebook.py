"""Remember which documents this account wrote: their sha256, in the user's state folder, outside every checkout.

One file for each repository, tag and commit, one JSON line for each document. What runs as the same account can
write there as well; ``docs/concepts/trust.md`` says what follows from that.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from unmoor.filesystem.own_files import append_own, read_own, why_not_own_folder
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
    def of(cls, repository: str, tag: str, commit: str, *, checkout: Path, state: Path | None = None) -> StateNotebook:
        """The notebook of a tag at a commit of a repository (``owner/name``). Creates nothing.

        ``state`` is a state folder to use instead of this user's, as `platformdirs` would find it.
        """
        release = (repository.lower(), tag, commit)
        folder = _state_folder() if state is None else state
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
                append_own(self.file, msgspec.json.encode(noted) + b"\n")
        except OSError as error:
            self.problem = f"{self.file.parent} cannot be written: {error.strerror or error}"
            self.file = None

    def _noted(self) -> Iterator[str]:
        if self.file is None:
            return
        for line in read_own(self.file, _LIMIT).splitlines():
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
    return next(filter(None, map(why_not_own_folder, (folder, folder / "documents"))), "")

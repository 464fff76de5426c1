"""The files of a repository with what is proposed for them, before anything is written."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping

import msgspec

from unmoor.project.files import Files
from unmoor.scaffold.file_changes import FileChange

Read = Callable[[str], bytes | None]


class ScaffoldProject(msgspec.Struct, frozen=True, kw_only=True):
    """The project that files are proposed for.

    ``path`` is its folder in the repository, empty for the top, and ``name`` its name. ``repository`` is ``owner/name``
    on the forge, empty if nothing says it. ``tags`` are the tags of the repository with their commits. ``branch`` is
    the default branch.
    """

    path: str = ""
    name: str
    repository: str = ""
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    branch: str = "main"

    def place(self, name: str) -> str:
        """The path of a file of the project from the top of the repository."""
        return posixpath.join(self.path, name)


class ProposalDraft:
    """The files by their paths from the top of a repository: as they are, or as a part of the proposal has them.

    ``notes`` say what is left as it is, and what a person should know. Each part of a proposal sees what the parts
    before it propose. ``revision`` grows with each change.
    """

    def __init__(self, read: Read, names: Collection[str]) -> None:
        self._read = read
        self._names = tuple(names)
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes | None] = {}
        self._reasons: dict[str, list[str]] = {}
        self.notes: list[str] = []
        self.revision = 0

    def original(self, path: str) -> bytes | None:
        """What a file holds in the work tree; ``None`` if there is none."""
        if path not in self._before:
            self._before[path] = self._read(path)
        return self._before[path]

    def read(self, path: str) -> bytes | None:
        """What a file will hold; ``None`` if there will be none."""
        return self._after[path] if path in self._after else self.original(path)

    @property
    def names(self) -> tuple[str, ...]:
        """The paths of all files that there will be."""
        known = (each for each in self._names if self._after.get(each, b"") is not None)
        new = (each for each, data in self._after.items() if data is not None)
        return tuple(dict.fromkeys((*known, *new)))

    def write(self, path: str, data: bytes | None, reason: str) -> None:
        """Propose what a file will hold; ``None``: that it goes. A file that stays the same is no proposal."""
        if self.read(path) == data:
            return
        self.revision += 1
        self._after[path] = data
        self._reasons.setdefault(path, []).append(reason)

    def note(self, text: str) -> None:
        """Add a line for the person who reads the proposal, once."""
        if text not in self.notes:
            self.notes.append(text)

    def below(self, path: str) -> Files:
        """The files of a folder of the repository as they will be, by their paths from there."""
        start = f"{path}/" if path else ""
        return Files(
            lambda name: self.read(posixpath.join(path, name)),
            lambda: [each.removeprefix(start) for each in self.names if each.startswith(start)],
        )

    def changes(self) -> tuple[FileChange, ...]:
        """What the proposal changes, in the order in which it was made."""
        found = (
            FileChange(path=path, before=self.original(path), after=data, reason="; ".join(self._reasons.get(path, ())))
            for path, data in self._after.items()
        )
        return tuple(each for each in found if each.changes)

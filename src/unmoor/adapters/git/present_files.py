"""The files of a checkout as they are now, in the work tree or in the index; see `unmoor.ports.repository_files`."""

from __future__ import annotations

import os
import posixpath
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.adapters.git.changes import ANY_LINE_ENDS
from unmoor.adapters.git.filters import without_own_filters
from unmoor.adapters.git.program import GitProgram
from unmoor.errors import Unknown
from unmoor.filesystem.files import read_plain, read_regular
from unmoor.util.digests import is_commit
from unmoor.util.text import clean

LARGEST_FILE: Final = 10_000_000
_LONGEST_LISTING: Final = 50_000_000
_LINKS_FOLLOWED: Final = 5
_AT_ONCE: Final = 1_000
# Together; the program's output is held as text.
_MOST_AT_ONCE: Final = 50_000_000
_LINK, _SUBMODULE = "120000", "160000"
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_DIFF: Final = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules")
# Nothing in the settings of a user or of the project changes what it prints, or runs a program.
_DIFF_LINES: Final = (
    *("diff", "--unified=0", "--inter-hunk-context=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--find-renames", "--ignore-submodules=all", "--diff-filter=d"),
)
_LONGEST_DIFF: Final = 100_000_000


@dataclass(frozen=True, kw_only=True)
class _Present(ABC):
    """What both have in common: ``top`` is the top folder of the checkout, ``remote`` the name of its remote."""

    git: GitProgram
    top: Path
    remote: str = "origin"
    _changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def branch_point(self, branch: str) -> str | None:
        """Where the checkout left a branch of the remote. Sends no request."""
        if not _BRANCH.fullmatch(branch) or not _BRANCH.fullmatch(self.remote):
            return None
        ref = f"refs/remotes/{self.remote}/{branch}"
        # 1: nothing in common; 128: no such branch, or no commit yet.
        found = self.git.run("merge-base", "HEAD", ref, cwd=self.top, fine=(0, 1, 128)).out.strip()
        return found if is_commit(found) else None

    @property
    @abstractmethod
    def _names(self) -> tuple[str, ...]:
        """Every file, sorted."""

    @abstractmethod
    def _differing(self, since: str) -> tuple[str, ...]:
        """What differs from a commit."""

    def names(self) -> tuple[str, ...]:
        """Every file, sorted."""
        return self._names

    def changed(self, since: str | None) -> tuple[str, ...]:
        """What differs from a commit, read once for each; ``None``: every file."""
        if since is None:
            return self.names()
        with self._lock:  # checks run side by side
            if since not in self._changed:
                self._changed[since] = self._differing(since)
            return self._changed[since]

    def _diff(self, *words: str, env: Mapping[str, str], config: Sequence[str] = ()) -> str:
        words = (*_DIFF_LINES, *words)
        ran = self.git.run(*words, cwd=self.top, env=env, config=config, exact=True, limit=_LONGEST_DIFF)
        if len(ran.out) >= _LONGEST_DIFF // 4:
            raise Unknown("the diff is too long", where=str(self.top), otherwise=advice.SHORTEN_GIT_OUTPUT())
        return ran.out

    @cached_property
    def index(self) -> Mapping[str, tuple[str, str]]:
        """The mode and the blob of each path in the index, without submodules. Of unmerged ones, our side."""
        out = self.git.run(
            "ls-files", "--stage", "-z", "--full-name", cwd=self.top, limit=_LONGEST_LISTING, env=self.variables
        ).out
        found: dict[str, tuple[str, str]] = {}
        for line in filter(None, out.split("\0")):
            head, _, path = line.partition("\t")
            mode, blob, stage = head.split(" ")
            if mode != _SUBMODULE and stage in {"0", "2"}:
                found[path] = (mode, blob)
        return found

    @property
    def variables(self) -> Mapping[str, str]:
        """More variables for git."""
        return {}


@dataclass(frozen=True, kw_only=True)
class WorkTreeFiles(_Present):
    """The files on disk: tracked ones, and new ones that git does not ignore."""

    @cached_property
    def _names(self) -> tuple[str, ...]:
        listed = ("ls-files", "--others", "--exclude-standard", "-z", "--full-name")
        new = self.git.run(*listed, cwd=self.top, limit=_LONGEST_LISTING).out.split("\0")
        paths = {*self.index, *(path for path in new if path and not path.endswith("/"))}
        top = str(self.top)
        return tuple(sorted(path for path in paths if os.path.lexists(os.path.join(top, path))))  # noqa: PTH118 - many

    def read(self, path: str) -> bytes | None:
        """A file on disk. What a link leads to counts only inside the checkout."""
        path = posixpath.normpath(path)
        if _is_outside(path):
            return None
        place = self.top / path
        try:
            if not place.resolve(strict=True).is_relative_to(self.top.resolve()):
                return None
            content = read_regular(place, LARGEST_FILE)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, RuntimeError):
            return None
        if len(content) > LARGEST_FILE:
            raise _too_large(path)
        return content

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Files on disk, folder by folder. What is no plain file is read by itself."""
        folders: dict[str, list[str]] = {}
        for path in paths:
            folders.setdefault(posixpath.dirname(path), []).append(path)
        plain: dict[str, bytes] = {}
        for folder, some in folders.items():
            if self._is_inside(folder):
                read = read_plain(self.top / folder, map(posixpath.basename, some), LARGEST_FILE)
                plain.update((posixpath.join(folder, name), content) for name, content in read)
        contents = ((path, plain[path] if path in plain else self.read(path)) for path in paths)
        found = {path: content for path, content in contents if content is not None}
        if large := next((path for path, content in found.items() if len(content) > LARGEST_FILE), None):
            raise _too_large(large)
        return found

    def _is_inside(self, folder: str) -> bool:
        """Whether a folder is in the checkout, wherever links on its path lead."""
        try:
            place = (self.top / folder).resolve(strict=True)
            return place.is_dir() and place.is_relative_to(self.top.resolve())
        except (OSError, RuntimeError):
            return False

    def _differing(self, since: str) -> tuple[str, ...]:
        """What differs on disk, and new files."""
        env = without_own_filters(self.git, self.top)
        ran = self.git.run(*_DIFF, since, "--", cwd=self.top, env=env, config=ANY_LINE_ENDS)
        return tuple(sorted({*filter(None, ran.out.split("\0")), *(set(self.names()) - set(self.index))}))

    def diff(self, since: str) -> str:
        """What tracked files on disk changed since a commit, in more than line ends."""
        return self._diff(since, "--", env=without_own_filters(self.git, self.top), config=ANY_LINE_ENDS)


@dataclass(frozen=True, kw_only=True)
class StagedFiles(_Present):
    """The files of the index: what ``git commit`` would commit, whatever is on disk.

    ``file`` is the index that git names to a hook, as it does for ``git commit --all``; empty for the usual one.
    """

    file: str = ""
    _blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def variables(self) -> Mapping[str, str]:
        """The variable that names the index, if a hook was told."""
        return {"GIT_INDEX_FILE": self.file} if self.file else {}

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(self.index))

    def read(self, path: str) -> bytes | None:
        """A file of the index."""
        for _ in range(_LINKS_FOLLOWED):
            path = posixpath.normpath(path)
            if _is_outside(path) or path not in self.index:
                return None
            mode, blob = self.index[path]
            content = self._contents([blob])[blob]
            if mode != _LINK:
                return content
            path = posixpath.join(posixpath.dirname(path), content.decode(errors="replace"))
        return None

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Many files of the index, from one process for a thousand."""
        plain = {path: self.index[path][1] for path in paths if path in self.index and self.index[path][0] != _LINK}
        contents = self._contents(list(plain.values()))
        links = {path: content for path in paths if path not in plain and (content := self.read(path)) is not None}
        return {path: contents[blob] for path, blob in plain.items()} | links

    def _differing(self, since: str) -> tuple[str, ...]:
        """What differs in the index."""
        ran = self.git.run(*_DIFF, "--cached", since, "--", cwd=self.top, env=self.variables)
        return tuple(sorted(filter(None, ran.out.split("\0"))))

    def diff(self, since: str) -> str:
        """What the index changed since a commit."""
        return self._diff("--cached", since, "--", env=self.variables)

    def _contents(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of blobs by their ids, each read once."""
        missing = [each for each in dict.fromkeys(blobs) if each not in self._blobs]
        for start in range(0, len(missing), _AT_ONCE):
            self._blobs.update(self._batch(missing[start : start + _AT_ONCE]))
        return self._blobs

    def _batch(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        # Without --textconv and --filters, which run programs.
        asked = "".join(f"{each}\n" for each in blobs).encode()
        ran = self.git.run("cat-file", "--batch", cwd=self.top, stdin=asked, exact=True, limit=_MOST_AT_ONCE)
        rest = ran.out.encode(errors="surrogateescape")
        position = 0
        for each in blobs:
            end = rest.find(b"\n", position)
            match rest[position:end].split():
                case [_, b"blob", digits] if end >= 0 and len(rest) >= end + 1 + int(digits):
                    size = int(digits)
                case _:
                    raise Unknown(
                        f"git cannot read {each[:12]}, which the index names, or the files have more than"
                        f" {_MOST_AT_ONCE} bytes together",
                        where=str(self.top),
                        next_step=advice.CHECK_OBJECTS(),
                    )
            if size > LARGEST_FILE:
                raise _too_large(each[:12])
            yield each, rest[end + 1 : end + 1 + size]
            position = end + 1 + size + 1


def named_index(environ: Mapping[str, str], top: Path, git_dir: Path) -> str:
    """The index that git names to a hook, empty if it names none, or one that is not in the git directory."""
    named = environ.get("GIT_INDEX_FILE", "")
    if not named:
        return ""
    path = top / named
    return str(path) if path.is_file() and path.parent.resolve() == git_dir.resolve() else ""


def _is_outside(path: str) -> bool:
    return path.startswith(("/", "../")) or path in {"..", "."}


def _too_large(path: str) -> Unknown:
    return Unknown(
        f"the file has more than {LARGEST_FILE} bytes",
        where=clean(path),
        next_step=advice.SHRINK_FILE(),
        retryable=False,
    )

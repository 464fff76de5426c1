"""The files of a branch of a GitHub repository, read and changed through its API, without git and without a checkout.

New contents become blobs, then a tree on top of the one that was read, then a commit whose parent is the commit that
was read. The branch is moved to it without force, so that it only moves if nobody moved it meanwhile. If an answer is
lost or refused, the branch is looked at again: what it names decides.

Source: "Git database" in GitHub's description of its REST API.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from unmoor import advice
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import NotFound, converted, malformed
from unmoor.errors import Refused, Rejected, Unknown, UnmoorError
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.safe_folder import names_in, remove
from unmoor.ports.clock import Clock
from unmoor.ports.record_files import FilesState
from unmoor.ports.world import ForgePlace
from unmoor.util.digests import COMMIT, is_commit
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

LARGEST: Final = 20_000_000
"""Bytes of the largest file that is read."""
_MODE: Final = "100644"
_MOST_REFUSALS: Final = 3


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    """A git object."""

    sha: str


class _Inner(msgspec.Struct, frozen=True, kw_only=True):
    tree: _Named


class _Commit(msgspec.Struct, frozen=True, kw_only=True):
    sha: str
    commit: _Inner


class _Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch with its last commit."""

    name: str
    commit: _Commit


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    type: str
    sha: str
    mode: str = ""


class _Tree(msgspec.Struct, frozen=True, kw_only=True):
    tree: tuple[_Entry, ...]
    truncated: bool = False


class _Blob(msgspec.Struct, frozen=True, kw_only=True):
    content: str
    encoding: str


class GitHubBranchFiles:
    """Implements `unmoor.ports.record_files.RecordFiles` for a branch that nothing else uses.

    ``folders`` are the names at its top that it may have. ``cache`` is a folder in which read contents are kept by
    their id; ``None`` keeps none.
    """

    def __init__(
        self,
        place: ForgePlace,
        http: BoundedSession,
        clock: Clock,
        *,
        branch: str,
        folders: Collection[str],
        cache: Path | None = None,
    ) -> None:
        token = place.login.secret
        rights = advice.ALLOW_METRICS_BRANCH(branch=branch)
        self._api = GitHubClient(place, http, clock, token=token or None, pace=Pace(place.api, clock), rights=rights)
        self._root = f"/repos/{quote(place.repository)}"
        self._name = place.repository
        self._branch = branch
        self._folders = frozenset(folders)
        self._cache = cache
        self._trees: dict[str, str] = {}
        self._refusals = 0

    @property
    def where(self) -> str:
        """The repository and the branch."""
        return f"the branch {clean(self._branch, 200)} of {clean(self._name, 200)}"

    @cached_property
    def _ref(self) -> str:
        return f"heads/{quote(self._branch)}"

    def state(self) -> FilesState:
        """The files of the last commit; none if there is no such branch yet. Two requests."""
        head = self._head()
        if head is None:
            return FilesState()
        path = f"{self._root}/git/trees/{head.commit.tree.sha}?recursive=1"
        where = self._api.where(path)
        tree = converted(self._api.read(path), _Tree, "a tree", where)
        if tree.truncated:
            raise Unknown(
                "the branch has more files than the forge lists",
                where=self.where,
                next_step=advice.NAME_OTHER_BRANCH(),
                retryable=False,
            )
        files = {each.path: each for each in tree.tree if each.type != "tree"}
        ours = {path: each for path, each in files.items() if path.partition("/")[0] in self._folders}
        if files and not ours:
            first = clean(min(files), 100)
            raise Refused(
                f"the branch is used for something else: it has {first}",
                where=self.where,
                next_step=advice.NAME_OTHER_BRANCH(),
            )
        for name, each in ours.items():
            if each.type != "blob" or not each.mode.startswith("100") or not COMMIT.fullmatch(each.sha):
                raise Refused(f"{clean(name, 200)} is no file", where=self.where, next_step=advice.REMOVE_FROM_STORE())
        self._trees[head.sha] = head.commit.tree.sha
        self._forget({each.sha for each in ours.values()})
        return FilesState(version=head.sha, ids={name: each.sha for name, each in ours.items()})

    def _head(self) -> _Commit | None:
        """The last commit of the branch; ``None`` if there is no such branch. Raises `Denied` without access.

        Not the ref, which does not name the tree that a new one is based on.
        """
        path = f"{self._root}/branches/{quote(self._branch, safe='')}"
        try:
            found = converted(self._api.read(path), _Branch, "a branch", self._api.where(path))
        except NotFound:
            self._api.read(self._root)  # whether it is the repository that is missing
            return None
        if found.name != self._branch:  # that of a renamed branch, to which the forge redirects
            return None
        if not (is_commit(found.commit.sha) and is_commit(found.commit.commit.tree.sha)):
            raise malformed("a branch", self._api.where(path))
        return found.commit

    def read(self, state: FilesState, path: str) -> bytes:
        """Read a file of a state: from the cache, or one request."""
        sha = state.ids[path]
        kept = self._cache / sha if self._cache is not None else None
        if kept is not None:
            try:
                data = read_regular(kept, LARGEST + 1)
            except FileNotFoundError:
                pass
            else:
                if _is_blob(data, sha):
                    return data
        data = self._download(sha, path)
        if kept is not None:
            write_atomic(kept, data, sync=False)
        return data

    def _forget(self, current: set[str]) -> None:
        """Remove what the cache has of former states: each addition gives the last file of a month another id."""
        if self._cache is None:
            return
        for name in names_in(self._cache):
            if name not in current:
                remove(self._cache / name)

    def _download(self, sha: str, path: str) -> bytes:
        at = f"{self._root}/git/blobs/{sha}"
        where = self._api.where(at)
        blob = converted(self._api.read(at), _Blob, "a blob", where)
        try:
            data = base64.b64decode(blob.content) if blob.encoding == "base64" else blob.content.encode()
        except (binascii.Error, ValueError):
            raise malformed("a blob", where) from None
        if not _is_blob(data, sha):
            raise Unknown(f"the forge's answer for {clean(path, 200)} has other bytes than its id says", where=where)
        return data

    def write(self, state: FilesState, files: Mapping[str, bytes], message: str) -> bool:
        """Commit whole files on top of a state, and move the branch there if it has not moved since."""
        entries = []
        for path, data in files.items():
            content = {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64"}
            entries.append({"path": path, "mode": _MODE, "type": "blob", "sha": self._make("blobs", content)})
        base = {"base_tree": self._trees[state.version]} if state.version else {}
        tree = self._make("trees", {**base, "tree": entries})
        parents = [state.version] if state.version else []
        commit = self._make("commits", {"message": message, "tree": tree, "parents": parents})
        try:
            self._move(state.version, commit)
        except (Rejected, Unknown) as error:
            return self._settled(state.version, commit, error)
        return True

    def _move(self, before: str, commit: str) -> None:
        if before:
            self._api.patch(f"{self._root}/git/refs/{self._ref}", {"sha": commit, "force": False})
        else:
            self._api.post(f"{self._root}/git/refs", {"ref": f"refs/heads/{self._branch}", "sha": commit})

    def _settled(self, before: str, commit: str, error: UnmoorError) -> bool:
        """Look at the branch after a failure: whether it has our commit.

        If it has not moved, the first refusals count as those of a race all the same, since the forge may show an
        older state for a moment. After that the error is raised.
        """
        head = self._head()
        now = head.sha if head is not None else ""
        if now != before:
            return now == commit
        self._refusals += 1
        if isinstance(error, Rejected):
            if self._refusals < _MOST_REFUSALS:
                return False
            raise error.amended(next_step=advice.ALLOW_METRICS_BRANCH(branch=self._branch), retryable=False)
        raise error

    def _make(self, kind: str, fields: dict[str, Any]) -> str:
        """Make a git object, and return its id."""
        path = f"{self._root}/git/{kind}"
        made = converted(self._api.post(path, fields), _Named, "a git object", self._api.where(path)).sha
        if not is_commit(made):
            raise malformed("a git object", self._api.where(path))
        return made


def _is_blob(data: bytes, sha: str) -> bool:
    """Whether a blob of these bytes has this id."""
    name = "sha1" if len(sha) == 40 else "sha256"  # noqa: PLR2004 - digits of SHA-1, which git uses
    return hashlib.new(name, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == sha

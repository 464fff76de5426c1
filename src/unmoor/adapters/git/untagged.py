"""A checkout whose clones are of a commit without a tag, with the version of a file replaced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from unmoor import advice
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.errors import Refused
from unmoor.filesystem.files import write_atomic
from unmoor.ports.shell import Shell
from unmoor.project.written_version import WrittenVersion, with_version


class VersionEdit(msgspec.Struct, frozen=True, kw_only=True):
    """The places of a version in files of the project, and the version to write there."""

    places: tuple[WrittenVersion, ...]
    version: str


NO_EDIT: Final = VersionEdit(places=(), version="")
"""Writes nothing."""


class UntaggedCheckout(GitCheckout):
    """Clones a commit as if nobody had tagged it yet, and writes a version into the clone. The checkout stays.

    Tags of other commits stay in the clone, so that a backend that derives the version from them counts from the last
    release. A tag on the commit itself would give the version of that release to files that are not the release's.
    """

    def __init__(
        self,
        folder: Path,
        shell: Shell,
        remote: str = "origin",
        *,
        path: str = "",
        environ: Mapping[str, str] | None = None,
        edit: VersionEdit = NO_EDIT,
    ) -> None:
        super().__init__(folder, shell, remote, path=path, environ=environ)
        self._edit = edit

    def clone(self, into: Path, *, commit: str, tag: str, whole: bool = True) -> Path:
        """Clone as `GitCheckout.clone` does, whatever the ``tag``. Raises `Refused` if a link leads elsewhere."""
        del tag
        project = super().clone(into, commit=commit, tag="", whole=whole)
        write_version(project, into, self._edit)
        return project

    def precedes(self, commit: str, other: str) -> bool:
        """Whether another commit that this checkout holds continues from a commit. False for the commit itself."""
        if commit == other or self.commit_of(other) is None:
            return False
        ran = self.git.run("merge-base", "--is-ancestor", commit, other, cwd=self.folder, fine=(0, 1))
        return ran.code == 0


def write_version(project: Path, top: Path, edit: VersionEdit) -> tuple[Path, ...]:
    """Write a version into its places in the clone at ``top``, and return their files; see `file_inside` for errors."""
    paths = []
    for place in edit.places:
        path = file_inside(project / place.path, top, place)
        replace_content(path, with_version(path.read_bytes(), place, edit.version))
        paths.append(path)
    return tuple(paths)


def file_inside(path: Path, top: Path, written: WrittenVersion) -> Path:
    """Return the real path of the file that holds a version. Raises `Refused` if it is outside of ``top``."""
    real = path.resolve()
    if not real.is_relative_to(top.resolve()):
        raise Refused(
            "the file with the version is a symbolic link to a file outside the project",
            where=str(written),
            next_step=advice.REPLACE_VERSION_LINK(),
        )
    return real


def replace_content(path: Path, content: bytes) -> None:
    """Replace the content of a file atomically. Its mode stays."""
    write_atomic(path, content, mode=path.stat().st_mode & 0o777)

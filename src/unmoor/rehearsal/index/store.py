"""The state of one index: projects, their releases and files; each project is one JSON file on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from unmoor.filesystem.safe_folder import make_folder, remove
from unmoor.rehearsal.shared import store
from unmoor.rehearsal.shared.store import Digests
from unmoor.util.values import replace

ARCHIVED, QUARANTINED, DEPRECATED = "archived", "quarantined", "deprecated"
STATUSES = (QUARANTINED, ARCHIVED, DEPRECATED)
"""The statuses of a project other than ``active`` (PEP 792), each the name of a control file; the first counts."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One file; ``yanked`` is the reason, empty if none was given; ``None`` if it is not yanked."""

    name: str
    version: str
    kind: str
    pyversion: str
    digests: Digests
    uploaded: str
    requires_python: str | None = None
    metadata_sha256: str | None = None
    has_provenance: bool = False
    yanked: str | None = None

    @property
    def path(self) -> str:
        """The path of its bytes, below ``files`` on disk and below ``/packages`` in URLs."""
        blake2 = self.digests.blake2
        return f"{blake2[:2]}/{blake2[2:4]}/{blake2[4:]}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Project:
    """One project: its name as in the first upload, and its files in the order of the uploads.

    ``deleted`` are file names that can never be used again. ``releases`` has the metadata of each version, from
    its first file.
    """

    name: str
    serial: int
    files: tuple[Stored, ...] = ()
    deleted: tuple[str, ...] = ()
    releases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def normalized(self) -> NormalizedName:
        """The normalized name (PEP 503)."""
        return canonicalize_name(self.name)

    @property
    def versions(self) -> list[str]:
        """Every version that has a release, the lowest first."""
        return self._versions

    def of(self, version: str) -> tuple[Stored, ...]:
        """Return the files of a version."""
        return tuple(self._by_version.get(version, ()))

    # A project never changes, but is read often. Names that begin with "_" are not saved.
    @cached_property
    def _versions(self) -> list[str]:
        return sorted(self.releases, key=Version)

    @cached_property
    def _by_version(self) -> dict[str, list[Stored]]:
        found: dict[str, list[Stored]] = {}
        for file in self.files:
            found.setdefault(file.version, []).append(file)
        return found


class ProjectStore:
    """The projects of one index, in memory and on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_folder(folder / "projects")
        store.tidy(folder)
        loaded = (store.load(path, Project) for path in sorted((folder / "projects").glob("*.json")))
        self._projects: dict[str, Project] = {each.normalized: each for each in loaded if each}
        self._by_path: dict[str, Stored] | None = None

    def __iter__(self) -> Iterator[Project]:
        return iter(sorted(self._projects.values(), key=lambda project: project.normalized))

    @property
    def serial(self) -> int:
        """The serial of the last change."""
        return max((project.serial for project in self._projects.values()), default=0)

    def get(self, name: str) -> Project | None:
        """Return a project by any spelling of its name."""
        return self._projects.get(canonicalize_name(name))

    def file(self, path: str) -> Stored | None:
        """Return a file by its path."""
        if self._by_path is None:
            self._by_path = {file.path: file for project in self for file in project.files}
        return self._by_path.get(path)

    def twin(self, name: str, blake2: str) -> Stored | None:
        """Return a file of any project with that name or those bytes; the name takes precedence."""
        same = [f for p in self for f in p.files if f.name == name or f.digests.blake2 == blake2]
        return next((file for file in same if file.name == name), same[0] if same else None)

    def bytes_of(self, file: Stored) -> Path:
        """Return the path of a file's bytes."""
        return self.folder / "files" / file.path

    def is_foreign(self, name: str) -> bool:
        """Whether a project belongs to somebody else (the control file ``foreign``)."""
        return self._names("foreign", name)

    def _names(self, control: str, name: str) -> bool:
        """Whether a control file lists a project."""
        return canonicalize_name(name) in {canonicalize_name(each) for each in store.lines(self.folder / control)}

    def status(self, project: Project) -> str:
        """Return the status of a project (PEP 792): the control file that names it, else ``active``."""
        return next((each for each in STATUSES if self._names(each, project.name)), "active")

    def as_installers_see(self, project: Project) -> Project:
        """Return a project without the files that were uploaded after the control file ``stale`` was touched.

        A quarantined project has no files for them.
        """
        if self.status(project) == QUARANTINED:
            return replace(project, files=())
        until = store.touched(self.folder / "stale")
        if until is None:
            return project
        return replace(project, files=tuple(file for file in project.files if file.uploaded <= until))

    def add(self, name: str, file: Stored, release: Mapping[str, Any]) -> None:
        """Add a file; the first one of a version creates the release with its metadata."""
        project = self.get(name) or Project(name=name, serial=0)
        releases = {file.version: release, **project.releases}
        self._put(replace(project, files=(*project.files, file), releases=releases))

    def create(self, name: str) -> None:
        """Create a project without files."""
        self._put(Project(name=name, serial=0))

    def delete(self, project: Project, file: Stored) -> None:
        """Delete a file for good: its name can never be used again."""
        files = tuple(each for each in project.files if each is not file)
        self._put(replace(project, files=files, deleted=(*project.deleted, file.name)))
        remove(self.bytes_of(file))

    def yank(self, project: Project, version: str, reason: str) -> None:
        """Yank a release (PEP 592), as on the project's page."""
        files = tuple(replace(each, yanked=reason) if each.version == version else each for each in project.files)
        self._put(replace(project, files=files))

    def _put(self, project: Project) -> None:
        project = replace(project, serial=self.serial + 1)
        self._projects[project.normalized] = project
        self._by_path = None
        store.save(self.folder / "projects" / f"{project.normalized}.json", project)

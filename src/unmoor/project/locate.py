"""Find the folder of a project in its repository, and resolve the settings for it.

An option, the environment or a given configuration file names the folder. Otherwise it is the nearest project at or
above the current folder, or the one that the settings at the top name. A tag that does not fit the project at the top
may belong to one below it. A private project at the top of several is never meant unless somebody names its folder.
In every case the folder is checked at the commit of the release, never on disk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

import msgspec

from unmoor import advice
from unmoor.advice import NOTHING, NextStep
from unmoor.config.config_file import ConfigFile
from unmoor.config.settings import Resolved, Settings, resolve
from unmoor.config.values import folder as check_folder
from unmoor.errors import ConfigError, UnmoorError
from unmoor.ports.git import Git
from unmoor.project import Read, is_project, read_facts
from unmoor.project.files import Files
from unmoor.project.private import why_private
from unmoor.util.text import clean, list_some
from unmoor.versioning.pep440 import quote
from unmoor.versioning.tag_scheme import Naming

FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_MAX_BYTES = 10_000_000
# Folders whose projects are for tests and readers.
_NOT_RELEASED = frozenset(
    {"test", "tests", "testing", "testdata", "fixtures", "doc", "docs", "example", "examples", "samples", "templates"}
    | {"benchmark", "benchmarks", "vendor", "vendored", "third_party", "_vendor"}
)


class ConfigSources(msgspec.Struct, frozen=True, kw_only=True):
    """The sources of settings besides the command line: the environment, and a configuration file if one is given."""

    environ: Mapping[str, str]
    config: ConfigFile | None = None


class LocatedProject(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of a project, empty for the top, and a note for the user about how it was found."""

    path: str
    note: str = ""


def locate(
    git: Git, folder: Path, sources: ConfigSources, *, named: str | None, tag: str | None, commit: str | None
) -> LocatedProject:
    """Find the project to release. ``git`` is at the top of the repository, ``folder`` is the current folder.

    ``named`` is the folder given on the command line. ``commit`` is the release's, ``None`` in an empty
    repository. Raises `ConfigError` if no source names the project, or if it does not exist at the commit.
    """
    repository = _Repository(git, commit)
    path, where = _explicit_folder(folder, git, sources, named)
    if path is None and commit is not None:
        top = settings_at(git, commit, sources)
        path, where = top.settings.path or None, top.provenance["path"]
        if path is None:
            return _locate_by_tag(repository, top.settings, tag)
        _require_unambiguous(top)
    return repository.require_project(path or "", where)


def _locate_by_tag(repository: _Repository, top: Settings, tag: str | None) -> LocatedProject:
    """The project at the top, unless there is none, it is private, or the tag belongs to one project below it."""
    if not is_project(partial(repository.read, "")):
        return repository.require_tagged(tag, "there is no project at the top of the repository")
    if (why := repository.why_private("")) and repository.releasable:
        return repository.require_tagged(tag, f"the project at the top of the repository is private: {why}")
    if tag is None or _naming(repository.git, repository.commit, top).matches(tag):
        return LocatedProject(path="")
    return repository.find_tagged(tag) or LocatedProject(path="")


def _explicit_folder(folder: Path, git: Git, sources: ConfigSources, named: str | None) -> tuple[str | None, str]:
    """The folder from a source that overrides the settings at the top, and the name of that source."""
    if named is not None:
        # As a shell on Windows completes it: with backslashes.
        return _require_valid(Path(named).as_posix(), "--path"), "--path"
    outside = resolve(lambda _: None, environ=sources.environ, config=sources.config)
    if outside.settings.path:
        return outside.settings.path, outside.provenance["path"]
    return nearest_project(folder, git.folder) or None, ""


def settings_at(git: Git, commit: str | None, sources: ConfigSources) -> Resolved:
    """The settings of the project in ``git.path``. Raises `ConfigError` if they name yet another folder."""
    found = resolve(_reader(git, commit), environ=sources.environ, config=sources.config, below=git.path)
    path, origin = found.settings.path, found.provenance["path"]
    if git.path and path and sources.config is None and not origin.startswith("environment"):
        raise ConfigError(
            "path is only for the settings at the top of the repository, and these are a project's own",
            where=origin,
            next_step=advice.REMOVE_PATH(),
        )
    return found


def naming_at(git: Git, commit: str | None, sources: ConfigSources) -> Naming:
    """How the project names its tags, by its files at a commit. Raises `ConfigError` if they are malformed."""
    if commit is None:
        return Naming()
    return _naming(git, commit, settings_at(git, commit, sources).settings)


def _naming(git: Git, commit: str | None, settings: Settings) -> Naming:
    read = _reader(git, commit)
    return Naming(
        configured=settings.tag_prefix,
        project=lambda: read_facts(read, project=settings.project).name,
        in_folder=bool(git.path),
    )


def _reader(git: Git, commit: str | None) -> Read:
    return lambda name: git.read(commit, name) if commit else None


def nearest_project(folder: Path, top: Path) -> str:
    """The nearest folder at or above the current one that holds a project, relative to the top.

    Empty for the top itself, or if there is none. Raises `ConfigError` if the path is no valid ``path`` setting.
    """
    top, here = top.resolve(), folder.resolve()
    while here != top and top in here.parents:
        if is_project(partial(_on_disk, here)):
            return _require_valid(here.relative_to(top).as_posix(), "the current folder")
        here = here.parent
    return ""


def _on_disk(folder: Path, name: str) -> bytes | None:
    path = folder / name
    return path.read_bytes() if path.is_file() and path.stat().st_size <= _MAX_BYTES else None


def _require_valid(text: str, where: str) -> str:
    try:
        return check_folder(text)
    except ValueError as error:
        raise ConfigError(str(error), where=where, next_step=advice.NAME_A_FOLDER()) from error


def _require_unambiguous(top: Resolved) -> None:
    """Refuse other settings next to ``path``: they would be ignored silently. Raises `ConfigError`."""
    if not top.settings.path:
        return
    file = top.provenance["path"].partition(":")[0]
    others = [name for name, origin in top.provenance.items() if origin.startswith(f"{file}:") and name != "path"]
    if others:
        raise ConfigError(
            f"these settings have no effect next to path: {', '.join(others)}",
            where=top.provenance["path"],
            next_step=advice.MOVE_SETTINGS(path=top.settings.path),
        )


@dataclass(frozen=True)
class _Repository:
    """The repository at the release's commit; ``git`` is at its top."""

    git: Git
    commit: str | None

    @cached_property
    def files(self) -> Collection[str]:
        return frozenset(self.git.files(self.commit) if self.commit else ())

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """Every folder below the top that contains a project."""
        parents = {str(PurePosixPath(path).parent) for path in self.files if path.rpartition("/")[2] in FILES}
        fit = (path for path in sorted(parents - {"."}) if _is_valid(path))
        return tuple(path for path in fit if is_project(partial(self.read, path)))

    @cached_property
    def releasable(self) -> tuple[str, ...]:
        """The candidates that people release: neither private, nor among tests, examples or copies of others."""
        outside = (path for path in self.candidates if _NOT_RELEASED.isdisjoint(path.lower().split("/")))
        return tuple(path for path in outside if not self.why_private(path))

    def why_private(self, folder: str) -> str:
        """Why the project in a folder is never released, empty if it may be."""
        return why_private(Files(partial(self.read, folder)))

    def read(self, folder: str, name: str) -> bytes | None:
        """A file in a folder, ``None`` if it does not exist."""
        path = f"{folder}/{name}" if folder else name
        return self.git.read(self.commit, path) if self.commit and path in self.files else None

    def require_project(self, path: str, where: str) -> LocatedProject:
        """Require that a folder exists and contains a project. Raises `ConfigError`."""
        if not path or self.commit is None:
            return LocatedProject(path=path)
        at = f"at commit {self.commit[:12]}"
        parts = PurePosixPath(path).parts
        above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        blocked = next((each for each in above if each in self.files), "")
        if blocked:
            what = f"{clean(blocked)} is a file, a link or a submodule {at}, not a folder of this repository"
        elif not any(each.startswith(f"{path}/") for each in self.files):
            what = f"there is no folder {clean(path)} {at}"
        elif not any(f"{path}/{name}" in self.files for name in FILES):
            what = f"there is no project in {clean(path)} {at}: neither {', '.join(FILES[:-1])} nor {FILES[-1]}"
        else:
            return LocatedProject(path=path)
        raise ConfigError(what, where=where, next_step=self._how_to_name_it())

    def require_tagged(self, tag: str | None, why: str) -> LocatedProject:
        """Return the one project whose name or configured prefix the tag has. Raises `ConfigError`.

        ``why`` says why the project at the top is not meant.
        """
        if not self.candidates:
            return LocatedProject(path="")  # the code that reads the project then reports what is missing
        found = self.find_tagged(tag) if tag is not None else None
        if found is not None:
            return found
        if tag is None:
            what = why
        elif fitting := self._projects_of(tag):
            what = f"the tag {quote(tag)} fits the projects in {list_some([clean(path, 100) for path in fitting])}"
        else:
            what = f"{why}, and none in it has tags such as {quote(tag)}"
        more = NOTHING if tag is None else advice.SET_TAG_PREFIX()
        step = self._how_to_name_it().then(more, self._tagged_here())
        raise ConfigError(what, where=str(self.git.folder), next_step=step)

    def _tagged_here(self) -> NextStep:
        """A hint if a tag on the commit names a project below the top; empty if there is none."""
        for tag, commit in sorted(self.git.tags().items()):
            if commit == self.commit and (found := self.find_tagged(tag)) is not None:
                return advice.NAME_TAG_OF_PROJECT(tag=quote(tag), folder=clean(found.path, 100))
        return NOTHING

    def find_tagged(self, tag: str) -> LocatedProject | None:
        """The project below the top that a tag belongs to, ``None`` if there is none or several."""
        fitting = self._projects_of(tag)
        if len(fitting) != 1:
            return None
        return LocatedProject(path=fitting[0], note=f"the tag {tag} belongs to the project in {fitting[0]}")

    def _projects_of(self, tag: str) -> list[str]:
        return [path for path in self.candidates if self._is_tag_of(path, tag)]

    def _is_tag_of(self, path: str, tag: str) -> bool:
        """Whether a tag has a project's name or prefix. If the project cannot be read, it has not."""
        try:
            return naming_at(self.git.at(path), self.commit, ConfigSources(environ={})).is_explicit(tag)
        except UnmoorError:
            return False

    def _how_to_name_it(self) -> NextStep:
        paths = [clean(path, 100) for path in self.releasable or self.candidates]
        known = f"; projects are in {list_some(paths)}" if paths else ""
        return advice.NAME_PROJECT_FOLDER(known=known)


def _is_valid(path: str) -> bool:
    try:
        return check_folder(path) == path
    except ValueError:
        return False

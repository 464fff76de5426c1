"""Where in its repository a project lies: said, or found; and its settings, seen from there.

Said by an option, the environment or a given file; else it is the nearest project at or above the current
folder; else what the settings at the top say. A tag that is not the top's can still be that of a project below.
Wherever it comes from, the folder is looked at as the release's own commit holds it, never as it lies on the disk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from unmoor.config.config_file import ConfigFile
from unmoor.config.settings import Resolved, Settings, resolve
from unmoor.config.values import folder as fit_folder
from unmoor.errors import ConfigError, UnmoorError
from unmoor.ports.git import Git
from unmoor.project import Read, is_project, read_facts
from unmoor.util.text import clean, list_some
from unmoor.versioning.pep440 import quote
from unmoor.versioning.tag_scheme import Naming

FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_LARGEST = 10_000_000


@dataclass(frozen=True, kw_only=True)
class ConfigSources:
    """What is said besides the command line's own words: the environment, and a file that was given."""

    environ: Mapping[str, str]
    config: ConfigFile | None = None


@dataclass(frozen=True, kw_only=True)
class LocatedProject:
    """The folder of a project, empty for the top, and what the user should hear of how it was found."""

    path: str
    said: str = ""


def locate(
    git: Git, folder: Path, around: ConfigSources, *, named: str | None, tag: str | None, commit: str | None
) -> LocatedProject:
    """Find the project that is meant. ``git`` is seen from the top, and ``folder`` the current one.

    ``named`` is what the command line says. ``commit`` is the release's, ``None`` in an empty repository.
    Raises `ConfigError` where nothing says which project is meant, or where it is not there at the commit.
    """
    repository = _Repository(git, commit)
    path, where = _said(folder, git, around, named)
    if path is None and commit is not None:
        top = settings_at(git, commit, around)
        path, where = top.settings.path or None, top.provenance["path"]
        if path is None:
            return _by_tag(repository, top.settings, tag)
        _require_unambiguous(top)
    return repository.see(path or "", where)


def _by_tag(repository: _Repository, top: Settings, tag: str | None) -> LocatedProject:
    """The project at the top, unless there is none, or a tag is that of exactly one below."""
    if not is_project(partial(repository.read, "")):
        return repository.of_tag(tag)
    if tag is None or _naming(repository.git, repository.commit, top).matches(tag):
        return LocatedProject(path="")
    return repository.found(tag) or LocatedProject(path="")


def _said(folder: Path, git: Git, around: ConfigSources, named: str | None) -> tuple[str | None, str]:
    """The folder that is meant whatever the settings at the top say, and what says so."""
    if named is not None:
        return _fit(named, "--path"), "--path"
    outside = resolve(lambda _: None, environ=around.environ, config=around.config)
    if outside.settings.path:
        return outside.settings.path, outside.provenance["path"]
    return nearest(folder, git.folder) or None, ""


def settings_at(git: Git, commit: str | None, around: ConfigSources) -> Resolved:
    """The settings of the project that ``git`` is seen from. Raises `ConfigError` for a folder that names another."""
    found = resolve(_reader(git, commit), environ=around.environ, config=around.config, below=git.path)
    path, origin = found.settings.path, found.provenance["path"]
    if git.path and path and around.config is None and not origin.startswith("environment"):
        raise ConfigError(
            "path is for the settings at the top of the repository, and these are a project's own",
            where=origin,
            next_step="take it out",
        )
    return found


def naming_at(git: Git, commit: str | None, around: ConfigSources) -> Naming:
    """How the project names its tags, by its files at a commit. Raises `ConfigError` where they are wrong."""
    if commit is None:
        return Naming()
    return _naming(git, commit, settings_at(git, commit, around).settings)


def _naming(git: Git, commit: str | None, settings: Settings) -> Naming:
    read = _reader(git, commit)
    return Naming(
        configured=settings.tag_prefix,
        project=lambda: read_facts(read, project=settings.project).name,
        in_folder=bool(git.path),
    )


def _reader(git: Git, commit: str | None) -> Read:
    return lambda name: git.read(commit, name) if commit else None


def nearest(folder: Path, top: Path) -> str:
    """The nearest folder at or above the current one that holds a project, from the top; empty for the top itself.

    Empty, too, where there is none. Raises `ConfigError` for a name that cannot be written.
    """
    top, here = top.resolve(), folder.resolve()
    while here != top and top in here.parents:
        if is_project(partial(_on_disk, here)):
            return _fit(here.relative_to(top).as_posix(), "the current folder")
        here = here.parent
    return ""


def _on_disk(folder: Path, name: str) -> bytes | None:
    path = folder / name
    return path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else None


def _fit(text: str, where: str) -> str:
    try:
        return fit_folder(text)
    except ValueError as error:
        raise ConfigError(str(error), where=where, next_step="name a folder such as packages/pkg") from error


def _require_unambiguous(top: Resolved) -> None:
    """What else stands beside ``path`` would mean nothing, and nobody would be told. Raises `ConfigError`."""
    if not top.settings.path:
        return
    file = top.provenance["path"].partition(":")[0]
    others = [name for name, origin in top.provenance.items() if origin.startswith(f"{file}:") and name != "path"]
    if others:
        raise ConfigError(
            f"beside path these settings would count for nothing: {', '.join(others)}",
            where=top.provenance["path"],
            next_step=f"move them to the settings in {top.settings.path}",
        )


@dataclass(frozen=True)
class _Repository:
    """What the repository holds at the release's commit; ``git`` is seen from the top."""

    git: Git
    commit: str | None

    @cached_property
    def files(self) -> Collection[str]:
        return frozenset(self.git.files(self.commit) if self.commit else ())

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """Every folder below the top that holds a project."""
        parents = {str(PurePosixPath(path).parent) for path in self.files if path.rpartition("/")[2] in FILES}
        fit = (path for path in sorted(parents - {"."}) if _is_fit(path))
        return tuple(path for path in fit if is_project(partial(self.read, path)))

    def read(self, folder: str, name: str) -> bytes | None:
        """A file of a folder, ``None`` where it is not there."""
        path = f"{folder}/{name}" if folder else name
        return self.git.read(self.commit, path) if self.commit and path in self.files else None

    def see(self, path: str, where: str) -> LocatedProject:
        """See that a folder is there and holds a project. Raises `ConfigError`."""
        if not path or self.commit is None:
            return LocatedProject(path=path)
        at = f"at commit {self.commit[:12]}"
        parts = PurePosixPath(path).parts
        above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        blocked = next((each for each in above if each in self.files), "")
        if blocked:
            what = f"{clean(blocked)} is a file, a link or a submodule {at}, and no folder of this repository"
        elif not any(each.startswith(f"{path}/") for each in self.files):
            what = f"there is no folder {clean(path)} {at}"
        elif not any(f"{path}/{name}" in self.files for name in FILES):
            what = f"there is no project in {clean(path)} {at}: neither {', '.join(FILES[:-1])} nor {FILES[-1]}"
        else:
            return LocatedProject(path=path)
        raise ConfigError(what, where=where, next_step=self._ways())

    def of_tag(self, tag: str | None) -> LocatedProject:
        """Find the one project whose name, or configured prefix, a tag carries. Raises `ConfigError`."""
        if not self.candidates:
            return LocatedProject(path="")  # then whoever needs a project says what is missing
        found = self.found(tag) if tag is not None else None
        if found is not None:
            return found
        if tag is None:
            what = "there is no project at the top of the repository"
        elif fitting := self._fitting(tag):
            what = f"the tag {quote(tag)} fits the projects in {list_some([clean(path, 100) for path in fitting])}"
        else:
            what = f"there is no project at the top of the repository, and none in it has tags such as {quote(tag)}"
        more = "" if tag is None else "; what stands in its tags, if not its name, is tag-prefix in its own settings"
        raise ConfigError(what, where=str(self.git.folder), next_step=self._ways() + more)

    def found(self, tag: str) -> LocatedProject | None:
        """The one project below the top that a tag is of, ``None`` where there is none, or several."""
        fitting = self._fitting(tag)
        if len(fitting) != 1:
            return None
        return LocatedProject(path=fitting[0], said=f"the tag {tag} is that of the project in {fitting[0]}")

    def _fitting(self, tag: str) -> list[str]:
        return [path for path in self.candidates if self._is_tag_of(path, tag)]

    def _is_tag_of(self, path: str, tag: str) -> bool:
        """Whether a tag carries a project's name or prefix; what cannot be read of a project carries nothing."""
        try:
            return naming_at(self.git.at(path), self.commit, ConfigSources(environ={})).is_explicit(tag)
        except UnmoorError:
            return False

    def _ways(self) -> str:
        known = (
            f"; projects are in {list_some([clean(path, 100) for path in self.candidates])}" if self.candidates else ""
        )
        return f'name its folder: --path DIR, or path = "DIR" in the settings at the top of the repository{known}'


def _is_fit(path: str) -> bool:
    try:
        return fit_folder(path) == path
    except ValueError:
        return False

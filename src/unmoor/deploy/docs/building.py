"""Build the documentation of a commit as its users will read it: with the built wheel, and with warnings as errors.

The builder runs in a clone of the commit, since pages include files of it, but every module of the project comes from
the wheel, whatever a configuration adds to Python's path. A module that only the repository has is an error: nobody who
installs the project could import it.
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.config.docs import DocsSettings
from unmoor.dists.testing.import_trace import install_recorder, read_recording
from unmoor.errors import BuildFailed, Cause, CheckFailed, ConfigError, TimedOut, ToolMissing, UnmoorError
from unmoor.ports.environments import Environment
from unmoor.ports.failure import child_failure, failure
from unmoor.project.files import Files
from unmoor.project.test_needs.groups import groups_of, resolve_group
from unmoor.project.test_needs.locations import likely_modules
from unmoor.util.text import clean

OUT: Final = "{out}"
"""Where a command writes the pages."""
_SPHINX: Final = ("sphinx-build", "-b", "html", "-W", "-n", "--keep-going")
_MKDOCS: Final = ("mkdocs", "build", "--strict", "--clean")
_MKDOCS_FILES: Final = ("mkdocs.yml", "mkdocs.yaml")
_LINES: Final = 30
# What Sphinx says if no copy of another site's list of references is available: its references lead nowhere.
_UNREACHED: Final = "WARNING: failed to reach any of the inventories"
_TIMEOUT: Final = 3600.0
_TABLE: Final = "[tool.unmoor.docs]"


class DocsNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """What the builder needs beside the wheel: extras of it, and requirements."""

    extras: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


def find_needs(settings: DocsSettings, files: Files, extras: Sequence[str]) -> DocsNeeds:
    """Find the extra of the wheel, or else the dependency group, that the settings name. Raises `ConfigError`."""
    wanted = settings.requirements
    if canonicalize_name(wanted) in {canonicalize_name(each) for each in extras}:
        return DocsNeeds(extras=(wanted,))
    if canonicalize_name(wanted) in {canonicalize_name(str(each)) for each in groups_of(files)}:
        try:
            return DocsNeeds(requires=resolve_group(files, wanted))
        except ValueError as error:
            what = f"the dependency group {wanted!r} cannot be resolved: {clean(str(error))}"
            raise ConfigError(what, where=_TABLE, next_step=advice.NAME_DOCS_NEEDS()) from error
    raise ConfigError(
        f"the project has neither an extra nor a dependency group named {wanted!r}",
        where=_TABLE,
        next_step=advice.NAME_DOCS_NEEDS(),
    )


def command_for(settings: DocsSettings, project: Path, out: Path, scratch: Path) -> list[str]:
    """The arguments of the builder for a project's folder. Raises `ConfigError` if what it builds from is missing."""
    source = project / settings.source
    if not source.resolve().is_relative_to(project.resolve()):
        raise _no_source(settings, "is outside the project")
    if settings.builder == "sphinx":
        if not (source / "conf.py").is_file():
            below = " (but its folder source has one)" if (source / "source" / "conf.py").is_file() else ""
            raise _no_source(settings, f"has no conf.py{below}")
        return [*_SPHINX, "-d", str(scratch / "doctrees"), str(source), str(out)]
    if settings.builder == "mkdocs":
        places = [folder / name for folder in (source, project) for name in _MKDOCS_FILES]
        found = next((each for each in places if each.is_file()), None)
        if found is None:
            raise _no_source(settings, "has no mkdocs.yml, and neither has the folder of the project")
        return [*_MKDOCS, "--config-file", str(found), "--site-dir", str(out)]
    if not source.exists():
        raise _no_source(settings, "does not exist")
    return [word.replace(OUT, str(out)).replace("{source}", str(source)) for word in shlex.split(settings.builder)]


def _no_source(settings: DocsSettings, why: str) -> ConfigError:
    return ConfigError(f"{settings.source} {why}", where=_TABLE, next_step=advice.NAME_DOCS_SOURCE())


class DocsBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A build in an environment with the wheel. ``folder`` is empty, and ``clone`` is the project's in it.

    ``modules`` are those that the wheel installs, ``files`` the paths of the repository below the project, ``date`` the
    time of the commit in seconds since 1970. ``hear`` takes each line of the builder.
    """

    settings: DocsSettings
    environment: Environment
    folder: Path
    clone: Path
    modules: tuple[str, ...]
    files: Sequence[str]
    date: int
    log: Path
    hear: Callable[[str], None]

    def run(self) -> Path:
        """Build the pages, and return their folder.

        Raises `BuildFailed` with the end of the log, `CheckFailed` for a module that only the repository has,
        `ConfigError`, `TimedOut` and `ToolMissing`, and `Unknown` if another site that it refers to cannot be reached.
        """
        out = self.folder / "site"
        args = command_for(self.settings, self.clone, out, self.folder)
        log = self.folder / "imports"
        only_here = [name for name in likely_modules(self.files) if name.partition(".")[0] not in self._tops]
        only_here = [name for name in only_here if not (self.clone / self.settings.source / name).exists()]
        install_recorder(self.environment.packages, log, [*self.modules, *only_here], only=True)
        last: deque[str] = deque(maxlen=_LINES)
        unreached = False

        def hear(line: str) -> None:
            nonlocal unreached
            self.hear(line)
            last.append(line)
            unreached = unreached or line.startswith(_UNREACHED)

        try:
            ran = self.environment.run(args, cwd=self.clone, env=self._variables, timeout=_TIMEOUT, hear=hear)
        except TimedOut as error:
            what = f"{args[0]} ran for more than {_TIMEOUT:g} s and was stopped"
            raise TimedOut(self._with_lines(what, last), next_step=advice.CORRECT_DOCS(), retryable=False) from error
        except ToolMissing as error:
            if error.cause is not None:
                raise  # this machine is at fault, and not what is installed
            raise ToolMissing(error.what, where=_TABLE, next_step=advice.NAME_DOCS_NEEDS()) from error
        if ran.code:
            raise child_failure(ran, args[0]) or self._failure(args[0], ran.code, last, unreached=unreached)
        self._require_installed(log)
        if not out.is_dir():
            raise BuildFailed(f"{args[0]} wrote no pages to {OUT}", next_step=advice.CORRECT_DOCS())
        return out

    def _failure(self, program: str, code: int, last: Sequence[str], *, unreached: bool) -> UnmoorError:
        what = f"{program} failed with exit code {code}"
        if unreached:
            what += ", and could not reach another site that the pages refer to (intersphinx)"
            return failure(Cause.UNREACHABLE, self._with_lines(what, last))
        return BuildFailed(self._with_lines(what, last), next_step=advice.CORRECT_DOCS())

    @property
    def _tops(self) -> frozenset[str]:
        return frozenset(name.partition(".")[0] for name in self.modules)

    @property
    def _variables(self) -> Mapping[str, str]:
        return {"SOURCE_DATE_EPOCH": str(self.date), "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}

    def _require_installed(self, log: Path) -> None:
        imported = read_recording(log, environment=self.environment.folder, copy=self.clone)
        if imported.copied:
            module, where = imported.copied[0]
            place = Path(where).relative_to(self.clone.resolve()).as_posix()
            raise CheckFailed(
                f"the documentation imports {clean(module)} from {clean(place)} in the repository: the wheel lacks it",
                next_step=advice.IMPORT_INSTALLED(),
            )

    def _with_lines(self, first: str, last: Sequence[str]) -> str:
        return "\n".join((first, *(clean(line, 500) for line in last if line.strip()), f"the whole log: {self.log}"))

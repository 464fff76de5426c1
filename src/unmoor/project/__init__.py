"""Read a project's files: its name, its build backend, and where its version is written, if anywhere.

No code of the project is run or imported. The sources are ``pyproject.toml`` (PEP 517, 518, 621 and the tables of
the backends), ``setup.cfg``, and literals in ``setup.py`` and in modules, all read at one commit.

Stages, `dists`, the rehearsal and the command line import this room. Begin with `locate`, which finds the project in
a repository; `written_version` reads its version.
"""

from __future__ import annotations

import re

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.project.files import Files, Read, table
from unmoor.project.guess import likely_name, likely_version
from unmoor.project.sources import find_version, in_setup_py
from unmoor.project.written_version import WrittenVersion, with_version
from unmoor.util.text import clean

__all__ = [
    "ProjectFacts",
    "Read",
    "WrittenVersion",
    "guess_version",
    "is_project",
    "read_facts",
    "read_version",
    "with_version",
]

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")


class ProjectFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts in the files at one commit.

    ``version_written`` is ``None`` if the version comes from tags (``scm``), or if only a build can
    compute it. ``dynamic``: the ``[project]`` table leaves the version to the backend.
    """

    name: str
    version_written: WrittenVersion | None
    backend: str
    dynamic: bool
    has_towncrier: bool
    scm: bool


def read_facts(read: Read, *, project: str = "") -> ProjectFacts:
    """Read a project's files through ``read``, which returns a file's content or ``None``.

    ``project`` is the configured name and takes precedence over the files. Raises `ConfigError`
    if a file is malformed, or if the name cannot be determined.
    """
    files = Files(read)
    written, scm = find_version(files)
    static = isinstance(table(files.pyproject, "project").get("version"), str)
    return ProjectFacts(
        name=_require_valid_name(project) if project else _name(files),
        version_written=written,
        backend=files.backend,
        dynamic=not static,
        has_towncrier=files.read("towncrier.toml") is not None or bool(table(files.pyproject, "tool", "towncrier")),
        scm=scm,
    )


def read_version(read: Read) -> tuple[WrittenVersion | None, bool]:
    """Return where the version is written, and whether it comes from tags instead. The project's name is not needed.

    Raises `ConfigError` if a file is malformed.
    """
    return find_version(Files(read))


def guess_version(read: Read) -> WrittenVersion | None:
    """Guess where a version that ``setup.py`` computes is written. Only a build can confirm it."""
    return likely_version(Files(read))


def is_project(read: Read) -> bool:
    """Whether a folder holds a project: it has a ``setup.py``, or a file that sets a name or a build backend.

    A ``pyproject.toml`` that only configures tools is no project, nor is one that names setuptools and nothing
    else. A malformed file counts as a project's; reading the project then raises the error.
    """
    files = Files(read)
    try:
        has_name = "project" in files.pyproject or {"poetry", "flit"} & table(files.pyproject, "tool").keys()
        builds = not files.backend.startswith("setuptools.")
        return bool(has_name) or builds or files.read("setup.py") is not None or files.cfg.has_section("metadata")
    except ConfigError:
        return True


def _name(files: Files) -> str:
    """The project's name as its files write it."""
    flit = table(files.pyproject, "tool", "flit", "metadata")
    name = (
        table(files.pyproject, "project").get("name")
        or table(files.pyproject, "tool", "poetry").get("name")
        or flit.get("dist-name")
        or flit.get("module")
    )
    if name is None and files.read("setup.cfg") is not None:
        name = files.cfg.get("metadata", "name", fallback=None)
    if name is None:
        found = in_setup_py(files, "name")
        name = found.text if found is not None else likely_name(files)
    if isinstance(name, str):
        return _require_valid_name(name)
    raise _no_name(files)


def _no_name(files: Files) -> ConfigError:
    """The error if no file names the project: usually a wrong folder or a forgotten line."""
    here = [path for path in ("pyproject.toml", "setup.cfg", "setup.py") if files.read(path) is not None]
    if not here:
        return ConfigError(
            "there is no Python project here: this commit has no pyproject.toml, setup.cfg or setup.py",
            next_step=advice.COMMIT_PROJECT(),
        )
    if here == ["pyproject.toml"]:
        return ConfigError(
            "the project has no name",
            where="pyproject.toml",
            next_step=advice.NAME_PROJECT(),
        )
    return ConfigError(
        f"the project's name cannot be read from {' or '.join(here)}",
        where=here[0],
        next_step=advice.SET_PROJECT(),
    )


def _require_valid_name(name: str) -> str:
    """Return the name if it is valid by PEP 508. Raises `ConfigError`."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{clean(name, 60)!r} is not a valid project name (PEP 508)",
            where="pyproject.toml",
            next_step=advice.CORRECT_PROJECT_NAME(),
        )
    return name

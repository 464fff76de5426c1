"""What a project's own files say: its name, its backend, and where its version is written, if anywhere.

Nothing is run and nothing imported: ``pyproject.toml`` (PEP 517, 518, 621 and the tables of the
backends), ``setup.cfg``, and literals of ``setup.py`` and of modules, read at one commit.

Stages, `dists`, the rehearsal and the command line import it. Begin with `locate`, which finds the project of a
repository; `written_version` reads its version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from unmoor.errors import ConfigError
from unmoor.project.files import Files, Read, table
from unmoor.project.guess import likely_name, likely_version
from unmoor.project.sources import find_version
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


@dataclass(frozen=True, kw_only=True)
class ProjectFacts:
    """What the files say at one commit.

    ``version_written`` is ``None`` where the version comes from tags (``scm``), or is computed in a
    way that only a build can tell. ``dynamic``: the metadata leave the version to the backend.
    """

    name: str
    version_written: WrittenVersion | None
    backend: str
    dynamic: bool
    has_towncrier: bool
    scm: bool


def read_facts(read: Read, *, project: str = "") -> ProjectFacts:
    """Read a project's files through ``read``, which gives a file's content or ``None``.

    ``project`` is the configured name and goes before what the files say. Raises `ConfigError`
    where a file is malformed, or the name cannot be known.
    """
    files = Files(read)
    spot, scm = find_version(files)
    static = isinstance(table(files.pyproject, "project").get("version"), str)
    return ProjectFacts(
        name=_fit(project) if project else _name(files),
        version_written=spot,
        backend=files.backend,
        dynamic=not static,
        has_towncrier=files.read("towncrier.toml") is not None or bool(table(files.pyproject, "tool", "towncrier")),
        scm=scm,
    )


def read_version(read: Read) -> tuple[WrittenVersion | None, bool]:
    """Where the version is written, and whether it comes from tags instead, whatever the project is called.

    Raises `ConfigError` where a file is malformed.
    """
    return find_version(Files(read))


def guess_version(read: Read) -> WrittenVersion | None:
    """Where a version that ``setup.py`` computes is likely to be written. Only a build can tell whether it is so."""
    return likely_version(Files(read))


def is_project(read: Read) -> bool:
    """Whether a folder's files are those of a project: ``setup.py``, or one that says a name or a build backend.

    A file that only sets up tools makes no project, nor does setuptools with nothing to read; one that cannot
    be read may be a project's, and whoever reads it will say so.
    """
    files = Files(read)
    try:
        said = "project" in files.pyproject or {"poetry", "flit"} & table(files.pyproject, "tool").keys()
        builds = not files.backend.startswith("setuptools.")
        return bool(said) or builds or files.read("setup.py") is not None or files.cfg.has_section("metadata")
    except ConfigError:
        return True


def _name(files: Files) -> str:
    """The project's name as the project writes it."""
    flit = table(files.pyproject, "tool", "flit", "metadata")
    said = (
        table(files.pyproject, "project").get("name")
        or table(files.pyproject, "tool", "poetry").get("name")
        or flit.get("dist-name")
        or flit.get("module")
    )
    if said is None and files.read("setup.cfg") is not None:
        said = files.cfg.get("metadata", "name", fallback=None)
    if said is None and files.setup is not None and "name" in files.setup[1]:
        found = files.of_python("setup.py", files.setup[1]["name"])
        said = found.text if isinstance(found, WrittenVersion) else likely_name(files)
    if isinstance(said, str):
        return _fit(said)
    raise _nameless(files)


def _nameless(files: Files) -> ConfigError:
    """What to say where no file names the project: mostly the wrong folder, or a forgotten line."""
    here = [path for path in ("pyproject.toml", "setup.cfg", "setup.py") if files.read(path) is not None]
    if not here:
        return ConfigError(
            "there is no Python project here: neither pyproject.toml nor setup.cfg nor setup.py is in this commit",
            next_step="commit them; or name another checkout (--directory DIR), or a folder in this one (--path DIR)",
        )
    if here == ["pyproject.toml"]:
        return ConfigError(
            "the project has no name",
            where="pyproject.toml",
            next_step='write name = "NAME" under [project]; or, where a build backend computes it,'
            ' project = "NAME" under [tool.unmoor]',
        )
    return ConfigError(
        f"the project's name cannot be read from {' or '.join(here)}",
        where=here[0],
        next_step='set project = "NAME" under [tool.unmoor] in pyproject.toml',
    )


def _fit(name: str) -> str:
    """Return a name of the form that PEP 508 gives. Raises `ConfigError`."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{clean(name, 60)!r} is no name of a project (PEP 508)",
            where="pyproject.toml",
            next_step='correct the name, or set project = "NAME" under [tool.unmoor]',
        )
    return name

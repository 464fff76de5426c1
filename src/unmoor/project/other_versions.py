"""Find the places beside the one that the build backend reads where a project also writes its version."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from packaging.utils import canonicalize_name

from unmoor.project import sources, written_version
from unmoor.project.files import Files, Read, table
from unmoor.project.written_version import WrittenVersion
from unmoor.util.values import replace
from unmoor.versioning import pep440

_ROOTS = ("", "src/", "lib/")
_INIT = "/__init__.py"


def disagreeing_versions(read: Read, source: WrittenVersion | None, version: str) -> tuple[WrittenVersion, ...]:
    """The versions in files of a project that are not ``version``, except for its source.

    The places are ``[project]``, ``[tool.poetry]``, ``setup.cfg`` and ``setup.py``. A project without a written version
    may have placeholders there, so nothing is found. Raises `ConfigError` if a file is malformed.
    """
    if source is None:
        return ()
    found = dict.fromkeys(_written(Files(read)))
    return tuple(
        each
        for each in found
        if (each.path, each.line) != (source.path, source.line) and pep440.is_other_version(each.text, version)
    )


def version_of_module(read: Read, module: str) -> WrittenVersion | None:
    """The literal ``__version__`` of a module, or of the module that it imports it from.

    ``read`` reads files below the folder that is on the import path.
    """
    return sources.attribute(Files(read), f"{module}.__version__")


def same_versions(read: Read, paths: Collection[str], source: WrittenVersion) -> tuple[WrittenVersion, ...]:
    """The version in its source, and other places of the files at ``paths`` where the project repeats it.

    The places are those of `disagreeing_versions`, and the literal ``__version__`` of each module at the top of the
    project, of ``src`` or of ``lib``; a package inside namespace packages there counts, if the project has its name.
    """
    files = Files(read)
    found = [source, *_written(files)]
    for root in _ROOTS:
        for module in (*_modules(paths, root), *_namespaced(paths, root, _names(files))):
            there = version_of_module(lambda path, root=root: read(f"{root}{path}"), module)  # type: ignore[misc]
            if there is not None:
                found.append(replace(there, path=f"{root}{there.path}"))
    same = (each for each in found if pep440.version_in(each.text) == pep440.version_in(source.text))
    return tuple({(each.path, each.line): each for each in same}.values())


def _modules(paths: Collection[str], root: str) -> Iterator[str]:
    """The names of the modules and packages directly below a folder."""
    for path in sorted(paths):
        name, _, rest = path.removeprefix(root).partition("/")
        if path.startswith(root) and rest == "__init__.py" and name.isidentifier():
            yield name
        elif path.startswith(root) and not rest and name.endswith(".py") and name[:-3].isidentifier():
            yield name[:-3]


def _namespaced(paths: Collection[str], root: str, names: Collection[str]) -> Iterator[str]:
    """The dotted names of packages in namespace packages below a folder: ``a.b`` of a project with the name a-b."""
    inits = {path for path in paths if path.startswith(root) and path.endswith(_INIT)}
    for path in sorted(inits):
        parts = path.removeprefix(root).removesuffix(_INIT).split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts)))
        if (
            len(parts) > 1
            and canonicalize_name(".".join(parts)) in names
            and all(part.isidentifier() for part in parts)
            and not any(f"{root}{folder}{_INIT}" in inits for folder in above)
        ):
            yield ".".join(parts)


def _names(files: Files) -> set[str]:
    """The names of the project in its tables, normalized (PEP 503)."""
    named = (table(files.pyproject, *keys).get("name") for keys in (("project",), ("tool", "poetry")))
    return {canonicalize_name(name) for name in named if isinstance(name, str)}


def _written(files: Files) -> Iterator[WrittenVersion]:
    for keys in (("project",), ("tool", "poetry")):
        value = table(files.pyproject, *keys).get("version")
        if isinstance(value, str):
            content = files.read("pyproject.toml") or b""
            yield written_version.in_toml(content, "pyproject.toml", (*keys, "version"), value)
    for found in (sources.in_setup_cfg(files), sources.in_setup_py(files)):
        if found is not None:
            yield found

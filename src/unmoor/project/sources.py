"""Where each build backend takes the version from, as far as its files tell without running code."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Final

from unmoor.project import written_version
from unmoor.project.files import Files, table
from unmoor.project.written_version import VersionElsewhere, WrittenVersion

# Matches what hatchling's default pattern matches: a name, perhaps an annotation, and a quoted version.
_HATCH_PATTERN: Final = r"""(?i)^(?:__version__|VERSION)(?: ?: ?str)? *= *(["'])v?(?P<version>.+?)\1"""
_PDM_PATTERN: Final = r"""^__version__\s*=\s*(["'])(?P<version>.+?)\1\s*(?:#.*)?$"""
# Build requirements that take the version from tags if no file gives it.
_SCM_REQUIREMENTS: Final = frozenset(
    {"setuptools-scm", "vcs-versioning", "setuptools-git-versioning", "hatch-vcs", "versioningit", "versioneer"}
    | {"flit-scm", "dunamai", "uv-dynamic-versioning", "pbr", "miniver", "setuptools-dynamic-versioning"}
)
_SCM_TABLES: Final = ("setuptools_scm", "setuptools-git-versioning", "versioningit", "versioneer", "vcs-versioning")
_SCM_HATCH_SOURCES: Final = frozenset({"vcs", "versioningit", "uv-dynamic-versioning"})
_MAX_HOPS: Final = 3


def find_version(files: Files) -> tuple[WrittenVersion | None, bool]:
    """Return where the version is written, and whether it comes from tags instead. Raises `ConfigError`."""
    static = table(files.pyproject, "project").get("version")
    if isinstance(static, str):
        content = files.read("pyproject.toml") or b""
        return written_version.in_toml(content, "pyproject.toml", ("project", "version"), static), False
    if _is_scm(files):
        return None, True
    written = _by_backend(files)(files)
    return written, written is None and bool(files.requires & _SCM_REQUIREMENTS)


def _by_backend(files: Files) -> Callable[[Files], WrittenVersion | None]:
    """The function that looks where this backend does. A project's own backend usually wraps one that it requires."""
    known: dict[str, tuple[str, Callable[[Files], WrittenVersion | None]]] = {
        "setuptools": ("setuptools", _setuptools),
        "poetry": ("poetry-core", _poetry),
        "poetry_dynamic_versioning": ("", _poetry),
        "flit_core": ("flit-core", _flit),
        "flit": ("", _flit),
        "hatchling": ("hatchling", _hatch),
        "pdm": ("pdm-backend", _pdm),
        "maturin": ("maturin", _maturin),
    }
    backend = files.backend.split(".")[0]
    if backend in known:
        return known[backend][1]
    return next((looks for required, looks in known.values() if required in files.requires), _unknown_backend)


def _unknown_backend(_files: Files) -> WrittenVersion | None:
    return None


def _is_scm(files: Files) -> bool:
    """Whether the settings of a tool take the version from tags."""
    tool = table(files.pyproject, "tool")
    if any(name in tool for name in _SCM_TABLES) or files.backend.startswith("flit_scm"):
        return True
    provider = table(tool, "scikit-build", "metadata", "version").get("provider", "")
    return (
        table(tool, "poetry-dynamic-versioning").get("enable") is True
        or _hatch_table(files).get("source") in _SCM_HATCH_SOURCES
        or table(tool, "pdm", "version").get("source") == "scm"
        or (isinstance(provider, str) and provider.endswith("setuptools_scm"))
        or (files.backend.startswith("setuptools") and _is_scm_setup(files))
    )


def _is_scm_setup(files: Files) -> bool:
    """Whether ``setup.py`` or ``setup.cfg`` takes the version from a tool that reads tags."""
    if files.read("setup.cfg") is not None and files.cfg.has_section("versioneer"):
        return True
    if files.setup is None:
        return False
    keywords = files.setup[1]
    return bool({"use_scm_version", "pbr"} & keywords.keys()) or (
        "version" in keywords
        and any(isinstance(node, ast.Name) and node.id == "versioneer" for node in ast.walk(keywords["version"]))
    )


def _setuptools(files: Files) -> WrittenVersion | None:
    """``pyproject.toml``, then ``setup.cfg``, then ``setup.py``, as setuptools does."""
    dynamic = table(files.pyproject, "tool", "setuptools", "dynamic", "version")
    named = dynamic.get("file")
    if isinstance(dotted := dynamic.get("attr"), str):
        return attribute(files, dotted)
    if isinstance(named, str | list):
        return _whole_file(files, named if isinstance(named, str) else str(named[0]) if len(named) == 1 else "")
    value = files.cfg.get("metadata", "version", fallback="") if files.read("setup.cfg") is not None else ""
    return in_setup_cfg(files) if value else in_setup_py(files)


def in_setup_py(files: Files, keyword: str = "version") -> WrittenVersion | None:
    """The literal that ``setup.py`` passes to ``setup`` as a keyword, or that it imports."""
    if files.setup is None or keyword not in files.setup[1]:
        return None
    return _follow(files, "setup.py", files.of_python("setup.py", files.setup[1][keyword]), _MAX_HOPS)


def in_setup_cfg(files: Files) -> WrittenVersion | None:
    """The version in ``setup.cfg``, or what it names there with ``attr:`` or ``file:``."""
    value = files.cfg.get("metadata", "version", fallback="") if files.read("setup.cfg") is not None else ""
    directive, colon, rest = value.partition(":")
    if colon and directive.strip() == "attr":
        return attribute(files, rest.strip())
    if colon and directive.strip() == "file":
        return _whole_file(files, rest.strip())
    return written_version.in_cfg(files.read("setup.cfg") or b"", "setup.cfg", value) if value else None


def _whole_file(files: Files, path: str) -> WrittenVersion | None:
    content = files.read(path) if path else None
    return None if content is None else written_version.whole_file(content, path)


def _poetry(files: Files) -> WrittenVersion | None:
    value = table(files.pyproject, "tool", "poetry").get("version")
    if not isinstance(value, str):
        return None
    return written_version.in_toml(
        files.read("pyproject.toml") or b"", "pyproject.toml", ("tool", "poetry", "version"), value
    )


def _flit(files: Files) -> WrittenVersion | None:
    tool = table(files.pyproject, "tool", "flit")
    module = (
        table(tool, "module").get("name")
        or table(tool, "metadata").get("module")
        or table(files.pyproject, "project").get("name")
    )
    return attribute(files, f"{module.replace('-', '_')}.__version__") if isinstance(module, str) else None


def _hatch_table(files: Files) -> dict[str, object]:
    own = files.toml("hatch.toml") if files.backend.startswith("hatchling") else {}
    return {**table(files.pyproject, "tool", "hatch", "version"), **table(own, "version")}


def _hatch(files: Files) -> WrittenVersion | None:
    settings = _hatch_table(files)
    path, source, pattern = settings.get("path"), settings.get("source", "regex"), settings.get("pattern", True)
    content = files.read(path) if isinstance(path, str) else None
    if content is None or not isinstance(path, str):
        return None
    if source == "code":
        name = settings.get("expression", "__version__")
        found = written_version.in_python(content, path, name if isinstance(name, str) else "")
        return found if isinstance(found, WrittenVersion) else None
    return written_version.by_pattern(content, path, pattern if isinstance(pattern, str) else _HATCH_PATTERN)


def _pdm(files: Files) -> WrittenVersion | None:
    settings = table(files.pyproject, "tool", "pdm", "version")
    path = settings.get("path")
    content = files.read(path) if isinstance(path, str) and settings.get("source") == "file" else None
    return None if content is None or path is None else written_version.by_pattern(content, path, _PDM_PATTERN)


def _maturin(files: Files) -> WrittenVersion | None:
    value = table(files.toml("Cargo.toml"), "package").get("version")
    if not isinstance(value, str):
        return None
    return written_version.in_toml(files.read("Cargo.toml") or b"", "Cargo.toml", ("package", "version"), value)


def attribute(files: Files, dotted: str) -> WrittenVersion | None:
    """The literal behind ``package.module.NAME``."""
    module, _, name = dotted.rpartition(".")
    return _in_module(files, module, name, _MAX_HOPS) if module else None


def _in_module(files: Files, module: str, name: str, hops: int) -> WrittenVersion | None:
    for path in _module_paths(files, module):
        content = files.read(path)
        if content is not None:
            return _follow(files, path, written_version.in_python(content, path, name), hops)
    return None


def _follow(
    files: Files, path: str, found: WrittenVersion | VersionElsewhere | None, hops: int
) -> WrittenVersion | None:
    """Follow an import to the module that holds the literal."""
    if not isinstance(found, VersionElsewhere):
        return found
    if not hops:
        return None
    if not found.level:
        return _in_module(files, found.module, found.name, hops - 1)
    base = posixpath.normpath(posixpath.join(posixpath.dirname(path), *[".."] * (found.level - 1)))
    for candidate in _files_of(posixpath.join(base, found.module.replace(".", "/"))):
        content = files.read(candidate)
        if content is not None:
            return _follow(files, candidate, written_version.in_python(content, candidate, found.name), hops - 1)
    return None


def _module_paths(files: Files, module: str) -> Iterator[str]:
    """The possible paths of a module: in the package folder of the setuptools settings, at the top, in ``src``."""
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", module):
        return
    folders = ["", "src"]
    value = table(files.pyproject, "tool", "setuptools", "package-dir").get("")
    if isinstance(value, str):
        folders.insert(0, value)
    elif files.read("setup.cfg") is not None:
        match = re.search(r"(?m)^\s*=\s*(\S+)", files.cfg.get("options", "package_dir", fallback=""))
        folders = [match[1], *folders] if match else folders
    for folder in dict.fromkeys(folders):
        yield from _files_of(posixpath.join(folder, module.replace(".", "/")))


def _files_of(path: str) -> tuple[str, str]:
    return f"{path}/__init__.py", f"{path}.py"

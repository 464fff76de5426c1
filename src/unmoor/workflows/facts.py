"""What the workflows of a project depend on, all known when they are written."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Collection
from typing import Final

import msgspec

from unmoor.artifacts.oci import plain_platform
from unmoor.config.settings import Settings
from unmoor.config.workflows import System
from unmoor.dists.systems import excludes
from unmoor.images.image_names import configured_images
from unmoor.project.files import Files, table
from unmoor.project.literals import texts_of
from unmoor.project.pythons import classifiers_of, minor_versions
from unmoor.versioning.tag_scheme import parse_prefix
from unmoor.workflows.commands import (
    Commands,
    ProjectFiles,
    coverage_plugins,
    fail_under,
    lint_commands,
    test_commands,
    type_commands,
)

_COMPILING_BACKENDS: Final = frozenset({"maturin", "mesonpy", "scikit_build_core", "skbuild", "setuptools_rust"})
_COMPILING_REQUIREMENTS: Final = frozenset(
    {"cffi", "cmeel", "cython", "maturin", "meson-python", "mypy", "nanobind", "numpy", "pybind11", "scikit-build"}
    | {"scikit-build-core", "setuptools-rust", "swig", "cmake"}
)
_COMPILING_KEYWORDS: Final = ("ext_modules", "rust_extensions", "cffi_modules")
_WHEEL_SYSTEMS: Final[tuple[System, ...]] = ("linux", "linux-arm", "macos", "windows")
_TEST_SYSTEMS: Final[tuple[System, ...]] = ("linux", "macos", "windows")
_SYS_PLATFORMS: Final = {"linux": "linux", "macos": "darwin", "windows": "win32"}
_DOWNLOADS: Final = ("uv.lock", "pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "noxfile.py")
# Characters with a meaning in GitHub's filter patterns, of those that a prefix of tags may hold.
_SPECIAL: Final = re.compile(r"[*?+\[\]!\\]")


class WorkflowFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A project at the commit whose workflows are written.

    ``path`` is its folder in the repository, empty for the top. ``tags`` are the patterns of its release tags, as
    ``on.push.tags`` takes them. ``wheels`` are the systems that build wheels with cibuildwheel, by the names of the
    setting; empty for a project that one machine builds. ``platforms`` are those of its images, as in ``linux/amd64``;
    empty if it has none. ``pythons`` are the minor versions that it supports, lowest first. ``systems`` are those that
    it is tested on. ``lint``, ``types`` and ``test`` are its own commands, ``None`` if it has none. ``coverage`` is the
    percentage that tests must cover, 0 for none; ``coverage_plugins`` says whether reading what they cover needs
    plugins. ``downloads`` are the files, from the top of the repository, that say what jobs download. ``docker`` are
    the folders of its Dockerfiles, and ``uses_uv`` says whether uv locks its dependencies. ``skipped_wheels`` are the
    wheels that its settings of cibuildwheel skip on Linux, separated by blanks.
    """

    settings: Settings
    project: str
    path: str = ""
    tags: tuple[str, ...] = ("v[0-9]*", "[0-9]*")
    wheels: tuple[System, ...] = ()
    platforms: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ("3.11", "3.12", "3.13", "3.14")
    default_branch: str = "main"
    systems: tuple[System, ...] = _TEST_SYSTEMS
    lint: Commands | None = None
    types: Commands | None = None
    test: Commands | None = None
    coverage: int = 80
    coverage_plugins: bool = False
    downloads: tuple[str, ...] = ()
    docker: tuple[str, ...] = ()
    uses_uv: bool = False
    skipped_wheels: str = ""

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras of unmoor that the deployments of the project need."""
        return tuple(name for name in ("announce", "space") if getattr(self.settings, name) is not None)


def read_facts(
    files: Files,
    settings: Settings,
    *,
    project: str,
    path: str = "",
    default_branch: str = "main",
    top: Files | None = None,
) -> WorkflowFacts:
    """Read the files of a project, in its folder ``path`` of the repository. ``project`` is its name.

    ``top`` are the files at the top of the repository, if the project is in a folder. ``default_branch`` counts unless
    the settings name it. Nothing else counts, so that two checkouts of a commit give the same. Raises `ConfigError` for
    a malformed file.
    """
    held = ProjectFiles(files=files, top=top or files, name=project)
    own = settings.workflows
    return WorkflowFacts(
        settings=settings,
        project=project,
        path=path,
        tags=tag_patterns(settings.tag_prefix, project=project if path else ""),
        wheels=_wheels(files, settings),
        platforms=_platforms(files.names, settings),
        pythons=minor_versions(files) if own.pythons == "auto" else own.pythons,
        default_branch=own.branch or default_branch,
        systems=_systems(files) if own.systems == "auto" else own.systems,
        lint=lint_commands(held, own),
        types=type_commands(held, own),
        test=test_commands(held, own),
        coverage=fail_under(files, own),
        coverage_plugins=coverage_plugins(files),
        downloads=_downloads(files, path),
        docker=_docker_folders(files.names, settings, path),
        uses_uv="uv.lock" in files.names,
        skipped_wheels=_skipped_wheels(files),
    )


def tag_patterns(prefix: str, *, project: str = "") -> tuple[str, ...]:
    """The patterns of ``on.push.tags`` for a configured prefix, with a ``v`` before the version or without.

    Without a prefix, the tags of a ``project`` in a folder begin with its name. A pattern lets in more than versions;
    the release refuses other tags. Raises ``ValueError`` for a prefix that no tag may start with.

    >>> tag_patterns(""), tag_patterns("v"), tag_patterns("", project="small")
    (('v[0-9]*', '[0-9]*'), ('v[0-9]*',), ('small-v[0-9]*', 'small-[0-9]*'))
    """
    if prefix == "v":
        return ("v[0-9]*",)
    start = as_pattern(parse_prefix(prefix) or (f"{project}-" if project else ""))
    return (f"{start}v[0-9]*", f"{start}[0-9]*")


def as_pattern(name: str) -> str:
    r"""The filter pattern that only this name of a branch or tag matches.

    >>> as_pattern("c++")
    'c\\+\\+'
    """
    return _SPECIAL.sub(r"\\\g<0>", name)


def compiles(files: Files) -> bool:
    """Whether a project's wheels are compiled: it configures cibuildwheel, or its build compiles by all appearances."""
    backend = files.backend.partition(".")[0].partition(":")[0]
    tool = table(files.pyproject, "tool")
    setuptools = table(tool, "setuptools")
    keywords = files.setup[1] if files.setup is not None else {}
    return (
        "cibuildwheel" in tool
        or backend in _COMPILING_BACKENDS
        or bool(_COMPILING_REQUIREMENTS & files.requires)
        or bool(setuptools.get("ext-modules"))
        or "setuptools-rust" in tool
        or any(key in keywords and not _is_empty(keywords[key]) for key in _COMPILING_KEYWORDS)
    )


def _wheels(files: Files, settings: Settings) -> tuple[System, ...]:
    if settings.workflows.wheels != "auto":
        return tuple(settings.workflows.wheels)
    return _WHEEL_SYSTEMS if compiles(files) and "wheel" in settings.formats else ()


def _skipped_wheels(files: Files) -> str:
    """What cibuildwheel skips on Linux by the project's settings, where those of the system replace the others."""
    settings = table(files.pyproject, "tool", "cibuildwheel")
    found = table(settings, "linux").get("skip", settings.get("skip", ""))
    return found if isinstance(found, str) else " ".join(texts_of(found))


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) and not node.elts


def _platforms(names: Collection[str], settings: Settings) -> tuple[str, ...]:
    """The platforms of every image, each once."""
    images = configured_images(settings.image, names)
    return tuple(dict.fromkeys(plain_platform(each) for image in images for each in image.platforms))


def _systems(files: Files) -> tuple[System, ...]:
    classifiers = classifiers_of(files)
    return tuple(each for each in _TEST_SYSTEMS if not excludes(_SYS_PLATFORMS[each], classifiers)) or _TEST_SYSTEMS


def _downloads(files: Files, path: str) -> tuple[str, ...]:
    """The files whose content decides what pip downloads, from the top of the repository."""
    return tuple(posixpath.join(path, each) for each in _DOWNLOADS if each in files.names)


def _docker_folders(names: Collection[str], settings: Settings, path: str) -> tuple[str, ...]:
    files = (posixpath.join("/", path, each.dockerfile) for each in configured_images(settings.image, names))
    return tuple(dict.fromkeys(posixpath.dirname(each) for each in files))

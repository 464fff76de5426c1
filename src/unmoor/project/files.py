"""A project's files at one commit, each read and parsed once, on first use."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.ports.git import Git
from unmoor.project import written_version
from unmoor.project.written_version import VersionElsewhere, WrittenVersion
from unmoor.util.decode import decode_toml
from unmoor.util.text import clean

Read = Callable[[str], bytes | None]
ReadTexts = Callable[[Sequence[str]], Mapping[str, str]]

LEGACY_BACKEND: Final = "setuptools.build_meta:__legacy__"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)")


class Files:
    """A project's files, each read and parsed once, on first use."""

    def __init__(
        self, read: Read, names: Callable[[], Sequence[str]] = tuple, *, texts: ReadTexts | None = None
    ) -> None:
        """``names`` lists every path of the project, and ``texts`` returns those of many files at once."""
        self._read = read
        self._names = names
        self._texts = texts
        self._contents: dict[str, bytes | None] = {}

    @classmethod
    def at(cls, git: Git, commit: str) -> Files:
        """The files of the project that ``git`` is at."""
        return cls(
            lambda path: git.read(commit, path),
            lambda: git.files(commit),
            texts=lambda paths: git.texts(commit, paths),
        )

    def read(self, path: str) -> bytes | None:
        """A file's content, ``None`` if it does not exist."""
        if path not in self._contents:
            self._contents[path] = self._read(path)
        return self._contents[path]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every path of the project, empty if nobody lists them."""
        return tuple(self._names())

    def texts(self, paths: Sequence[str]) -> Mapping[str, str]:
        """The texts of those of many files that exist."""
        if self._texts is not None:
            return self._texts(paths)
        contents = ((path, self.read(path)) for path in paths)
        return {path: content.decode(errors="replace") for path, content in contents if content is not None}

    def toml(self, path: str) -> Mapping[str, Any]:
        """A parsed TOML file, empty if it does not exist. Raises `ConfigError`."""
        content = self.read(path)
        try:
            return decode_toml(content or b"")
        except ValueError as error:
            raise ConfigError(
                f"this is not TOML: {clean(str(error))}", where=path, next_step=advice.CORRECT_FILE(file=path)
            ) from error

    @cached_property
    def pyproject(self) -> Mapping[str, Any]:
        """``pyproject.toml``."""
        return self.toml("pyproject.toml")

    @cached_property
    def cfg(self) -> configparser.RawConfigParser:
        """``setup.cfg``. Raises `ConfigError`."""
        try:
            return written_version.cfg((self.read("setup.cfg") or b"").decode(errors="replace"))
        except configparser.Error as error:
            raise ConfigError(
                f"invalid configuration file: {clean(str(error))}",
                where="setup.cfg",
                next_step=advice.CORRECT_FILE(file="setup.cfg"),
            ) from error

    @cached_property
    def setup(self) -> tuple[ast.Module, Mapping[str, ast.expr]] | None:
        """The syntax tree of ``setup.py`` and the keywords of its call of ``setup``; ``None`` without such a call."""
        tree = written_version.tree_of(self.read("setup.py") or b"")
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Call):
                function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if function == "setup" and tree is not None:
                    return tree, {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        return None

    @property
    def backend(self) -> str:
        """``build-system.build-backend``, or the default of PEP 517 if it is not set."""
        value = table(self.pyproject, "build-system").get("build-backend")
        return value if isinstance(value, str) else LEGACY_BACKEND

    @cached_property
    def requires(self) -> frozenset[str]:
        """The names in ``build-system.requires``, normalised (PEP 503)."""
        value = table(self.pyproject, "build-system").get("requires")
        matches = (_REQUIREMENT.match(each) for each in value or () if isinstance(each, str))
        return frozenset(re.sub(r"[-_.]+", "-", match[1]).lower() for match in matches if match)

    def of_python(self, path: str, node: ast.expr) -> WrittenVersion | VersionElsewhere | None:
        """The literal that an expression in ``setup.py`` stands for, or where it is."""
        if self.setup is None:
            return None
        return written_version.of_node(self.setup[0], self.read(path) or b"", path, node)


def table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """A table in a document, empty if there is none."""
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}

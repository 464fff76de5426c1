"""The values of expressions in ``noxfile.py`` that can be told without running it.

Literals, constants of the module, the project's ``pyproject.toml``, and paths below the folder of the file, whether
made with `pathlib` or with `os.path`.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from unmoor.project.files import Files, table
from unmoor.project.test_needs.groups import resolve_known
from unmoor.project.test_needs.variables import PROJECT

Names = Mapping[str, ast.expr]
"""What the names of a function stand for."""

_DEEPEST: Final = 16
_MOST_STEPS: Final = 20_000
_SAME_PATH: Final = frozenset({"Path", "PurePath", "str", "fspath", "abspath", "realpath", "normpath"})
_SAME_PATH_METHODS: Final = frozenset({"resolve", "absolute", "as_posix"})


@dataclass
class NoxValues:
    """Values in the file of the project whose files these are. A path begins with ``{project}``.

    ``steps`` counts expressions: names that stand for names could take for ever.
    """

    files: Files
    steps: int = 0

    def words(self, node: ast.expr, names: Names, depth: int = 0) -> list[str]:
        """The texts that an argument stands for, empty if only running the file could tell. Paths are relative."""
        value = self.value(node.value if isinstance(node, ast.Starred) else node, names, depth)
        values = value if isinstance(value, list | tuple) else [value]
        return [_relative(each) for each in values if isinstance(each, str)]

    def value(self, node: ast.expr, names: Names, depth: int = 0) -> Any:
        """The value of an expression, ``None`` for all that only running the file could tell."""
        self.steps += 1
        found: Any = None
        if depth > _DEEPEST or self.steps > _MOST_STEPS:
            return found
        match node:
            case ast.Name(id="__file__"):
                found = f"{PROJECT}/noxfile.py"
            case ast.Name(id=name) if name in names:
                others = {each: value for each, value in names.items() if each != name}
                found = self.value(names[name], others, depth + 1)
            case ast.Constant(value=value):
                found = value
            case ast.List() | ast.Tuple():
                found = [word for each in node.elts for word in self.words(each, names, depth + 1)]
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                known = ((key.value, value) for key, value in pairs if isinstance(key, ast.Constant))
                found = {key: self.value(value, names, depth + 1) for key, value in known}
            case _:
                found = self._computed(node, names, depth)
        return found

    def _computed(self, node: ast.expr, names: Names, depth: int) -> Any:
        """The value of an operation, a call or a part of something."""
        found: Any = None
        match node:
            case ast.JoinedStr(values=values):
                found = self._joined("", [_formatted(each) for each in values], names, depth)
            case ast.Subscript(value=container, slice=ast.Constant(value=key)):
                whole = self.value(container, names, depth + 1)
                found = whole.get(key) if isinstance(whole, dict) else None
            case ast.Attribute(value=path, attr="parent"):
                found = _parent(self.value(path, names, depth + 1))
            case ast.BinOp(op=ast.Add()):
                found = [*self.words(node.left, names, depth + 1), *self.words(node.right, names, depth + 1)]
            case ast.BinOp(op=ast.Div()):
                found = self._joined("/", [node.left, node.right], names, depth)
            case ast.Call():
                found = self._called(node, names, depth)
            case _:
                pass
        return found

    def _joined(self, between: str, nodes: list[ast.expr], names: Names, depth: int) -> str | None:
        """Texts put together, ``None`` if one of them is not known."""
        values = [self.value(each, names, depth + 1) for each in nodes]
        texts = [each for each in values if isinstance(each, str)]
        return between.join(texts) if len(texts) == len(values) else None

    def _called(self, node: ast.Call, names: Names, depth: int) -> Any:
        """The value of a call: of functions that make paths and mappings, and of nox's own for ``pyproject.toml``."""
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        found: Any = None
        if name == "load_toml" and texts in ([], ["pyproject.toml"]):
            found = dict(table(self.files.pyproject))
        elif name == "dependency_groups":
            found = resolve_known(self.files, texts)
        elif name == "dict" and not node.args:
            found = {each.arg: self.value(each.value, names, depth + 1) for each in node.keywords if each.arg}
        elif name in {"cwd", "getcwd"} and not node.args:
            found = PROJECT
        elif isinstance(function, ast.Attribute) and name in _SAME_PATH_METHODS and not node.args:
            found = self.value(function.value, names, depth + 1)
        elif isinstance(function, ast.Attribute) and name == "joinpath":
            found = self._joined("/", [function.value, *node.args], names, depth)
        elif name == "dirname" and len(node.args) == 1:
            found = _parent(self.value(node.args[0], names, depth + 1))
        elif name in _SAME_PATH or (name == "join" and _is_os_path(function)):
            found = self._joined("/", node.args, names, depth) if node.args else None
        return found


def _formatted(node: ast.expr) -> ast.expr:
    """What is between braces in a formatted string; another one if its form changes."""
    plain = isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None
    return node.value if plain and isinstance(node, ast.FormattedValue) else node


def _is_os_path(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and not isinstance(function.value, ast.Constant)


def _parent(path: object) -> str | None:
    return posixpath.dirname(path) if isinstance(path, str) and path.startswith(f"{PROJECT}/") else None


def _relative(text: str) -> str:
    """A path below the project's folder as words of a command name it."""
    return "." + text.removeprefix(PROJECT) if text.startswith(PROJECT) else text

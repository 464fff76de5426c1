"""nox's sessions, read from the syntax tree of ``noxfile.py``: nothing of it runs.

Static calls count: ``session.install(…)`` and ``session.run(…)`` with literals, module constants, the project's own
``pyproject.toml``, and functions that a session hands itself to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from unmoor.project.files import Files, table
from unmoor.project.test_needs.command import PytestCall, read_call, runs_tests
from unmoor.project.test_needs.groups import resolve_known
from unmoor.project.test_needs.requirement_lines import read_arguments, read_lines
from unmoor.project.test_needs.source import Source, SourceKind, kind_of
from unmoor.project.written_version import tree_of

_DEEPEST: Final = 4
_INSTALLS: Final = frozenset({"install", "run_install", "run_always", "run"})
_SYNCS: Final = (("uv", "sync"), ("pdm", "install"), ("pdm", "sync"), ("poetry", "install"), ("poetry", "sync"))


def read_nox(files: Files) -> Iterator[Source]:
    """The sessions that run tests, those with a name for tests first."""
    tree = tree_of(files.read("noxfile.py") or b"")
    if tree is None:
        return
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
    constants = {
        target.id: each.value
        for each in tree.body
        if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
        if isinstance(target, ast.Name)
    }
    sessions = [each for each in functions.values() if any(map(_is_session, each.decorator_list))]
    for function in sorted(sessions, key=lambda each: kind_of(each.name)):
        reader = _Session(files=files, functions=functions, constants=constants)
        reader.walk(function, 0)
        if reader.runs:
            yield reader.source(f"the session {function.name} in noxfile.py")


def _is_session(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) == "session"


@dataclass(kw_only=True)
class _Session:
    """What one session installs and runs, collected call by call."""

    files: Files
    functions: dict[str, ast.FunctionDef]
    constants: dict[str, ast.expr]
    installed: list[str] = field(default_factory=list)
    runs: bool = False
    call: PytestCall | None = None

    def source(self, place: str) -> Source:
        listed = read_arguments(self.files, self.installed)
        listed.requires += read_lines(self.files, resolve_known(self.files, listed.groups)).requires
        return listed.source(place, SourceKind.RUN, call=self.call)

    def walk(self, function: ast.FunctionDef, depth: int) -> None:
        """Read the calls of a function, in order, and of those that it hands its session to."""
        local = dict(self.constants)
        session = function.args.args[0].arg if function.args.args else ""
        for node in _in_order(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                local[node.targets[0].id] = node.value
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            if isinstance(called, ast.Attribute) and getattr(called.value, "id", None) == session:
                if called.attr in _INSTALLS:
                    self._read(called.attr, node, local)
            elif isinstance(called, ast.Name) and called.id in self.functions and depth < _DEEPEST:
                self._follow(node, self.functions[called.id], session, depth)

    def _follow(self, call: ast.Call, function: ast.FunctionDef, session: str, depth: int) -> None:
        if any(getattr(each, "id", None) == session for each in call.args):
            self.walk(function, depth + 1)

    def _read(self, method: str, call: ast.Call, names: dict[str, ast.expr]) -> None:
        fixed: list[str] = []
        replaceable: list[str] = []
        for argument in call.args:
            if isinstance(argument, ast.Starred) and _mentions_posargs(argument.value):
                replaceable += self._default(argument.value, names)
            else:
                fixed += self._words(argument, names)
        if method == "install":
            self.installed += fixed
        elif fixed[:2] == ["pip", "install"] or fixed[1:4] == ["-m", "pip", "install"]:
            self.installed += fixed[fixed.index("install") + 1 :]
        elif fixed[:3] == ["uv", "pip", "install"]:
            self.installed += fixed[3:]
        elif tuple(fixed[:2]) in _SYNCS:
            self.installed += [each for each in fixed[2:] if each.startswith("-") or "." not in each]
        elif runs_tests(fixed) and not self.runs:
            self.runs = True
            self.call = read_call(fixed, defaults=replaceable)

    def _words(self, node: ast.expr, names: dict[str, ast.expr]) -> list[str]:
        """The texts that an argument stands for, empty if only running the file could tell."""
        value = self._value(node.value if isinstance(node, ast.Starred) else node, names, 0)
        values = value if isinstance(value, list | tuple) else [value]
        return [each for each in values if isinstance(each, str)]

    def _default(self, node: ast.expr, names: dict[str, ast.expr]) -> list[str]:
        """The arguments that stand in for ``session.posargs`` if there are none."""
        if isinstance(node, ast.BoolOp):
            return [each for value in node.values[1:] for each in self._words(value, names)]
        if isinstance(node, ast.IfExp):
            branches = (each for each in (node.body, node.orelse) if not _mentions_posargs(each))
            return [each for branch in branches for each in self._words(branch, names)]
        return []

    def _value(self, node: ast.expr, names: dict[str, ast.expr], depth: int) -> Any:
        """The value of an expression, ``None`` for all that only running the file could tell."""
        found: Any = None
        if depth > _DEEPEST:
            return found
        if isinstance(node, ast.Name) and node.id in names:
            others = {name: each for name, each in names.items() if name != node.id}
            found = self._value(names[node.id], others, depth + 1)
        elif isinstance(node, ast.Constant):
            found = node.value
        elif isinstance(node, ast.List | ast.Tuple):
            found = [word for each in node.elts for word in self._words(each, names)]
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            whole = self._value(node.value, names, depth + 1)
            found = whole.get(node.slice.value) if isinstance(whole, dict) else None
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            found = [*self._words(node.left, names), *self._words(node.right, names)]
        elif isinstance(node, ast.Call):
            found = self._called(node)
        return found

    def _called(self, node: ast.Call) -> Any:
        """The value of nox's own helpers for ``pyproject.toml``."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name == "load_toml" and texts in ([], ["pyproject.toml"]):
            return dict(table(self.files.pyproject))
        if name == "dependency_groups":
            return resolve_known(self.files, texts)
        return None


def _mentions_posargs(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Attribute) and each.attr == "posargs" for each in ast.walk(node))


def _in_order(function: ast.FunctionDef) -> list[ast.AST]:
    """Its nodes in the order of the text."""
    nodes = [each for each in ast.walk(function) if isinstance(each, ast.Call | ast.Assign)]
    return sorted(nodes, key=lambda each: (each.lineno, each.col_offset))  # type: ignore[attr-defined]

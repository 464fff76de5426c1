"""nox's sessions, read from the syntax tree of ``noxfile.py``: nothing of it runs.

Static calls count: ``session.install(…)``, ``session.run(…)`` and ``session.env[…] = …``, with the values that
`unmoor.project.test_needs.nox_values` can tell, and functions that a session hands itself to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from unmoor.project.files import Files
from unmoor.project.test_needs.command import PytestCall, read_call, runs_tests, settled
from unmoor.project.test_needs.groups import resolve_known
from unmoor.project.test_needs.nox_values import NoxValues
from unmoor.project.test_needs.requirement_lines import read_arguments, read_lines
from unmoor.project.test_needs.source import Source, SourceKind, kind_of
from unmoor.project.test_needs.variables import Variables, usable
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
    set: dict[str, object] = field(default_factory=dict)
    variables: Variables = ()

    def __post_init__(self) -> None:
        self.values = NoxValues(self.files)

    def source(self, place: str) -> Source:
        listed = read_arguments(self.files, self.installed)
        listed.requires += read_lines(self.files, resolve_known(self.files, listed.groups)).requires
        return listed.source(place, SourceKind.RUN, call=self.call, variables=self.variables)

    def walk(self, function: ast.FunctionDef, depth: int) -> None:
        """Read the calls of a function, in order, and of those that it hands its session to."""
        local = dict(self.constants)
        session = function.args.args[0].arg if function.args.args else ""
        for node in _in_order(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                local[node.targets[0].id] = node.value
            elif isinstance(node, ast.Assign):
                self._set(node, session, local)
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            if isinstance(called, ast.Attribute) and getattr(called.value, "id", None) == session:
                if called.attr in _INSTALLS:
                    self._read(called.attr, node, local)
            elif isinstance(called, ast.Name) and called.id in self.functions and depth < _DEEPEST:
                self._follow(node, self.functions[called.id], session, depth)

    def _set(self, node: ast.Assign, session: str, names: dict[str, ast.expr]) -> None:
        """Read ``session.env["NAME"] = value``."""
        match node.targets[0]:
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name(id=owner), attr="env"), slice=ast.Constant(value=str(name))
            ) if owner == session:
                self.set[name] = self.values.value(node.value, names)

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
                fixed += self.values.words(argument, names)
        fixed, replaceable = settled(fixed, replaceable)
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
            given = next((self.values.value(each.value, names) for each in call.keywords if each.arg == "env"), None)
            self.variables = usable([*self.set.items(), *(given.items() if isinstance(given, dict) else ())])

    def _default(self, node: ast.expr, names: dict[str, ast.expr]) -> list[str]:
        """The arguments that stand in for ``session.posargs`` if there are none."""
        if isinstance(node, ast.BoolOp):
            return [each for value in node.values[1:] for each in self.values.words(value, names)]
        if isinstance(node, ast.IfExp):
            branches = (each for each in (node.body, node.orelse) if not _mentions_posargs(each))
            return [each for branch in branches for each in self.values.words(branch, names)]
        return []


def _mentions_posargs(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Attribute) and each.attr == "posargs" for each in ast.walk(node))


def _in_order(function: ast.FunctionDef) -> list[ast.Call | ast.Assign]:
    """Its calls and assignments in the order of the text, without those for which a user must give arguments."""
    found: list[ast.Call | ast.Assign] = []
    left: list[ast.AST] = [function]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and _mentions_posargs(node.test):
            left += node.body if isinstance(node.test, ast.UnaryOp) else node.orelse
        else:
            left += ast.iter_child_nodes(node)
            if isinstance(node, ast.Call | ast.Assign):
                found.append(node)
    return sorted(found, key=lambda each: (each.lineno, each.col_offset))

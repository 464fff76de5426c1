"""Guess where the version or the name that ``setup.py`` computes is written, without running it.

``setup.py`` often reads a module of the project (by ``exec``, a regular expression or importlib) and takes a value
from it. The files that it names are searched for a literal of that name. A guess decides nothing: the metadata of
the built files is compared with the tag in any case.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packaging.version import Version

from unmoor.project import written_version
from unmoor.project.files import Files
from unmoor.project.written_version import WrittenVersion

_VERSIONS = ("__version__", "VERSION", "version")
_MAX_DEPTH = 5


def likely_version(files: Files) -> WrittenVersion | None:
    """The literal from which ``setup.py`` probably reads its version, ``None`` if there is none or several."""
    found = {literal for literal in _literals(files, "version", _VERSIONS) if _is_version(literal.text)}
    return found.pop() if len(found) == 1 else None


def likely_name(files: Files) -> str | None:
    """The name that ``setup.py`` probably reads from a module, ``None`` if there is none or several."""
    found = {literal.text for literal in _literals(files, "name", ())}
    return found.pop() if len(found) == 1 else None


def _literals(files: Files, keyword: str, usual_names: tuple[str, ...]) -> Iterator[WrittenVersion]:
    """The literals in the files that ``setup.py`` names: those of the key that it reads, else of the usual names."""
    if files.setup is None or keyword not in files.setup[1]:
        return
    tree, keywords = files.setup
    match keywords[keyword]:
        case ast.Subscript(slice=ast.Constant(value=str(key))) | ast.Attribute(attr=key):
            names: tuple[str, ...] = (key,)
        case ast.Name(id=variable):
            names = (*_keys(tree, variable), *usual_names)
        case _:
            names = usual_names
    for path in sorted(_named_files(tree)):
        content = files.read(path)
        literals = (written_version.in_python(content, path, name) for name in names) if content is not None else ()
        first = next((literal for literal in literals if isinstance(literal, WrittenVersion)), None)
        if first is not None:
            yield first


def _keys(tree: ast.Module, variable: str) -> Iterator[str]:
    """Each key in ``variable = somewhere["key"]``, anywhere in the file."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Subscript(slice=ast.Constant(value=str(key))) | ast.Attribute(attr=key),
            ) if name == variable:
                yield key


def _named_files(tree: ast.Module) -> set[str]:
    """The Python files that the code names, by one string or by the parts of a joined path."""
    variables = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    paths = (_path(node, variables, _MAX_DEPTH) for node in ast.walk(tree) if isinstance(node, ast.expr))
    return {path for path in paths if path.endswith(".py") and ".." not in path.split("/")}


def _path(node: ast.expr, variables: dict[str, ast.expr], depth: int) -> str:
    """A relative path, without the parts that are only known at run time (such as the folder of ``setup.py``)."""
    match node:
        case ast.Constant(value=str(text)):
            return text.removeprefix("./")
        case ast.Name(id=name) if name in variables and depth:
            return _path(variables[name], variables, depth - 1)
        case ast.Call(args=parts) if depth:
            return "/".join(filter(None, (_path(part, variables, depth - 1) for part in parts)))
        case ast.BinOp(left=left, op=ast.Div(), right=right) if depth:
            return "/".join(filter(None, (_path(part, variables, depth - 1) for part in (left, right))))
        case _:
            return ""


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return False
    return True

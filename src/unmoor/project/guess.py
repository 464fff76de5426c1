"""Where a version, or a name, that ``setup.py`` computes is likely to be written. Nothing is run.

``setup.py`` often reads a module of the project (``exec``, a regular expression, importlib) and takes a value
out of it. The files it names are looked at for a literal of that name. A likely spot decides nothing:
what the built files say is compared with the tag whatever was found here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from unmoor.project import written_version
from unmoor.project.files import Files
from unmoor.project.written_version import WrittenVersion

_VERSIONS = ("__version__", "VERSION", "version")
_DEEP = 5


def likely_version(files: Files) -> WrittenVersion | None:
    """The one literal that ``setup.py`` probably reads its version from, ``None`` where there is none or several."""
    found = {spot for spot in _spots(files, "version", _VERSIONS) if _is_version(spot.text)}
    return found.pop() if len(found) == 1 else None


def likely_name(files: Files) -> str | None:
    """The name that ``setup.py`` probably reads from a module, ``None`` where it cannot be told."""
    found = {spot.text for spot in _spots(files, "name", ())}
    return found.pop() if len(found) == 1 else None


def _spots(files: Files, keyword: str, otherwise: tuple[str, ...]) -> Iterator[WrittenVersion]:
    """Literals in the files that ``setup.py`` names: of the key it asks for, else of the usual names."""
    if files.setup is None or keyword not in files.setup[1]:
        return
    tree, keywords = files.setup
    match keywords[keyword]:
        case ast.Subscript(slice=ast.Constant(value=str(key))) | ast.Attribute(attr=key):
            names: tuple[str, ...] = (key,)
        case ast.Name(id=variable):
            names = (*_keys(tree, variable), *otherwise)
        case _:
            names = otherwise
    for path in sorted(_modules(tree)):
        content = files.read(path)
        spots = (written_version.in_python(content, path, name) for name in names) if content is not None else ()
        first = next((spot for spot in spots if isinstance(spot, WrittenVersion)), None)
        if first is not None:
            yield first


def _keys(tree: ast.Module, variable: str) -> Iterator[str]:
    """What ``variable = somewhere["key"]`` asks for, wherever in the file that stands."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Subscript(slice=ast.Constant(value=str(key))) | ast.Attribute(attr=key),
            ) if name == variable:
                yield key


def _modules(tree: ast.Module) -> set[str]:
    """The Python files that are named in it, by one text or by the parts of a joined path."""
    variables = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    paths = (_path(node, variables, _DEEP) for node in ast.walk(tree) if isinstance(node, ast.expr))
    return {path for path in paths if path.endswith(".py") and ".." not in path.split("/")}


def _path(node: ast.expr, variables: dict[str, ast.expr], deep: int) -> str:
    """A relative path, without the parts that only a run could tell (such as the folder of ``setup.py``)."""
    match node:
        case ast.Constant(value=str(text)):
            return text.removeprefix("./")
        case ast.Name(id=name) if name in variables and deep:
            return _path(variables[name], variables, deep - 1)
        case ast.Call(args=parts) if deep:
            return "/".join(filter(None, (_path(part, variables, deep - 1) for part in parts)))
        case ast.BinOp(left=left, op=ast.Div(), right=right) if deep:
            return "/".join(filter(None, (_path(part, variables, deep - 1) for part in (left, right))))
        case _:
            return ""


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True

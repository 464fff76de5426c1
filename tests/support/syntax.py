"""Python files as syntax trees. Many tests read the whole package, so each file is parsed once."""

from __future__ import annotations

import ast
import functools
from pathlib import Path


@functools.cache
def syntax(path: Path) -> ast.Module:
    """Parse a Python file. Callers share the tree, so do not change it."""
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a Python file, in the order of `ast.walk`."""
    return tuple(ast.walk(syntax(path)))

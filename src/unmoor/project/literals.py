"""Values that a project's files write down: lists of texts, and the keywords of ``setup()``."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from unmoor.project.files import Files


def texts_of(value: object) -> list[str]:
    """The texts in a list of a document. Anything else is left to the program that the document is for."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def setup_keyword(files: Files, name: str) -> Any:
    """The literal value of a keyword of ``setup()``, ``None`` for anything else."""
    node = files.setup[1].get(name) if files.setup is not None else None
    if isinstance(node, ast.Name) and files.setup is not None:
        assigned = [
            each.value
            for each in files.setup[0].body
            if isinstance(each, ast.Assign) and any(getattr(to, "id", "") == node.id for to in each.targets)
        ]
        node = assigned[-1] if assigned else None
    try:
        found = ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, str | list | tuple | Mapping) else None

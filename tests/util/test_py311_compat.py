"""Parsing in threads, on every Python that we run on."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor

from unmoor.util.py311_compat import patch_old_python


def test_threads_may_parse_at_once() -> None:
    """Many threads that parse deep sources at the same time get their trees."""
    patch_old_python()
    patch_old_python()
    source = "x = " + "(" * 40 + "1" + ")" * 40 + "\n" + "y = [1, {'a': (2, 3)}]\n" * 50
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(lambda _: ast.dump(ast.parse(source)), range(64)))
    assert len(set(trees)) == 1

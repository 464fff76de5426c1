"""A page is shown by the program that each system has for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from unmoor.adapters.process.browser import opener, show_file
from unmoor.ports.shell import Ran, Shell


@pytest.mark.parametrize(
    ("system", "program"),
    [("linux", "xdg-open"), ("freebsd14", "xdg-open"), ("darwin", "open"), ("win32", "rundll32.exe")],
)
def test_each_system_has_its_program(system: str, program: str) -> None:
    """No command line of a shell is involved on any."""
    assert opener(system)[0] == program


@pytest.mark.parametrize(("code", "why"), [(0, ""), (3, f"{opener()[0]} ended with 3")])
def test_the_file_is_one_argument(tmp_path: Path, code: int, why: str) -> None:
    """Whatever its name holds. A program that fails is said."""
    seen: list[tuple[str, ...]] = []

    class Runs:
        def run(self, args: list[str], *, cwd: Path, env: Mapping[str, str], **_limits: Any) -> Ran:
            assert (cwd, env) == (tmp_path, {"A": "b"})
            seen.append(tuple(args))
            return Ran(args=tuple(args), code=code, out="", err="")

    page = tmp_path / "a b; rm -rf x.html"
    assert show_file(page, cast("Shell", Runs()), {"A": "b"}) == why
    assert seen == [(*opener(), str(page))]

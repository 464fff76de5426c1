"""Descriptions are rendered in a child process that loads the renderer, and little else."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.support.shells import shell_for_tests

from unmoor.dists.checks.description import render_apart
from unmoor.ports import child

TEXTS = {
    "text/markdown": ("# Title\n", ""),
    "text/x-rst": ("a **b\n", "line 1: Inline strong start-string without end-string."),
    "text/plain": ("Title\n", ""),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_each_text_is_rendered_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that the wheels and the sdist share takes one child, and its answer is the renderer's."""
    ran: list[str] = []
    run = child.run

    def counting(*args: object, **how: object) -> object:
        ran.append(kind)
        return run(*args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(child, "run", counting)
    text, expected = TEXTS[kind]
    with shell_for_tests() as shell:
        render = render_apart(shell)
        assert [render(kind, text).partition("\n")[0] for _ in range(3)] == [expected] * 3
    assert ran == [kind]


def test_the_child_loads_nothing_else() -> None:
    """The modules of the checks would take most of its time."""
    code = "import sys, unmoor.dists.rendering; print(*(each for each in sys.modules if each.startswith('unmoor')))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert set(ran.stdout.split()) == {"unmoor", "unmoor.dists", "unmoor.dists.rendering"}

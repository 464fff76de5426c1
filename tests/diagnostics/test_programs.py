"""The versions of programs: the first line that they print, and where they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from unmoor.diagnostics import programs as module
from unmoor.diagnostics.facts import FactState, look_up
from unmoor.diagnostics.programs import PROGRAMS, programs
from unmoor.ports.shell import ProcessLimits, Ran


class Told:
    """A shell in which every program is there and gives the same answer."""

    def __init__(self, code: int = 0, out: str = "", err: str = "") -> None:
        self.ran: list[tuple[str, ...]] = []
        self.answer = (code, out, err)

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        timeout: float = 600.0,
        limit: int = 1_000_000,
        hear: Callable[[str], None] | None = None,
        stdin: bytes = b"",
        exact: bool = False,
        limits: ProcessLimits | None = None,
    ) -> Ran:
        """Record the call and give the answer."""
        del cwd, env, limit, hear, stdin, exact, limits
        assert timeout == 5
        self.ran.append(tuple(args))
        code, out, err = self.answer
        return Ran(args=tuple(args), code=code, out=out, err=err)


def _look(shell: Told, tmp_path: Path) -> dict[str, tuple[FactState, str]]:
    asked = programs(shell, dict(os.environ), tmp_path, uv=sys.executable, timeout=5)
    return {each.name: (each.state, each.value) for each in look_up(list(asked), within=5)}


@pytest.mark.parametrize(
    ("shell", "state", "value"),
    [
        (Told(out="\n tool 1.2\nmore"), FactState.KNOWN, "tool 1.2 (PATH)"),
        (Told(err="tool 1.2"), FactState.KNOWN, "tool 1.2 (PATH)"),
        (Told(), FactState.KNOWN, "prints no version (PATH)"),
        (Told(code=3, err="broken\x1b[0m"), FactState.UNKNOWN, "unknown: PATH failed: broken"),
    ],
    ids=["stdout", "stderr", "nothing", "failed"],
)
def test_a_version(shell: Told, state: FactState, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the first line that is not empty, of either stream. A program that fails has an unknown version."""
    monkeypatch.setattr(module, "find_program", lambda name, _environ: Path("/place") / Path(name).name)
    found = _look(shell, tmp_path)
    assert found["git"] == (state, value.replace("PATH", str(Path("/place/git"))))
    assert len(found) == len(PROGRAMS) + 1


def test_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing program is known to be missing, and so is a plugin that its program does not know."""
    monkeypatch.setattr(module, "find_program", lambda name, _environ: Path(name) if name == "docker" else None)
    found = _look(Told(code=1, err="docker: 'buildx' is not a docker command."), tmp_path)
    assert found["git"] == found["buildx"] == (FactState.ABSENT, "none")
    assert found["docker"][0] is FactState.UNKNOWN

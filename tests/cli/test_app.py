"""The module of a command imports little, so that its help is fast."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unmoor.cli.app import COMMANDS

_LOOK = """
import importlib, sys
from unmoor.cli.app import cli
before = set(sys.modules)
importlib.import_module("unmoor.cli." + sys.argv[1])
print(*sorted(name for name in set(sys.modules) - before if name.startswith("unmoor.") or "." not in name))
"""
_LIGHT = {f"unmoor.cli.{name}" for name in ("help", "options", "skip")} | {"unmoor.util", "unmoor.util.text"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_imports_what_it_runs_only_when_it_runs(name: str) -> None:
    """Options and help need click, and nothing that runs a release."""
    module = name.replace("-", "_")
    ran = subprocess.run([sys.executable, "-c", _LOOK, module], capture_output=True, text=True, check=True, timeout=30)
    imported = set(ran.stdout.split())
    ours = {each for each in imported if each.startswith("unmoor.")}
    assert ours <= _LIGHT | {f"unmoor.cli.{module}"}
    assert not {each for each in imported - ours if each not in sys.stdlib_module_names}


def test_what_few_runs_need_is_imported_by_those() -> None:
    """Opening a session loads neither what only images need nor what looks into files: a plan does without."""
    stages = "unmoor.assembly, unmoor.stages.rebuild, unmoor.stages.scan"
    code = f"import sys, unmoor.cli.session, {stages}; from unmoor.adapters.engine import DockerEngine, connection"
    command = [sys.executable, "-c", f"{code}; print(*sys.modules)"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert "asyncio" not in ran.stdout.split()
    imported = {each for each in ran.stdout.split() if each.startswith("unmoor.")}
    only = (
        "unmoor.adapters.engine.",
        "unmoor.dists.checks",
        "unmoor.dists.comparison",
        "unmoor.images.tags",
        "unmoor.scanning.",
        "unmoor.stages.image",
        "unmoor.stages.registry",
    )
    engine = {f"unmoor.adapters.engine.{name}" for name in ("connection", "docker", "failures")}
    assert {each for each in imported if each.startswith(only)} == engine | {"unmoor.scanning.day"}

"""The hooks of pre-commit that this repository offers run commands that exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from unmoor.cli.app import cli

ROOT = Path(__file__).parents[2]
HOOKS = YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_a_hook_runs_a_command(hook: dict[str, object]) -> None:
    """Its options exist, and pre-commit adds no file names, which the command does not take."""
    program, name, *options = str(hook["entry"]).split()
    assert program == "unmoor"
    command = cli.get_command(cli.make_context("unmoor", ["--help"], resilient_parsing=True), name)
    assert command is not None
    command.make_context(name, options)
    assert hook["pass_filenames"] is False
    assert hook["language"] == "python"
    assert {"id", "name", "entry", "language", "stages"} <= hook.keys()

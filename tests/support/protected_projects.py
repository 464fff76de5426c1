"""A project whose repository is on the GitHub of a local world, and the rules there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_repos import Repo

from unmoor.cli.app import run
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld

PYPROJECT = '[project]\nname = "demo"\nversion = "1.0"\n'
_CONTROLS = ("rulesets.json", "settings.json", "private", "free-plan", "organisation", "immutable")


@dataclass(frozen=True)
class Protected:
    """A project, and the forge that its rules are on."""

    repo: Repo
    world: LocalWorld
    capsys: pytest.CaptureFixture[str]

    def put(self, name: str, content: object = "") -> None:
        """Write a control file of the forge."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self.world.folder / "forge").mkdir(exist_ok=True)
        (self.world.folder / "forge" / name).write_text(text)

    @property
    def rulesets(self) -> list[dict[str, Any]]:
        """The rulesets on the forge."""
        path = self.world.folder / "forge" / "rulesets.json"
        found: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
        return found

    def world_file(self, who: str, **changes: str) -> Path:
        """The world with the token of that name, and other values of the forge."""
        tokens = {"": "", **json.loads((self.world.folder / "credentials.json").read_text())}
        text = (self.world.folder / "world.toml").read_text().replace(tokens["forge"], tokens[who])
        for name, value in changes.items():
            text = re.sub(rf'(\[forge\][^\[]*\n{name} = )"[^"\n]*"', rf'\1"{value}"', text)
        path = self.repo.path.parent / "world.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    def protect(self, *args: str, who: str = "admin", **changes: str) -> tuple[int, str, str]:
        """Run the command: its exit code, stdout and stderr."""
        return self.unmoor("protect", *args, who=who, **changes)

    def unmoor(self, command: str, *args: str, who: str = "admin", **changes: str) -> tuple[int, str, str]:
        """Run any command on the project, in the world with the token of that name."""
        file = self.world_file(who, **changes)
        code = run([command, "--directory", str(self.repo.path), "--world", str(file), *args])
        return code, *self.capsys.readouterr()


@contextmanager
def start_world(folder: Path) -> Iterator[LocalWorld]:
    """Start a world whose remote has a branch."""
    checkout = Repo.new(folder / "checkout", {"pyproject.toml": PYPROJECT})
    with local.start(folder / "world", repository="acme/demo", checkout=checkout.path) as running:
        yield running


@contextmanager
def make_project(world: LocalWorld, folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Protected]:
    """A project, and a forge without rules before and after."""
    try:
        yield Protected(Repo.new(folder / "project", {"pyproject.toml": PYPROJECT}), world, capsys)
    finally:
        for name in _CONTROLS:
            (world.folder / "forge" / name).unlink(missing_ok=True)

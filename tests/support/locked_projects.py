"""Projects with a lock of uv, whose packages come from a local index, and tests that some versions break."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.git_repos import Repo

from unmoor.adapters.uv import binary

# Fails with a version in `broken`, and with one in `flaky` as often as its file has characters left.
_CHECK = """
import importlib, pathlib, sys
for name, version in {broken!r}:
    if importlib.import_module(name).VERSION == version:
        sys.exit(f"{{name}} {{version}} is broken")
for name, version in {flaky!r}:
    left = pathlib.Path({folder!r}, name)
    if importlib.import_module(name).VERSION == version and left.read_text():
        left.write_text(left.read_text()[1:])
        sys.exit(f"{{name}} {{version}} flaked")
"""


@dataclass(frozen=True)
class LockedProject:
    """A checkout of a project that requires packages of an index, and the folder beside it."""

    repo: Repo

    @classmethod
    def new(
        cls,
        folder: Path,
        index: str,
        requires: Sequence[str],
        pins: Mapping[str, str],
        *,
        broken: Sequence[tuple[str, str]] = (),
        flaky: Mapping[str, tuple[str, int]] | None = None,
        more: str = "",
    ) -> LockedProject:
        """Make and commit the project, with these versions locked.

        ``broken`` are versions with which its tests fail, ``flaky`` those with which they fail so many times.
        """
        left = folder / "flakes"
        left.mkdir(parents=True)
        for name, (_, times) in (flaky or {}).items():
            (left / name).write_text("x" * times, "utf-8")
        check = _CHECK.format(
            broken=list(broken),
            flaky=[(name, version) for name, (version, _) in (flaky or {}).items()],
            folder=str(left),
        )
        text = (
            f'[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = {list(requires)!r}\n'
            f"\n[tool.uv]\npackage = false\n{more}\n"
            f'[[tool.uv.index]]\nname = "local"\nurl = "{index}"\ndefault = true\n'
            '\n[tool.unmoor]\ntest-command = "python {project}/check.py"\n'
        )
        repo = Repo.new(folder / "work", {"pyproject.toml": text, "check.py": check, ".gitignore": ".unmoor\n"})
        project = cls(repo)
        project.uv("lock", *(f"-P{name}=={version}" for name, version in pins.items()))
        repo.commit({"uv.lock": project.lock.decode()}, "Lock")
        return project

    @property
    def lock(self) -> bytes:
        """The lock in the work tree."""
        return (self.repo.path / "uv.lock").read_bytes()

    def uv(self, *args: str) -> None:
        """Run uv as the user does."""
        subprocess.run([binary(), *args], cwd=self.repo.path, check=True, capture_output=True, env=dict(os.environ))

    def versions(self) -> dict[str, str]:
        """The locked versions."""
        from unmoor.maintenance.updates.lock import read_lock

        return {name: found for name, (found, *_) in read_lock(self.lock).versions().items()}

"""Update ``uv.lock`` with uv, as the user does: with the same settings and caches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.adapters.uv import binary, last_lines
from unmoor.errors import Refused, TimedOut
from unmoor.filesystem.files import write_atomic
from unmoor.ports.failure import child_failure
from unmoor.ports.shell import Ran, Shell

# The first two make ``uv lock`` check instead of writing, and the third names the environment of another project.
_UNSET: Final = frozenset({"UV_LOCKED", "UV_FROZEN", "VIRTUAL_ENV", "UV_WORKING_DIRECTORY", "UV_PROJECT"})
_TIMEOUT: Final = 600.0
NAME: Final = "uv.lock"


@dataclass(frozen=True, kw_only=True)
class UvLock:
    """Implements `unmoor.ports.project_lock.ProjectLock` with ``uv lock``."""

    shell: Shell
    environ: Mapping[str, str]

    def update(self, folder: Path, *, name: str, version: str) -> None:
        """Replace the version in the project's own entry; only if uv does not accept that, have uv write the lock.

        Another version of uv writes everything in its own form, which would hide what has changed. ``uv lock`` upgrades
        nothing that still fits.
        """
        path = folder / NAME
        before = path.read_bytes()
        own = re.compile(
            rb'(\[\[package\]\]\r?\nname = "' + re.escape(canonicalize_name(name).encode()) + rb'"\r?\nversion = ")'
            rb'[^"\n]{1,100}("\r?\nsource = \{ (?:editable|virtual|directory) = )'
        )
        after, count = own.subn(lambda match: match[1] + version.encode() + match[2], before)
        if count == 1:
            write_atomic(path, after)
            if self._run("lock", "--check", folder=folder).code == 0:
                return
            write_atomic(path, before)
        ran = self._run("lock", "--no-progress", folder=folder)
        if ran.code:
            if (fault := child_failure(ran, "uv lock")) is not None:
                raise fault
            raise Refused(
                f"uv lock failed:\n{last_lines(ran)}", where=NAME, next_step=advice.UPDATE_LOCK(), retryable=True
            )

    def _run(self, *args: str, folder: Path) -> Ran:
        env = {name: value for name, value in self.environ.items() if name not in _UNSET}
        try:
            return self.shell.run([binary(), *args], cwd=folder, env=env, timeout=_TIMEOUT)
        except TimedOut as error:
            raise Refused(
                "uv lock did not end in time", where=NAME, next_step=advice.UPDATE_LOCK(), retryable=True
            ) from error

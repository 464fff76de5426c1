"""Update ``uv.lock`` with uv, as the user does: with the same settings and caches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.adapters.uv import binary, last_lines
from unmoor.errors import Refused, TimedOut
from unmoor.ports.failure import child_failure
from unmoor.ports.shell import Shell

# The first two make ``uv lock`` check instead of writing, and the third names the environment of another project.
_UNSET: Final = frozenset({"UV_LOCKED", "UV_FROZEN", "VIRTUAL_ENV", "UV_WORKING_DIRECTORY", "UV_PROJECT"})
_TIMEOUT: Final = 600.0


@dataclass(frozen=True, kw_only=True)
class UvLock:
    """Implements `unmoor.ports.project_lock.ProjectLock` with ``uv lock``."""

    shell: Shell
    environ: Mapping[str, str]

    def update(self, folder: Path) -> None:
        """Run ``uv lock``, which upgrades nothing that still fits."""
        env = {name: value for name, value in self.environ.items() if name not in _UNSET}
        try:
            ran = self.shell.run([binary(), "lock", "--no-progress"], cwd=folder, env=env, timeout=_TIMEOUT)
        except TimedOut as error:
            raise Refused(
                "uv lock did not end in time", where="uv.lock", next_step=advice.UPDATE_LOCK(), retryable=True
            ) from error
        if ran.code:
            if (fault := child_failure(ran, "uv lock")) is not None:
                raise fault
            raise Refused(
                f"uv lock failed:\n{last_lines(ran)}", where="uv.lock", next_step=advice.UPDATE_LOCK(), retryable=True
            )

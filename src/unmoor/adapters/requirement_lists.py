"""Compile a list of versions and hashes with uv, for every system at once. pip-compile can do it for one only."""

from __future__ import annotations

from dataclasses import dataclass

from unmoor import advice
from unmoor.adapters.uv import Uv, last_lines
from unmoor.errors import Incomplete
from unmoor.filesystem.temporary import temporary_folder

_SOURCE = "requirements.in"


@dataclass(frozen=True, kw_only=True)
class UvLists:
    """Compiles with the user's settings of ``uv``, from the index that they name."""

    uv: Uv

    def compile(self, source: str, *, python: str) -> str:
        """Return the list for the requirements in ``source``, for a version of Python such as ``3.13``.

        It has hashes and no addresses. Raises `Incomplete` if the index has no such version, and as an install does:
        `Unknown`, `ToolMissing`, `Denied`, `Conflict`.
        """
        options = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header"]
        with temporary_folder() as folder:
            (folder / _SOURCE).write_text(source, "utf-8")
            ran = self.uv.attempt(
                ["pip", "compile", "--quiet", "--no-build", f"--python-version={python}", *options],
                [_SOURCE],
                what="could not list what the jobs install",
                cwd=folder,
                variables=self.uv.variables(folder / "home"),
            )
        if ran.code:
            raise Incomplete(
                f"the index does not have what the jobs would install:\n{last_lines(ran)}",
                next_step=advice.GIVE_TOOL_LIST(),
                retryable=False,
            )
        return ran.out

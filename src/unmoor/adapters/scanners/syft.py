"""Lists the packages in an image with syft, if the user has it.

syft knows the package managers of distributions and of languages, and reads the archive of an image, without network.
It is a program of 40 MB that is no library, so unmoor does not bring it along.
See https://oss.anchore.com/docs/reference/syft/cli/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.adapters.process.variables import tool_variables
from unmoor.adapters.scanners.programs import installed, run_on
from unmoor.errors import ToolMissing, Unknown
from unmoor.ports.shell import Shell

_PROGRAM = "syft"
_OUTPUT = 50_000_000
_ARGS = (_PROGRAM, "scan", "docker-archive:ARCHIVE", "--output", "cyclonedx-json@1.6")
# No request to its maker, and no list of every file of every package, which would be longer than a signature may be.
_VARIABLES: Final = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_FILE_METADATA_SELECTION": "none"}


@dataclass(frozen=True, kw_only=True)
class Syft:
    """Runs syft; see `unmoor.ports.inventory.ImageInventory`."""

    shell: Shell
    environ: Mapping[str, str] = field(repr=False)

    @cached_property
    def program(self) -> str:
        """The program, empty if it is not on the ``PATH``."""
        return installed((_PROGRAM,), self.environ)

    def describe(self, archive: Path, *, patience: float) -> str:
        """Describe the archive of an image."""
        if not self.program:
            raise ToolMissing("syft is not installed", next_step=advice.INSTALL_PROGRAM(program=_PROGRAM))
        env = {**tool_variables(self.environ), **_VARIABLES}
        text = run_on(archive, _ARGS, self.shell, env, patience=patience, limit=_OUTPUT)
        # What is longer was shortened.
        if len(text) >= _OUTPUT:
            raise Unknown(f"{_PROGRAM} prints more than {_OUTPUT} bytes")
        return text

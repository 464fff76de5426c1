"""The first scanner that gives an answer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from unmoor.errors import Cause, Interrupted, ToolMissing, Unknown, UnmoorError
from unmoor.ports.poll import program_time
from unmoor.ports.scanner import Audit, Requirements

if TYPE_CHECKING:
    from unmoor.adapters.uv import Uv

PUBLIC = "api.osv.dev"
# What another scanner would meet too.
_SAME_FOR_ALL = frozenset({Cause.UNREACHABLE, Cause.LATER, Cause.DENIED})


class _Scanner(Protocol):
    def audit(self, needs: Requirements, *, patience: float) -> Audit: ...


@dataclass(frozen=True, kw_only=True)
class FirstAnswer:
    """Asks one scanner after the other; see `unmoor.ports.scanner.DependencyScanner`.

    Raises the error of the first one, with those of the others that are installed.
    """

    scanners: Callable[[], Sequence[_Scanner]]
    service: str = ""
    patience: float = math.inf

    @classmethod
    def of(cls, uv: Uv, service: str, *, patience: float = math.inf) -> FirstAnswer:
        """Ask ``uv audit``, then pip-audit. ``service`` is the root of OSV's API, empty for the public one."""

        def both() -> Sequence[_Scanner]:
            # A run that scans nothing loads neither.
            from unmoor.adapters.scanners.pip_audit import PipAudit
            from unmoor.adapters.scanners.uv_audit import UvAudit

            return UvAudit(uv=uv, service=service), PipAudit(uv=uv, service=service)

        return cls(scanners=both, service=service, patience=patience)

    @property
    def asks(self) -> str:
        """The service that is asked."""
        return self.service or PUBLIC

    def audit(self, needs: Requirements, *, patience: float) -> Audit:
        """Return the first whole answer. All of them together have ``patience`` seconds."""
        end = time.monotonic() + program_time(patience, self.patience)
        failed: list[UnmoorError] = []
        for each in self.scanners():
            left = end - time.monotonic()
            if failed and left < 1:
                break
            try:
                return each.audit(needs, patience=left)
            except Interrupted:
                raise
            except UnmoorError as error:
                failed.append(error)
                if error.cause in _SAME_FOR_ALL:
                    break
        if not failed:
            raise Unknown("there is no scanner for vulnerabilities")
        also = "; ".join(error.what for error in failed[1:] if not isinstance(error, ToolMissing))
        raise failed[0].amended(also=also) if also else failed[0]

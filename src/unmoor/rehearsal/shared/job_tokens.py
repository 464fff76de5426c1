"""The tokens of a workflow's jobs, each with the permissions of its job, as GitHub gives them.

``jobs.json`` in the world's folder lists them as `JobToken` objects. It is read at every request, so jobs can be added
to a running world. Without the file, only the credentials of the world count.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from unmoor.rehearsal.shared import store

JOBS = "jobs.json"


class JobToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one job has: its token, and the permissions of it by their names in a workflow.

    ``runner`` is the token with which the job requests ID tokens. ``claims`` override what the issuer says in them by
    itself, such as the environment.
    """

    token: str
    permissions: Mapping[str, Literal["read", "write"]]
    runner: str = ""
    claims: Mapping[str, Any] = msgspec.field(default_factory=dict)

    def may(self, scope: str, access: Literal["read", "write"]) -> bool:
        """Whether the token has a permission. One to write includes reading."""
        return self.permissions.get(scope) in {access, "write"}


class JobTokens(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of a world, whose folder this is."""

    folder: Path

    def of(self, token: bytes) -> JobToken | None:
        """Return the job with a token; ``None`` if no job has it."""
        return next((each for each in self._all() if hmac.compare_digest(token, each.token.encode())), None)

    def identified(self, runner: bytes) -> JobToken | None:
        """Return the job that requests an ID token, if its permissions allow one; ``None`` otherwise."""
        known = (each for each in self._all() if each.runner and hmac.compare_digest(runner, each.runner.encode()))
        return next((each for each in known if each.may("id-token", "write")), None)

    def _all(self) -> list[JobToken]:
        return store.load(self.folder / JOBS, list[JobToken]) or []

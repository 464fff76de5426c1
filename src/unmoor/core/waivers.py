"""What an emergency may waive: gates of quality, by name. What protects the users' files can never be waived.

A waived gate still runs where it can; only its result does not stop the release. The emergency, its gates and their
results are recorded with the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from unmoor.errors import (
    BuildFailed,
    CheckFailed,
    Incomplete,
    TimedOut,
    ToolMissing,
    TryLater,
    Unknown,
    UnmoorError,
    Unsafe,
)
from unmoor.util.secret_scan import token_in
from unmoor.util.text import clean

MOST = 1000
"""The most characters of a reason."""
_LEAST = 2
_DETAIL = 300


class Gate(StrEnum):
    """A gate of quality that an emergency may waive."""

    TESTS = "tests"
    SMOKE = "smoke"
    SCANS = "scans"
    STAGING = "staging"
    REPRODUCIBILITY = "reproducibility"
    ATTESTATIONS = "attestations"
    RUN_CHECK = "run-check"


INTEGRITY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tag": "the files would be of another commit than the one that the tag names",
        "access": "a release could begin that cannot end",
        "version": "the files would be of another version than the one that the tag names",
        "dists": "there would be nothing to release",
        "check-dists": "the index would refuse the files, or users could not install them",
        "digests": "other bytes than those that were built could be released",
        "belief": "files of a stranger could be released",
        "manifest": "nobody could say what the release consists of",
        "draft": "no other machine could continue the release",
        "read-back": "nobody could say what the surfaces hold",
        "verify": "nobody could say what the surfaces hold",
    }
)
"""Gates of integrity by name, and why no emergency waives them."""


class GateVerdict(StrEnum):
    """How a waived gate ended. ``not run`` never counts as passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


class ActorSource(StrEnum):
    """Who says who released: GitHub Actions, the forge about the token, or only the account on the machine."""

    ACTIONS = "GitHub Actions"
    FORGE = "the token of the forge"
    MACHINE = "the account on the machine"


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a waived gate ended, and why."""

    gate: Gate
    verdict: GateVerdict
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.gate}: {self.verdict}{f': {self.detail}' if self.detail else ''}"


class Emergency(msgspec.Struct, frozen=True, kw_only=True):
    """One emergency: why, who, which gates are waived, and how these ended as far as that was known.

    ``reason`` and ``actor`` are plain text on one line.
    """

    reason: str
    actor: str
    actor_from: ActorSource
    gates: tuple[Gate, ...] = ()
    results: tuple[GateResult, ...] = ()

    def is_same(self, other: Emergency) -> bool:
        """Whether the other one is a repetition of this one: the same person waives the same for the same reason."""
        ours = (self.reason, self.actor, self.actor_from, set(self.gates))
        return ours == (other.reason, other.actor, other.actor_from, set(other.gates))

    @property
    def who(self) -> str:
        """The actor, and who says so."""
        return f"{clean(self.actor, 100)}, according to {self.actor_from}"

    @property
    def summary(self) -> str:
        """The whole emergency in one line."""
        waived = ", ".join(self.gates) or "nothing"
        return f"emergency: {clean(self.reason, MOST)} ({self.who}; waived: {waived})"

    def result(self, gate: Gate) -> GateResult | None:
        """The result of a gate, ``None`` if there is none."""
        return next((each for each in self.results if each.gate is gate), None)


def read_gate(name: str) -> Gate:
    """Read the name of a gate. Raises `ValueError` with the gates, and for one of integrity with the reason."""
    gates = f"the gates that can be waived are: {', '.join(Gate)}"
    wanted = name.strip().lower()
    if wanted in INTEGRITY:
        raise ValueError(f"{wanted} can never be waived, since {INTEGRITY[wanted]}; {gates}")
    try:
        return Gate(wanted)
    except ValueError:
        raise ValueError(f"there is no gate {clean(name, 60)!r}; {gates}") from None


def read_reason(text: str) -> str:
    """Read a reason as one line without control characters. Raises `ValueError` if it says nothing or too much."""
    reason = clean(text, len(text) or 1)
    if len(reason) < _LEAST:
        raise ValueError("give a reason: it becomes a part of the release")
    if len(text) > MOST:
        raise ValueError(f"the reason has {len(text):,} characters; it may have {MOST:,}")
    if secret := token_in(reason):
        raise ValueError(f"the reason holds {secret}, and it becomes public with the release")
    return reason


_FAILED = (CheckFailed, BuildFailed, TimedOut, Unsafe)
_NOT_RUN = (ToolMissing, Unknown, TryLater, Incomplete)


def waived_result(gate: Gate, error: UnmoorError) -> GateResult:
    """The result of a waived gate that ended in an error. Raises the error if no waiver covers it.

    A waiver covers what says that something is not good enough, or could not be tested. It never covers other bytes,
    a refusal, a missing permission, an interruption or a bug.
    """
    if not isinstance(error, _FAILED + _NOT_RUN):
        raise error
    first = next(iter(error.what.splitlines()), "") or error.kind
    detail = f"the reason held {secret}" if (secret := token_in(first)) else clean(first, _DETAIL)
    failed = isinstance(error, _FAILED)
    return GateResult(gate=gate, verdict=GateVerdict.FAILED if failed else GateVerdict.NOT_RUN, detail=detail)

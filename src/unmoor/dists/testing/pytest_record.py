"""Read what pytest recorded with the plugin of `unmoor.dists.testing.pytest_plugin`: lines of JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass, field
from io import BufferedIOBase
from itertools import islice
from typing import Literal

import msgspec

from unmoor.util.decode import decode_json
from unmoor.util.values import replace

_LIMIT = 256_000_000
_LONGEST_LINE = 200_000
_MOST_KEPT = 10_000


class _Line(msgspec.Struct, frozen=True):
    """One line of the record. The project's code can write it, too."""

    kind: str
    id: str = ""
    text: str = ""
    message: str = ""
    error: str = ""
    missing: str = ""
    warning: bool = False
    file: str = ""
    line: int = 0
    crash: tuple[str, int] | None = None
    when: str = ""
    outcome: str = ""
    xfail: bool = False
    count: int = 0
    code: int = 0
    options: list[str] = []


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """What a module, a conftest or pytest itself raised.

    ``missing`` is the module that was not found, and ``file`` the one that raised it; empty if there is none.
    ``warning`` says that it is a warning, which the project's configuration turned into an error. ``id``
    is the module's node id, and ``text`` pytest's traceback.
    """

    id: str = ""
    error: str = ""
    message: str = ""
    missing: str = ""
    warning: bool = False
    file: str = ""
    text: str = ""


class FailedTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that failed, or whose fixtures did.

    ``text`` is pytest's traceback, and empty after the first 50. ``file`` and ``line`` (from 1) are where the test
    stands, and ``crash`` where it failed.
    """

    id: str
    message: str = ""
    text: str = ""
    file: str = ""
    line: int = 0
    crash: tuple[str, int] | None = None


class SuiteRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What pytest did.

    The numbers count as pytest does: a test that passes and fails to clean up is one of ``passed`` and one of
    ``errors``. ``collection`` are the modules that could not be collected. ``last`` is the test that began last.
    ``opened`` and ``finished`` say whether the session began and came to its end, ``begun`` whether a test began, and
    ``uncovered`` whether the project's own options measure coverage, which was turned off. ``killed`` is the number of
    the signal that ended pytest or one of its workers, 0 if none did.
    """

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    deselected: int = 0
    failures: tuple[FailedTest, ...] = ()
    collection: tuple[Raised, ...] = ()
    unstarted: Raised | None = None
    internal: Raised | None = None
    unknown_options: tuple[str, ...] = ()
    last: str = ""
    opened: bool = False
    begun: bool = False
    finished: bool = False
    uncovered: bool = False
    killed: int = 0

    @property
    def counts(self) -> str:
        """The numbers that are not 0: ``1,204 passed, 3 skipped``."""
        named = {
            "passed": self.passed,
            "failed": self.failed,
            "errors": self.errors + len(self.collection),
            "skipped": self.skipped,
            "xfailed": self.xfailed,
            "xpassed": self.xpassed,
            "deselected": self.deselected,
        }
        texts = [
            f"{count:,} {'error' if (name, count) == ('errors', 1) else name}" for name, count in named.items() if count
        ]
        return ", ".join(texts) or "no test ran"


@dataclass
class _Outcomes:
    """What the reports of one test say. A test that is run again starts over."""

    passed: bool = False
    failed: bool = False
    error: bool = False
    skipped: bool = False
    xfailed: bool = False
    xpassed: bool = False
    failure: FailedTest | None = None

    def take(self, line: _Line) -> None:
        """Add one report."""
        if line.outcome == "failed":
            if line.when in {"setup", "teardown"}:
                self.error = True
            else:
                self.failed = True
            self.failure = self.failure or FailedTest(
                id=line.id, message=line.message, text=line.text, file=line.file, line=line.line, crash=line.crash
            )
        elif line.outcome == "skipped":
            self.xfailed, self.skipped = self.xfailed or line.xfail, self.skipped or not line.xfail
        elif line.outcome == "passed":
            self.xpassed, self.passed = self.xpassed or line.xfail, self.passed or not line.xfail


@dataclass
class _Reading:
    """What was read so far."""

    tests: dict[str, _Outcomes] = field(default_factory=dict)
    collect: dict[str, str] = field(default_factory=dict)
    raised: dict[str, Raised] = field(default_factory=dict)
    others: dict[str, _Line] = field(default_factory=dict)
    deselected: int = 0
    last: str = ""

    def take(self, line: _Line) -> None:
        """Take one line. A kind that is not known changes nothing."""
        match line.kind:
            case "start":
                self.tests[line.id] = _Outcomes()
                self.last = line.id
            case "report":
                self.tests.setdefault(line.id, _Outcomes()).take(line)
            case "collect":
                self.collect.setdefault(line.id, line.text)
            case "raised":
                self.raised.setdefault(line.id, _raised(line))
            case "deselected":
                self.deselected += max(line.count, 0)
            case _:
                self.others.setdefault(line.kind, line)


def read_record(stream: BufferedIOBase) -> SuiteRecord:
    """Read a record, at most 256 MB. Leaves out lines that are no part of one: tests may have damaged it."""
    found, size = _Reading(), 0
    for line in iter(lambda: stream.readline(_LONGEST_LINE), b""):
        size += len(line)
        if size > _LIMIT:
            break
        with contextlib.suppress(ValueError):
            found.take(decode_json(line, _Line))
    tests = found.tests.values()
    failures = (each.failure for each in tests if each.failure is not None)
    names = dict.fromkeys((*found.collect, *found.raised))
    return SuiteRecord(
        passed=_count(tests, "passed"),
        failed=_count(tests, "failed"),
        errors=_count(tests, "error"),
        skipped=_count(tests, "skipped"),
        xfailed=_count(tests, "xfailed"),
        xpassed=_count(tests, "xpassed"),
        deselected=found.deselected,
        failures=tuple(islice(failures, _MOST_KEPT)),
        collection=tuple(_with_text(found, name) for name in islice(names, _MOST_KEPT)),
        unstarted=_raised(found.others["unstarted"]) if "unstarted" in found.others else None,
        internal=_raised(found.others["internal"]) if "internal" in found.others else None,
        unknown_options=tuple(found.others["unknown"].options) if "unknown" in found.others else (),
        last=found.last,
        opened="session" in found.others,
        begun=bool(found.tests),
        finished="finish" in found.others,
        uncovered="uncovered" in found.others,
        killed=found.others["killed"].code if "killed" in found.others else 0,
    )


def _count(
    tests: Collection[_Outcomes], name: Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]
) -> int:
    return sum(getattr(each, name) for each in tests)


def _raised(line: _Line) -> Raised:
    return Raised(**{name: getattr(line, name) for name in Raised.__struct_fields__})


def _with_text(found: _Reading, name: str) -> Raised:
    """What a module raised, with pytest's traceback. Without an exception nothing is known of the reason."""
    raised = found.raised.get(name, Raised(id=name))
    return replace(raised, text=found.collect.get(name, ""))

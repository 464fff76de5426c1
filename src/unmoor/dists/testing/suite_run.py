"""Run a project's test suite against an installed wheel, and say what came of it."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.dists.testing.import_trace import install_recorder, read_recording
from unmoor.dists.testing.installed_code import InstalledCode, installed_names, read_installed
from unmoor.dists.testing.parts import DistUnderTest
from unmoor.dists.testing.pytest_plugin import Recorder
from unmoor.dists.testing.pytest_record import FailedTest, Raised, SuiteRecord
from unmoor.dists.testing.suite_advice import advise, advise_untested
from unmoor.dists.testing.suite_verdict import Ending, judge, stopped_by
from unmoor.dists.testing.suites import Suite
from unmoor.errors import Cause, CheckFailed, FailedAt, TimedOut, ToolMissing
from unmoor.ports.environments import Environment
from unmoor.ports.failure import failure
from unmoor.ports.shell import Ran
from unmoor.products import Result, Verdict
from unmoor.project.test_needs.source import packages_of_extra
from unmoor.util.text import clean

_MOST_NAMES = 20
_MOST_LINES = 25
_MOST_ANNOTATED = 10


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """Where the output of a suite goes: its path, a function that writes a line, and the last lines."""

    path: Path
    write: Callable[[str], None]
    last: deque[str] = msgspec.field(default_factory=lambda: deque(maxlen=_MOST_LINES))

    def hear(self, line: str) -> None:
        """Take one line."""
        self.write(line)
        self.last.append(line)


class SuiteRun(msgspec.Struct, frozen=True, kw_only=True):
    """A suite to run in an environment that holds the wheel ``what``, on a copy of the files that it needs.

    ``copy`` is the project's folder in the copy, and ``root`` the folder of the whole copy. ``path`` is the project's
    folder in the repository, with slashes. ``folder`` holds what is recorded. ``install`` installs what the tests need
    in addition to the wheel. ``beside_source`` says that the copy has the project's own modules, which the tests must
    not import from there. ``timeout`` is in seconds.
    """

    suite: Suite
    environment: Environment
    what: DistUnderTest
    copy: Path
    root: Path
    path: str
    folder: Path
    install: Callable[[], None]
    beside_source: bool
    timeout: float
    log: Log
    say: Callable[[str], None]
    warn: Callable[[str], None]

    def run(self) -> Result:
        """Install what the suite needs, and run it. Raises `CheckFailed` if it fails, `TimedOut`, `ToolMissing`."""
        before = installed_names(self.environment.packages)
        self.install()
        install_recorder(self.environment.packages, self.folder / "imports", self.what.modules, only=self.beside_source)
        recorder = Recorder(packages=self.environment.packages, log=self.folder / "record")
        args = self.suite.args(str(self.copy))
        recorded = recorder.added_to(args)
        variables = "".join(f"{name}={value} " for name, value in self.suite.variables)
        self.say(f"running {variables}{self.suite.command}")
        ran = self._run(recorded or args, recorder)
        record = recorder.read() if recorded else None
        if by := stopped_by(ran.code, record):
            raise failure(Cause.KILLED, self._lines(f"{self.suite.command!r} was stopped by {by}", self.log.last))
        if record is not None and record.uncovered:
            self.say("coverage is not measured: that of an installed copy says nothing about the source")
        to_excuse = record is not None and record.collection
        installed = read_installed(self.environment.packages, before) if to_excuse else InstalledCode()
        verdict = judge(
            ran.code,
            record,
            excuses=lambda raised: self._excuses(raised, installed),
            is_pytest=recorded is not None,
        )
        if verdict.ending is Ending.FAILED:
            raise self._failed(verdict.why, ran, record)
        if verdict.ending is Ending.NOT_TESTED:
            step = advise_untested(self.suite, record, self.what.own)
            self.warn(f"the tests prove nothing: {verdict.why}; {step}")
            return self._result(Verdict.NOT_TESTED, verdict.why)
        return self._check_imports(verdict.why)

    def _run(self, args: Sequence[str], recorder: Recorder) -> Ran:
        try:
            return self.environment.run(
                args,
                cwd=self.copy,
                env=self.suite.environment(str(self.copy)),
                timeout=self.timeout,
                hear=self.log.hear,
            )
        except TimedOut as error:
            record = recorder.read()
            during = f", in or after {clean(record.last)}" if record and record.last else ""
            raise TimedOut(
                self._lines(
                    f"{self.suite.command!r} ran for more than {self.timeout:g} s and was stopped{during}",
                    self.log.last,
                ),
                next_step=advice.ALLOW_TESTS_MORE_TIME(),
                retryable=False,
            ) from error
        except ToolMissing as error:
            if error.cause is not None:
                raise  # this machine is at fault, and not what is installed
            raise ToolMissing(error.what, next_step=advice.LIST_TEST_PROGRAM()) from error

    def _excuses(self, raised: Raised, installed: InstalledCode) -> bool:
        """Whether a missing module says nothing about the project: the tests need something that nobody installed.

        What the repository has in ``src`` is the project's, although the wheel lacks it.
        """
        if (self.copy / "src" / raised.missing.partition(".")[0]).exists():
            return False
        metadata = self.what.metadata
        optional = frozenset().union(*(packages_of_extra(metadata, each) for each in metadata.extras))
        return installed.excuses(raised.missing, raised.file, optional=optional)

    def _failed(self, why: str, ran: Ran, record: SuiteRecord | None) -> CheckFailed:
        """The error for a suite that failed: the names of the tests, and the traceback of the first one."""
        failures = record.failures if record is not None else ()
        collection = record.collection if record is not None else ()
        told: list[FailedTest | Raised] = [*failures, *collection]
        names = [clean(each.id, 500) or "(no name)" for each in told]
        text = next((each.text for each in told if each.text), "")
        return CheckFailed(
            self._lines(
                f"{self.suite.command!r} failed against {self.what.file.name}: {why}",
                [
                    *names[:_MOST_NAMES],
                    *([f"and {len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []),
                    *([f"{names[0]}:"] if text else []),
                    *(_shortened(text.splitlines()) if text else self.log.last),
                ],
            ),
            next_step=advise(self.suite, record, self.what.own, code=ran.code),
            failures=tuple(self._place(each) for each in failures[:_MOST_ANNOTATED])
            + tuple(
                FailedAt(each.id, f"{each.error}: {each.message}", *self._in_repository(each.file, 1))
                for each in collection[: max(_MOST_ANNOTATED - len(failures), 0)]
            ),
        )

    def _lines(self, first: str, more: Sequence[str]) -> str:
        return "\n".join((first, *more, f"the whole log: {self.log.path}"))

    def _place(self, test: FailedTest) -> FailedAt:
        """Where a test failed: the line of its own file, as far as that is known."""
        at = test.crash if test.crash and self._in_repository(*test.crash)[0] else (test.file, test.line)
        return FailedAt(test.id, test.message, *self._in_repository(*at))

    def _in_repository(self, file: str, line: int) -> tuple[str, int]:
        """A file of the copy as one of the repository, with slashes; empty if it is not in the copy."""
        path = Path(file)
        if not path.is_absolute():
            path = self.copy / path
        top = self.copy.resolve()
        if not path.resolve().is_relative_to(top):
            return "", 0
        return posixpath.join(self.path, path.resolve().relative_to(top).as_posix()), line

    def _check_imports(self, counts: str) -> Result:
        """Check that the tests imported the installed files. Raises `CheckFailed` if they imported a copied module."""
        imported = read_recording(self.folder / "imports", environment=self.environment.folder, copy=self.root)
        if imported.copied:
            module, where = imported.copied[0]
            raise CheckFailed(
                f"the tests passed, but they imported {clean(module)} from {clean(Path(where).name)}"
                f" among the copied tests, not from {self.what.file.name}",
                next_step=advice.REMOVE_SOURCE_FROM_TESTS(),
            )
        if self.what.modules and not imported.inside:
            why = f"{self.suite.command} passed, but never imported {', '.join(self.what.modules[:3])}"
            self.warn(f"the tests prove nothing about {self.what.file.name}: {why}")
            return self._result(Verdict.NOT_TESTED, why)
        return self._result(Verdict.PASSED, self.suite.command, counts)

    def _result(self, verdict: Verdict, detail: str, counts: str = "") -> Result:
        return Result(name=f"{self.what.file.name}: tests", verdict=verdict, detail=detail, counts=counts)


def _shortened(lines: Sequence[str]) -> list[str]:
    """The first lines of a text, and more of the last ones, where pytest says what is wrong."""
    if len(lines) <= _MOST_LINES:
        return list(lines)
    first = _MOST_LINES // 4
    return [*lines[:first], "[...]", *lines[-(_MOST_LINES - first - 1) :]]

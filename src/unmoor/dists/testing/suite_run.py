"""Run a project's test suite against an installed wheel, and judge the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unmoor.dists.testing.extras import DistUnderTest
from unmoor.dists.testing.import_trace import install_recorder, read_recording
from unmoor.dists.testing.suites import OFF, Suite, misses_own_module
from unmoor.errors import CheckFailed, ToolMissing
from unmoor.ports.environments import Environment
from unmoor.products import Result, Verdict
from unmoor.util.text import clean

_MAX_LINES = 40


@dataclass(frozen=True, kw_only=True)
class SuiteRun:
    """A suite to run in an environment that holds the wheel ``what``, on a copy of the files that it needs.

    ``copy`` is the project's folder in the copy, and ``root`` the folder of the whole copy. ``log`` is a folder that
    does not exist yet. ``timeout`` is in seconds.
    """

    suite: Suite
    environment: Environment
    what: DistUnderTest
    copy: Path
    root: Path
    log: Path
    timeout: float
    say: Callable[[str], None]
    warn: Callable[[str], None]

    def run(self) -> Result:
        """Run the suite. Raises `CheckFailed` if it fails, `TimedOut`, `ToolMissing`."""
        suite = self.suite
        install_recorder(self.environment.packages, self.log, self.what.modules)
        self.say(f"running {suite.command}")
        try:
            ran = self.environment.run(suite.args(str(self.copy)), cwd=self.copy, timeout=self.timeout)
        except ToolMissing as error:
            raise ToolMissing(
                error.what,
                next_step="list the package that provides the test command in test-requires, or name its extra in"
                " test-extras",
            ) from error
        printed = "\n".join([*ran.out.strip().splitlines(), *ran.err.strip().splitlines()][-_MAX_LINES:])
        if ran.code in suite.untested_codes and not misses_own_module(ran.out + ran.err, self.what.modules):
            return self._record_untested(ran.code, printed)
        if ran.code != 0:
            advice = "see which tests fail; list other files and packages they need in test-sources and test-requires"
            raise CheckFailed(
                f"{suite.command!r} ended with exit code {ran.code} against {self.what.file.name}:\n{printed}",
                next_step=f"{advice}; {OFF}" if suite.why else advice,
            )
        return self._check_imports()

    @property
    def _name(self) -> str:
        return f"{self.what.file.name}: tests"

    def _record_untested(self, code: int, printed: str) -> Result:
        """Warn that tests which unmoor found itself cannot be run. That is neither a pass nor a failure."""
        last = next((clean(line.strip(), 200) for line in reversed(printed.splitlines()) if "Error" in line), "")
        detail = self.suite.untested_codes[code] + (f" ({last})" if last else "")
        self.warn(f"the tests were not run: {detail}; {OFF}")
        return Result(name=self._name, verdict=Verdict.NOT_TESTED, detail=detail)

    def _check_imports(self) -> Result:
        """Check that the tests imported the installed files. Raises `CheckFailed` if they imported a copied module."""
        imported = read_recording(self.log, environment=self.environment.folder, copy=self.root)
        if imported.copied:
            module, where = imported.copied[0]
            raise CheckFailed(
                f"the tests passed, but they imported {clean(module)} from {clean(Path(where).name)}"
                f" among the copied tests, not from {self.what.file.name}",
                next_step="remove the source from test-sources, so that the tests import what is installed",
            )
        if self.what.modules and not imported.inside:
            detail = f"{self.suite.command} passed, but never imported {', '.join(self.what.modules[:3])}"
            self.warn(f"the tests prove nothing about {self.what.file.name}: {detail}")
            return Result(name=self._name, verdict=Verdict.NOT_TESTED, detail=detail)
        return Result(name=self._name, verdict=Verdict.PASSED, detail=self.suite.command)

"""The proof that the files work where they are installed: made once, on these bytes, far from any credential."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import SuiteOptions
from unmoor.core.stage import Build, Output, StageContext
from unmoor.dists.inspect import read_metadata
from unmoor.dists.testing.extras import DistUnderTest
from unmoor.dists.testing.import_trace import install_recorder, read_recording
from unmoor.dists.testing.install_test import (
    assign_interpreters,
    covers,
    dists_under_test,
    find_proof,
    interpreter_for,
    run_install_test,
    subjects,
    test_in_parallel,
)
from unmoor.dists.testing.interpreters import AUTO, find_interpreter, is_compatible, runs_on
from unmoor.dists.testing.suites import OFF, Suite, Untested, choose_suite, misses_own_module, source_files
from unmoor.errors import CheckFailed, ConfigError, ToolMissing
from unmoor.ports.environments import Environment, Environments, Interpreter
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.products import Dists, Proof, Release, Result, Verdict
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean

# What is copied where the project does not say: the usual folders, and where pytest is told what to do.
_TESTS = ("tests", "test", "testing")
_CONFIGURATION = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "setup.cfg", "pyproject.toml")
_LAST = 40


@dataclass(frozen=True, kw_only=True)
class ProveDists(Build[Proof]):
    """Installs every file in a fresh environment and tries it; runs the project's tests against the wheel.

    ``tests`` says whether tests are looked for where ``test_command`` names none. ``test_sources`` are
    paths in the repository that the tests need; empty means the usual ones, and for tests that were only
    found the whole repository without the project's own modules. ``{project}`` in
    ``test_command`` stands for the folder they were copied to. ``python`` is the interpreter that
    files are tried with, ``test_pythons`` are more of them for the wheels, each written ``3.12``.
    """

    name: str = "prove-dists"
    release: Output[Release]
    dists: Output[Dists]
    git: Git
    environments: Environments
    folder: RunFolder
    options: SuiteOptions
    python: str = AUTO

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            git=services.git,
            environments=services.environments.under(request.settings.building.constraints),
            folder=request.folder,
            python=request.settings.building.python,
            options=request.settings.testing,
        )

    def plan(self) -> str:
        """Say what would be installed and run."""
        if self.options.mode == "off":
            tests = "; its tests are switched off"
        elif self.options.command:
            tests = f", and run {self.options.command!r} against the wheel"
        elif self.options.mode == "auto":
            tests = ", and run its tests against the wheel, if it has some for pytest and says what they need"
        else:
            tests = "; no tests are configured"
        return f"install every file in a fresh environment, import it and load its entry points{tests}"

    def find(self, context: StageContext) -> Proof | None:
        """Return the proof of these very bytes, ``None`` where there is none, or none of some file."""
        proof = find_proof(self.folder, self.name, context[self.dists])
        return proof if proof is not None and all(covers(proof, file) for file in context[self.dists].files) else None

    def make(self, context: StageContext) -> Proof:
        """Prove every file. Raises `CheckFailed` with what failed, `TimedOut` for tests that take too long."""
        dists, release = context[self.dists], context[self.release]
        python = interpreter_for(self.environments, dists, self.python)
        others = self._others(dists, python, context)
        suite = self._suite(dists, release, context)
        context.say(f"trying the files with Python {python.version}")

        def prove(each: tuple[DistUnderTest, Interpreter, bool], folder: Path) -> tuple[Result, ...]:
            what, on, more = each
            trial = _Trial(self, what, on, release, folder, context)
            return trial.run(suite if what.file.is_wheel else None, more=more)

        first = [(what, python, False) for what in dists_under_test(dists, python)]
        results = test_in_parallel(prove, [*first, *others.trials])
        results += others.results
        if isinstance(suite, Untested):
            results += (Result(name="tests", verdict=Verdict.NOT_TESTED, detail=suite.why),)
        proof = Proof(name=self.name, subjects=subjects(dists), results=results)
        self.folder.add_proof(proof)
        return proof

    def _suite(self, dists: Dists, release: Release, context: StageContext) -> Suite | Untested:
        """Decide which tests are run, and say so where the project did not."""
        sample = next(iter(dists.wheels), None)
        if sample is None:
            return Untested(why="there is no wheel to run them against")
        suite = choose_suite(
            self.options,
            read_metadata(sample.path),
            files=lambda: self.git.files(release.commit),
            read=lambda name: self.git.read(release.commit, name),
        )
        if isinstance(suite, Untested):
            context.say(f"no tests are run: {suite.why}")
        elif suite.why:
            context.say(f"tests found: {suite.why}")
        return suite

    def _others(self, dists: Dists, python: Interpreter, context: StageContext) -> _Others:
        """Find the further interpreters that wheels are to be tried with; what is not here is said, not passed."""
        trials: list[tuple[DistUnderTest, Interpreter, bool]] = []
        missing: list[Result] = []
        strange = [file for file in dists.files if not runs_on(file, python.version)]
        found = self.environments.pythons() if self.options.pythons or strange else ()
        wheels = Dists(files=dists.wheels)
        for wanted in self.options.pythons:
            other = find_interpreter(found, wanted)
            requires = read_metadata(wheels.files[0].path).python if wheels.files else ""
            if other is None or not is_compatible(other.version, requires):
                why = "it is not on this machine" if other is None else f"the project is for Python {clean(requires)}"
                context.warn(f"nothing is tried with Python {wanted}: {why}")
                missing.append(Result(name=f"Python {wanted}", verdict=Verdict.NOT_TESTED, detail=why))
            elif other != python:
                trials += [(what, other, True) for what in dists_under_test(wheels, other)]
        already = {what.file for what, _, _ in trials}
        hosts, handed = assign_interpreters([file for file in strange if file not in already], found, self.folder)
        for file, host in hosts:
            trials += [(what, host, True) for what in dists_under_test(Dists(files=(file,)), host)]
        return _Others(trials=tuple(trials), results=(*handed, *missing))


@dataclass(frozen=True, kw_only=True)
class _Others:
    """What is tried with further interpreters, and what is known without a try."""

    trials: tuple[tuple[DistUnderTest, Interpreter, bool], ...]
    results: tuple[Result, ...]


@dataclass(frozen=True)
class _Trial:
    """One file, one interpreter, one folder."""

    stage: ProveDists
    what: DistUnderTest
    python: Interpreter
    release: Release
    folder: Path
    context: StageContext

    def run(self, suite: Suite | Untested | None, *, more: bool) -> tuple[Result, ...]:
        """Install the file and try it, then the tests. ``more``: the results carry the interpreter's version."""
        self.context.say(f"installing {self.what.file.name}" + (f" on Python {self.python.version}" if more else ""))
        environment = self._installed("environment")
        results = run_install_test(environment, self.what, self.folder, install=self._installed_with)
        if isinstance(suite, Suite):
            results += self._tests(environment, suite)
        if more:
            on = f" (Python {'.'.join(self.python.version.split('.')[:2])})"
            results = tuple(replace(each, name=each.name + on) for each in results)
        return results

    def _installed(self, name: str, extras: tuple[str, ...] = ()) -> Environment:
        environment = self.stage.environments.fresh(self.folder / name, python=self.python.path)
        environment.install([self._file(extras)])
        return environment

    def _installed_with(self, extras: tuple[str, ...]) -> Environment:
        return self._installed("with-" + "-".join(extras), extras)

    def _file(self, extras: tuple[str, ...] = ()) -> str:
        """The file as a requirement, with extras."""
        path = self.what.file.path.absolute()
        return f"{self.release.project}[{','.join(extras)}] @ {path.as_uri()}" if extras else str(path)

    def _tests(self, environment: Environment, suite: Suite) -> tuple[Result, ...]:
        """Run the project's tests in an environment that has the wheel, on a copy without the source beside it."""
        copy = self._around(suite.folder) if suite.folder and not self.stage.options.sources else self._copy()
        environment.install([*suite.requires, *([self._file(suite.extras)] if suite.extras else ())])
        # What the tests need may have put another build of the project in the place of this one.
        environment.install([self._file()], dependencies=False)
        log = self.folder / "imports"
        install_recorder(environment.packages, log, self.what.modules)
        self.context.say(f"running {suite.command}")
        try:
            ran = environment.run(suite.args(str(copy)), cwd=copy, timeout=self.stage.options.timeout)
        except ToolMissing as error:
            raise ToolMissing(
                error.what,
                next_step="name what brings the test command in test-requires, or in an extra of test-extras",
            ) from error
        name = f"{self.what.file.name}: tests"
        said = "\n".join([*ran.out.strip().splitlines(), *ran.err.strip().splitlines()][-_LAST:])
        if ran.code in suite.untested_codes and not misses_own_module(ran.out + ran.err, self.what.modules):
            return (self._idle(name, suite, ran.code, said),)
        if ran.code != 0:
            needs = "see what fails; what the tests need beside them is named in test-sources and test-requires"
            raise CheckFailed(
                f"{suite.command!r} ended with exit code {ran.code}, run against {self.what.file.name}:\n{said}",
                next_step=f"{needs}; {OFF}" if suite.why else needs,
            )
        return (self._witnessed(name, suite, log, environment),)

    def _idle(self, name: str, suite: Suite, code: int, said: str) -> Result:
        """Say that tests which were only found cannot be run as they were found: no pass, and no failure either."""
        last = next((clean(line.strip(), 200) for line in reversed(said.splitlines()) if "Error" in line), "")
        detail = suite.untested_codes[code] + (f" ({last})" if last else "")
        self.context.warn(f"the tests were not run: {detail}; {OFF}")
        return Result(name=name, verdict=Verdict.NOT_TESTED, detail=detail)

    def _witnessed(self, name: str, suite: Suite, log: Path, environment: Environment) -> Result:
        """See that what the tests imported was what is installed. Raises `CheckFailed` where it came with the tests."""
        seen = read_recording(log, environment=environment.folder, copy=self._copied)
        if seen.copied:
            module, where = seen.copied[0]
            raise CheckFailed(
                f"the tests passed, but they imported {clean(module)} from {clean(Path(where).name)}"
                f" among the copied tests, not from {self.what.file.name}",
                next_step="leave the source out of test-sources, so that the tests see what is installed",
            )
        if self.what.modules and not seen.inside:
            detail = f"{suite.command} passed, and never imported {', '.join(self.what.modules[:3])}"
            self.context.warn(f"the tests prove nothing of {self.what.file.name}: {detail}")
            return Result(name=name, verdict=Verdict.NOT_TESTED, detail=detail)
        return Result(name=name, verdict=Verdict.PASSED, detail=suite.command)

    @property
    def _copied(self) -> Path:
        """Where what the tests need is copied to."""
        return self.folder / "project"

    def _around(self, folder: str) -> Path:
        """The repository at the commit without the project's own modules: what tests need may lie anywhere in it.

        What is returned is the project's folder in it.
        """
        copy = self.stage.git.clone(self._copied, commit=self.release.commit, tag=self.release.tag)
        shutil.rmtree(self._copied / ".git")
        for path in source_files(self.stage.git.files(self.release.commit), self.what.modules, folder=folder):
            (copy / path).unlink(missing_ok=True)
        return copy

    def _copy(self) -> Path:
        """Copy the tests out of a clone of the commit, which is removed. Raises `ConfigError` for a path it lacks."""
        copy = self._copied
        clone = self.stage.git.clone(self.folder / "clone", commit=self.release.commit, tag=self.release.tag)
        copy.mkdir()
        named_by_user = self.stage.options.sources
        for name in named_by_user or (*_TESTS, *_CONFIGURATION):
            source = clone / name
            if not source.resolve().is_relative_to(clone.resolve()) or not source.exists():
                if named_by_user:
                    raise ConfigError(
                        f"test-sources names {name!r}, which is not in the repository at {self.release.commit[:12]}",
                        next_step="correct test-sources",
                    )
                continue
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy / name, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(source, copy / name)
        shutil.rmtree(self.folder / "clone", ignore_errors=True)
        return copy

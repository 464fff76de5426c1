"""The stage ``prove-dists``: install and test the built files, once for these bytes, without any credential."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import DEFAULT_IMPORTS, ImportOptions, SuiteOptions
from unmoor.core.stage import Build, Output, StageContext
from unmoor.core.waivers import Gate, waived_result
from unmoor.dists import inspect
from unmoor.dists.inspect import read_metadata
from unmoor.dists.testing.copied_tests import CopiedTests
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
from unmoor.dists.testing.legs import COMMAND
from unmoor.dists.testing.parts import DistUnderTest
from unmoor.dists.testing.platforms import foreign
from unmoor.dists.testing.suite_needs import install_needs
from unmoor.dists.testing.suite_run import Log, SuiteRun
from unmoor.dists.testing.suites import Suite, Untested, choose_suite
from unmoor.errors import UnmoorError
from unmoor.ports.environments import Environment, Environments, Interpreter
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.products import Dists, Proof, Release, Result, Verdict
from unmoor.project.files import Files
from unmoor.publish.emergencies import list_waived, recorded_waiver
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.util.values import replace


@dataclass(frozen=True, kw_only=True)
class ProveDists(Build[Proof]):
    """Installs every file in a fresh environment and tests it; runs the project's tests against the wheel.

    Installs each wheel with pip too, once and beside the install with uv.

    ``options.mode`` says whether to look for tests if ``options.command`` is empty. ``options.sources`` are
    paths in the repository that the tests need; empty means the usual ones, or, for tests that unmoor found
    itself, the whole repository without the project's own modules. ``{project}`` in ``options.command``
    stands for the folder that holds the copy. ``python`` is the interpreter that tests the files,
    ``options.pythons`` are further ones for the wheels, each written as in ``3.12``. If ``lenient``, a wheel that only
    another machine can try is a warning beside files that are tested here: nothing reaches a user. If ``waived``, the
    tests still run, but a failure is only recorded in the proof.
    """

    runs_project_code: ClassVar[bool] = True

    name: str = "prove-dists"
    release: Output[Release]
    dists: Output[Dists]
    git: Git
    environments: Environments
    folder: RunFolder
    options: SuiteOptions
    imports: ImportOptions = DEFAULT_IMPORTS
    python: str = AUTO
    lenient: bool = False
    waived: bool = False

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
            imports=request.settings.importing,
            lenient=request.stands_in,
            waived=request.waives(Gate.TESTS),
        )

    def plan(self) -> str:
        """Say what would be installed and run."""
        if self.options.mode == "off":
            tests = "; its tests are turned off"
        elif self.options.command:
            tests = f", and run {self.options.command!r} against the wheel"
        elif self.options.mode == "auto":
            tests = ", and run its tests for pytest against the wheel, if it has any"
        else:
            tests = "; no tests are configured"
        return f"install every file in a fresh environment, import it and load its entry points{tests}"

    def find(self, context: StageContext) -> Proof | None:
        """Return the proof of exactly these files, ``None`` if there is none or it does not cover every file.

        One with waived results counts if this run waives the tests, or if the manifest records the emergency that did.
        """
        dists = context[self.dists]
        if not dists.vouched:
            return Proof.of_nothing(self.name, subjects(dists), why="public already, and not vouched for")
        proof = find_proof(self.folder, self.name, dists)
        if proof is not None and proof.waived:
            if not self.waived and not recorded_waiver(self.folder, Gate.TESTS):
                return None
            context.warn(f"not everything passed its tests, which an emergency waived: {list_waived(proof)}")
            return proof
        return proof if proof is not None and all(covers(proof, file) for file in dists.files) else None

    def make(self, context: StageContext) -> Proof:
        """Test every file. Raises `CheckFailed` with what failed, `TimedOut` if the tests take too long.

        If the tests are waived, the proof records what failed instead.
        """
        dists = context[self.dists]
        try:
            results = self._prove(context)
        except UnmoorError as error:
            if not self.waived:
                raise
            results = (Result.of_waived("tests", waived_result(Gate.TESTS, error)),)
        proof = Proof(name=self.name, subjects=subjects(dists), results=results)
        self.folder.write_proof(proof)
        if proof.waived:
            context.warn(f"waived in this emergency: {list_waived(proof)}")
        return proof

    def _prove(self, context: StageContext) -> tuple[Result, ...]:
        dists, release = context[self.dists], context[self.release]
        python = interpreter_for(self.environments, dists, self.python)
        further = self._plan_further_trials(dists, python, context)
        suite = self._suite(dists, release, context, python)
        context.say(f"testing the files with Python {python.version}")
        self.folder.remove_logs()

        def prove(each: tuple[DistUnderTest, Interpreter, bool], folder: Path) -> tuple[Result, ...]:
            what, on, with_version = each
            trial = _Trial(self, what, on, release, folder, context, with_pip=pip_runs_on.get(what.file.name) == on)
            try:
                return trial.run(suite if what.file.is_wheel else None, with_version=with_version)
            except UnmoorError as error:
                if not self.waived:
                    raise
                on_python = f" (Python {on.series})" if with_version else ""
                return (Result.of_waived(f"{what.file.name}{on_python}", waived_result(Gate.TESTS, error)),)

        trials = [*((what, python, False) for what in dists_under_test(dists, python)), *further.trials]
        # Once for each wheel: another interpreter changes nothing of how pip reads it.
        pip_runs_on = {what.file.name: on for what, on, _ in reversed(trials) if what.file.is_wheel}
        results = test_in_parallel(prove, trials)
        results += further.results
        if isinstance(suite, Untested):
            results += (Result(name="tests", verdict=Verdict.NOT_TESTED, detail=suite.why),)
        return results

    def _suite(self, dists: Dists, release: Release, context: StageContext, python: Interpreter) -> Suite | Untested:
        """Choose the tests to run, and report the choice unless the project configured it.

        Found tests are not run on a system that the classifiers leave out: whatever they do there says nothing.
        """
        sample = next(iter(dists.wheels), None)
        if sample is None:
            return Untested(why="there is no wheel to run them against")
        metadata = read_metadata(sample.path)
        suite = choose_suite(
            self.options,
            metadata,
            Files.at(self.git, release.commit),
            modules=inspect.modules(sample.path),
        )
        if isinstance(suite, Suite) and suite.why and (why := foreign(metadata.classifiers, python)):
            context.warn(f"the tests are {why}; to run them anyway, set test-command under [tool.unmoor]")
            return Untested(why=why)
        if isinstance(suite, Untested):
            context.say(f"not running any tests: {suite.why}")
        elif suite.why:
            context.say(f"tests found: {suite.why}")
        return suite

    def _plan_further_trials(self, dists: Dists, python: Interpreter, context: StageContext) -> _FurtherTrials:
        """Plan the tests of wheels on further interpreters. An absent interpreter is a warning and "not tested"."""
        trials: list[tuple[DistUnderTest, Interpreter, bool]] = []
        missing: list[Result] = []
        incompatible = [file for file in dists.files if not runs_on(file, python)]
        found = self.environments.pythons() if self.options.pythons or incompatible else ()
        wheels = Dists(files=dists.wheels)
        for wanted in self.options.pythons:
            other = find_interpreter(found, wanted)
            requires = read_metadata(wheels.files[0].path).python if wheels.files else ""
            if other is None or not is_compatible(other.version, requires):
                why = "it is not on this machine" if other is None else f"the project needs Python {clean(requires)}"
                context.warn(f"nothing is tested with Python {wanted}: {why}")
                missing.append(Result(name=f"Python {wanted}", verdict=Verdict.NOT_TESTED, detail=why))
            elif other != python:
                trials += [(what, other, True) for what in dists_under_test(wheels, other)]
        already = {what.file for what, _, _ in trials}
        # A proof of nothing but what was not tried would pass for one.
        lenient = self.lenient and len(incompatible) < len(dists.files)
        left = [file for file in incompatible if file not in already]
        hosts, known = assign_interpreters(left, found, self.folder, lenient=lenient)
        for each in known:
            if each.verdict is Verdict.NOT_TESTED:
                context.warn(f"{each.name}: {each.detail}; there: {COMMAND}")
        for file, host in hosts:
            trials += [(what, host, True) for what in dists_under_test(Dists(files=(file,)), host)]
        return _FurtherTrials(trials=tuple(trials), results=(*known, *missing))


@dataclass(frozen=True, kw_only=True)
class _FurtherTrials:
    """The trials on further interpreters, and the results that need no trial."""

    trials: tuple[tuple[DistUnderTest, Interpreter, bool], ...]
    results: tuple[Result, ...]


@dataclass(frozen=True)
class _Trial:
    """The test of one file on one interpreter, in its own folder."""

    stage: ProveDists
    what: DistUnderTest
    python: Interpreter
    release: Release
    folder: Path
    context: StageContext
    with_pip: bool = False

    def run(self, suite: Suite | Untested | None, *, with_version: bool) -> tuple[Result, ...]:
        """Install and test the file, then run the suite. ``with_version``: results name the interpreter's version."""
        self.context.say(
            f"installing {self.what.file.name}" + (f" on Python {self.python.version}" if with_version else "")
        )
        with ThreadPoolExecutor(1, "pip") as beside:
            environment = self._fresh("environment")
            installed = beside.submit(self._install_with_pip, environment)
            environment.install([self._file()])
            tested = run_install_test(
                environment,
                self.what,
                self.folder,
                options=self.stage.imports,
                install=self._install_with_extras,
                say=self.context.say,
                warn=self.context.warn,
            )
            installed.result()
        results = tested.results
        if isinstance(suite, Suite) and tested.runs_here:
            results += (self._run_tests(environment, suite),)
        elif isinstance(suite, Suite):
            why = "the project cannot be imported on this platform"
            results += (Result(name=f"{self.what.file.name}: tests", verdict=Verdict.NOT_TESTED, detail=why),)
        if with_version:
            on = f" (Python {self.python.series})"
            results = tuple(replace(each, name=each.name + on) for each in results)
        return results

    def _fresh(self, name: str) -> Environment:
        return self.stage.environments.fresh(self.folder / name, python=self.python.path)

    def _install_with_extras(self, extras: tuple[str, ...], folder: Path) -> Environment:
        environment = self.stage.environments.fresh(folder, python=self.python.path)
        environment.install([self._file(extras)])
        return environment

    def _install_with_pip(self, environment: Environment) -> None:
        """Install the wheel with pip, which refuses some that uv takes. Warn if this pip cannot be tried."""
        if self.with_pip and (why := environment.install_with_pip(self.what.file.path, self.release.project)):
            self.context.warn(f"{self.what.file.name} was not installed with pip, only with uv: {clean(why)}")

    def _file(self, extras: tuple[str, ...] = ()) -> str:
        """The file as a requirement, with extras."""
        path = self.what.file.path.absolute()
        return f"{self.release.project}[{','.join(extras)}] @ {path.as_uri()}" if extras else str(path)

    def _run_tests(self, environment: Environment, suite: Suite) -> Result:
        """Run the project's tests in an environment with the wheel, on a copy that lacks the project's source."""
        stage, root = self.stage, self.folder / "project"
        tests = CopiedTests(
            suite=suite, options=stage.options, git=stage.git, release=self.release, modules=self.what.modules
        )
        copy = tests.copy(root, installed=environment.packages)
        say = self.context.say
        log = f"tests-{self.what.file.name}-python{self.python.version}.log"
        with stage.folder.open_log(log) as write:
            return SuiteRun(
                suite=suite,
                environment=environment,
                what=self.what,
                copy=copy,
                root=root,
                path=self.release.path,
                folder=self.folder,
                install=lambda: install_needs(environment, suite, file=self._file, say=say),
                beside_source=tests.keeps_modules,
                timeout=stage.options.timeout,
                log=Log(path=stage.folder.log(log), write=write),
                say=say,
                warn=self.context.warn,
            ).run()

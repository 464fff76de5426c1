"""The proof that the files work where they are installed: made once, on these bytes, far from any credential."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from unmoor.errors import ConfigError, MissingPart, Unproven
from unmoor.folder import RunFolder
from unmoor.ports.environments import Environment, Environments
from unmoor.ports.git import Git
from unmoor.products import Dists, Proof, Release, Result, Verdict
from unmoor.proving import Subjected, elsewhere, kept_proof, runs_here, side_by_side, subjected, subjects, tried
from unmoor.stage import Build, Have, Promise

# What is copied where the project does not say: the usual folders, and where pytest is told what to do.
_TESTS = ("tests", "test", "testing")
_CONFIGURATION = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "setup.cfg", "pyproject.toml")
_LAST = 40


@dataclass(frozen=True, kw_only=True)
class ProveDists(Build[Proof]):
    """Installs every file in a fresh environment and tries it; runs the project's tests against the wheel.

    ``test_sources`` are paths in the repository that the tests need; empty means the usual ones.
    ``{project}`` in ``test_command`` stands for the folder they were copied to.
    """

    release: Promise[Release]
    dists: Promise[Dists]
    git: Git
    environments: Environments
    folder: RunFolder
    test_command: str = ""
    test_requires: tuple[str, ...] = ()
    test_extras: tuple[str, ...] = ()
    test_sources: tuple[str, ...] = ()
    test_timeout: float = 600.0

    def plan(self) -> str:
        """Say what would be installed and run."""
        tests = (
            f", and run {self.test_command!r} against the wheel" if self.test_command else "; no tests are configured"
        )
        return f"install every file in a fresh environment, import it and load its entry points{tests}"

    def find(self, have: Have) -> Proof | None:
        """Return the proof of these very bytes, ``None`` where there is none."""
        return kept_proof(self.folder, self.name, have[self.dists])

    def make(self, have: Have) -> Proof:
        """Prove every file. Raises `Unproven` with what failed, `Overdue` for tests that take too long."""
        dists, release = have[self.dists], have[self.release]

        def prove(what: Subjected, folder: Path) -> tuple[Result, ...]:
            have.say(f"installing {what.file.name}")
            environment = self.environments.fresh(folder / "environment")
            environment.install([str(what.file.path)])
            results = tried(environment, what, folder)
            return (*results, *self._tests(environment, what, folder, release, have)) if what.file.is_wheel else results

        results = side_by_side(prove, subjected(dists))
        results += tuple(elsewhere(file) for file in dists.files if not runs_here(file))
        if not self.test_command:
            results += (Result(name="tests", verdict=Verdict.NOT_TESTED, detail="no test command is configured"),)
        proof = Proof(name=self.name, subjects=subjects(dists), results=results)
        self.folder.add_proof(proof)
        return proof

    def _tests(
        self, environment: Environment, what: Subjected, folder: Path, release: Release, have: Have
    ) -> tuple[Result, ...]:
        """Run the project's tests in an environment that has the wheel, on a copy without the source beside it."""
        if not self.test_command:
            return ()
        copy = self._copy(folder, release)
        wanted = list(self.test_requires)
        if self.test_extras:
            wanted.append(f"{release.project}[{','.join(self.test_extras)}] @ {what.file.path.absolute().as_uri()}")
        environment.install(wanted)
        args = [word.replace("{project}", str(copy)) for word in shlex.split(self.test_command)]
        have.say(f"running {self.test_command}")
        try:
            ran = environment.run(args, cwd=copy, timeout=self.test_timeout)
        except MissingPart as error:
            raise MissingPart(
                error.what,
                next_step="name what brings the test command in test-requires, or in an extra of test-extras",
            ) from error
        if ran.code != 0:
            said = "\n".join([*ran.out.strip().splitlines(), *ran.err.strip().splitlines()][-_LAST:])
            raise Unproven(
                f"{self.test_command!r} ended with exit code {ran.code}, run against {what.file.name}:\n{said}",
                next_step="see what fails; what the tests need beside them is named in test-sources and test-requires",
            )
        return (Result(name=f"{what.file.name}: tests", verdict=Verdict.PASSED, detail=self.test_command),)

    def _copy(self, folder: Path, release: Release) -> Path:
        """Copy the tests out of a clone of the commit, which is removed. Raises `ConfigError` for a path it lacks."""
        clone, copy = folder / "clone", folder / "project"
        self.git.clone(clone, commit=release.commit, tag=release.tag)
        copy.mkdir()
        for name in self.test_sources or (*_TESTS, *_CONFIGURATION):
            source = clone / name
            if not source.resolve().is_relative_to(clone.resolve()) or not source.exists():
                if self.test_sources:
                    raise ConfigError(
                        f"test-sources names {name!r}, which is not in the repository at {release.commit[:12]}",
                        next_step="correct test-sources",
                    )
                continue
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy / name, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(source, copy / name)
        shutil.rmtree(clone, ignore_errors=True)
        return copy

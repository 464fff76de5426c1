"""Play one round: a run under faults, runs without them until one succeeds, then the judge."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from unmoor.adapters.process.process_system import Child
from unmoor.adapters.process.supervisor import Processes
from unmoor.filesystem.files import read_regular
from unmoor.rehearsal.chaos import own_faults
from unmoor.rehearsal.chaos.draw import Round
from unmoor.rehearsal.chaos.expectations import expected_of, left_beside, must_refuse, rebuilds
from unmoor.rehearsal.chaos.folders import WorldFolder, read_from, size_of
from unmoor.rehearsal.chaos.results import RoundResult, RunResult
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.faults.injection import Plan
from unmoor.rehearsal.invariants.evidence import End, Evidence, Expected, RunEvidence
from unmoor.rehearsal.invariants.final_state import FinalState
from unmoor.rehearsal.invariants.verdict import judge
from unmoor.rehearsal.shared.worldfile import CREDENTIALS, WORLD
from unmoor.util.decode import decode_json

MOST_RUNS = 3
"""How often the command runs without faults before it counts as one that does not end."""
_LOOK = 0.25
_GRACE = 10.0
_OUTPUT = 2_000_000
_JOURNAL = 50_000_000
_CHILD = (sys.executable, "-X", "utf8", "-P", "-m", "unmoor.cli.chaos_child")


@dataclass(frozen=True, kw_only=True)
class Player:
    """Plays rounds of one release.

    ``arguments`` are those of ``unmoor release`` for every round, without the world, the checkout and the tag.
    ``options`` are those of the child that runs it. ``deadline`` is what a run may take, in seconds. ``baseline`` is
    what a release without faults left.
    """

    processes: Processes
    environ: Mapping[str, str]
    arguments: tuple[str, ...]
    deadline: float
    expected: Expected
    baseline: FinalState | None = None
    options: tuple[str, ...] = ()

    def play(self, round_: Round, folder: WorldFolder) -> RoundResult:
        """Play a round in a folder whose servers are running. Raises `Interrupted` if the user stops it."""
        plan = Plan(round=str(round_.number), injections=round_.injections, tag=folder.tag)
        own = own_faults.of_plan(plan)
        done = [each for each in own if own_faults.change(each, folder, self.expected)]
        before = FinalState.of(folder.path)
        control.write_plan(folder.path, plan)
        runs = [self._run(folder, 1, faulted=True, beside=own_faults.runs_beside(own))]
        control.clear(folder.path)
        met = Counter(each.injection for each in control.met(folder.path)) | Counter(map(str, done))
        refuses = must_refuse(met)
        while len(runs) <= (1 if refuses else MOST_RUNS) and (refuses or runs[-1].exit_code):
            runs.append(self._run(folder, len(runs) + 1))
        expected = expected_of(self.expected, round_, folder, met, runs)
        baseline = left_beside(before, self.baseline, expected) if self.baseline is not None else None
        evidence = Evidence(
            world=folder.path,
            remote=folder.remote,
            expected=expected,
            runs=tuple(runs),
            secrets=_secrets(folder),
            places=(folder.run, folder.state),
            baseline=baseline,
            rebuilt=rebuilds(round_),
        )
        violations = judge(evidence)
        return RoundResult(
            number=round_.number,
            injections=tuple(map(str, round_.injections)),
            met=dict(sorted(met.items())),
            from_nothing=round_.from_nothing,
            runs=tuple(RunResult(exit_code=each.exit_code, seconds=round(each.seconds, 3)) for each in runs),
            violations=violations,
            refused=expected.end is End.REFUSED,
        )

    def _run(self, folder: WorldFolder, number: int, *, faulted: bool = False, beside: int = 0) -> RunEvidence:
        """Run the command in a child process to its end, or to its deadline."""
        release = ("release", "--world", str(folder.path / WORLD), "--directory", str(folder.checkout))
        release += (*(("--path", folder.project) if folder.project else ()), *self.arguments, folder.tag)
        logged, written = size_of(folder.requests), size_of(folder.journal)
        began = time.monotonic()
        with ExitStack() as others:
            for each in range(beside):
                other = self._start(folder, release, f"run-{number}-beside-{each + 1}", "--beside")
                others.callback(self._wait, other, began)
            child = self._start(folder, release, f"run-{number}", *(("--faults",) if faulted else ()))
            code = self._wait(child, began)
            seconds = time.monotonic() - began
        output = read_from(folder.path / f"run-{number}.log", 0, _OUTPUT).decode(errors="replace")
        return RunEvidence(
            command=("unmoor", *release),
            exit_code=code,
            output=output,
            seconds=seconds,
            deadline=self.deadline,
            log_start=logged,
            log_end=size_of(folder.requests),
            faulted=faulted,
            beside=beside > 0,
            journal=read_from(folder.journal, written, _JOURNAL).decode(errors="replace"),
        )

    def _start(self, folder: WorldFolder, release: tuple[str, ...], name: str, *options: str) -> Child:
        return self.processes.start(
            [*_CHILD, str(folder.path), *self.options, *options, "--", *release],
            cwd=folder.checkout,
            env={**self.environ, "XDG_STATE_HOME": str(folder.state)},
            log=folder.path / f"{name}.log",
        )

    def _wait(self, child: Child, began: float) -> int:
        """Wait for a run, at most to its deadline, and end it then. Returns its exit code."""
        try:
            while not child.ended(_LOOK):
                self.processes.check()
                if time.monotonic() - began > self.deadline:
                    break
        finally:
            code = self.processes.end(child, grace=_GRACE)
        return code


def _secrets(folder: WorldFolder) -> tuple[str, ...]:
    """The credentials of the world, which must be nowhere else."""
    return tuple(sorted(set(decode_json(read_regular(folder.path / CREDENTIALS, 100_000), dict[str, str]).values())))

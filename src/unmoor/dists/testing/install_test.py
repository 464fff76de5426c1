"""Prove a file: it installs, imports, loads its entry points, and its requirements are met.

Two stages prove files: one before they are on an index, and one after. They differ in where they install from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from packaging.requirements import InvalidRequirement, Requirement

from unmoor.artifacts.run_dir import RunFolder
from unmoor.dists import inspect
from unmoor.dists.testing.extras import DistUnderTest, InstallWithExtras, NeedsExtra, load_with_extras, not_tested
from unmoor.dists.testing.interpreters import AUTO, choose_interpreter, runs_on
from unmoor.dists.testing.probe import NEXT_RELEASE, REBUILD, ProbeResult, probe
from unmoor.errors import CheckFailed, InvalidDist
from unmoor.ports.environments import Environment, Environments, Interpreter
from unmoor.products import Dists, File, Proof, Result, Subject, Verdict
from unmoor.util.temporary import temporary_folder
from unmoor.util.text import clean

T = TypeVar("T")
_PROGRAMS = frozenset({"console_scripts", "gui_scripts"})


def subjects(dists: Dists) -> tuple[Subject, ...]:
    """The name and digest of every file."""
    return tuple(Subject(name=file.name, sha256=file.sha256) for file in dists.files)


def find_proof(folder: RunFolder, name: str, dists: Dists) -> Proof | None:
    """Return the proof for exactly these bytes, from an earlier run or another machine. Raises `Unknown`."""
    wanted = set(subjects(dists))
    return next((proof for proof in folder.proofs(name) if set(proof.subjects) == wanted), None)


def covers(proof: Proof, file: File) -> bool:
    """Whether a proof covers exactly this file and at least one of its tests passed."""
    passed = any(each.verdict is Verdict.PASSED and each.name.startswith(file.name) for each in proof.results)
    return passed and Subject(name=file.name, sha256=file.sha256) in proof.subjects


def proof_from_manifest(file: File, folder: RunFolder) -> Result | None:
    """Return the proof of a file for another platform from the machine that tested it, or ``None``.

    Such a proof is in the manifest, under any name, and must contain a passed test of the file.
    """
    for proof in folder.documented_proofs():
        if covers(proof, file):
            return Result(name=file.name, verdict=Verdict.PASSED, detail=f"proven elsewhere: {clean(proof.name)}")
    return None


def assign_interpreters(
    files: Iterable[File], found: Sequence[Interpreter], folder: RunFolder
) -> tuple[list[tuple[File, Interpreter]], list[Result]]:
    """For each file, take the proof of another machine, or else choose an interpreter here that can run it.

    Returns the files with their interpreters, and the results from other machines. Raises `CheckFailed` with the
    names of files that have neither.
    """
    hosts: list[tuple[File, Interpreter]] = []
    from_manifest: list[Result] = []
    unassigned: list[File] = []
    for file in files:
        host = next((each for each in found if runs_on(file, each.version)), None)
        if (proof := proof_from_manifest(file, folder)) is not None:
            from_manifest.append(proof)
        elif host is not None:
            hosts.append((file, host))
        else:
            unassigned.append(file)
    if unassigned:
        raise _no_interpreter(unassigned)
    return hosts, from_manifest


def _no_interpreter(files: Sequence[File]) -> CheckFailed:
    """The error for files that nothing here can run, and that no other machine has proven."""
    names = ", ".join(file.name for file in files)
    subject, them = (f"{names} is", "it") if len(files) == 1 else (f"{names} are", "them")
    return CheckFailed(
        f"{subject} for a platform or Python that is not available here, and no proof of {them} was handed over",
        next_step="for another Python: uv python install VERSION; for another platform, prove the file in the job that"
        " built it (there: unmoor release --dry-run --until check-dists --until prove-dists --built DIR TAG) and hand"
        " over its folder .unmoor/TAG: --dists DIR; or leave the file out",
    )


def interpreter_for(environments: Environments, dists: Dists, wanted: str = AUTO) -> Interpreter:
    """Choose the interpreter to test files with, from a wheel's metadata. Raises `ToolMissing`, `InvalidDist`."""
    wheel = next(iter(dists.wheels), None)
    return choose_interpreter(
        environments, requires=inspect.read_metadata(wheel.path).python if wheel else "", wanted=wanted
    )


def dists_under_test(dists: Dists, python: Interpreter) -> tuple[DistUnderTest, ...]:
    """Work out from the wheel what each file that runs on ``python`` must contain. Raises `InvalidDist`."""
    here = [file for file in dists.files if runs_on(file, python.version)]
    found = []
    for file in here:
        wheel = file if file.is_wheel else next((each for each in (*here, *dists.wheels) if each.is_wheel), None)
        if wheel is None:
            # Without a wheel the modules are unknown, so only the installation is tested.
            found.append(DistUnderTest(file=file, metadata=inspect.read_metadata(file.path)))
            continue
        metadata = inspect.read_metadata(wheel.path)
        found.append(
            DistUnderTest(
                file=file,
                metadata=metadata,
                modules=inspect.modules(wheel.path),
                points=inspect.entry_points(wheel.path),
                requires=_requirements(wheel, metadata, python),
            )
        )
    return tuple(found)


def test_in_parallel(prove: Callable[[T, Path], tuple[Result, ...]], each: Iterable[T]) -> tuple[Result, ...]:
    """Prove files in parallel, each in a separate folder outside the repository. Results are in the files' order."""
    items = tuple(each)
    with temporary_folder() as work:
        folders = [work / str(number) for number in range(len(items))]
        for folder in folders:
            folder.mkdir()
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="prove") as pool:
            return tuple(result for results in pool.map(prove, items, folders) for result in results)


def _requirements(wheel: File, metadata: inspect.Metadata, python: Interpreter) -> tuple[str, ...]:
    """The requirements of a wheel on this machine, without extras. Raises `InvalidDist`."""
    try:
        wanted = [Requirement(text) for text in metadata.requires]
    except InvalidRequirement as error:
        raise InvalidDist(f"{wheel.name} has an invalid requirement: {error}", next_step=REBUILD) from error
    where = {
        "extra": "",
        "python_full_version": python.version,
        "python_version": ".".join(python.version.split(".")[:2]),
    }
    return tuple(str(each) for each in wanted if each.marker is None or each.marker.evaluate(where))


def run_install_test(
    environment: Environment, what: DistUnderTest, folder: Path, *, install: InstallWithExtras | None = None
) -> tuple[Result, ...]:
    """Import every module, load every entry point and check requirements, in an environment that has the file.

    ``folder`` is empty and outside the repository. ``install`` creates another environment that has the file with
    some of its extras. Entry points that need an extra are tested there. Raises `CheckFailed` with all failures.
    """
    environment.check()
    answer = probe(environment, what.file.name, what.modules, what.points, folder)
    results, failures = _check_modules(what, answer.modules, answer.prefix)
    more, more_failures, needing = _check_entry_points(what, answer.points)
    if failures or more_failures:
        raise CheckFailed(
            f"{what.file.name}, installed: " + "; ".join([*failures, *more_failures]),
            next_step=_next_step(what, (*answer.modules, *answer.points)),
        )
    met = Result(name=f"{what.file.name}: requirements", verdict=Verdict.PASSED)
    return (*results, *more, *load_with_extras(what, needing, folder, install), met)


def _next_step(what: DistUnderTest, answers: Iterable[ProbeResult]) -> str:
    """The next step for a failed file. Most often a dependency is not declared."""
    own = what.own
    absent = sorted({clean(answer.missing) for answer in answers if answer.missing} - own)
    if not absent:
        return REBUILD
    return (
        f"declare the dependency that provides {', '.join(absent)}, since a plain install does not; then {NEXT_RELEASE}"
    )


def _check_modules(what: DistUnderTest, answers: Iterable[ProbeResult], prefix: str) -> tuple[list[Result], list[str]]:
    """Check that every module comes from the environment. If others import, one may need what only an extra installs.

    Returns the results and the failures.
    """
    passed, failures, untested = [], [], []
    answers = tuple(answers)
    own = what.own
    some = any(not answer.error for answer in answers)
    for answer in answers:
        if answer.error and some and what.extras and answer.missing and answer.missing not in own:
            untested.append(not_tested(what, f"import of {answer.name}", answer.missing))
        elif answer.error:
            failures.append(f"{answer.name} does not import: {answer.error}")
        elif not all(place.startswith(prefix + "/") for place in answer.places):
            failures.append(f"{answer.name} was imported from {clean(answer.places[0])}, not from the installed file")
        else:
            passed.append(answer.name)
    name = f"{what.file.name}: imports"
    if not answers:
        why = "the wheel contains no module" if what.file.is_wheel else "its modules are unknown without a wheel"
        return [Result(name=name, verdict=Verdict.NOT_TESTED, detail=why)], []
    return [Result(name=name, verdict=Verdict.PASSED, detail=", ".join(passed)), *untested], failures


def _check_entry_points(
    what: DistUnderTest, answers: Iterable[ProbeResult]
) -> tuple[list[Result], list[str], list[NeedsExtra]]:
    """Check that entry points load, except those that need an extra or a host program that is not installed.

    Returns the results, the failures, and the entry points to load again with an extra.
    """
    passed, failures, needing = [], [], []
    own = what.own
    for point, answer in zip(what.points, answers, strict=True):
        foreign = answer.missing and answer.missing not in own
        if not answer.error:
            passed.append(answer.name)
        elif point.extras or (foreign and (what.extras or point.group not in _PROGRAMS)):
            needing.append(NeedsExtra(point=point, missing=answer.missing if foreign else ""))
        else:
            failures.append(f"the entry point {answer.name} does not load: {answer.error}")
    results = [Result(name=f"{what.file.name}: entry points", verdict=Verdict.PASSED, detail=", ".join(passed))]
    return results if passed else [], failures, needing

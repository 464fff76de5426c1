"""Prove a file: it installs, imports, loads its entry points, and its requirements are met.

Two stages prove files: one before they are on an index, and one after. They differ in where they install from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import DEFAULT_IMPORTS, ImportOptions
from unmoor.dists import inspect
from unmoor.dists.main_modules import versions_in_wheel
from unmoor.dists.testing.extras import ExtraTrials, InstallWithExtras
from unmoor.dists.testing.import_settings import assign, check_settings
from unmoor.dists.testing.interpreters import AUTO, choose_interpreter, no_interpreter, runs_on, untried
from unmoor.dists.testing.judgement import (
    Fault,
    Lack,
    NeedsExtra,
    NeedsHost,
    NotHere,
    judge,
    marker_setting,
    not_here,
    refusal,
    untested,
    without,
)
from unmoor.dists.testing.parts import DistUnderTest, Part
from unmoor.dists.testing.platforms import marker_environment
from unmoor.dists.testing.probe import ProbeResult, probe
from unmoor.errors import InvalidDist
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.environments import Environment, Environments, Interpreter
from unmoor.products import Dists, File, Proof, Result, Subject, Verdict
from unmoor.products.proof import REBUILD
from unmoor.util.text import clean, list_some
from unmoor.versioning import pep440

T = TypeVar("T")
# Each proof keeps about one core busy. A wheel and its sdist are always proven side by side.
_AT_ONCE = max(2, os.cpu_count() or 1)


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

    Such a proof is in the manifest, under any name, and must contain a passed test of the file. That it was built
    twice is no test.
    """
    for proof in folder.documented_proofs():
        if proof.name != REBUILD and covers(proof, file):
            return Result(name=file.name, verdict=Verdict.PASSED, detail=f"proven elsewhere: {clean(proof.name)}")
    return None


def assign_interpreters(
    files: Iterable[File], found: Sequence[Interpreter], folder: RunFolder, *, lenient: bool = False
) -> tuple[list[tuple[File, Interpreter]], list[Result]]:
    """For each file, take the proof of another machine, or else choose an interpreter here that can run it.

    Returns the files with their interpreters, and the results from other machines. Raises `CheckFailed` with the
    names of files that have neither. If ``lenient``, a file that only another machine can try
    gets a result that says so.
    """
    hosts: list[tuple[File, Interpreter]] = []
    results: list[Result] = []
    unassigned: list[File] = []
    for file in files:
        host = next((each for each in found if runs_on(file, each)), None)
        if (proof := proof_from_manifest(file, folder)) is not None:
            results.append(proof)
        elif host is not None:
            hosts.append((file, host))
        elif lenient and (result := untried(file)) is not None:
            results.append(result)
        else:
            unassigned.append(file)
    if unassigned:
        raise no_interpreter(unassigned)
    return hosts, results


def interpreter_for(environments: Environments, dists: Dists, wanted: str = AUTO) -> Interpreter:
    """Choose the interpreter to test files with, from a wheel's metadata. Raises `ToolMissing`, `InvalidDist`."""
    wheel = next(iter(dists.wheels), None)
    return choose_interpreter(
        environments, requires=inspect.read_metadata(wheel.path).python if wheel else "", wanted=wanted
    )


def dists_under_test(dists: Dists, python: Interpreter) -> tuple[DistUnderTest, ...]:
    """Work out from the wheel what each file that runs on ``python`` must contain. Raises `InvalidDist`."""
    here = [file for file in dists.files if runs_on(file, python)]
    found = []
    for file in here:
        wheel = file if file.is_wheel else next((each for each in (*here, *dists.wheels) if each.is_wheel), None)
        if wheel is None:
            # Without a wheel the modules are unknown, so only the installation is tested.
            found.append(
                DistUnderTest(
                    file=file, metadata=inspect.read_metadata(file.path), environment=marker_environment(python)
                )
            )
            continue
        metadata = inspect.read_metadata(wheel.path)
        found.append(
            DistUnderTest(
                file=file,
                metadata=metadata,
                modules=inspect.modules(wheel.path),
                points=inspect.entry_points(wheel.path),
                requires=_requirements(wheel, metadata, python),
                environment=marker_environment(python),
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
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="prove") as pool:
            return tuple(result for results in pool.map(prove, items, folders) for result in results)


def _requirements(wheel: File, metadata: inspect.Metadata, python: Interpreter) -> tuple[str, ...]:
    """The requirements of a wheel on this machine, without extras. Raises `InvalidDist`."""
    try:
        wanted = [Requirement(text) for text in metadata.requires]
    except InvalidRequirement as error:
        raise InvalidDist(
            f"{wheel.name} has an invalid requirement: {error}", next_step=advice.CORRECT_PROJECT()
        ) from error
    where = marker_environment(python)
    return tuple(str(each) for each in wanted if each.marker is None or each.marker.evaluate(where))


class InstallTest(msgspec.Struct, frozen=True, kw_only=True):
    """What the test of an installed file found. ``runs_here`` is false if the project is for another platform."""

    results: tuple[Result, ...]
    runs_here: bool = True


def run_install_test(
    environment: Environment,
    what: DistUnderTest,
    folder: Path,
    *,
    options: ImportOptions = DEFAULT_IMPORTS,
    install: InstallWithExtras | None = None,
    say: Callable[[str], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> InstallTest:
    """Import every module, load every entry point and check requirements, in an environment that has the file.

    ``folder`` is empty and outside the repository. ``install`` creates another environment that has the file with
    some of its extras, for what needs one. Without it, such parts are left to an earlier test. Raises `CheckFailed`
    with all faults, and `ConfigError` for an extra in the settings that does not exist.
    """
    environment.check()
    check_settings(what, options, warn)
    plain, assigned, elsewhere, results = assign(what, options)
    answers = _probe(environment, what, plain, folder)
    imported = [part for part in plain if not answers.of[part].error]
    faults = [
        Fault(part=part, what=f"{part.name} was imported from {clean(place)}, not from the installed file")
        for part in imported
        for place in answers.of[part].places[:1]
        if not Path(place).is_relative_to(answers.prefix)
    ]
    results = [*_summary(what, imported), *results]
    _compare_versions(what, imported, answers, warn)
    needing = list(assigned)
    for part in (part for part in plain if answers.of[part].error):
        match judge(what, part, answers.of[part], options):
            case Fault() as fault:
                faults.append(fault)
            case NeedsExtra() as each:
                needing.append(each)
            case NeedsHost(missing=missing):
                results.append(untested(what, part, without(missing)))
            case NotHere(lack=lack):
                elsewhere.append(part)
                results.append(_not_here(what, part, lack, warn))
    if needing and install is None:
        names = list_some([each.part.name for each in needing])
        say(f"{what.file.name}: not testing {names} again: a plain install does not import it")
    elif needing and install is not None:
        trials = ExtraTrials(what=what, folder=folder, install=install, options=options, say=say)
        trials.run(needing)
        results += trials.results
        faults += trials.faults
    results += [_soften(what, fault, warn) for fault in faults if _gives_way(fault, options)]
    if faults := [fault for fault in faults if not _gives_way(fault, options)]:
        raise refusal(what, faults)
    met = Result(name=f"{what.file.name}: requirements", verdict=Verdict.PASSED)
    return InstallTest(results=(*results, met), runs_here=not any(part.is_main for part in elsewhere))


class _Answers(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of each part in a plain install. ``prefix`` is the folder of the environment."""

    prefix: str
    of: Mapping[Part, ProbeResult]


def _probe(environment: Environment, what: DistUnderTest, parts: Sequence[Part], folder: Path) -> _Answers:
    modules = [part for part in parts if part.point is None]
    points = [part for part in parts if part.point is not None]
    found = probe(
        environment,
        what.file.name,
        [part.module for part in modules],
        [part.point for part in points if part.point is not None],
        folder,
    )
    return _Answers(
        prefix=found.prefix,
        of=dict(zip((*modules, *points), (*found.modules, *found.points), strict=True)),
    )


def _compare_versions(
    what: DistUnderTest, imported: Iterable[Part], answers: _Answers, warn: Callable[[str], None]
) -> None:
    """Warn about a computed ``__version__`` that is not the metadata's. The checks of the file report a written one."""
    for part in imported:
        said, wanted = answers.of[part].version, what.metadata.version
        if not (what.file.is_wheel and part.is_main and pep440.is_other_version(said, wanted)):
            continue
        if not versions_in_wheel(what.file.path, [part.module]):
            warn(
                f"{what.file.name}: {part.name}.__version__ is {clean(said, 60)}, but the metadata says"
                f" {clean(wanted)}: correct it where it is computed"
            )


def _summary(what: DistUnderTest, imported: Sequence[Part]) -> list[Result]:
    """The results for everything that a plain install imports."""
    modules = ", ".join(part.name for part in imported if part.point is None)
    points = ", ".join(part.name for part in imported if part.point is not None)
    name = f"{what.file.name}: imports"
    results = []
    if modules:
        results.append(Result(name=name, verdict=Verdict.PASSED, detail=modules))
    elif not what.modules:
        why = "the wheel contains no module" if what.file.is_wheel else "its modules are unknown without a wheel"
        results.append(Result(name=name, verdict=Verdict.NOT_TESTED, detail=why))
    if points:
        results.append(Result(name=f"{what.file.name}: entry points", verdict=Verdict.PASSED, detail=points))
    return results


def _not_here(what: DistUnderTest, part: Part, lack: Lack, warn: Callable[[str], None]) -> Result:
    """Report, and warn, that a part is not tested on this platform, and which job would test it."""
    result = not_here(what, part, f"it needs {lack.needs}", lack.marker)
    warn(
        f"{what.file.name}: {part.name} is {result.detail}; to say which platforms it is for:"
        f" {marker_setting(part, lack.marker)} under [tool.unmoor]"
    )
    return result


def _gives_way(fault: Fault, options: ImportOptions) -> bool:
    """Whether ``tests = "off"`` makes a warning of a fault: what is not main lacks a module of another project."""
    return options.lenient and bool(fault.missing) and not fault.part.is_main


def _soften(what: DistUnderTest, fault: Fault, warn: Callable[[str], None]) -> Result:
    warn(f'{what.file.name}: {fault.what}; that is no error because of tests = "off"')
    return untested(what, fault.part, without(fault.missing))

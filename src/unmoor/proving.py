"""What it means for a file to be proven: it installs, imports, loads its entry points, and misses no requirement.

Two stages prove files, before and after they lay on an index; they differ in where they install from.
"""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import sys_tags

from unmoor import distfiles
from unmoor.errors import MissingPart, Unfit, Unproven
from unmoor.folder import RunFolder
from unmoor.ports.environments import Environment
from unmoor.products import Dists, File, Proof, Result, Subject, Verdict
from unmoor.text import clean

if TYPE_CHECKING:  # slow to import, and a run that only reads does not need it
    from importlib.metadata import EntryPoint

_TIMEOUT = 300.0
_PROGRAMS = frozenset({"console_scripts", "gui_scripts"})
_NEXT = "release the next version, or move the tag if nothing of it is public"
_REBUILD = f"correct the project and {_NEXT}"

# Runs in the environment under test, on any Python. An import may print, or exit: the answer goes into a file.
_PROBE = """
import importlib, json, os, sys
from importlib.metadata import EntryPoint

with open(sys.argv[1]) as stream:
    job = json.load(stream)


def tried(action):
    try:
        return {"value": action()}
    except ModuleNotFoundError as error:
        return {"error": repr(error), "missing": error.name or ""}
    except BaseException as error:
        return {"error": repr(error), "missing": ""}


def placed(name):
    module = importlib.import_module(name)
    places = [module.__file__] if getattr(module, "__file__", None) else list(module.__path__)
    return [os.path.realpath(place) for place in places]


answer = {
    "prefix": os.path.realpath(sys.prefix),
    "modules": [tried(lambda: placed(name)) for name in job["modules"]],
    "points": [tried(lambda: EntryPoint(*point).load() and None) for point in job["points"]],
}
with open(sys.argv[2] + ".part", "w") as stream:
    json.dump(answer, stream)
os.rename(sys.argv[2] + ".part", sys.argv[2])
# Threads and exit handlers of what was imported are not waited for.
os._exit(0)
"""


@dataclass(frozen=True, kw_only=True)
class Subjected:
    """A file to prove, and what the project's wheel says of itself."""

    file: File
    modules: tuple[str, ...]
    points: tuple[EntryPoint, ...]
    extras: tuple[str, ...]
    requires: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What came of one import or load: an error, and the module that was missing if one was."""

    name: str
    places: tuple[str, ...] = ()
    error: str = ""
    missing: str = ""


def subjects(dists: Dists) -> tuple[Subject, ...]:
    """Name every file by its digest."""
    return tuple(Subject(name=file.name, sha256=file.sha256) for file in dists.files)


def kept_proof(folder: RunFolder, name: str, dists: Dists) -> Proof | None:
    """Return the proof of these very bytes that an earlier run, or another machine, left. Raises `Unknown`."""
    manifest = folder.read_manifest()
    known = (folder.read_proof(name), manifest.proof(name) if manifest is not None else None)
    wanted = set(subjects(dists))
    return next((proof for proof in known if proof is not None and set(proof.subjects) == wanted), None)


def runs_here(file: File) -> bool:
    """Whether a file can be installed by this interpreter on this machine; an sdist always can be tried."""
    return not file.is_wheel or not distfiles.parsed(file.name).tags.isdisjoint(sys_tags())


def elsewhere(file: File) -> Result:
    """Say that a wheel is for another platform or interpreter."""
    return Result(
        name=file.name, verdict=Verdict.NOT_TESTED, detail="made for another platform or Python than this one"
    )


def subjected(dists: Dists) -> tuple[Subjected, ...]:
    """Work out what each file that runs here must hold, from the wheel. Raises `Unfit`, `MissingPart`."""
    here = [file for file in dists.files if runs_here(file)]
    found = []
    for file in here:
        wheel = file if file.is_wheel else next((each for each in (*here, *dists.wheels) if each.is_wheel), None)
        if wheel is None:
            raise Unfit("there is no wheel", next_step="build one: without it nothing is known of the modules")
        metadata = distfiles.read_metadata(wheel.path)
        _see_python(wheel, metadata.python)
        found.append(
            Subjected(
                file=file,
                modules=distfiles.modules(wheel.path),
                points=distfiles.entry_points(wheel.path),
                extras=metadata.extras,
                requires=_requirements(wheel, metadata),
            )
        )
    return tuple(found)


def _see_python(wheel: File, wanted: str) -> None:
    """Raise `MissingPart` where the files are for other Pythons than the one that runs here, which would try them."""
    try:
        fits = platform.python_version() in SpecifierSet(wanted, prereleases=True)
    except InvalidSpecifier:
        return  # an index would refuse it: the look at the files says so
    if not fits:
        raise MissingPart(
            f"{wheel.name} is for Python {clean(wanted)}, and unmoor runs on Python {platform.python_version()},"
            " so it cannot be tried",
            next_step="install unmoor into such a Python, and run the same command with it",
        )


def side_by_side(
    prove: Callable[[Subjected, Path], tuple[Result, ...]], each: Iterable[Subjected]
) -> tuple[Result, ...]:
    """Prove files at the same time, each in a folder of its own outside the repository; results in the files' order."""
    given = tuple(each)
    with tempfile.TemporaryDirectory(prefix="unmoor-prove-", ignore_cleanup_errors=True) as name:
        folders = [Path(name) / str(number) for number in range(len(given))]
        for folder in folders:
            folder.mkdir()
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="prove") as pool:
            return tuple(result for results in pool.map(prove, given, folders) for result in results)


def _requirements(wheel: File, metadata: distfiles.Metadata) -> tuple[str, ...]:
    """What a wheel requires on this machine without any extra. Raises `Unfit`."""
    try:
        wanted = [Requirement(text) for text in metadata.requires]
    except InvalidRequirement as error:
        raise Unfit(f"{wheel.name} requires what cannot be read: {error}", next_step=_REBUILD) from error
    return tuple(str(each) for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""}))


def tried(environment: Environment, what: Subjected, folder: Path) -> tuple[Result, ...]:
    """Import every module, load every entry point, check requirements, in an environment that has the file.

    ``folder`` is empty and outside the repository. Raises `Unproven` with all that failed.
    """
    environment.check()
    answer = _probe(environment, what, folder)
    prefix = str(answer["prefix"])
    modules = [_answer(name, each) for name, each in zip(what.modules, answer["modules"], strict=True)]
    points = [_answer(_named(point), each) for point, each in zip(what.points, answer["points"], strict=True)]
    results, wrong = _judged_modules(what, modules, prefix)
    more, also_wrong = _judged_points(what, points)
    if wrong or also_wrong:
        raise Unproven(
            f"{what.file.name}, installed: " + "; ".join([*wrong, *also_wrong]),
            next_step=_advice(what, (*modules, *points)),
        )
    met = Result(name=f"{what.file.name}: requirements", verdict=Verdict.PASSED)
    return (*results, *more, met)


def _advice(what: Subjected, answers: Iterable[_Answer]) -> str:
    """What to do about files that fail: mostly a dependency that nobody declared."""
    own = {name.partition(".")[0] for name in what.modules}
    absent = sorted({clean(answer.missing) for answer in answers if answer.missing} - own)
    if not absent:
        return _REBUILD
    return f"declare what brings {', '.join(absent)} as a dependency, since a plain install does not; then {_NEXT}"


def _probe(environment: Environment, what: Subjected, folder: Path) -> dict[str, list[dict[str, str | list[str]]]]:
    """Run the probe in the environment and read its answer."""
    job, answer = folder / "job.json", folder / "answer.json"
    points = [(point.name, point.value, point.group) for point in what.points]
    job.write_text(json.dumps({"modules": what.modules, "points": points}))
    cwd = folder / "empty"
    cwd.mkdir()
    args = [str(environment.python), "-I", "-c", _PROBE, str(job), str(answer)]
    ran = environment.run(args, cwd=cwd, timeout=_TIMEOUT)
    try:
        return dict(json.loads(answer.read_bytes()))
    except (FileNotFoundError, ValueError) as error:
        said = "\n".join((ran.err or ran.out).strip().splitlines()[-20:])
        raise Unproven(
            f"{what.file.name}, installed: importing it ended Python with exit code {ran.code}\n{said}",
            next_step=_REBUILD,
        ) from error


def _answer(name: str, raw: dict[str, str | list[str]]) -> _Answer:
    places = raw.get("value") or ()
    error = clean(str(raw.get("error", "")))
    return _Answer(name=name, places=tuple(places), error=error, missing=str(raw.get("missing", "")).partition(".")[0])


def _named(point: EntryPoint) -> str:
    return f"{point.group}: {point.name}"


def _judged_modules(what: Subjected, answers: list[_Answer], prefix: str) -> tuple[list[Result], list[str]]:
    """Every module must come from the environment; one of several may need what only an extra brings."""
    good, bad, untested = [], [], []
    own = {name.partition(".")[0] for name in what.modules}
    some = any(not answer.error for answer in answers)
    for answer in answers:
        if answer.error and some and what.extras and answer.missing and answer.missing not in own:
            untested.append(_untested(what, f"import of {answer.name}", answer.missing))
        elif answer.error:
            bad.append(f"{answer.name} does not import: {answer.error}")
        elif not all(place.startswith(prefix + "/") for place in answer.places):
            bad.append(f"{answer.name} was imported from {clean(answer.places[0])}, not from what was installed")
        else:
            good.append(answer.name)
    name = f"{what.file.name}: imports"
    if not answers:
        return [Result(name=name, verdict=Verdict.NOT_TESTED, detail="the wheel holds no module")], []
    return [Result(name=name, verdict=Verdict.PASSED, detail=", ".join(good)), *untested], bad


def _judged_points(what: Subjected, answers: list[_Answer]) -> tuple[list[Result], list[str]]:
    """Entry points must load, but for those that need an extra, or a host program that is not here."""
    good, bad, untested = [], [], []
    own = {name.partition(".")[0] for name in what.modules}
    for point, answer in zip(what.points, answers, strict=True):
        foreign = answer.missing and answer.missing not in own
        if not answer.error:
            good.append(answer.name)
        elif point.extras:
            untested.append(_untested(what, answer.name, f"the extra {', '.join(point.extras)}"))
        elif foreign and (what.extras or point.group not in _PROGRAMS):
            untested.append(_untested(what, answer.name, answer.missing))
        else:
            bad.append(f"the entry point {answer.name} does not load: {answer.error}")
    results = [Result(name=f"{what.file.name}: entry points", verdict=Verdict.PASSED, detail=", ".join(good))]
    return [*(results if good else []), *untested], bad


def _untested(what: Subjected, name: str, needs: str) -> Result:
    detail = f"needs {clean(needs)}, which a plain install does not bring"
    return Result(name=f"{what.file.name}: {name}", verdict=Verdict.NOT_TESTED, detail=detail)

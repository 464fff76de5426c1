"""Probe an installed file with a small program that runs inside the environment and reports as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

if TYPE_CHECKING:  # slow to import, and not needed by runs that only read
    from importlib.metadata import EntryPoint

_TIMEOUT = 300.0
NEXT_RELEASE = "release the next version, or move the tag if nothing of it is public"
REBUILD = f"correct the project and {NEXT_RELEASE}"

# Runs in the environment under test, on any Python. An import may print or exit, so the answer goes into a file.
_PROBE = """
import importlib, json, os, sys
from importlib.metadata import EntryPoint

with open(sys.argv[1]) as stream:
    job = json.load(stream)


def attempt(action):
    try:
        return {"value": action()}
    except ModuleNotFoundError as error:
        return {"error": repr(error), "missing": error.name or ""}
    except BaseException as error:
        return {"error": repr(error), "missing": ""}


def locate(name):
    module = importlib.import_module(name)
    places = [module.__file__] if getattr(module, "__file__", None) else list(module.__path__)
    return [os.path.realpath(place) for place in places]


answer = {
    "prefix": os.path.realpath(sys.prefix),
    "modules": [attempt(lambda: locate(name)) for name in job["modules"]],
    "points": [attempt(lambda: EntryPoint(*point).load() and None) for point in job["points"]],
}
with open(sys.argv[2] + ".part", "w") as stream:
    json.dump(answer, stream)
os.rename(sys.argv[2] + ".part", sys.argv[2])
# Do not wait for threads and exit handlers of imported modules.
os._exit(0)
"""


class _Found(msgspec.Struct, frozen=True):
    """One answer of the program: where a module is, or an error. The project's code can write it, too."""

    value: list[str] | None = None
    error: str = ""
    missing: str = ""


class _Report(msgspec.Struct, frozen=True):
    """The answer of the program."""

    prefix: str
    modules: list[_Found]
    points: list[_Found]


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """The outcome of one import or load: where it came from, or an error and the missing module if there is one."""

    name: str
    places: tuple[str, ...] = ()
    error: str = ""
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class ProbeResults:
    """The outcome of all imports and loads. ``prefix`` is the environment's folder, as its Python sees it."""

    prefix: str
    modules: tuple[ProbeResult, ...]
    points: tuple[ProbeResult, ...]


def probe(
    environment: Environment, name: str, modules: Sequence[str], points: Sequence[EntryPoint], folder: Path
) -> ProbeResults:
    """Import modules and load entry points in an environment where the file called ``name`` is installed.

    ``folder`` is outside the repository and receives the job and its answer. Raises `CheckFailed` if the probe ends
    without an answer.
    """
    job, answer = folder / "job.json", folder / "answer.json"
    job.write_text(
        json.dumps({"modules": modules, "points": [(point.name, point.value, point.group) for point in points]})
    )
    cwd = folder / "empty"
    cwd.mkdir()
    args = [str(environment.python), "-I", "-c", _PROBE, str(job), str(answer)]
    ran = environment.run(args, cwd=cwd, timeout=_TIMEOUT)
    try:
        report = decode_json(answer.read_bytes(), _Report)
    except (FileNotFoundError, ValueError) as error:
        last = "\n".join((ran.err or ran.out).strip().splitlines()[-20:])
        raise CheckFailed(
            f"{name}, installed: Python ended with exit code {ran.code} while importing it\n{last}",
            next_step=REBUILD,
        ) from error
    return ProbeResults(
        prefix=report.prefix,
        modules=tuple(map(_result_of, modules, report.modules)),
        points=tuple(map(_result_of, map(entry_point_label, points), report.points)),
    )


def _result_of(name: str, found: _Found) -> ProbeResult:
    return ProbeResult(
        name=name, places=tuple(found.value or ()), error=clean(found.error), missing=found.missing.partition(".")[0]
    )


def entry_point_label(point: EntryPoint) -> str:
    """An entry point's group and name, for messages."""
    return f"{point.group}: {point.name}"

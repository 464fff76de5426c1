"""Probe an installed file with a small program that runs inside the environment and reports as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from unmoor import advice
from unmoor.dists.testing.platforms import NAMES_OF_SOME_PLATFORMS
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment
from unmoor.ports.exit_codes import exit_code
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

if TYPE_CHECKING:  # slow to import, and not needed by runs that only read
    from importlib.metadata import EntryPoint

_TIMEOUT = 300.0

# Runs in the environment under test, on any Python. An import may print or exit, so the answer goes into a file.
_PROBE = """
import importlib, json, os, re, sys, types
from importlib.metadata import EntryPoint, PackageNotFoundError

with open(sys.argv[1], encoding="utf-8") as stream:
    job = json.load(stream)
# Built-in errors by which code says that something is missing.
REPORTS = (ImportError, OSError, RuntimeError, SystemExit)
STANDARD = getattr(sys, "stdlib_module_names", None) or frozenset(job["standard"])


def attempt(name, action):
    # If this process dies, the last name in this file is what killed it.
    with open(sys.argv[2] + ".now", "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(name)
    try:
        return action()
    except BaseException as error:
        return {"error": repr(error), **evidence(error)}


# What is missing, by the outermost error of the chain that says so.
def evidence(error):
    for _ in range(20):
        if isinstance(error, PackageNotFoundError):
            return {"missing": str(error.name or "")}
        if isinstance(error, ModuleNotFoundError) and error.name:
            known = error.name in STANDARD
            return {"absent": error.name} if known else {"missing": error.name.partition(".")[0]}
        module, name = lacking(error)
        if module in STANDARD and re.fullmatch(job["some"].get(module, "(?!)"), name):
            return {"absent": module + "." + name}
        raised = module_of(error)
        if isinstance(error, ImportError) and raised.partition(".")[0] in STANDARD and not error.name:
            return {"absent": raised}
        if error.__cause__ is None and type(error).__module__ == "builtins" and not isinstance(error, REPORTS):
            break  # a mistake in the code that handles what is missing
        error = error.__cause__ or error.__context__
        if error is None:
            break
    return {}


# The module and the name that it does not have.
def lacking(error):
    if isinstance(error, AttributeError):
        found = getattr(error, "obj", None)
        if isinstance(found, types.ModuleType):
            return found.__name__, getattr(error, "name", "") or ""
    elif isinstance(error, ImportError) and error.name:
        # Before Python 3.12 only the message has the name.
        match = re.match("cannot import name '([^']+)'", str(error))
        return error.name, getattr(error, "name_from", None) or (match.group(1) if match else "")
    return "", ""


# The module whose code raised the error.
def module_of(error):
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""


def locate(name):
    module = importlib.import_module(name)
    places = [module.__file__] if getattr(module, "__file__", None) else list(module.__path__)
    version = vars(module).get("__version__")
    return {
        "places": [os.path.realpath(place) for place in places],
        "version": version if isinstance(version, str) else "",
    }


def load(point):
    EntryPoint(*point).load()
    return {}


answer = {
    "prefix": os.path.realpath(sys.prefix),
    "modules": [attempt(name, lambda: locate(name)) for name in job["modules"]],
    "points": [attempt(point[2] + ": " + point[0], lambda: load(point)) for point in job["points"]],
}
with open(sys.argv[2] + ".part", "w", encoding="utf-8") as stream:
    json.dump(answer, stream)
os.replace(sys.argv[2] + ".part", sys.argv[2])
# Do not wait for threads and exit handlers of imported modules.
os._exit(0)
"""


class _Found(msgspec.Struct, frozen=True):
    """One answer of the program: where a module is, or an error. The project's code can write it, too."""

    places: list[str] = []
    version: str = ""
    error: str = ""
    missing: str = ""
    absent: str = ""


class _Report(msgspec.Struct, frozen=True):
    """The answer of the program."""

    prefix: str
    modules: list[_Found]
    points: list[_Found]


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one import or load: where it came from, or an error. ``version`` is the module's ``__version__``.

    ``missing`` is the top-level module (or package, if code asked for its version) that was not found. ``absent`` is
    what this Python does not have of the standard library on this platform: a module, or a name in one. Both come from
    the outermost error of the chain that says so.
    """

    name: str
    places: tuple[str, ...] = ()
    version: str = ""
    error: str = ""
    missing: str = ""
    absent: str = ""


class ProbeResults(msgspec.Struct, frozen=True, kw_only=True):
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
    about = {"modules": modules, "points": [(point.name, point.value, point.group) for point in points]}
    known = {"standard": sorted(sys.stdlib_module_names), "some": NAMES_OF_SOME_PLATFORMS}
    job.write_text(json.dumps(about | known), "utf-8")
    cwd = folder / "empty"
    cwd.mkdir()
    args = [str(environment.python), "-I", "-c", _PROBE, str(job), str(answer)]
    ran = environment.run(args, cwd=cwd, timeout=_TIMEOUT)
    try:
        report = decode_json(answer.read_bytes(), _Report)
    except (FileNotFoundError, ValueError) as error:
        last = "\n".join((ran.err or ran.out).strip().splitlines()[-20:])
        now = answer.with_name(f"{answer.name}.now")
        at = clean(now.read_text("utf-8", "replace"), 200) if now.is_file() else "it"
        raise CheckFailed(
            f"{name}, installed: Python ended with {exit_code(ran.code)} while importing {at}\n{last}",
            next_step=advice.CORRECT_PROJECT().then(advice.LEAVE_MODULE_OUT()),
        ) from error
    return ProbeResults(
        prefix=report.prefix,
        modules=tuple(map(_result_of, modules, report.modules)),
        points=tuple(map(_result_of, map(entry_point_label, points), report.points)),
    )


def _result_of(name: str, found: _Found) -> ProbeResult:
    return ProbeResult(
        name=name,
        places=tuple(found.places),
        version=found.version,
        error=clean(found.error),
        missing=found.missing,
        absent=clean(found.absent, 100),
    )


def entry_point_label(point: EntryPoint) -> str:
    """An entry point's group and name, for messages."""
    return f"{point.group}: {point.name}"

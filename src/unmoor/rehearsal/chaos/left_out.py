"""A round whose project reads a file of its package that git tracks, and that its build leaves out of the wheel.

The tag moves to a new commit, here and on the remote, so the round builds its own files.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import tomlkit

from unmoor.dists.checks.tracked import Tracked
from unmoor.dists.inspect import modules
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import make_folder
from unmoor.rehearsal.chaos import leaving_out
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.run_git import run_git
from unmoor.rehearsal.invariants.evidence import Expected

LEFT_OUT: Final = "left-out-by-chaos.json"
"""The name of the file, which the refusal must say."""
_FOLDER: Final = ".left-out-by-chaos"
# It is read with the package, so every test of an installed file meets it.
_READS: Final = f'\n\n__import__("pathlib").Path(__file__).with_name({LEFT_OUT!r}).read_bytes()\n'
_NO_BACKEND: Final = "setuptools.build_meta:__legacy__"


def leave_out_data(folder: WorldFolder, expected: Expected) -> bool:
    """Commit such a file with code that reads it and a build that leaves it out, and move the tag there.

    Return whether the project has a package to put it into, and a `pyproject.toml`.
    """
    project = folder.checkout / folder.project
    package = _package(folder, expected)
    if package is None or not (project / "pyproject.toml").is_file():
        return False
    run_git(folder.checkout, "checkout", "--quiet", "--detach", f"refs/tags/{folder.tag}^{{commit}}")
    write_atomic(package / "__init__.py", (package / "__init__.py").read_bytes() + _READS.encode())
    write_atomic(package / LEFT_OUT, b"{}\n")
    _build_with(project, backend=_wrap_backend(project / "pyproject.toml"))
    return _move_tag(folder, (package, project / "pyproject.toml", project / _FOLDER))


def _package(folder: WorldFolder, expected: Expected) -> Path | None:
    """The folder of a package of the project that is in its wheel, by the built wheel if there is one, or its name."""
    listed = run_git(folder.checkout, "ls-tree", "-r", "--name-only", "-z", f"refs/tags/{folder.tag}^{{commit}}")
    start = f"{folder.project}/" if folder.project else ""
    paths = [path.removeprefix(start) for path in listed.split("\0") if path.startswith(start)]
    tracked = Tracked.of(paths, lambda _: ())
    wheels = sorted((folder.run / "dists").glob("*.whl"))
    names = [name for wheel in wheels[:1] for name in modules(wheel) if "." not in name]
    homes = (tracked.source_folder(name, [f"{name}/__init__.py"]) for name in names)
    found = next(filter(None, homes), None) if wheels else tracked.package_named(expected.project)
    return folder.checkout / folder.project / found if found else None


def _wrap_backend(pyproject: Path) -> str:
    """Name the other backend in a project's `pyproject.toml`. Return the name of its own."""
    text = pyproject.read_bytes().decode()
    own = tomllib.loads(text).get("build-system", {})
    document = tomlkit.parse(text)
    system = document.setdefault("build-system", tomlkit.table())
    system["requires"] = own.get("requires", ["setuptools"])
    system["build-backend"] = leaving_out.__name__.rpartition(".")[2]
    system["backend-path"] = [_FOLDER, *own.get("backend-path", [])]
    write_atomic(pyproject, tomlkit.dumps(document).encode())
    return str(own.get("build-backend", _NO_BACKEND))


def _build_with(project: Path, *, backend: str) -> None:
    """Put the backend that leaves the file out beside the project."""
    make_folder(project / _FOLDER)
    source = Path(leaving_out.__file__)
    write_atomic(project / _FOLDER / source.name, source.read_bytes())
    facts = {"backend": backend, "file": LEFT_OUT}
    write_atomic(project / _FOLDER / "facts.json", json.dumps(facts).encode())


def _move_tag(folder: WorldFolder, changed: Sequence[Path]) -> bool:
    """Commit what changed, and let the tag lead there, here and on the remote. Return whether it does."""
    ref = f"refs/tags/{folder.tag}"
    before = run_git(folder.checkout, "rev-parse", f"{ref}^{{commit}}")
    run_git(folder.checkout, "add", "--force", "--", *map(str, changed))
    run_git(folder.checkout, "commit", "--quiet", "--no-verify", "-m", "Leave data out")
    run_git(folder.checkout, "tag", "--force", "--annotate", "-m", folder.tag, "--", folder.tag)
    run_git(folder.remote, "fetch", "--quiet", "--no-tags", "--", str(folder.checkout), f"+{ref}:{ref}")
    here, there = (run_git(place, "rev-parse", f"{ref}^{{commit}}") for place in (folder.checkout, folder.remote))
    return here == there != before

"""Fresh environments, by uv: an environment in 10 ms and an install in a tenth of pip's time.

uv is a dependency of ours, so it is found beside us and is never a program the user has to install.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from unmoor.adapters.process.shell import scrubbed
from unmoor.errors import CheckFailed, ToolMissing
from unmoor.ports.environments import Interpreter
from unmoor.ports.shell import Ran, Shell

# What would add to, or take the place of, the one index that dependencies may come from.
_SOURCES = frozenset(
    {
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_NO_INDEX",
        "UV_CONFIG_FILE",
        "UV_INDEX_STRATEGY",
    }
)
_LOGIN = re.compile(r"://[^/\s@]*@")
_WORDS = 30
_TIMEOUT = 900.0


@dataclass(frozen=True, kw_only=True)
class Uv:
    """Makes environments. ``dependencies`` is the simple index that alone is asked; empty: the user's own settings.

    ``environ`` is what uv and what runs in an environment may see, ``python`` the interpreter to start from,
    ``constraints`` what limits the versions in the environments that uv itself builds in.
    """

    shell: Shell
    dependencies: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: scrubbed(os.environ))
    python: str = sys.executable
    constraints: tuple[str, ...] = ()

    def under(self, constraints: Sequence[str]) -> Uv:
        """The same with build constraints; see `unmoor.ports.environments.Environments`."""
        return replace(self, constraints=tuple(constraints))

    def own(self) -> Interpreter:
        """The interpreter that environments are made of unless another one is named."""
        if self.python == sys.executable:
            return Interpreter(version=platform.python_version(), path=self.python)
        known = (each for each in self.pythons() if each.path == self.python)
        return next(known, Interpreter(version="", path=self.python))

    def pythons(self) -> tuple[Interpreter, ...]:
        """Every CPython that uv finds, the lowest version first; ours counts before another of the same version."""
        from packaging.version import InvalidVersion, Version

        args = ("python", "list", "--only-installed", "--no-config", "--output-format", "json")
        ran = self.uv(args, cwd=Path.cwd())
        found = {platform.python_version(): sys.executable}
        try:
            listed = json.loads(ran.out)
            for each in listed:
                if each["implementation"] == "cpython" and each.get("variant", "default") == "default":
                    found.setdefault(str(Version(each["version"])), str(each["path"]))
        except (ValueError, TypeError, KeyError, InvalidVersion):
            pass  # an interpreter that is not found is told by whoever wants it
        return tuple(Interpreter(version=version, path=found[version]) for version in sorted(found, key=Version))

    def fresh(self, folder: Path, *, python: str = "") -> UvEnvironment:
        """Make an empty environment in a folder that does not exist yet. Raises `CheckFailed`, `ToolMissing`."""
        args = ("venv", "--quiet", "--no-project", "--python", python or self.python, str(folder))
        ran = self.uv(args, cwd=folder.parent)
        if ran.code != 0:
            raise CheckFailed(
                f"no environment could be made: {_said(ran)}", next_step="see that uv works here: uv venv"
            )
        return UvEnvironment(folder=folder, uv=self)

    def uv(self, args: Sequence[str], *, cwd: Path) -> Ran:
        """Run uv, with the sources it may install from."""
        return self.shell.run([binary(), *args], cwd=cwd, env=self._environment(), timeout=_TIMEOUT)

    def _environment(self) -> dict[str, str]:
        env = dict(self.environ)
        if self.dependencies:
            # Not as an argument: the address may hold a login, and arguments are seen by every process.
            env = {name: value for name, value in env.items() if name not in _SOURCES}
            env |= {"UV_DEFAULT_INDEX": self.dependencies, "UV_NO_CONFIG": "1"}
        else:
            env |= _as_uv(env)
        return env | {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}


@dataclass(frozen=True, kw_only=True)
class UvEnvironment:
    """One virtual environment (PEP 405); see `unmoor.ports.environments.Environment`."""

    folder: Path
    uv: Uv

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.scripts / "python"

    @property
    def scripts(self) -> Path:
        """The folder of its console scripts."""
        return self.folder / "bin"

    @property
    def packages(self) -> Path:
        """The folder that holds what was installed."""
        return next(self.folder.glob("lib/python*/site-packages"))

    def install(self, requirements: Sequence[str], *, dependencies: bool = True, to_build: bool = False) -> None:
        """Install requirements or files. Raises `CheckFailed` with uv's words.

        ``to_build``: this is an environment to build in, so that the build constraints count for it too.
        """
        if not requirements:
            return
        args = ["pip", "install", "--quiet", "--python", str(self.python)]
        if not dependencies:
            args.append("--no-deps")
        if self.uv.constraints:
            limits = self.folder / "build-constraints.txt"
            limits.write_text("".join(f"{each}\n" for each in self.uv.constraints))
            args += [f"--build-constraints={limits}", *([f"--constraints={limits}"] if to_build else [])]
        ran = self.uv.uv([*args, "--", *requirements], cwd=self.folder)
        if ran.code != 0:
            what = " ".join(Path(each).name if each.startswith("/") else each for each in requirements)
            raise CheckFailed(f"{_hidden(what)} cannot be installed:\n{_said(ran)}", next_step="see what uv says above")

    def check(self) -> None:
        """See that all installed packages' requirements are met. Raises `CheckFailed`."""
        ran = self.uv.uv(["pip", "check", "--python", str(self.python)], cwd=self.folder)
        if ran.code != 0:
            raise CheckFailed(
                f"requirements are not met:\n{_said(ran)}", next_step="correct the project's dependencies"
            )

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        timeout: float = 600.0,
        hear: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run a program with this environment first on PATH; a scrubbed environment otherwise."""
        given = {
            **self.uv.environ,
            "PATH": os.pathsep.join((str(self.scripts), self.uv.environ.get("PATH", os.defpath))),
            "VIRTUAL_ENV": str(self.folder),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        }
        return self.uv.shell.run(args, cwd=cwd, env=given, timeout=timeout, hear=hear)


def binary() -> str:
    """Find the uv that was installed with us. Raises `ToolMissing`."""
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        raise ToolMissing("uv is not where it was installed", next_step="install unmoor again") from error


def _as_uv(env: Mapping[str, str]) -> dict[str, str]:
    """Say in uv's variables what pip's say, where uv's are not set: uv does not read pip's."""
    said = {}
    if "PIP_INDEX_URL" in env and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & env.keys():
        said["UV_DEFAULT_INDEX"] = env["PIP_INDEX_URL"]
    if "PIP_EXTRA_INDEX_URL" in env and not {"UV_INDEX", "UV_EXTRA_INDEX_URL"} & env.keys():
        said["UV_INDEX"] = env["PIP_EXTRA_INDEX_URL"]
    if "PIP_FIND_LINKS" in env and "UV_FIND_LINKS" not in env:
        # pip passes over a folder that is not there; uv stops.
        places = [each for each in shlex.split(env["PIP_FIND_LINKS"]) if "://" in each or Path(each).is_dir()]
        if places:
            said["UV_FIND_LINKS"] = ",".join(places)
    return said


def _said(ran: Ran) -> str:
    """The last lines of what uv said, without logins in addresses."""
    return _hidden("\n".join((ran.err or ran.out).strip().splitlines()[-_WORDS:]))


def _hidden(text: str) -> str:
    return _LOGIN.sub("://***@", text)

"""Fresh environments with uv: an environment in 10 ms, and an install in a tenth of pip's time.

uv is a dependency of unmoor, so users never have to install it. This module is long because an environment and the uv
that makes it share their settings and variables.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unmoor import advice
from unmoor.adapters.pip_install import NOT_TRIED, pip_arguments
from unmoor.adapters.process.architecture import architecture
from unmoor.adapters.process.home import make_home
from unmoor.adapters.process.variables import is_public, keyring_variables, tool_variables
from unmoor.adapters.uv_failures import indexes_of, may_repeat, read_failure
from unmoor.adapters.uv_settings import SOURCES, as_toml, folders, links_to_cache, settings
from unmoor.errors import Cause, CheckFailed, TimedOut, ToolMissing, UnmoorError
from unmoor.filesystem.layout import packages_of, python_of, scripts_of, stdin_path
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.environments import Interpreter, running
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.poll import program_time
from unmoor.ports.shell import Ran, Shell
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret
from unmoor.util.values import replace

_LOGIN = re.compile(r"://[^/\s@]*@")
# The variants of interpreters that wheels are built for, as uv calls them, and whether they are free-threaded.
_VARIANTS = {"default": False, "freethreaded": True}
_OTHER_LIBC = "gnu" if "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")) else "musl"
_LAST = 30
_TIMEOUT = 900.0
_PIP_PATIENCE = 300.0
_KEYRING_PATIENCE = _GIT_PATIENCE = 10.0
_IDENTITY = r"^(user\.(name|email)|init\.defaultbranch)$"
_FIXED = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}


@dataclass(frozen=True, kw_only=True)
class Uv:
    """Creates environments. ``dependencies`` is the only simple index to use; empty means the user's own settings.

    ``environ`` is the user's environment, of which uv and the programs in an environment get only what they need.
    ``python`` is the base interpreter, ``constraints`` are the build constraints, which limit the versions in uv's own
    build environments, ``patience`` is the most seconds to wait for an index of
    the world.
    """

    shell: Shell
    dependencies: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    python: str = sys.executable
    constraints: tuple[str, ...] = ()
    patience: float = math.inf
    _asked: dict[tuple[str, str], Secret] = field(default_factory=dict, repr=False, compare=False)
    _identities: list[Mapping[str, str]] = field(default_factory=list, repr=False, compare=False)

    def under(self, constraints: Sequence[str]) -> Uv:
        """The same with build constraints; see `unmoor.ports.environments.Environments`."""
        return replace(self, constraints=tuple(constraints))

    def own(self) -> Interpreter:
        """The default interpreter of environments."""
        if self.python == sys.executable:
            return running()
        known = (each for each in self.pythons() if each.path == self.python)
        return next(known, Interpreter(version="", path=self.python))

    def pythons(self) -> tuple[Interpreter, ...]:
        """Every CPython that uv finds, the lowest version first. The running one wins over others of its version.

        Builds for another C library or processor than those of the running one are left out: they need other wheels.
        """
        from packaging.version import Version

        args = ("python", "list", "--only-installed", "--no-config", "--output-format", "json")
        ran = self.uv(args, cwd=Path("/"))
        own, ours = running(), architecture()
        found = {(own.version, own.free_threaded): own}
        try:
            listed = decode_json(ran.out, list[dict[str, Any]])
            for each in listed:
                threads = _VARIANTS.get(each.get("variant", "default"))
                if each["implementation"] != "cpython" or threads is None or each.get("libc") == _OTHER_LIBC:
                    continue
                if ours and each.get("arch", ours) != ours:
                    continue
                version = str(Version(each["version"]))
                one = Interpreter(version=version, path=str(each["path"]), free_threaded=threads)
                found.setdefault((version, threads), one)
        except (ValueError, TypeError, KeyError):
            pass  # callers report an interpreter that is not found
        return tuple(sorted(found.values(), key=lambda each: (Version(each.version), each.free_threaded)))

    def fresh(self, folder: Path, *, python: str = "") -> UvEnvironment:
        """Create an empty environment in a folder that does not exist yet. Raises `ToolMissing`."""
        args = ("venv", "--quiet", "--no-project", "--python", python or self.python, str(folder))
        ran = self.uv(args, cwd=folder.parent)
        if ran.code != 0:
            raise child_failure(ran, "uv", reports=True) or ToolMissing(
                f"cannot create an environment: {last_lines(ran)}",
                next_step=advice.CHECK_UV() if self._has_cache() else advice.NAME_UV_CACHE(),
            )
        home = folder.with_name(f"{folder.name}-home")
        variables = self.variables(home)
        return UvEnvironment(folder=folder, uv=self, variables=variables)

    def uv(self, args: Sequence[str], *, cwd: Path) -> Ran:
        """Run uv where it runs no code of the project, with the user's own settings. Raises `Unknown`."""
        return self._run([binary(), *args], cwd=cwd, env=tool_variables(self.environ))

    def uv_that_builds(
        self, args: Sequence[str], *, cwd: Path, variables: Mapping[str, str], timeout: float = _TIMEOUT
    ) -> Ran:
        """Run uv where it may run a build backend, which inherits its ``variables`` but none of the logins.

        Raises `Unknown` if it does not end in time.
        """
        env = {name: value for name, value in variables.items() if self._reaches_uv(name)}
        # What comes from an index of the user's own is none of the world's.
        if self.patience < math.inf and (self.dependencies or any("://" in each for each in args)):
            asked = env.get("UV_HTTP_TIMEOUT", "")
            within = min(int(asked) if asked.isdecimal() else math.inf, self.patience)
            env |= {"UV_HTTP_TIMEOUT": str(max(1, int(within))), "UV_HTTP_RETRIES": "0"}
            timeout = program_time(timeout, self.patience)
        with _settings_file(as_toml(self._settings()).encode()) as (path, stdin):
            command = [binary(), f"--config-file={path}", *args]
            return self._run(command, cwd=cwd, env=env | folders(self.environ), stdin=stdin, timeout=timeout)

    def attempt(
        self, args: Sequence[str], operands: Sequence[str], *, what: str, cwd: Path, variables: Mapping[str, str]
    ) -> Ran:
        """Run uv as `uv_that_builds` does, once more if a download broke off. Return how it ended.

        A failure that is returned is the fault of what uv was asked for. Otherwise raises as `read_failure` does:
        `Unknown`, `ToolMissing`, `Denied`, `Conflict`. ``what`` says what uv did, as in "could not install demo".
        """
        ran = self.uv_that_builds([*args, "--", *operands], cwd=cwd, variables=variables)
        error = self._failure(ran, what)
        if may_repeat(error):
            # What uv has just stored may be the damaged answer.
            ran = self.uv_that_builds([*args, "--refresh", "--", *operands], cwd=cwd, variables=variables)
            error = self._failure(ran, what, repeated=True)
        if error is not None:
            raise error
        return ran

    def _failure(self, ran: Ran, what: str, *, repeated: bool = False) -> UnmoorError | None:
        """The error for how uv ended, ``None`` if it succeeded or what it was asked for is at fault."""
        if not ran.code:
            return None
        return read_failure(ran, what, self.indexes(), repeated=repeated, patience=self.patience)

    def variables(self, home: Path) -> Mapping[str, str]:
        """Make a HOME in a new folder for code of other projects, and return its environment."""
        return make_home(home, self.environ, git=self._identity())

    def indexes(self) -> Mapping[str, str]:
        """The simple indexes that uv uses, with logins in their addresses."""
        return indexes_of(self._settings(), self.environ)

    def _settings(self) -> Mapping[str, Any]:
        return settings(self.environ, dependencies=self.dependencies, ask=self._ask_keyring)

    def _run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = _TIMEOUT,
    ) -> Ran:
        try:
            return self.shell.run(args, cwd=cwd, env={**env, **_FIXED}, timeout=timeout, stdin=stdin)
        except TimedOut as error:  # uv waits only for a network
            raise failure(Cause.LOST, error.what) from error

    def _identity(self) -> Mapping[str, str]:
        """Who the user is for git, which the tests of a project may need to make commits. Read once."""
        if not self._identities:
            args = ["git", "config", "--global", "--includes", "-z", "--get-regexp", _IDENTITY]
            found: dict[str, str] = {}
            with contextlib.suppress(ToolMissing, TimedOut):
                ran = self.shell.run(args, cwd=Path("/"), env=tool_variables(self.environ), timeout=_GIT_PATIENCE)
                pairs = (entry.partition("\n") for entry in ran.out.split("\0") if entry)
                found = {name: value for name, _, value in pairs}
            self._identities.append(found)
        return self._identities[0]

    def _has_cache(self) -> bool:
        """Whether uv, which has run, could make the folder in which it stores downloads."""
        folder = folders(self.environ).get("UV_CACHE_DIR")
        return folder is None or Path(folder).is_dir()

    def _reaches_uv(self, name: str) -> bool:
        """Whether a variable may stand beside the settings, which uv would prefer it to."""
        if name in SOURCES or (self.dependencies and name == "UV_INDEX_STRATEGY"):
            return False
        if name == "UV_LINK_MODE" and links_to_cache(self.environ.get(name)):
            return False
        return not name.lower().endswith("_proxy") or is_public(name, self.environ.get(name, ""))

    def _ask_keyring(self, service: str, user: str) -> Secret:
        """Ask the program ``keyring``, as uv does if the user's settings say so, once for each pair."""
        if (service, user) not in self._asked:
            args, env = ["keyring", "get", service, user], keyring_variables(self.environ)
            try:
                ran = self.shell.run(args, cwd=Path("/"), env=env, timeout=_KEYRING_PATIENCE)
                self._asked[service, user] = Secret(ran.out.strip() if ran.code == 0 else "")
            except (ToolMissing, TimedOut):
                self._asked[service, user] = Secret("")
        return self._asked[service, user]


@dataclass(frozen=True, kw_only=True)
class UvEnvironment:
    """One virtual environment (PEP 405); see `unmoor.ports.environments.Environment`."""

    folder: Path
    uv: Uv
    variables: Mapping[str, str] = field(repr=False)
    """The environment of the project's code, whose HOME is a folder beside this environment."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return python_of(self.folder)

    @property
    def scripts(self) -> Path:
        """The folder of its console scripts."""
        return scripts_of(self.folder)

    @property
    def packages(self) -> Path:
        """The folder of the installed packages."""
        return packages_of(self.folder)

    def install(
        self,
        requirements: Sequence[str],
        *,
        dependencies: bool = True,
        constraints: Sequence[str] = (),
        to_build: bool = False,
    ) -> None:
        """Install requirements or files, once more if a download broke off. Raises `CheckFailed` with uv's message.

        If they are not at fault, raises as `read_failure` does: `Unknown`, `ToolMissing`, `Denied`, `Conflict`.
        ``to_build`` says that this is a build environment: the build constraints apply to it too.
        """
        if not requirements:
            return
        args = ["pip", "install", "--quiet", "--python", str(self.python)]
        if not dependencies:
            args.append("--no-deps")
        if constraints:
            args.append(f"--constraints={self._list('constraints.txt', constraints)}")
        if self.uv.constraints:
            limits = self._list("build-constraints.txt", self.uv.constraints)
            args += [f"--build-constraints={limits}", *([f"--constraints={limits}"] if to_build else [])]
        named = _hidden(" ".join(Path(each).name if Path(each).is_absolute() else each for each in requirements))
        ran = self.uv.attempt(
            args, requirements, what=f"could not install {named}", cwd=self.folder, variables=self.variables
        )
        if ran.code:
            raise CheckFailed(f"cannot install {named}:\n{last_lines(ran)}", next_step=advice.FIX_WHAT_UV_REPORTS())

    def _list(self, name: str, lines: Sequence[str]) -> Path:
        """Write a list of requirements into the environment's folder."""
        path = self.folder / name
        path.write_text("".join(f"{each}\n" for each in lines), "utf-8", newline="\n")
        return path

    def install_with_pip(self, wheel: Path, name: str) -> str:
        """Install a wheel with pip too, into a folder that is deleted again; see `unmoor.adapters.pip_install`."""
        folder = self.folder.with_name(f"{self.folder.name}-pip")
        try:
            # pip's own bytecode may be written: uv installed it with unmoor without any, and compiling takes 0.5 s.
            own = self.uv.environ.get("PYTHONDONTWRITEBYTECODE", "")
            ran = self.run(
                pip_arguments(self.python, wheel, name, folder),
                cwd=self.folder,
                env={"PYTHONDONTWRITEBYTECODE": own},
                timeout=_PIP_PATIENCE,
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if ran.code and ran.code != NOT_TRIED:
            raise CheckFailed(
                f"pip cannot install {wheel.name}, although uv can:\n{last_lines(ran)}",
                next_step=advice.FIX_WHAT_PIP_REPORTS(),
            )
        return last_lines(ran) if ran.code else ""

    def check(self) -> None:
        """Check that the requirements of all installed packages are met. Raises `CheckFailed`."""
        ran = self.uv.uv(["pip", "check", "--python", str(self.python)], cwd=self.folder)
        if ran.code != 0:
            raise child_failure(ran, "uv", reports=True) or CheckFailed(
                f"requirements are not met:\n{last_lines(ran)}", next_step=advice.CORRECT_DEPENDENCIES()
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
        """Run a program with this environment first on PATH and otherwise only allow-listed variables.

        It sees what it would in a shell where the environment is active: a virtual environment has no packages of the
        user, and Python writes bytecode. A suite may test either.

        Raises `ToolMissing` if it fails because of this machine; see `unmoor.ports.failure.child_failure`.
        """
        ran = self.uv.shell.run(args, cwd=cwd, env=self.active(env), timeout=timeout, hear=hear)
        if ran.code and (error := child_failure(ran)) is not None:
            raise error
        return ran

    def active(self, env: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """The variables of a program in this environment, with those of ``env``."""
        return {
            **self.variables,
            "PATH": os.pathsep.join((str(self.scripts), self.variables.get("PATH", os.defpath))),
            "VIRTUAL_ENV": str(self.folder),
            **(env or {}),
        }


@contextlib.contextmanager
def _settings_file(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the path of settings for uv, which it reads once, when it starts, and what it needs on its standard input.

    On a system where no path leads to the standard input, they are in a private file until uv ends.
    """
    if path := stdin_path():
        yield path, content
        return
    with temporary_folder() as folder:
        file = folder / "uv.toml"
        file.write_bytes(content)
        yield str(file), b""


def binary() -> str:
    """Find the uv that was installed with unmoor. Raises `ToolMissing`."""
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        raise ToolMissing("uv is not where it was installed", next_step=advice.INSTALL_UNMOOR_AGAIN()) from error


def last_lines(ran: Ran) -> str:
    """Return the last lines of uv's output, without logins in addresses."""
    return _hidden("\n".join((ran.err or ran.out).strip().splitlines()[-_LAST:]))


def _hidden(text: str) -> str:
    return _LOGIN.sub("://***@", text)

"""Run the project's build backend with pypa/build as a library, in an isolated environment.

build's own environment and runner pass the whole ``os.environ``, including tokens, to the backend; its public
`ProjectBuilder.from_isolated_env` takes others. uv installs the requirements. All builds with the same requirements
share an environment: the sdist's and, usually, the wheel's. So do the builds of one interpreter under one list of
constraints, as long as the run lasts: a second build of a release has the packages of the first.
"""

from __future__ import annotations

import os
import re
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError  # noqa: TID251 - build's runner raises it
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.adapters.process.home import copy_home
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.variables import utf8_variables
from unmoor.adapters.uv import Uv, UvEnvironment
from unmoor.errors import BuildFailed, CheckFailed, UnmoorError, from_os_error
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports import backend as ports
from unmoor.ports.environments import Interpreter
from unmoor.ports.failure import child_failure
from unmoor.products import Tool
from unmoor.util.values import replace

if TYPE_CHECKING:
    from build import ProjectBuilder

T = TypeVar("T")
Kind = Literal["sdist", "wheel"]


class _Conditions(NamedTuple):
    """What a build finds around it: variables and the umask. ``moved``: a HOME in another folder."""

    variables: Mapping[str, str]
    umask: int
    moved: bool = False


# With umask 077, setuptools writes other modes.
_USUAL = _Conditions(
    {"TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1"} | utf8_variables(), umask=ports.UMASK
)
_OTHER = _Conditions({**_USUAL.variables, **ports.OTHER_VARIABLES}, umask=ports.OTHER_UMASK, moved=True)
_LAST = 20
# How backends, in various languages, report a missing file.
_ABSENT = re.compile(r"(?:No such file or directory|[Ff]ile not found): ['\"]([^'\"\n]+)['\"]")
_TIMEOUT = 3600.0
# Seconds to wait for the digests of the packages after a build.
_PATIENCE = 20.0


@dataclass(kw_only=True)
class _Isolated:
    """One isolated environment (build's ``IsolatedEnv``), and the requirements installed in it."""

    environment: UvEnvironment
    path: str
    system: frozenset[str]
    asked: frozenset[str] = frozenset()
    _wheels: tuple[frozenset[str], Future[Mapping[str, str]]] | None = None

    @property
    def python_executable(self) -> str:
        """Its interpreter."""
        return str(self.environment.python)

    def make_extra_environ(self) -> dict[str, str]:
        """Return a PATH with the environment's programs first."""
        return {"PATH": os.pathsep.join((str(self.environment.scripts), self.path))}

    def ask(self, requirements: frozenset[str]) -> None:
        """Install the missing requirements. Raises `BuildFailed` if they are at fault, else as `install` does."""
        try:
            self.environment.install(sorted(requirements - self.asked), to_build=True)
        except CheckFailed as error:
            also = " or build-constraints" if self.environment.uv.constraints else ""
            raise BuildFailed(
                f"the requirements of the build: {error.what}",
                next_step=advice.CORRECT_BUILD_REQUIREMENTS(also=also),
            ) from error
        self.asked |= requirements

    def begin_digests(self) -> None:
        """Begin to find out from which wheels the packages are, while the backend builds."""
        if self._wheels is not None and self._wheels[0] == self.asked:
            return
        from unmoor.adapters.uv_digests import installed_wheels

        found: Future[Mapping[str, str]] = Future()
        self._wheels = (self.asked, found)
        threading.Thread(target=lambda: found.set_result(installed_wheels(self.environment)), daemon=True).start()

    def digests(self) -> Mapping[str, str]:
        """The sha256 of the wheels by the normalised name of the package; what is not known in time is left out."""
        if self._wheels is None:
            return {}
        try:
            return self._wheels[1].result(_PATIENCE)
        except TimeoutError:
            return {}


class Pep517:
    """Builds source trees. ``hear`` gets each line of the backend's output.

    ``meanwhile`` is called in a thread while a build begins. This process only waits then, for other programs.
    """

    def __init__(
        self,
        *,
        shell: LocalShell,
        uv: Uv,
        hear: Callable[[str], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        self._shell = shell
        self._uv = uv
        self._hear = hear
        self._meanwhile = meanwhile
        self._conditions = _USUAL
        self._version = ""
        self._has_digests = False
        # Shared with every variant of this backend: the same interpreter and constraints have the same environments.
        self._lock = threading.Lock()
        self._all: dict[tuple[str, tuple[str, ...]], list[_Isolated]] = {}
        self._rooms = _Rooms()

    def on(self, python: Interpreter) -> Pep517:
        """The same with another interpreter, and with that one's environments."""
        return self._with(replace(self._uv, python=python.path), python.version)

    def under(self, constraints: Sequence[str]) -> Pep517:
        """The same with constraints on the build requirements, and with the environments of these constraints."""
        return self._with(self._uv.under(constraints), self._version)

    def elsewhere(self) -> Pep517:
        """The same, with the same environments, for a build under other conditions; see `unmoor.ports.backend`."""
        return self._with(self._uv, self._version, _OTHER)

    def with_digests(self) -> Pep517:
        """The same; see `unmoor.ports.backend`."""
        return self._with(self._uv, self._version, digests=True)

    def _with(
        self, uv: Uv, version: str, conditions: _Conditions | None = None, *, digests: bool | None = None
    ) -> Pep517:
        other = Pep517(
            shell=self._shell, uv=uv, hear=self._hear, meanwhile=self._meanwhile if conditions is None else None
        )
        other._version, other._conditions = version, conditions or self._conditions
        other._has_digests = self._has_digests if digests is None else digests
        other._lock, other._all, other._rooms = self._lock, self._all, self._rooms
        return other

    @property
    def _isolated(self) -> list[_Isolated]:
        """The environments of this interpreter under these constraints, the newest last."""
        return self._all.setdefault((self._uv.python, self._uv.constraints), [])

    def requires(self, source: Path) -> tuple[str, ...]:
        """``build-system.requires`` of a tree (PEP 518). Raises `BuildFailed` for a malformed pyproject.toml."""
        from build import ProjectBuilder

        return tuple(sorted(self._talk().checked(lambda: ProjectBuilder(source)).build_system_requires))

    def sdist(self, source: Path, into: Path, *, env: Mapping[str, str]) -> Path:
        """Build the sdist of ``source`` into a folder. ``env`` is added to the allow-list. Raises `BuildFailed`."""
        return self._build("sdist", source, into, env)

    def wheel(self, source: Path, into: Path, *, env: Mapping[str, str]) -> Path:
        """Build the wheel of ``source`` into a folder. Raises `BuildFailed`."""
        return self._build("wheel", source, into, env)

    def tools(self) -> tuple[Tool, ...]:
        """The versions of the build tools: the front end, the installer, the interpreter, the backend's packages."""
        import platform
        from importlib.metadata import distributions, version

        found = {"build": version("build"), "uv": version("uv"), "python": self._version or platform.python_version()}
        digests: dict[str, str] = {}
        with self._lock:
            for isolated in self._isolated:
                known = isolated.digests() if self._has_digests else {}
                for each in distributions(path=[str(isolated.environment.packages)]):
                    if each.name not in found:
                        found[each.name] = each.version
                        digests[each.name] = known.get(canonicalize_name(each.name), "")
        return tuple(Tool(name=name, version=found[name], sha256=digests.get(name, "")) for name in sorted(found))

    def _talk(self) -> _Talk:
        return _Talk(self._hear)

    def _build(self, kind: Kind, source: Path, into: Path, env: Mapping[str, str]) -> Path:
        """Build one distribution in the order of PEP 517: install, ask what else is needed, install, build."""
        if self._meanwhile is not None:
            threading.Thread(target=self._meanwhile, daemon=True).start()
        talk = self._talk()
        system = frozenset(self.requires(source))
        with self._lock:
            isolated = self._shared(system)
            builder = self._builder(source, isolated, env, talk)
            wanted = system | talk.checked(lambda: builder.get_requires_for_build(kind))
            if not isolated.asked <= wanted:
                # The requirements of another kind of build must not be visible to this one.
                isolated = self._fresh(system)
                builder = self._builder(source, isolated, env, talk)
            isolated.ask(wanted)
            if self._has_digests:
                isolated.begin_digests()
            return Path(talk.checked(lambda: builder.build(kind, into)))

    def _shared(self, system: frozenset[str]) -> _Isolated:
        """Find the newest environment with these requirements, or make one."""
        known = (isolated for isolated in reversed(self._isolated) if isolated.system == system)
        return next(known, None) or self._fresh(system)

    def _fresh(self, system: frozenset[str]) -> _Isolated:
        """Create an environment, which is removed together with the last variant of this backend."""
        environment = self._uv.fresh(self._rooms.make() / "env")
        isolated = _Isolated(environment=environment, path=self._uv.environ.get("PATH", os.defpath), system=system)
        isolated.ask(system)
        self._isolated.append(isolated)
        return isolated

    def _builder(self, source: Path, isolated: _Isolated, env: Mapping[str, str], talk: _Talk) -> ProjectBuilder:
        """Create build's builder, with a runner that passes on only the allow-list."""
        from build import ProjectBuilder

        conditions = self._conditions
        shell = replace(self._shell, umask=conditions.umask)
        usual = {**isolated.environment.variables, **conditions.variables, **env}
        if conditions.moved:
            usual |= copy_home(usual, self._rooms.make() / "home")

        def run(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
            given = {**usual, **(extra_environ or {})}
            ran = shell.run(cmd, cwd=Path(cwd or source), env=given, timeout=_TIMEOUT, hear=talk.take)
            if ran.code != 0:
                if (error := child_failure(ran, "the build backend", reports=True)) is not None:
                    raise error
                raise CalledProcessError(ran.code, list(cmd))

        return talk.checked(lambda: ProjectBuilder.from_isolated_env(isolated, source, run))


class _Rooms:
    """Temporary folders, which are removed together with this object."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        weakref.finalize(self, self._stack.close)

    def make(self) -> Path:
        """Make one."""
        return self._stack.enter_context(temporary_folder())


class _Talk:
    """Keeps the last lines of a backend's output, and raises build's exceptions as unmoor's."""

    def __init__(self, hear: Callable[[str], None] | None) -> None:
        self._hear = hear
        self._lines: deque[str] = deque(maxlen=_LAST)

    def take(self, line: str) -> None:
        """Take one line."""
        self._lines.append(line)
        if self._hear is not None:
            self._hear(line)

    def checked(self, action: Callable[[], T]) -> T:
        """Call into build. Raises `BuildFailed`, or the `UnmoorError` that the runner raised."""
        from build import BuildBackendException, BuildException

        try:
            with warnings.catch_warnings():
                # build warns about a likely typo in pyproject.toml; if it matters, an error follows.
                warnings.simplefilter("ignore")
                return action()
        except (BuildException, BuildBackendException) as error:
            inner = getattr(error, "exception", None)
            if isinstance(inner, UnmoorError):
                raise inner from None
            if inner is not None and (mine := from_os_error(inner)) is not None:
                raise mine from inner
            output = "\n".join(self._lines).strip() or (str(inner) if inner is not None else "")
            what = f"{error}\n{output}".strip()
            absent = _ABSENT.search(what)
            raise BuildFailed(
                what,
                next_step=advice.BUILD_IN_FRESH_CLONE(),
                absent=absent[1] if absent else "",
            ) from error

"""Build the files of a release from a clone of its commit, the first time and again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from unmoor import advice
from unmoor.config.groups import BuildOptions
from unmoor.dists.inspect import extract
from unmoor.dists.source_tree import build_environment, explain_build_failure, require_large_files, requires_python
from unmoor.dists.testing.interpreters import choose_interpreter, find_interpreter
from unmoor.errors import BuildFailed, ToolMissing
from unmoor.filesystem.files import keeps_executable_bits, set_plain_mode
from unmoor.ports.backend import Backend
from unmoor.ports.environments import Environments
from unmoor.ports.git import Git
from unmoor.products import Release, Tool
from unmoor.util.text import clean

BY_ANOTHER_TOOL: Final = "built by another tool"
"""What the manifest records as a decision if unmoor did not build the wheels."""
# 2001-09-09, in seconds since 1970: a checkout has the time at which it was made.
_ANOTHER_TIME: Final = 1_000_000_000.0
FRONT_ENDS: Final = ("build", "uv")
"""Tools that are not in the environment of a build: they have the versions that are installed with unmoor."""
Tell = Callable[[str], None]


class Built(NamedTuple):
    """Built files, wheels first, the tools that built them, and what the manifest records about how."""

    files: list[Path]
    tools: tuple[Tool, ...] = ()
    how: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DistBuilder:
    """Builds with a backend, on the interpreter that ``options`` and the project want.

    Without ``environments`` the backend's own interpreter is used. ``digests``: the tools of the first build have the
    sha256 of what was installed.
    """

    git: Git
    backend: Backend
    environments: Environments | None = None
    options: BuildOptions = field(default_factory=BuildOptions)
    digests: bool = False

    def build(
        self,
        work: Path,
        release: Release,
        *,
        formats: tuple[str, ...],
        say: Tell,
        warn: Tell,
        tools: tuple[Tool, ...] = (),
        elsewhere: bool = False,
    ) -> Built:
        """Build files of these formats in an empty folder.

        ``tools`` are those of a first build, whose versions are used again; ``elsewhere``: under other conditions than
        that one. Raises `BuildFailed`, and `ToolMissing` if no Python fits.
        """
        out = work / "dists"
        tree = self.git.clone(work / "source", commit=release.commit, tag=release.tag)
        set_modes(work / "source", time=_ANOTHER_TIME if elsewhere else None)
        backend = self._again(tools) if tools else self._backend(tree, say)
        backend = backend.elsewhere() if elsewhere else backend
        env = build_environment(release, backend.requires(tree))
        built: list[Path] = []
        how: list[str] = []
        source = tree
        if "sdist" in formats:
            say("building the sdist")
            sdist = backend.sdist(tree, out, env=env)
            how.append(self._normalize(sdist, release, warn))
            unpacked = extract(sdist, work / "sdist")
            require_large_files(unpacked, clean(sdist.name))
            built.append(sdist)
            source = tree if self.options.wheel_from == "tree" else unpacked
        if "wheel" not in formats:
            return Built(built, backend.tools(), tuple(how))
        say("building the wheel from " + ("the tree" if source is tree else clean(built[0].name)))
        try:
            wheel = backend.wheel(source, out, env=env)
        except BuildFailed as error:
            raise (error if source is tree else explain_build_failure(error, built[0].name)) from error
        return Built([wheel, *built], backend.tools(), tuple(how))

    def _normalize(self, sdist: Path, release: Release, warn: Tell) -> str:
        """Normalize the sdist if the settings say so. Return what the manifest records about it."""
        if not self.options.normalize_sdist:
            return "normalize-sdist = false"
        from unmoor.dists.normalize import normalize  # and the rules for archives, which a plan does without

        # Backends copy the modes of files on the disk.
        executables = None if keeps_executable_bits(sdist.parent) else self.git.executables(release.commit)
        reason = normalize(sdist, release.build_date, executables=executables)
        if reason:
            warn(f"{clean(sdist.name)} is kept as the backend wrote it, and the next build may differ: {reason}")
        return "sdist not normalized" if reason else "sdist normalized"

    def _backend(self, tree: Path, say: Tell) -> Backend:
        """The backend on an interpreter that the project supports; say so if it is not unmoor's own."""
        backend = self.backend.with_digests() if self.digests else self.backend
        if self.environments is None:
            return backend
        python = choose_interpreter(self.environments, requires=requires_python(tree), wanted=self.options.python)
        if python == self.environments.own():
            return backend
        say(f"building with Python {python.version}")
        return backend.on(python)

    def _again(self, tools: tuple[Tool, ...]) -> Backend:
        """The backend with the versions of a first build. Raises `ToolMissing` if its interpreter is not here."""
        backend, wanted = self.backend, {tool.name: tool.version for tool in tools}
        python = wanted.pop("python", "")
        if self.environments is not None and python not in {"", self.environments.own().version}:
            found = find_interpreter(self.environments.pythons(), python)
            if found is None:
                raise ToolMissing(
                    f"the files were built with Python {clean(python)}, which is not on this machine",
                    next_step=advice.INSTALL_THAT_PYTHON(version=clean(python)),
                )
            backend = backend.on(found)
        if {(tool.name, tool.version) for tool in backend.tools()} >= set(wanted.items()):
            return backend  # the environment of the first build is still there
        pins = [f"{name}=={version}" for name, version in sorted(wanted.items()) if name not in FRONT_ENDS]
        return backend.under((*self.options.constraints, *pins))


def set_modes(tree: Path, *, time: float | None = None) -> None:
    """Give every file of a clone the mode that git records, whatever the umask: backends copy modes into the sdist.

    ``time`` (seconds since 1970) is what they get as the time of their last change; ``None`` leaves that.
    """
    for folder, folders, files in os.walk(tree):
        if ".git" in folders:
            folders.remove(".git")
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                set_plain_mode(path, time=time)

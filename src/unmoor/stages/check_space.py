"""The stage ``check-space``: select the files of the Space and look at them, and ask the hub if it would take them.

It only reads the hub, and runs before anything leaves this machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.checks import own_parser
from unmoor.checks.python_sources import SourceFault, read_source
from unmoor.config.space import SpaceSettings
from unmoor.core.stage import Check, Output, StageContext
from unmoor.deploy.space.examine import README, Examined, examine
from unmoor.deploy.space.running import PAUSED, SLEEPING
from unmoor.errors import Refused
from unmoor.filesystem.files import atomic_writer
from unmoor.filesystem.safe_folder import make_folder, open_regular, remove
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.ports.shell import Shell
from unmoor.ports.space_hub import HubFile, SpaceHub
from unmoor.products import Release, SpaceFile, SpaceFiles
from unmoor.release_request import ReleaseRequest
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import clean
from unmoor.util.values import replace

FOLDER = "space"


@dataclass(frozen=True, kw_only=True)
class CheckSpace(Check[SpaceFiles]):
    """Copies the files of the commit into the run folder, by their sha256, and gives them with their ids.

    A file that fails is left out, with a warning, unless it is critical.
    """

    name: str = "check-space"
    release: Output[Release]
    settings: SpaceSettings
    git: Git
    shell: Shell
    hub: SpaceHub
    folder: RunFolder

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        settings: SpaceSettings,
        hub: SpaceHub,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            settings=settings,
            git=services.git,
            shell=services.shell,
            hub=hub,
            folder=request.folder,
            advisory=settings.policy == "advisory",
        )

    def plan(self) -> str:
        """Say what would be looked at."""
        return (
            f"select the files of the Space {self.settings.repo} and check them, and ask {self.hub.address} whether the"
            " token may write and the Space can run"
        )

    def make(self, context: StageContext) -> SpaceFiles:
        """Select and check. Raises `Refused` and `Unsafe` for critical files, `Denied` and `Refused` for the Space."""
        release = context[self.release]
        found: list[Examined] = []
        # The hub answers while git clones.
        there: list[Mapping[str, HubFile]] = []
        works: tuple[Callable[[], None], ...] = (
            lambda: found.append(self._examine(release)),
            lambda: there.append(self._ask_hub(context)),
        )
        for error in run_parallel(works, _call, width=2):
            raise error
        examined = found[0]
        for each in examined.left_out:
            context.warn(f"the Space does not get {each}")
        if not any(each.path == README for each in examined.files) and README not in there[0]:
            raise Refused(
                f"neither the files nor the Space have a {README}, in which the hub looks for sdk",
                where=self.hub.address,
                next_step=advice.CORRECT_SPACE_FILES(),
            )
        return SpaceFiles(commit=release.commit, files=examined.files, left_out=examined.left_out)

    def _examine(self, release: Release) -> Examined:
        """Check the files in a clone, and keep those that pass in the run folder."""
        with temporary_folder() as work:
            tree = self.git.clone(work / "source", commit=release.commit, tag=release.tag)
            examined = examine(
                tree,
                self.git.files(release.commit),
                patterns=self.settings.files,
                critical=self.settings.critical,
                judge_python=self._judge_python,
            )
            place = self.folder.path / FOLDER
            self.folder.open()
            remove(place)
            make_folder(place)
            return replace(examined, files=tuple(_kept(each, place) for each in examined.files))

    def _judge_python(self, contents: Mapping[str, bytes]) -> dict[str, str]:
        """Say why each file that is no Python is none."""
        read = [read_source(path, content) for path, content in contents.items()]
        parsed = own_parser.parse([each for each in read if not isinstance(each, SourceFault)], None, self.shell)
        faults = [each for each in read if isinstance(each, SourceFault)]
        return {
            each.path: f"line {each.line} is not Python: {clean(each.what, 200)}" for each in (*faults, *parsed.faults)
        }

    def _ask_hub(self, context: StageContext) -> Mapping[str, HubFile]:
        """Raise unless the token may write and the Space could run. Return the files there now. Only reads."""
        self.hub.user()
        info = self.hub.info()
        if info.stage == PAUSED:
            raise Refused(
                "the Space is paused: it takes the files, but does not run them",
                where=self.hub.address,
                next_step=advice.RESTART_SPACE(),
                retryable=True,
            )
        if info.private:
            context.warn(f"the Space {self.settings.repo} is private: only its members see it")
        if info.stage == SLEEPING:
            context.say(f"the Space {self.settings.repo} is asleep; the commit wakes it")
        return self.hub.tree(info.head)  # which the deployment needs next


def _call(work: Callable[[], None]) -> None:
    work()


def _kept(file: SpaceFile, place: Path) -> SpaceFile:
    """The same file in the run folder, under its digest: a name that nobody chose."""
    kept = place / file.sha256
    with open_regular(file.source) as source, atomic_writer(kept, sync=False) as copy:
        shutil.copyfileobj(source, copy)
    return replace(file, source=kept)

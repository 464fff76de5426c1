"""The options of a run, and the command lines that repeat or continue it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from unmoor.artifacts.belief import Belief
from unmoor.artifacts.merge import Handover
from unmoor.cli.target_options import TargetOptions as TargetOptions  # noqa: PLC0414 - with the options of a run
from unmoor.core.stage import Reach
from unmoor.core.waivers import Gate
from unmoor.filesystem import commands
from unmoor.images.image_names import LOCAL

_CEILINGS = {Reach.LOCAL: ["--dry-run"], Reach.REMOTE: ["--hold"]}


class FileOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options for files and images that were built elsewhere.

    ``prebuilt`` is a folder that another tool filled in this job. ``handed`` are folders of files and ``legs`` run
    folders with images, both of other jobs. ``digests`` are the sha256 of documents that the user vouches for.
    """

    digests: tuple[str, ...] = ()
    prebuilt: Path | None = None
    handed: tuple[Handover, ...] = ()
    legs: tuple[Path, ...] = ()

    def arguments(self) -> list[str]:
        """Return these options as command-line arguments."""
        arguments = _repeat("--manifest-sha256", self.digests)
        arguments += ["--built", str(self.prebuilt)] if self.prebuilt else []
        for each in self.handed:
            arguments += ["--dists", str(each.dists), "--manifest", str(each.manifest)]
        return [*arguments, *_repeat("--leg", self.legs)]


class EmergencyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of an emergency. ``confirm`` is the version or the tag, empty if a person is to type it."""

    reason: str
    gates: tuple[Gate, ...] = ()
    confirm: str = ""

    def arguments(self) -> list[str]:
        """Return these options as command-line arguments."""
        confirmed = ["--confirm", self.confirm] if self.confirm else []
        return ["--emergency", self.reason, *_repeat("--waive", self.gates), *confirmed]


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a run of stages.

    ``rehearsing`` ignores the tag and the repository of the GitHub Actions run. ``belief`` says which documents count,
    if it is not what the given digests and the notes of this account say. ``quiet`` shows only warnings as progress,
    because the result says the rest. ``leg_name`` distinguishes this leg of a matrix. ``engine`` is false for a
    command that builds no images on this machine: it contacts no container engine. ``command`` is the command line of
    the run, if it cannot be derived from the other options, and ``changed_command`` the one after a change of the
    project, if that is another one. ``uncommitted`` are the
    files that a rehearsal ignores as they are. ``sign_with`` replaces the key in the settings. ``no_project_code``
    refuses whatever would build, import or test the project. ``deploys`` names the only deployment that the run is for,
    as the command line does: then everything else is only looked for. ``any_version``: even if another one is the
    highest final version. ``holds_service``: it is a service, to be started and not switched to.
    ``reports_as`` is the name of a command that leaves a report, which is written into ``report_folder`` instead of the
    run folder if that is given.
    """

    target: TargetOptions
    ceiling: Reach = Reach.READS
    until: tuple[str, ...] = ()
    keep_images: bool = False
    local_prefix: str = LOCAL
    files: FileOptions = FileOptions()
    as_json: bool = False
    command: str = ""
    changed_command: str = ""
    leg_name: str = ""
    rehearsing: bool = False
    uncommitted: tuple[str, ...] = ()
    belief: Belief | None = None
    quiet: bool = False
    engine: bool = True
    without_images: bool = False
    platforms: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    sign_with: str | None = None
    no_project_code: bool = False
    deploys: tuple[str, ...] = ()
    any_version: bool = False
    holds_service: bool = False
    emergency: EmergencyOptions | None = None
    reports_as: str = ""
    report_folder: Path | None = None

    def other_command(self, name: str, tag: str, *more: str) -> str:
        """Return the command line of another command, such as ``undo``, on the same tag and world."""
        return commands.join(["unmoor", name, *self.target.arguments(), *more, tag])

    def release_command(self, tag: str) -> str:
        """Return the release that continues this run, without its limits.

        It takes the same files from other jobs, because a second build could differ.
        """
        return commands.join(["unmoor", "release", *self.target.arguments(), *self._file_arguments(), tag])

    def same_command(self, tag: str) -> str:
        """Return the command line of this run, with its limits: a failed dry run is repeated as a dry run."""
        if self.deploys and not self.command:
            held = ["--hold"] if self.holds_service else []
            return self.deploy_command([*self.deploys, *held], tag, any_version=self.any_version)
        if self.command or self.ceiling is Reach.READS:
            return self.command or self.other_command("plan", tag)
        limits = [*_CEILINGS.get(self.ceiling, []), *_repeat("--until", self.until)]
        images = ["--leg-name", self.leg_name] if self.leg_name else []
        images += [*(["--keep-images"] if self.keep_images else []), *_repeat("--platform", self.platforms)]
        return commands.join(
            ["unmoor", "release", *self.target.arguments(), *limits, *self._file_arguments(), *images, tag]
        )

    def deploy_command(self, deploys: Iterable[str], tag: str, *, any_version: bool = False) -> str:
        """Return the command line that deploys one thing of the release, such as ``service`` and ``web``."""
        digests = _repeat("--manifest-sha256", self.files.digests)
        any_ = ["--any-version"] if any_version else []
        return commands.join(["unmoor", "deploy", *deploys, *self.target.arguments(), *digests, *any_, tag])

    def _file_arguments(self) -> list[str]:
        """Return the arguments for files from other jobs and tools, for skipped stages and for an emergency."""
        without = ["--no-project-code"] if self.no_project_code else []
        emergency = self.emergency.arguments() if self.emergency is not None else []
        return [*without, *self.files.arguments(), *_repeat("--skip", self.skip), *emergency]


def _repeat(option: str, values: Iterable[object]) -> list[str]:
    return [argument for value in values for argument in (option, str(value))]

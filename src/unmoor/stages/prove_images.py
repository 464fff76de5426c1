"""The stage ``prove-images``: inspect and test the images; the proof names their digests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar, Self

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings, SmokeSettings
from unmoor.core.stage import Build, Output, StageContext
from unmoor.core.waivers import Gate, waived_result
from unmoor.errors import CheckFailed, TimedOut, UnmoorError
from unmoor.images import image_names, image_record
from unmoor.ports.engine import Engine, ImageFacts, Member
from unmoor.ports.services import Services
from unmoor.ports.shell import Ran
from unmoor.products import Image, Images, Proof, Release, Result, Verdict
from unmoor.publish.emergencies import list_waived, recorded_waiver
from unmoor.release_request import ReleaseRequest
from unmoor.util.secret_scan import secret_file, secret_in
from unmoor.util.text import clean, indented

_MAX_PARALLEL = 2
_MAX_NAMES = 5
_MAX_LINES = 20
_TIMEOUT = 60.0
_MEGA = 1_000_000
_ABSENT = 3
# Exit codes for a broken link and for a file that cannot be executed.
_UNUSABLE = (126, 127)
_MAX_PYTHONS = 5
# The markers by which a layer removes what is below it (OCI image specification, "Whiteouts").
_REMOVED, _OPAQUE = ".wh.", ".wh..wh..opq"
_PYTHON = re.compile(r"(?:^|/)bin/python(?:3(?:\.[0-9]+)?)?$")
# Runs on Python 3.8 or later in the image. The answer has a prefix, since start-up files may print, too.
_PROBE = """
import sys
from importlib import metadata
try:
    print("unmoor:" + metadata.version(sys.argv[1]))
except metadata.PackageNotFoundError:
    sys.exit(3)
"""
_CACHES = (
    ("pip's cache", re.compile(r"(?:^|/)\.cache/pip/")),
    ("uv's cache", re.compile(r"(?:^|/)\.cache/uv/")),
    ("packages that apt downloaded", re.compile(r"^var/cache/apt/archives/[^/]+\.deb$")),
    ("apt's lists", re.compile(r"^var/lib/apt/lists/[^/]+_Packages")),
    ("apk's cache", re.compile(r"^var/cache/apk/")),
)


@dataclass(frozen=True, kw_only=True)
class ProveImages(Build[Proof]):
    """Inspects every layer of every image, runs its smoke commands without network, and checks the version in it."""

    runs_project_code: ClassVar[bool] = True

    name: str = "prove-images"
    release: Output[Release]
    images: Output[Images]
    engine: Engine
    folder: RunFolder
    settings: tuple[ImageSettings, ...]
    repository: str
    waived: bool = False

    @classmethod
    def of(
        cls, request: ReleaseRequest, services: Services, *, release: Output[Release], images: Output[Images]
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            images=images,
            engine=services.engine,
            folder=request.folder,
            settings=request.images,
            repository=request.repository,
            waived=request.waives(Gate.SMOKE),
        )

    def plan(self) -> str:
        """Say what would be inspected and run."""
        names = [smoke.name for each in self.settings for smoke in each.smoke]
        smoke = f"run {', '.join(names)}" if names else "run no smoke command, since none is configured"
        return f"inspect every layer of every image, {smoke}, and compare the installed version"

    def find(self, context: StageContext) -> Proof | None:
        """Return the proof of exactly these images, ``None`` if there is none.

        One with waived results counts if this run waives them, or if the manifest records the emergency that did.
        """
        images = context[self.images]
        subjects = tuple(map(image_names.subject_of, images.images))
        if not images.vouched:
            return Proof.of_nothing(self.name, subjects, why="public already, and not vouched for")
        wanted = frozenset(subjects)
        proof = next((proof for proof in self._counting() if frozenset(proof.subjects) == wanted), None)
        if proof is not None and proof.waived:
            context.warn(f"not every smoke command passed, which an emergency waived: {list_waived(proof)}")
        return proof

    def _counting(self) -> tuple[Proof, ...]:
        """The proofs of images that count."""
        waived = self.waived or recorded_waiver(self.folder, Gate.SMOKE)
        return tuple(proof for proof in image_record.proofs(self.folder) if waived or not proof.waived)

    def make(self, context: StageContext) -> Proof:
        """Test every image that has no proof yet.

        Raises `CheckFailed` with everything that is wrong, `TimedOut` if a command takes too long.
        """
        images = context[self.images].images
        known = self._find_known_results(images)
        results = dict(known)
        missing = [image for image in images if image not in known]
        results |= dict(zip(missing, self._prove_all(missing, context), strict=True))
        proof = Proof(
            name=self.name,
            subjects=tuple(image_names.subject_of(image) for image in images),
            results=tuple(result for image in images for result in results[image]),
        )
        self.folder.write_proof(proof)
        return proof

    def _find_known_results(self, images: Sequence[Image]) -> dict[Image, tuple[Result, ...]]:
        """The results of images that were proven before: by another machine, or before others were built again."""
        known: dict[Image, tuple[Result, ...]] = {}
        for proof in self._counting():
            for image in images:
                results = tuple(each for each in proof.results if each.name.startswith(f"{_describe(image)}: "))
                if results and image_names.subject_of(image) in proof.subjects:
                    known.setdefault(image, results)
        return known

    def _prove_all(self, images: Sequence[Image], context: StageContext) -> tuple[tuple[Result, ...], ...]:
        """Test images in parallel. Returns the results of each, in the same order."""
        release = context[self.release]
        facts = {image.id: self.engine.inspect(image.id) for image in images}

        with ThreadPoolExecutor(max_workers=_MAX_PARALLEL + 1, thread_name_prefix="prove") as pool:
            # Reading the layers is slow; the commands run in the meantime.
            contents = pool.submit(self.engine.contents, [image.id for image in images])

            def prove(image: Image) -> tuple[Result, ...]:
                context.say(f"testing {_describe(image)}")
                trial = _Trial(image, facts[image.id], release, context, waived=self.waived)
                return trial.prove(self.engine, self._settings_of(image), lambda: contents.result()[image.id])

            return tuple(pool.map(prove, images))

    def _settings_of(self, image: Image) -> ImageSettings:
        """The settings from which an image was built."""
        known = {
            (image_names.names_of(each, self.repository)[0], target.stage): each
            for each in self.settings
            for target in image_names.targets_of(each)
        }
        return known[image.name, image.target]


def _describe(image: Image) -> str:
    """An image as messages name it."""
    return f"{image.target or image.name} for {image.platform}"


@dataclass(frozen=True)
class _Trial:
    """One image under test: what the engine says about it, and the release it must belong to."""

    image: Image
    facts: ImageFacts
    release: Release
    context: StageContext
    waived: bool = False

    def prove(
        self, engine: Engine, settings: ImageSettings, contents: Callable[[], tuple[Member, ...]]
    ) -> tuple[Result, ...]:
        """Check the labels, run the commands, inspect the layers. Raises `CheckFailed`, `TimedOut`."""
        self._raise_if_any([*self._label_faults(), *self._secret_values(), *self._size_faults(settings.max_size)])
        smoke_results = [self._smoke(engine, smoke) for smoke in settings.smoke if self._is_for(smoke)]
        members = contents()
        self._raise_if_any(self._secret_files(members))
        self._warn(members)
        size = f"{self.facts.size / _MEGA:.1f} MB, {1 + max((m.layer for m in members), default=-1)} layers"
        return (
            self._passed("labels", self.release.commit),
            self._passed("layers", size),
            self._passed("user", self.facts.user or "root"),
            *smoke_results,
            self._check_version(engine, members),
        )

    def _raise_if_any(self, found: Iterable[str]) -> None:
        if faults := list(found):
            raise self._failure("; ".join(faults))

    def _is_for(self, smoke: SmokeSettings) -> bool:
        return not smoke.targets or self.image.target in smoke.targets

    def _passed(self, what: str, detail: str = "") -> Result:
        return Result(name=f"{_describe(self.image)}: {what}", verdict=Verdict.PASSED, detail=detail)

    def _failure(self, what: str) -> CheckFailed:
        return CheckFailed(f"{_describe(self.image)}: {what}", next_step=advice.CORRECT_DOCKERFILE())

    def _label_faults(self) -> Iterator[str]:
        """Yield each label, and the platform, that is not that of this release."""
        wanted = {image_names.REVISION: self.release.commit, image_names.VERSION: self.release.version}
        for label, value in wanted.items():
            value_found = self.facts.labels.get(label, "nothing")
            if value_found != value:
                yield f"its label {label} says {clean(value_found, 80)}, not {value}"
        if self.facts.platform.split("/")[:2] != self.image.platform.split("/")[:2]:
            yield f"its platform is {clean(self.facts.platform, 60)}"

    def _size_faults(self, limit: int) -> Iterator[str]:
        if limit and self.facts.size > limit:
            yield f"it has {self.facts.size} bytes, but max-size allows {limit}"

    def _secret_values(self) -> Iterator[str]:
        """Yield the kind of each secret value in the environment and in the history."""
        for place, lines in (("environment", self.facts.env), ("history", self.facts.history)):
            if found := next(filter(None, map(secret_in, lines)), ""):
                yield f"its {place} holds {found}"

    def _secret_files(self, members: Iterable[Member]) -> Iterator[str]:
        """Yield secret files in any layer, one of each kind."""
        files: dict[str, str] = {}
        for member in members:
            if what := secret_file(member.path, member.holds):
                files.setdefault(what, f"layer {member.layer + 1} holds {what}, /{clean(member.path, 120)}")
        yield from list(files.values())[:_MAX_NAMES]

    def _warn(self, members: Sequence[Member]) -> None:
        """Warn about what is no fault, but worth a change."""
        if self.facts.user.partition(":")[0] in {"", "0", "root"}:
            self.context.warn(f"{_describe(self.image)} runs as root: set USER to another user in the Dockerfile")
        for what, pattern in _CACHES:
            size = sum(member.size for member in members if pattern.search(member.path))
            if size:
                self.context.warn(f"{_describe(self.image)} holds {what}, {size / _MEGA:.1f} MB")

    def _smoke(self, engine: Engine, smoke: SmokeSettings) -> Result:
        """Run one smoke command. Only its own failure can be waived, and no other fault of the image."""
        try:
            return self._run_smoke(engine, smoke)
        except UnmoorError as error:
            if not self.waived:
                raise
            result = waived_result(Gate.SMOKE, error)
            self.context.warn(f"waived in this emergency: {_describe(self.image)}: {smoke.name}: {result.detail}")
            return Result.of_waived(f"{_describe(self.image)}: {smoke.name}", result)

    def _run_smoke(self, engine: Engine, smoke: SmokeSettings) -> Result:
        """Run one smoke command. Raises `CheckFailed`, `TimedOut`."""
        self.context.say(f"{_describe(self.image)}: {smoke.name}")
        try:
            ran = engine.run(self.image.id, smoke.run, entrypoint=smoke.entrypoint, timeout=smoke.timeout)
        except TimedOut as error:
            raise TimedOut(
                f"{_describe(self.image)}: the smoke command {smoke.name}: {error.what}", **error.advice
            ) from error
        if ran.code != 0:
            raise self._failure(f"the smoke command {smoke.name} ended with exit code {ran.code}{_last_lines(ran)}")
        if smoke.expect and not self._is_expected(smoke.expect, ran):
            raise self._failure(
                f"the smoke command {smoke.name} did not print {clean(self._fill_in(smoke.expect))}{_last_lines(ran)}"
            )
        return self._passed(smoke.name, " ".join(map(clean, smoke.run)))

    def _fill_in(self, text: str) -> str:
        for name in ("version", "tag", "commit"):
            text = text.replace(f"{{{name}}}", str(getattr(self.release, name)))
        return text

    def _is_expected(self, expect: str, ran: Ran) -> bool:
        """Whether the text was printed. A version at its start or end must be a whole word, since 1.0 is not 1.0.1."""
        pattern = re.escape(self._fill_in(expect))
        if expect.startswith("{version}"):
            pattern = rf"(?<![\w.+-]){pattern}"
        if expect.endswith("{version}"):
            pattern = rf"{pattern}(?![\w+-]|\.\w)"
        return re.search(pattern, f"{ran.out}\n{ran.err}") is not None

    def _check_version(self, engine: Engine, members: Iterable[Member]) -> Result:
        """Ask each Python in the image for its version of the project. Raises `CheckFailed`."""
        pythons = _pythons(members, self.facts)
        name = f"{_describe(self.image)}: version"
        if not pythons:
            return Result(name=name, verdict=Verdict.NOT_TESTED, detail="it has no Python")
        for python in pythons[:_MAX_PYTHONS]:
            command = ["-c", _PROBE, self.release.project]
            ran = engine.run(self.image.id, command, entrypoint=python, timeout=_TIMEOUT)
            found = re.search(r"^unmoor:(.*)$", ran.out, re.MULTILINE)
            if found is not None and found[1].strip() != self.release.version:
                raise self._failure(
                    f"{clean(found[1], 60)} of {self.release.project} is installed, not {self.release.version}"
                )
            if found is not None:
                return self._passed("version", f"{self.release.version}, according to {python}")
            if ran.code not in {_ABSENT, *_UNUSABLE}:
                raise self._failure(f"{python} cannot report which version is installed{_last_lines(ran)}")
        raise self._failure(f"{self.release.project} is not installed for any of {', '.join(pythons[:_MAX_PYTHONS])}")


def _pythons(members: Iterable[Member], facts: ImageFacts) -> tuple[str, ...]:
    """Every Python in an image that no later layer removed: those on PATH first, in its order."""
    held: dict[str, int] = {}
    removed: dict[str, int] = {}
    for member in members:
        path = PurePosixPath("/", member.path)
        if path.name.startswith(_REMOVED):
            # An opaque marker is inside the folder whose content it removes.
            gone = path.parent if path.name == _OPAQUE else path.with_name(path.name.removeprefix(_REMOVED))
            removed[str(gone)] = member.layer
        elif _PYTHON.search(member.path):
            held[str(path)] = member.layer
    there = [
        path
        for path, layer in sorted(held.items())
        if all(removed.get(str(each), -1) <= layer for each in (path, *PurePosixPath(path).parents))
    ]
    setting = next((entry.partition("=")[2] for entry in facts.env if entry.startswith("PATH=")), "")
    first = [f"{folder}/{name}" for folder in setting.split(":") for name in ("python", "python3")]
    # Folders such as /bin are usually links to others.
    return tuple(dict.fromkeys([*(each for each in first if each in there), *there]))


def _last_lines(ran: Ran) -> str:
    """The last lines that a command printed."""
    lines = [indented(line, 200) for line in f"{ran.out}\n{ran.err}".splitlines() if line.strip()]
    return "".join(f"\n{line}" for line in lines[-_MAX_LINES:])

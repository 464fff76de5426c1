"""The proof that the images work and hold nothing they should not: bound to their digests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings, SmokeSettings
from unmoor.core.stage import Build, Output, StageContext
from unmoor.errors import CheckFailed, TimedOut
from unmoor.images import image_names
from unmoor.ports.engine import Engine, ImageFacts, Member
from unmoor.ports.services import Services
from unmoor.ports.shell import Ran
from unmoor.products import Image, Images, Proof, Release, Result, Verdict
from unmoor.release_request import ReleaseRequest
from unmoor.util.secret_scan import secret_file, secret_in
from unmoor.util.text import clean, indented

_AT_ONCE = 2
_NAMED = 5
_LAST = 20
_TIMEOUT = 60.0
_MEGA = 1_000_000
_ABSENT = 3
# A link to nowhere, or to what cannot be run.
_UNUSABLE = (126, 127)
_TRIED = 5
_REBUILD = "correct the Dockerfile and release the next version, or move the tag if nothing of it is public"
# How a layer says that something below it is gone (OCI image specification).
_REMOVED, _OPAQUE = ".wh.", ".wh..wh..opq"
_PYTHON = re.compile(r"(?:^|/)bin/python(?:3(?:\.[0-9]+)?)?$")
# Runs on any Python 3.8 or later in the image; says its answer behind a mark, since start-up files may print.
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
    """Looks into every layer of every image, runs its smoke commands without network, asks for the version inside."""

    name: str = "prove-images"
    release: Output[Release]
    images: Output[Images]
    engine: Engine
    folder: RunFolder
    settings: tuple[ImageSettings, ...]
    repository: str

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
        )

    def plan(self) -> str:
        """Say what would be looked at and run."""
        names = [smoke.name for each in self.settings for smoke in each.smoke]
        smoke = f"run {', '.join(names)}" if names else "run no smoke command, since none is configured"
        return f"look into every layer of every image, {smoke}, and compare the version inside"

    def find(self, context: StageContext) -> Proof | None:
        """Return the proof of these very images, ``None`` where there is none."""
        wanted = frozenset(map(image_names.subject_of, context[self.images].images))
        return next((proof for proof in self.folder.proofs(self.name) if frozenset(proof.subjects) == wanted), None)

    def make(self, context: StageContext) -> Proof:
        """Prove every image that is not proven yet.

        Raises `CheckFailed` with all that is wrong, `TimedOut` for a command that takes too long.
        """
        images = context[self.images].images
        earlier = self._earlier(images)
        proven = frozenset(earlier.subjects) if earlier else frozenset()
        results = self._proven([image for image in images if image_names.subject_of(image) not in proven], context)
        proof = Proof(
            name=self.name,
            subjects=tuple(image_names.subject_of(image) for image in images),
            results=(*(earlier.results if earlier else ()), *results),
        )
        self.folder.add_proof(proof)
        return proof

    def _earlier(self, images: Sequence[Image]) -> Proof | None:
        """A proof of some of these images and of no others, as another machine's leg brings it."""
        wanted = frozenset(map(image_names.subject_of, images))
        return next((proof for proof in self.folder.proofs(self.name) if frozenset(proof.subjects) < wanted), None)

    def _proven(self, images: Sequence[Image], context: StageContext) -> tuple[Result, ...]:
        """Try images side by side."""
        release = context[self.release]
        facts = {image.id: self.engine.inspect(image.id) for image in images}

        with ThreadPoolExecutor(max_workers=_AT_ONCE + 1, thread_name_prefix="prove") as pool:
            # The layers take their time; the commands run meanwhile.
            contents = pool.submit(self.engine.contents, [image.id for image in images])

            def prove(image: Image) -> tuple[Result, ...]:
                context.say(f"trying {_called(image)}")
                trial = _Trial(image, facts[image.id], release, context)
                return trial.prove(self.engine, self._settings_of(image), lambda: contents.result()[image.id])

            return tuple(result for each in pool.map(prove, images) for result in each)

    def _settings_of(self, image: Image) -> ImageSettings:
        """The settings that an image was built by."""
        known = {
            (image_names.names_of(each, self.repository)[0], target.stage): each
            for each in self.settings
            for target in image_names.targets_of(each)
        }
        return known[image.name, image.target]


def _called(image: Image) -> str:
    """An image as messages call it."""
    return f"{image.target or image.name} for {image.platform}"


@dataclass(frozen=True)
class _Trial:
    """One image under test: what the engine says of it, and the release it has to be."""

    image: Image
    facts: ImageFacts
    release: Release
    context: StageContext

    def prove(
        self, engine: Engine, settings: ImageSettings, contents: Callable[[], tuple[Member, ...]]
    ) -> tuple[Result, ...]:
        """Read what is said of it, run its commands, look into its layers. Raises `CheckFailed`, `TimedOut`."""
        self._refuse([*self._mislabelled(), *self._image_faults(), *self._oversize(settings.max_size)])
        smoked = [self._smoked(engine, smoke) for smoke in settings.smoke if self._is_for(smoke)]
        members = contents()
        self._refuse(self._planted(members))
        self._warn(members)
        size = f"{self.facts.size / _MEGA:.1f} MB, {1 + max((m.layer for m in members), default=-1)} layers"
        return (
            self._passed("labels", self.release.commit),
            self._passed("layers", size),
            self._passed("user", self.facts.user or "root"),
            *smoked,
            self._versioned(engine, members),
        )

    def _refuse(self, wrong: Iterable[str]) -> None:
        if told := list(wrong):
            raise self._unproven("; ".join(told))

    def _is_for(self, smoke: SmokeSettings) -> bool:
        return not smoke.targets or self.image.target in smoke.targets

    def _passed(self, what: str, detail: str = "") -> Result:
        return Result(name=f"{_called(self.image)}: {what}", verdict=Verdict.PASSED, detail=detail)

    def _unproven(self, what: str) -> CheckFailed:
        return CheckFailed(f"{_called(self.image)}: {what}", next_step=_REBUILD)

    def _mislabelled(self) -> Iterator[str]:
        """Say where the image is not the one of this commit, version and platform."""
        wanted = {image_names.REVISION: self.release.commit, image_names.VERSION: self.release.version}
        for label, value in wanted.items():
            said = self.facts.labels.get(label, "nothing")
            if said != value:
                yield f"its label {label} says {clean(said, 80)}, not {value}"
        if self.facts.platform.split("/")[:2] != self.image.platform.split("/")[:2]:
            yield f"it is for {clean(self.facts.platform, 60)}"

    def _oversize(self, limit: int) -> Iterator[str]:
        if limit and self.facts.size > limit:
            yield f"it has {self.facts.size} bytes, and max-size allows {limit}"

    def _image_faults(self) -> Iterator[str]:
        """Name secret values in the environment and in the history."""
        for place, lines in (("environment", self.facts.env), ("history", self.facts.history)):
            if found := next(filter(None, map(secret_in, lines)), ""):
                yield f"its {place} holds {found}"

    def _planted(self, members: Iterable[Member]) -> Iterator[str]:
        """Name secret files in any layer, one of each sort."""
        files: dict[str, str] = {}
        for member in members:
            if what := secret_file(member.path, member.holds):
                files.setdefault(what, f"layer {member.layer + 1} holds {what}, /{clean(member.path, 120)}")
        yield from list(files.values())[:_NAMED]

    def _warn(self, members: Sequence[Member]) -> None:
        """Tell what is no fault, and yet worth a change."""
        if self.facts.user.partition(":")[0] in {"", "0", "root"}:
            self.context.warn(f"{_called(self.image)} runs as root: let USER name another user")
        for what, pattern in _CACHES:
            size = sum(member.size for member in members if pattern.search(member.path))
            if size:
                self.context.warn(f"{_called(self.image)} holds {what}, {size / _MEGA:.1f} MB")

    def _smoked(self, engine: Engine, smoke: SmokeSettings) -> Result:
        """Run one smoke command. Raises `CheckFailed`, `TimedOut`."""
        self.context.say(f"{_called(self.image)}: {smoke.name}")
        try:
            ran = engine.run(self.image.id, smoke.run, entrypoint=smoke.entrypoint, timeout=smoke.timeout)
        except TimedOut as error:
            raise TimedOut(
                f"{_called(self.image)}: the smoke command {smoke.name}: {error.what}", **error.advice
            ) from error
        if ran.code != 0:
            raise self._unproven(f"the smoke command {smoke.name} ended with exit code {ran.code}{_said(ran)}")
        if smoke.expect and not self._is_expected(smoke.expect, ran):
            raise self._unproven(
                f"the smoke command {smoke.name} did not print {clean(self._filled(smoke.expect))}{_said(ran)}"
            )
        return self._passed(smoke.name, " ".join(map(clean, smoke.run)))

    def _filled(self, text: str) -> str:
        for name in ("version", "tag", "commit"):
            text = text.replace(f"{{{name}}}", str(getattr(self.release, name)))
        return text

    def _is_expected(self, expect: str, ran: Ran) -> bool:
        """Whether the text was printed; a version at its edges as a word of its own, since 1.0 is not 1.0.1."""
        pattern = re.escape(self._filled(expect))
        if expect.startswith("{version}"):
            pattern = rf"(?<![\w.+-]){pattern}"
        if expect.endswith("{version}"):
            pattern = rf"{pattern}(?![\w+-]|\.\w)"
        return re.search(pattern, f"{ran.out}\n{ran.err}") is not None

    def _versioned(self, engine: Engine, members: Iterable[Member]) -> Result:
        """Ask every Python inside which version of the project it has. Raises `CheckFailed`."""
        pythons = _pythons(members, self.facts)
        name = f"{_called(self.image)}: version"
        if not pythons:
            return Result(name=name, verdict=Verdict.NOT_TESTED, detail="there is no Python in it")
        for python in pythons[:_TRIED]:
            command = ["-c", _PROBE, self.release.project]
            ran = engine.run(self.image.id, command, entrypoint=python, timeout=_TIMEOUT)
            found = re.search(r"^unmoor:(.*)$", ran.out, re.MULTILINE)
            if found is not None and found[1].strip() != self.release.version:
                raise self._unproven(
                    f"{clean(found[1], 60)} of {self.release.project} is installed, not {self.release.version}"
                )
            if found is not None:
                return self._passed("version", f"{self.release.version}, says {python}")
            if ran.code not in {_ABSENT, *_UNUSABLE}:
                raise self._unproven(f"{python} cannot say which version is installed{_said(ran)}")
        raise self._unproven(f"{self.release.project} is installed for none of {', '.join(pythons[:_TRIED])}")


def _pythons(members: Iterable[Member], facts: ImageFacts) -> tuple[str, ...]:
    """Every Python in an image, those on PATH first, in its order; one that a later layer removed is none."""
    held: dict[str, int] = {}
    removed: dict[str, int] = {}
    for member in members:
        path = PurePosixPath("/", member.path)
        if path.name.startswith(_REMOVED):
            # A folder that hides what layers below it had in it is marked in itself.
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
    # Folders such as /bin are links to others, as a rule.
    return tuple(dict.fromkeys([*(each for each in first if each in there), *there]))


def _said(ran: Ran) -> str:
    """The last lines that a command printed."""
    lines = [indented(line, 200) for line in f"{ran.out}\n{ran.err}".splitlines() if line.strip()]
    return "".join(f"\n{line}" for line in lines[-_LAST:])

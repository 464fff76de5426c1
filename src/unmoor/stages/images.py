"""The stage ``images``: build every target on every platform once, from a clone of the commit and the built wheels."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.artifacts.belief import HOW_TO_VOUCH
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings
from unmoor.core.stage import Build, Output, StageContext, without_none
from unmoor.errors import BuildFailed, ConfigError, Conflict, Refused, ToolMissing, Unknown
from unmoor.filesystem.temporary import temporary_folder
from unmoor.images import build_context, image_names, image_record, legs
from unmoor.images.build_context import BuildContext
from unmoor.images.dockerfile import Dockerfile
from unmoor.images.image_record import ImageRecord, wheel_subjects
from unmoor.images.image_sources import ImageBuild, ImageSources
from unmoor.ports.engine import Engine, Recipe
from unmoor.ports.git import Git
from unmoor.ports.registry import Registry
from unmoor.ports.services import Services
from unmoor.products import Access, Dists, Image, Images, Release
from unmoor.release_request import ReleaseRequest
from unmoor.util.secret import Secret
from unmoor.util.secret_scan import is_secret_name, token_in
from unmoor.util.text import clean, list_some

_MAX_PARALLEL = 2
_STEP = re.compile(r"#[0-9]+ \[(?!internal|auth)[^\]]*\] (?!.* sha256:)")


@dataclass(frozen=True, kw_only=True)
class BuildImages(Build[Images]):
    """Builds every target on every platform; or takes the images that an earlier run built.

    ``platforms`` limits the build to these; empty means all. ``environ`` holds the values of build
    secrets, ``site`` is the base URL of the forge. If the engine lacks an image that an earlier run
    built, ``registries`` are searched. ``keep``: also save the images in the run folder. ``archives``
    hold images that other machines built. Local image names start with ``local_prefix``.
    """

    runs_project_code: ClassVar[bool] = True

    name: str = "images"
    release: Output[Release]
    dists: Output[Dists]
    git: Git
    engine: Engine
    folder: RunFolder
    settings: tuple[ImageSettings, ...]
    repository: str
    platforms: tuple[str, ...] = ()
    environ: Mapping[str, Secret] = field(default_factory=dict)
    registries: tuple[Registry, ...] = ()
    site: str = "https://github.com"
    keep: bool = False
    archives: tuple[Path, ...] = ()
    local_prefix: str = image_names.LOCAL

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        dists: Output[Dists],
        access: Output[Access] | None = None,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            git=services.git,
            engine=services.engine,
            folder=request.folder,
            settings=request.images,
            repository=request.repository,
            platforms=request.platforms,
            keep=request.keep_images,
            local_prefix=request.local_prefix,
            archives=legs.archives(request.legs),
            environ=request.secrets,
            registries=request.registries(services),
            site=request.site,
            after=without_none(access),
        )

    def plan(self) -> str:
        """Say what would be built."""
        what = [
            f"{name} ({', '.join(target.stage or 'the last stage' for target in image_names.targets_of(each))};"
            f" {', '.join(self._platforms(each)) or 'no platform'})"
            for each in self.settings
            for name in image_names.names_of(each, self.repository)[:1]
        ]
        return f"build from a clone of the commit, with the tested wheels in dist/: {', '.join(what)}"

    def find(self, context: StageContext) -> Images | None:
        """Return the images that earlier runs recorded, if the engine or a registry holds all of them.

        Raises `Conflict` if the engine has another image under the same name, or if the files are public, and nothing
        vouches for them, without a record of their images; `ToolMissing` if there is no engine to load the images of
        other machines; and `Unknown`.
        """
        if not context[self.dists].vouched:
            return self._find_published()
        recorded = self._read_record(context)
        if recorded is None:
            return None
        wanted = self._list_builds(context[self.release])
        held = self._find_recorded(recorded, wanted, context)
        if len(held) < len(wanted) and self.archives:
            self.engine.facts()  # without an engine, nothing can load what other machines built
        if len(held) < len(wanted) or (self.keep and not image_record.images_archive(self.folder).is_file()):
            return None
        return Images(images=tuple(held[each.local] for each in wanted))

    def make(self, context: StageContext) -> Images:
        """Build what is missing in parallel, and record all. Raises `ConfigError`, `Refused`, `BuildFailed`."""
        release, dists = context[self.release], context[self.dists]
        wanted = self._list_builds(release)
        recorded = self._read_record(context)
        images = dict(self._find_recorded(recorded, wanted, context)) if recorded else {}
        missing = tuple(each for each in wanted if each.local not in images)
        for settings in self.settings:
            _refuse_secrets(settings)
        if missing:
            self._check_engine(missing, context)
        for each in {each.dockerfile.path: each.dockerfile for each in missing}.values():
            for remark in each.findings(release.project):
                context.warn(f"{each.path}:{remark.line}: {remark.text}")
        with temporary_folder() as work:
            recipes = list(self._recipes(missing, release, dists, work, context))
            with ThreadPoolExecutor(max_workers=_MAX_PARALLEL, thread_name_prefix="image") as pool:
                built = pool.map(lambda pair: self._build(pair[0], pair[1], release, context), recipes)
                images |= {each.local: image for each, image in zip(missing, built, strict=True)}
        product = Images(images=tuple(images[each.local] for each in wanted))
        image_record.write_build_record(self.folder, release.commit, wheel_subjects(dists), product)
        if self.keep:
            self.engine.save([each.local for each in wanted], image_record.images_archive(self.folder))
        return product

    def _find_published(self) -> Images:
        """The images of a public release that nothing vouches for: nothing is built for it. Raises `Conflict`."""
        recorded = image_record.read_published(self.folder)
        if recorded is None:
            raise Conflict(
                "the public release has no record of its images, and nothing vouches for its files",
                next_step=HOW_TO_VOUCH,
            )
        return Images(images=recorded.images, vouched=False)

    def _read_record(self, context: StageContext) -> ImageRecord | None:
        """The record of an earlier build of the same commit and wheels, ``None`` if there is none.

        Raises `Conflict` if legs hold images that this release does not have: nothing would use them.
        """
        recorded = image_record.read_record(self.folder)
        if recorded is None or recorded.commit != context[self.release].commit:
            return None
        if recorded.wheels != wheel_subjects(context[self.dists]):
            return None
        own = {image_names.names_of(each, self.repository)[0] for each in self.settings}
        others = {image.name for image in recorded.images} - own
        if self.archives and others:
            raise Conflict(
                f"the legs have images named {list_some(sorted(map(clean, others)), 3)}, but those of this release are"
                f" named {list_some(sorted(own), 3)}",
                next_step=advice.PASS_OWN_LEGS(),
            )
        return recorded

    def _find_recorded(
        self, recorded: ImageRecord, wanted: tuple[ImageBuild, ...], context: StageContext
    ) -> Mapping[str, Image]:
        """The recorded images that still exist, by their local names."""
        sources = ImageSources(
            engine=self.engine,
            archives=(image_record.images_archive(self.folder), *self.archives),
            registries=self.registries,
            repository=self.repository,
        )
        return sources.held(recorded, wanted, context[self.release])

    def _platforms(self, settings: ImageSettings) -> tuple[str, ...]:
        return tuple(each for each in settings.platforms if not self.platforms or each in self.platforms)

    def _list_builds(self, release: Release) -> tuple[ImageBuild, ...]:
        """Everything to build, in the order of the settings. Raises `ConfigError` before anything is built."""
        wanted = []
        for settings in self.settings:
            name = image_names.names_of(settings, self.repository)[0]
            platforms = self._platforms(settings)
            dockerfiles = {platform: self._dockerfile(settings, release, platform) for platform in platforms}
            for target, platform in itertools.product(image_names.targets_of(settings), platforms):
                dockerfiles[platform].target_of(target.stage)
                wanted.append(
                    ImageBuild(
                        name=name,
                        settings=settings,
                        dockerfile=dockerfiles[platform],
                        target=target,
                        platform=platform,
                        local=image_names.local_name(name, release, target.suffix, platform, prefix=self.local_prefix),
                    )
                )
        if not wanted:
            raise ConfigError(
                f"no image is configured for {', '.join(self.platforms) or 'any platform'}",
                next_step=advice.NAME_A_PLATFORM(),
            )
        names = [each.local for each in wanted]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ConfigError(
                f"two images would have the name {twice.partition('/')[2]}",
                next_step=advice.NAME_IMAGES_APART(),
            )
        return tuple(wanted)

    def _dockerfile(self, settings: ImageSettings, release: Release, platform: str) -> Dockerfile:
        path = settings.dockerfile
        data = self.git.read(release.commit, path)
        if data is None:
            raise ConfigError(
                f"there is no {path} at commit {release.commit[:12]}",
                next_step=advice.COMMIT_DOCKERFILE(),
            )
        return Dockerfile.parse(data, path, args=_arguments(settings, release), platform=platform)

    def _check_engine(self, wanted: tuple[ImageBuild, ...], context: StageContext) -> None:
        """Raise `ToolMissing` if the engine cannot build for a platform."""
        facts = self.engine.facts()
        if facts.builder == "legacy":
            context.warn("there is no buildx or other BuildKit here: using the engine's legacy builder")
        else:
            context.say(f"building with {facts.builder} on engine {clean(facts.version, 40)}")
        here = {oci.plain_platform(platform) for platform in facts.platforms}
        unsupported = sorted({each.platform for each in wanted if oci.plain_platform(each.platform) not in here})
        # Only buildx reports the platforms it can build for.
        if unsupported and facts.builder == "buildx":
            raise ToolMissing(
                f"this engine cannot build for {', '.join(unsupported)}, only for {', '.join(sorted(here))}",
                next_step=advice.BUILD_PLATFORM_ELSEWHERE(),
            )

    def _recipes(
        self, wanted: tuple[ImageBuild, ...], release: Release, dists: Dists, work: Path, context: StageContext
    ) -> Iterator[tuple[ImageBuild, Recipe]]:
        """Yield each build with its recipe. Builds with the same wheels share one build context."""
        made: dict[tuple[object, ...], BuildContext] = {}
        for each in wanted:
            wheels = build_context.wheels_for(dists, each.platform)
            history = bool(each.dockerfile.findings(release.project))
            key = (each.dockerfile.path, history, wheels)
            if key not in made:
                tree = self.git.clone(work / str(len(made)), commit=release.commit, tag=release.tag)
                made[key] = build_context.prepare(tree, wheels, each.dockerfile, release=release, history=history)
                for warning in made[key].warnings:
                    context.warn(warning)
                if not wheels:
                    context.warn(f"no wheel of this release can be installed on {each.platform}: dist/ is empty")
            build_context.context_size(made[key], each.dockerfile, each.settings.context_limit)
            wheel = {"WHEEL": wheels[0].name} if len(wheels) == 1 else {}
            yield (
                each,
                Recipe(
                    context=made[key].folder,
                    dockerfile=each.dockerfile.path,
                    target=each.dockerfile.target_of(each.target.stage),
                    platform=each.platform,
                    tag=each.local,
                    args=_arguments(each.settings, release) | wheel,
                    labels=image_names.labels_of(
                        *(release, dists, each.settings.labels),
                        site=self.site,
                        base=each.dockerfile.base_of(each.target.stage),
                    ),
                    secrets=self._secrets(each.settings),
                    cache_from=each.settings.cache_from,
                    cache_to=each.settings.cache_to,
                ),
            )

    def _secrets(self, settings: ImageSettings) -> dict[str, Secret]:
        missing = [name for name in settings.secrets if not self.environ.get(name)]
        if missing:
            raise ConfigError(
                f"the build needs the secret {', '.join(missing)}, but no environment variable of that name is set",
                next_step=advice.SET_SECRETS(variables=" and ".join(missing)),
            )
        return {name: self.environ[name] for name in settings.secrets}

    def _build(self, wanted: ImageBuild, recipe: Recipe, release: Release, context: StageContext) -> Image:
        """Build one image and check its labels."""
        context.say(f"building {wanted}")

        def hear(line: str) -> None:
            # Report only the steps; the error of a failed build has their output.
            if _STEP.match(line):
                context.say(f"{wanted}: {clean(line.partition(' ')[2])}")

        try:
            built = self.engine.build(recipe, hear=hear)
        except BuildFailed as error:
            raise error.below(release.path) from error
        facts = self.engine.inspect(built)
        if facts.labels.get(image_names.REVISION) != release.commit:
            raise Unknown(f"{wanted} was built without the requested labels", next_step=advice.CHECK_THE_BUILDER())
        return Image(
            name=wanted.name, target=wanted.target.stage, platform=wanted.platform, id=facts.id, size=facts.size
        )


def _arguments(settings: ImageSettings, release: Release) -> dict[str, str]:
    """The build arguments that do not depend on the wheels."""
    return {**settings.args, "VERSION": release.version, "SOURCE_DATE_EPOCH": str(release.build_date)}


def _refuse_secrets(settings: ImageSettings) -> None:
    """Refuse build arguments that look like secrets: they remain readable in the image's history."""
    for name, value in settings.args.items():
        token_kind = token_in(value)
        if token_kind or is_secret_name(name):
            raise Refused(
                f"the build argument {name} {f'holds {token_kind}' if token_kind else 'looks like a secret'}:"
                " anyone who pulls the image can read its build arguments",
                next_step=advice.PASS_AS_SECRET(name=name),
            )

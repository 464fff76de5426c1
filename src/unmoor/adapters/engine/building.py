"""Build images. The docker SDK does not support BuildKit, so a program builds: buildx, or the client's own BuildKit.

Podman builds through its API. Docker's legacy builder, also through the API, is the last resort. Neither of these two
supports secrets or cache exports.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from unmoor import advice
from unmoor.adapters.engine.connection import Connection
from unmoor.adapters.engine.failures import failure
from unmoor.adapters.process.engine_places import plugin_folders
from unmoor.adapters.process.variables import tool_variables
from unmoor.artifacts.oci import is_digest
from unmoor.errors import ConfigError, ToolMissing, Unknown
from unmoor.filesystem.temporary import temporary_folder
from unmoor.images.dockerfile import Dockerfile
from unmoor.ports.engine import EngineFacts, Recipe
from unmoor.ports.shell import Shell
from unmoor.util.decode import decode_json
from unmoor.util.secret import masker

Hear = Callable[[str], None]

BUILDX, BUILDKIT, PODMAN, LEGACY = "buildx", "buildkit", "podman", "legacy"
_PROBE = 20.0
_LINES_KEPT = 2_000
_OUTPUT_LIMIT = 4_000_000
# From this version on the client's BuildKit is buildx.
_BUILDX_SINCE = 23
_VERSION = re.compile(r"(\d+)\.")
_PLATFORMS = re.compile(r"^Platforms:\s*(?P<platforms>.+)$", re.MULTILINE)
# Variables of docker's programs, and those for a GitHub Actions cache, if the build uses one.
_PASSED = ("DOCKER_", "BUILDX_", "BUILDKIT_")
_ACTIONS = ("ACTIONS_CACHE_URL", "ACTIONS_RESULTS_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_SERVICE_V2")
_SECRET = "UNMOOR_BUILD_SECRET"  # noqa: S105  # the beginning of a variable's name


class Builder(msgspec.Struct, frozen=True, kw_only=True):
    """What builds: its kind, and the beginning of its command line (empty if the engine builds)."""

    kind: str
    command: tuple[str, ...] = ()


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """Builds on one engine."""

    connection: Connection
    shell: Shell
    timeout: float

    def builder(self) -> Builder:
        """Find a builder: buildx, even if a private DOCKER_CONFIG lacks it, or else the client, or else the engine.

        Podman builds by itself: it has no BuildKit, and buildx would have to download it.
        """
        if self.connection.is_podman:
            return Builder(kind=PODMAN)
        path = self.connection.environ.get("PATH", os.defpath).split(os.pathsep)
        clients = [found for folder in path if (found := shutil.which("docker", path=folder))]
        for client in dict.fromkeys(clients):
            if self._output(client, "buildx", "version"):
                return Builder(kind=BUILDX, command=(client, "buildx", "build"))
        for plugin in self._plugins():
            if self._output(plugin, "version"):
                return Builder(kind=BUILDX, command=(plugin, "build"))
        for client in dict.fromkeys(clients):
            version = _VERSION.match(self._output(client, "version", "--format", "{{.Client.Version}}"))
            if version is not None and int(version[1]) < _BUILDX_SINCE:
                return Builder(kind=BUILDKIT, command=(client, "build"))
        return Builder(kind=LEGACY)

    def _plugins(self) -> Iterator[str]:
        """Every buildx program in the folders where clients look for plugins."""
        for folder in plugin_folders(self.connection.environ):
            found = shutil.which("docker-buildx", path=f"{folder}/cli-plugins")
            if found is not None:
                yield found

    def _output(self, *args: str) -> str:
        """The output of a program, empty if it fails."""
        ran = self.shell.run(args, cwd=Path("/"), env=self._environment(), timeout=_PROBE)
        return ran.out.strip() if ran.code == 0 else ""

    def platforms(self, builder: Builder) -> tuple[str, ...]:
        """The platforms that a builder reports."""
        if builder.kind != BUILDX:
            return ()
        match = _PLATFORMS.search(self._output(*builder.command[:-1], "inspect"))
        return tuple(each.strip(" *") for each in match["platforms"].split(",")) if match else ()

    def build(self, recipe: Recipe, builder: Builder, hear: Hear | None) -> str:
        """Build, and return the id that the builder reports. Raises `BuildFailed`, `ToolMissing`, `Unknown`."""
        dockerfile = _read(recipe)
        if builder.kind in {LEGACY, PODMAN}:
            return self._by_api(recipe, dockerfile, builder, hear)
        if builder.kind == BUILDKIT and recipe.cache_to:
            raise ToolMissing("cannot export a build cache without buildx", next_step=advice.INSTALL_BUILDX())
        lines: list[str] = []
        with temporary_folder() as answers:
            args = [*builder.command, *_options(recipe, builder, answers), "--", str(recipe.context)]
            ran = self.shell.run(
                args,
                cwd=recipe.context,
                env=self._environment(recipe, builder),
                timeout=self.timeout,
                limit=_OUTPUT_LIMIT,
                hear=_Listener(lines, recipe, hear),
            )
            if ran.code != 0:
                raise failure(lines, dockerfile, recipe.target or dockerfile.path)
            return _image_id(answers)

    def _environment(self, recipe: Recipe | None = None, builder: Builder | None = None) -> dict[str, str]:
        """The environment of the builder: what it needs to find engine and registries, and the build's secrets."""
        environ = self.connection.environ
        passed = {name: value for name, value in environ.items() if name.startswith(_PASSED)}
        env = tool_variables(environ, logins=True) | passed
        if self.connection.found:
            env["DOCKER_HOST"] = self.connection.address
        if recipe is None:
            return env
        env |= {f"{_SECRET}_{number}": value.reveal() for number, value in enumerate(recipe.secrets.values())}
        if "SOURCE_DATE_EPOCH" in recipe.args:
            env["SOURCE_DATE_EPOCH"] = recipe.args["SOURCE_DATE_EPOCH"]
        if any("type=gha" in cache for cache in (*recipe.cache_from, *recipe.cache_to)):
            env |= {name: environ[name] for name in _ACTIONS if name in environ}
        if builder is not None and builder.kind == BUILDKIT:
            env["DOCKER_BUILDKIT"] = "1"
        return env

    def _by_api(self, recipe: Recipe, dockerfile: Dockerfile, builder: Builder, hear: Hear | None) -> str:
        """Build through the engine's API: podman, or Docker's legacy builder."""
        if recipe.secrets or recipe.cache_to:
            raise ToolMissing(
                f"the {builder.kind} builder supports neither secrets nor cache exports through Docker's API",
                next_step=advice.USE_BUILDX(),
            )
        lines: list[str] = []
        listener = _Listener(lines, recipe, hear)

        def stream(api: Any) -> Iterator[dict[str, Any]]:
            yield from api.build(
                path=str(recipe.context),
                dockerfile=recipe.dockerfile,
                tag=recipe.tag,
                buildargs=dict(recipe.args),
                labels=dict(recipe.labels),
                target=recipe.target,
                platform=recipe.platform,
                cache_from=list(recipe.cache_from) or None,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=int(self.timeout),
            )

        built, reason = "", ""
        for line in self.connection.follow(stream, what="the build", timeout=self.timeout):
            for text in str(line.get("stream", "")).splitlines():
                listener(text)
            reason = str(line.get("error", reason))
            built = str((line.get("aux") or {}).get("ID", built))
        if reason or not is_digest(built):
            raise failure(lines, dockerfile, recipe.target or dockerfile.path, reason)
        return built


class _Listener:
    """Keeps the last lines of a builder and passes each on, with the build's secrets masked."""

    def __init__(self, lines: list[str], recipe: Recipe, hear: Hear | None) -> None:
        self._lines = lines
        self._hear = hear
        self._mask = masker(recipe.secrets.values())

    def __call__(self, line: str) -> None:
        line = self._mask(line)
        self._lines.append(line)
        del self._lines[:-_LINES_KEPT]
        if self._hear is not None:
            self._hear(line)


def _read(recipe: Recipe) -> Dockerfile:
    try:
        data = (recipe.context / recipe.dockerfile).read_bytes()
        return Dockerfile.parse(data, recipe.dockerfile, args=recipe.args, platform=recipe.platform)
    except FileNotFoundError:
        raise ConfigError(f"there is no {recipe.dockerfile}", next_step=advice.COMMIT_DOCKERFILE()) from None


def _options(recipe: Recipe, builder: Builder, answers: Path) -> Iterator[str]:
    """The options of a build, without the values of secrets."""
    yield from ("--progress=plain", f"--file={recipe.context / recipe.dockerfile}", f"--tag={recipe.tag}")
    yield from (f"--platform={recipe.platform}", f"--iidfile={answers / 'id'}")
    if recipe.target:
        yield f"--target={recipe.target}"
    if builder.kind == BUILDX:
        # An attestation would turn one image into an index.
        yield from ("--load", "--provenance=false", "--sbom=false", f"--metadata-file={answers / 'metadata'}")
    for option, pairs in (("--build-arg", recipe.args), ("--label", recipe.labels)):
        yield from (f"{option}={name}={value}" for name, value in pairs.items())
    yield from (f"--secret=id={name},env={_SECRET}_{number}" for number, name in enumerate(recipe.secrets))
    yield from (f"--cache-from={cache}" for cache in recipe.cache_from)
    yield from (f"--cache-to={cache}" for cache in recipe.cache_to)


def _image_id(answers: Path) -> str:
    """Read the id. Raises `Unknown` if the builder wrote none."""
    for name, key in (("metadata", "containerimage.config.digest"), ("id", "")):
        try:
            text = (answers / name).read_text(encoding="utf-8")
            found = str(decode_json(text, dict[str, Any]).get(key, "")) if key else text.strip()
        except (OSError, ValueError):
            continue
        if is_digest(found):
            return found
    raise Unknown("the builder does not report which image it built", next_step=advice.CHECK_THE_BUILDER())


def facts(connection: Connection, building: Building, builder: Builder) -> EngineFacts:
    """Describe the engine. Raises `ToolMissing` if there is none."""
    version: Mapping[str, Any] = connection.read(lambda api: api.version(), what="the engine's version")
    own = f"{version.get('Os', 'linux')}/{version.get('Arch', 'amd64')}"
    platforms: Sequence[str] = building.platforms(builder)
    return EngineFacts(version=str(version["Version"]), builder=builder.kind, platforms=tuple(platforms) or (own,))

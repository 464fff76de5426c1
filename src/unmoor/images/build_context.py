"""The build context: a clone of the commit with the tested wheels in ``dist/``, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from unmoor import advice
from unmoor.dists.inspect import parse_filename
from unmoor.errors import ConfigError
from unmoor.filesystem.files import set_plain_mode
from unmoor.images.dockerfile import Dockerfile
from unmoor.products import Dists, File, Release
from unmoor.util.text import clean

DIST = "dist"
_NAMED = 5
_MEGA = 1_000_000
# Image architectures to the names that wheel tags use.
_ARCHITECTURES = {
    "amd64": "x86_64",
    "386": "i686",
    "arm64": "aarch64",
    "arm/v7": "armv7l",
    "arm/v6": "armv6l",
}


class BuildContext(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that is ready for a build, and warnings about it."""

    folder: Path
    warnings: tuple[str, ...]


def wheels_for(dists: Dists, platform: str) -> tuple[File, ...]:
    """Return the wheels that can be installed on a platform: pure ones, and those whose tags name it."""
    system, _, architecture = platform.partition("/")
    ends = _ARCHITECTURES.get(architecture, _ARCHITECTURES.get(architecture.partition("/")[0], architecture))

    def fits(tag: str) -> bool:
        return tag == "any" or (system in tag and tag.endswith(f"_{ends}"))

    return tuple(wheel for wheel in dists.wheels if any(fits(tag.platform) for tag in parse_filename(wheel.name).tags))


def prepare(
    folder: Path, wheels: Sequence[File], dockerfile: Dockerfile, *, release: Release, history: bool
) -> BuildContext:
    """Turn a fresh clone into a build context: put the wheels in ``dist/``, reset modes and times to the commit's.

    ``history`` keeps ``.git``. If an ignore file hides ``dist/``, the context overrides it and a warning says
    so. The folder is renamed to `_name`.
    """
    if not history:
        shutil.rmtree(folder / ".git", ignore_errors=True)
    dist = folder / DIST
    if dist.is_dir() and not dist.is_symlink():
        shutil.rmtree(dist)
    else:
        dist.unlink(missing_ok=True)
    dist.mkdir()
    for wheel in wheels:
        shutil.copyfile(wheel.path, dist / wheel.name)
    warnings = _unhide_dist(folder, dockerfile)
    _normalize(folder, release.build_date)
    named = folder.with_name(_name(wheels, dockerfile, release, history=history))
    return BuildContext(folder=folder.rename(named), warnings=warnings)


def _name(wheels: Sequence[File], dockerfile: Dockerfile, release: Release, *, history: bool) -> str:
    """Name the folder by its content: the same content always gets the same name, other content another.

    BuildKit reuses the bytes of an earlier file if a folder of the same name held it with the same size and
    time. All times here are the commit's, so the name must differ.
    """
    content = [release.repository, release.project, release.tag, release.commit, dockerfile.path, str(history)]
    content += [f"{wheel.name} {wheel.sha256}" for wheel in wheels]
    return sha256("\n".join(content).encode()).hexdigest()[:16]


def _unhide_dist(folder: Path, dockerfile: Dockerfile) -> tuple[str, ...]:
    """Make sure that no ignore file hides ``dist/``. Return a warning if one did."""
    ignore = _ignore_file(folder, dockerfile)
    if ignore is None:
        return ()
    hidden = _matcher(ignore).matches(f"{DIST}/x.whl")
    with ignore.open("a", encoding="utf-8") as stream:
        stream.write(f"\n!{DIST}\n!{DIST}/**\n")
    if not hidden:
        return ()
    return (f"{ignore.name} hides {DIST}/, which holds the tested wheels; this build overrides that: remove the entry",)


def _ignore_file(folder: Path, dockerfile: Dockerfile) -> Path | None:
    """Return the ignore file that applies: the Dockerfile's own takes precedence over the general one.

    It will be written to, so one that a link leads to from here counts only if it is in the folder.
    """
    for each in (folder / f"{dockerfile.path}.dockerignore", folder / ".dockerignore"):
        if each.is_file() and not each.is_symlink() and each.resolve().is_relative_to(folder.resolve()):
            return each
    return None


def _matcher(ignore: Path | None) -> Any:
    """Return the docker SDK's matcher of ignored paths, which follows the engine's rules."""
    from docker.utils.build import PatternMatcher

    text = "" if ignore is None else ignore.read_text(encoding="utf-8", errors="replace")
    lines = (line.strip() for line in text.splitlines())
    return PatternMatcher([line for line in lines if line and not line.startswith("#")])


def context_size(context: BuildContext, dockerfile: Dockerfile, limit: int) -> int:
    """Return how many bytes would be sent. Raises `ConfigError` above the limit, naming the largest entries."""
    folder = context.folder
    sizes: dict[str, int] = {}
    for path in _matcher(_ignore_file(folder, dockerfile)).walk(str(folder)):
        file = folder / path
        if file.is_file() and not file.is_symlink():
            top = path.partition("/")[0]
            sizes[top] = sizes.get(top, 0) + file.stat().st_size
    total = sum(sizes.values())
    if total > limit:
        largest = sorted(sizes.items(), key=lambda each: -each[1])[:_NAMED]
        named = ", ".join(f"{clean(name, 60)} ({size / _MEGA:.1f} MB)" for name, size in largest)
        raise ConfigError(
            f"the build context has {total} bytes, but the limit is {limit}; the largest: {named}",
            where=dockerfile.path,
            next_step=advice.SHRINK_CONTEXT(),
        )
    return total


def _normalize(folder: Path, date: int) -> None:
    """Give every file the mode that git records and the commit's time, because both go into layers."""
    for at, _, names in os.walk(folder):
        for name in names:
            set_plain_mode(Path(at, name), time=date)
        set_plain_mode(Path(at), time=date)

"""The context of a build: a clone of the commit, with the tested wheels in ``dist/``, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from unmoor.dists.inspect import parse_filename
from unmoor.errors import ConfigError
from unmoor.images.dockerfile import Dockerfile
from unmoor.products import Dists, File, Release
from unmoor.util.text import clean

DIST = "dist"
_NAMED = 5
_MEGA = 1_000_000
# What the tags of wheels call the architectures of images.
_ARCHITECTURES = {
    "amd64": "x86_64",
    "386": "i686",
    "arm64": "aarch64",
    "arm/v7": "armv7l",
    "arm/v6": "armv6l",
}


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """A folder that is ready to be built in, and what the user should know about it."""

    folder: Path
    warnings: tuple[str, ...]


def wheels_for(dists: Dists, platform: str) -> tuple[File, ...]:
    """The wheels that may be installed on a platform: pure ones, and those whose tags name it."""
    system, _, architecture = platform.partition("/")
    ends = _ARCHITECTURES.get(architecture, _ARCHITECTURES.get(architecture.partition("/")[0], architecture))

    def fits(tag: str) -> bool:
        return tag == "any" or (system in tag and tag.endswith(f"_{ends}"))

    return tuple(wheel for wheel in dists.wheels if any(fits(tag.platform) for tag in parse_filename(wheel.name).tags))


def prepare(
    folder: Path, wheels: Sequence[File], dockerfile: Dockerfile, *, release: Release, history: bool
) -> BuildContext:
    """Make a fresh clone a context: ``dist/`` holds these wheels, modes and times are the commit's.

    ``history`` keeps ``.git``. What hides ``dist/`` is told, and undone in the context. The folder gets
    a name of its own, `_name`.
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
    warnings = _shown(folder, dockerfile)
    _set(folder, release.date)
    named = folder.with_name(_name(wheels, dockerfile, release, history=history))
    return BuildContext(folder=folder.rename(named), warnings=warnings)


def _name(wheels: Sequence[File], dockerfile: Dockerfile, release: Release, *, history: bool) -> str:
    """The same for the same content, never for other content.

    BuildKit takes a file for one that it got before, and builds with that one's bytes, where a folder of
    the same name held it with the same size and time; and times here are the commit's.
    """
    told = [release.repository, release.project, release.tag, release.commit, dockerfile.path, str(history)]
    told += [f"{wheel.name} {wheel.sha256}" for wheel in wheels]
    return sha256("\n".join(told).encode()).hexdigest()[:16]


def _shown(folder: Path, dockerfile: Dockerfile) -> tuple[str, ...]:
    """See that no ignore file hides ``dist/``."""
    ignore = _ignore_file(folder, dockerfile)
    if ignore is None:
        return ()
    hidden = _matcher(ignore).matches(f"{DIST}/x.whl")
    with ignore.open("a", encoding="utf-8") as stream:
        stream.write(f"\n!{DIST}\n!{DIST}/**\n")
    if not hidden:
        return ()
    return (f"{ignore.name} hides {DIST}/, where the tested wheels lie; it is shown to this build: take it out there",)


def _ignore_file(folder: Path, dockerfile: Dockerfile) -> Path | None:
    """The ignore file that counts: the Dockerfile's own comes before the general one."""
    candidates = (folder / f"{dockerfile.path}.dockerignore", folder / ".dockerignore")
    return next((each for each in candidates if each.is_file() and not each.is_symlink()), None)


def _matcher(ignore: Path | None) -> Any:
    """What tells hidden paths from others: the docker SDK's own, which has the engine's rules."""
    from docker.utils.build import PatternMatcher

    text = "" if ignore is None else ignore.read_text(encoding="utf-8", errors="replace")
    lines = (line.strip() for line in text.splitlines())
    return PatternMatcher([line for line in lines if line and not line.startswith("#")])


def context_size(context: BuildContext, dockerfile: Dockerfile, limit: int) -> int:
    """The bytes that would be sent. Raises `ConfigError` above the limit, naming the largest entries."""
    folder = context.folder
    sizes: dict[str, int] = {}
    for path in _matcher(_ignore_file(folder, dockerfile)).walk(str(folder)):
        place = folder / path
        if place.is_file() and not place.is_symlink():
            top = path.partition("/")[0]
            sizes[top] = sizes.get(top, 0) + place.stat().st_size
    total = sum(sizes.values())
    if total > limit:
        largest = sorted(sizes.items(), key=lambda each: -each[1])[:_NAMED]
        named = ", ".join(f"{clean(name, 60)} ({size / _MEGA:.1f} MB)" for name, size in largest)
        raise ConfigError(
            f"the build context has {total} bytes, and {limit} is the most it may have; the largest: {named}",
            where=dockerfile.path,
            next_step="leave out in .dockerignore what the build does not need, or raise context-limit",
        )
    return total


def _set(folder: Path, date: int) -> None:
    """Give everything the modes that git records and the commit's time: all of it goes into layers."""
    for at, _, names in os.walk(folder):
        for name in names:
            path = Path(at, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            os.utime(path, (date, date), follow_symlinks=False)
        Path(at).chmod(0o755)
        os.utime(at, (date, date))

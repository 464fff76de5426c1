"""Resolve dependencies with uv, which the tests of the files install with too, and read the metadata of each.

uv writes a lock file (``pylock.toml``, PEP 751), which `packaging.pylock` reads. pip's ``install --report`` has the
metadata as well, but another configuration than uv, and takes 5 to 20 times as long. Metadata is not in a lock file:
it comes from the index (PEP 658), else from the wheel if that is small or on this machine.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.http.retry_after import is_busy
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.http.urls import origin, without_query
from unmoor.adapters.uv import Uv, last_lines
from unmoor.adapters.uv_failures import place_of
from unmoor.dists import inspect
from unmoor.errors import Cause, CheckFailed, InvalidDist, Unknown, UnmoorError
from unmoor.filesystem.files import is_safe_name, sha256_of
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.failure import failure
from unmoor.ports.resolver import InstallTarget, ResolvedPackage
from unmoor.ports.world import Login
from unmoor.util.concurrency import run_parallel
from unmoor.util.decode import decode_toml
from unmoor.util.text import clean
from unmoor.util.values import replace

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel

# A connection costs more than a request: 20 ms to read the certificates of all authorities.
_SIDE_BY_SIDE = 4
# A wheel of at most so many bytes is downloaded if the index does not serve its metadata apart.
_SMALL = 1_000_000
# The names of platforms for uv, by the platform tags of wheels.
_PLATFORMS = (
    (r"(?:manylinux|linux_).*_?x86_64", "x86_64-unknown-linux-gnu"),
    (r"(?:manylinux|linux_).*_?aarch64", "aarch64-unknown-linux-gnu"),
    (r"(?:manylinux|linux_).*_?riscv64", "riscv64-unknown-linux"),
    (r"musllinux.*_x86_64", "x86_64-unknown-linux-musl"),
    (r"musllinux.*_aarch64", "aarch64-unknown-linux-musl"),
    (r"macosx.*_(?:arm64|universal2)", "aarch64-apple-darwin"),
    (r"macosx.*_(?:x86_64|intel)", "x86_64-apple-darwin"),
    (r"win_amd64", "x86_64-pc-windows-msvc"),
    (r"win_arm64", "aarch64-pc-windows-msvc"),
    (r"win32", "i686-pc-windows-msvc"),
)


@dataclass(frozen=True, kw_only=True)
class UvResolver:
    """Resolves with the settings of ``uv``; see `unmoor.ports.resolver.Resolver`. Reads each metadata once."""

    uv: Uv
    http: BoundedSession
    builds: bool = True
    _read: dict[str, bytes | None] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def under(self, constraints: Sequence[str], *, builds: bool = True) -> UvResolver:
        """The same with build constraints, and without builds if asked."""
        return replace(self, uv=self.uv.under(constraints), builds=builds)

    def resolve(self, wheel: Path, *, name: str, extra: str, target: InstallTarget) -> tuple[ResolvedPackage, ...]:
        """Resolve a wheel with an extra; see `unmoor.ports.resolver.Resolver`."""
        wanted = f"{name}[{extra}]" if extra else name
        with temporary_folder() as folder:
            text = self._compile(f"{wanted} @ {wheel.absolute().as_uri()}\n", wanted, folder, target)
            files = dict(_chosen(text, canonicalize_name(name), target, folder))
            self._read_metadata(tuple(files.values()))
        return tuple(
            replace(package, metadata=self._read.get(package.sha256)) for package in sorted(files, key=lambda p: p.name)
        )

    def _compile(self, requirement: str, wanted: str, folder: Path, target: InstallTarget) -> str:
        """Return the lock file. Raises as `resolve` does."""
        source, lock = folder / "requirements.in", folder / "pylock.toml"
        source.write_text(requirement, "utf-8")
        args = ["pip", "compile", "--quiet", "--no-header", "--format=pylock.toml", f"--output-file={lock}"]
        args += ["--python", target.python.path, *([] if self.builds else ["--no-build"])]
        if target.version:
            args.append(f"--python-version={target.version}")
        if target.platform:
            args.append(f"--python-platform={_platform(target.platform)}")
        if self.uv.constraints:
            limits = folder / "build-constraints.txt"
            limits.write_text("".join(f"{each}\n" for each in self.uv.constraints), "utf-8")
            args.append(f"--build-constraints={limits}")
        variables = self.uv.variables(folder / "home")
        ran = self.uv.attempt(args, [str(source)], what=f"could not resolve {wanted}", cwd=folder, variables=variables)
        if ran.code:
            raise CheckFailed(
                f"no versions of the dependencies of {wanted} fit together:\n{last_lines(ran)}",
                next_step=advice.CORRECT_DEPENDENCIES(),
            )
        return lock.read_text("utf-8")

    def _read_metadata(self, places: Sequence[_Place]) -> None:
        """Read the metadata that has not been read yet. What an index does not serve stays unknown."""
        with self._lock:
            missing = {place.sha256: place for place in places if place.sha256 not in self._read}
            if not missing:
                return
            logins = tuple(place_of(name, address) for name, address in self.uv.indexes().items())
            found: dict[str, bytes | None] = {}

            def read(place: _Place) -> None:
                login = next((each.login for each in logins if _same_origin(each.simple, place.url)), None)
                found[place.sha256] = place.metadata(self.http, login)

            if failures := run_parallel(missing.values(), read, width=_SIDE_BY_SIDE):
                raise failures[0]
            self._read.update(found)


@dataclass(frozen=True)
class _Place:
    """Where the file of a package is: an address, or a path on this machine."""

    sha256: str
    file: str = ""
    url: str = ""
    size: int | None = None
    path: Path | None = None

    def metadata(self, http: BoundedSession, login: Login | None) -> bytes | None:
        """Its METADATA, ``None`` if only a large download would give it. Raises `Unknown` without an answer."""
        if not self.file.endswith(".whl"):
            return None
        if self.path is not None:
            return _of_wheel(self.path)
        login = login if login and login.username else None
        answer = http.get(f"{self.url}.metadata", login=login, limit=inspect.MEMBER_LIMIT)
        if answer.status == HTTPStatus.OK:
            return answer.body
        if is_busy(answer.status, None) or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise failure(Cause.LOST, f"the server answered {answer.status}", where=without_query(answer.url))
        if not (self.sha256 and is_safe_name(self.file) and self._is_small(http, login)):
            return None
        with temporary_folder() as folder:
            return _of_wheel(http.download(self.url, folder, self.file, sha256=self.sha256, login=login).path)

    def _is_small(self, http: BoundedSession, login: Login | None) -> bool:
        """Whether the file is small. An index without sizes has a server that knows them."""
        size = self.size
        if size is None:
            said = http.send("HEAD", self.url, login=login).headers.get("Content-Length", "")
            size = int(said) if said.isascii() and said.isdigit() else None
        return size is not None and size <= _SMALL


def _of_wheel(path: Path) -> bytes | None:
    """METADATA of a wheel here, ``None`` if it cannot be read."""
    try:
        return inspect.read_dist_info(path, "METADATA")
    except (InvalidDist, OSError):
        return None


def _platform(tag: str) -> str:
    """The name that uv has for the platform of a wheel. Raises `Unknown` for one that it cannot resolve for."""
    for pattern, name in _PLATFORMS:
        if re.fullmatch(pattern, tag):
            return name
    raise Unknown(
        f"uv cannot resolve for the platform {clean(tag)}", next_step=advice.ALLOW_MISSING_SBOMS(), retryable=False
    )


def _chosen(text: str, project: str, target: InstallTarget, folder: Path) -> Iterator[tuple[ResolvedPackage, _Place]]:
    """Yield each package of a lock file but the project, and where the file is that an installer would take.

    Raises `Unknown` for text that is no such lock file.
    """
    from packaging.pylock import Pylock, PylockValidationError

    try:
        packages = Pylock.from_dict(decode_toml(text)).packages
        for package in packages:
            if package.name != project:
                place = _place(package, target, folder)
                version = str(package.version or "")
                yield (
                    ResolvedPackage(name=package.name, version=version, file=place.file, sha256=place.sha256),
                    place,
                )
    except (ValueError, PylockValidationError) as error:
        raise failure(
            Cause.NONSENSE, f"the lock file that uv wrote cannot be read: {clean(str(error), 200)}"
        ) from error


def _place(package: Package, target: InstallTarget, folder: Path) -> _Place:
    """The best wheel for the target, else the sdist, else the archive. uv lists only wheels that fit the target."""
    wheels = {wheel.filename: wheel for wheel in package.wheels or ()}
    if wheels:
        tags = {name: parse_wheel_filename(name)[-1] for name in wheels}
        ranked = {tag: rank for rank, tag in enumerate(_by_preference(target, frozenset().union(*tags.values())))}
        last = len(ranked)
        name = min(wheels, key=lambda each: (min(ranked.get(tag, last) for tag in tags[each]), each))
        return _at(name, wheels[name], folder)
    if package.sdist is not None:
        return _at(package.sdist.filename, package.sdist, folder)
    if package.archive is not None:
        where = package.archive.url or package.archive.path or ""
        return _at(unquote(urlsplit(where).path).rpartition("/")[2], package.archive, folder)
    return _Place("")


def _at(name: str, source: PackageWheel | PackageSdist | PackageArchive, folder: Path) -> _Place:
    """A place, whose sha256 is computed if the file is here and the lock file has none."""
    url, path, sha256 = source.url or "", source.path or "", source.hashes.get("sha256", "")
    local = folder / path if path else Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    if local is not None:
        return _Place(sha256 or (sha256_of(local) if local.is_file() else ""), name, path=local)
    return _Place(sha256, name, url=url, size=source.size)


def _by_preference(target: InstallTarget, tags: frozenset[Tag]) -> Iterator[Tag]:
    """The tags that fit a target, the best first. All platforms that are named fit: uv has left out the others."""
    platforms = sorted({tag.platform for tag in tags} - {"any"}, key=_natural, reverse=True)
    release = Version(target.version or target.python.version).release[:2]
    interpreter = "cp" + "".join(map(str, release))
    abis = [f"{interpreter}t"] if target.python.free_threaded and not target.version else None
    yield from cpython_tags(release, abis=abis, platforms=platforms)
    yield from compatible_tags(release, interpreter=interpreter, platforms=platforms)


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts numbers in a text by their value."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text))


def _same_origin(one: str, other: str) -> bool:
    try:
        return bool(other) and origin(one) == origin(other)
    except UnmoorError:
        return False

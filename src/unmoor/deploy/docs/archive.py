"""Pack built pages into one file that is the same for the same pages, and read it again.

The archive has one folder, named like itself, with plain files only: no links, no times, no owners. It is the asset
``NAME-VERSION-docs.tar.gz`` of a release, so any machine can put exactly these pages online later.
"""

from __future__ import annotations

import gzip
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from unmoor import advice
from unmoor.deploy.docs.objects import MOST_PARTS, object_id, site_tree
from unmoor.errors import BuildFailed, ToolMissing, Unknown
from unmoor.filesystem.files import atomic_writer
from unmoor.filesystem.safe_folder import open_regular
from unmoor.util.text import clean, size

SUFFIX: Final = "-docs.tar.gz"
"""The end of the name of the archive."""
MOST_BYTES: Final = 1_000_000_000
"""What GitHub Pages publishes at most, in bytes of all files."""
LARGEST_FILE: Final = 100_000_000
"""GitHub refuses a push with a larger file."""
LARGEST_ARCHIVE: Final = 2_000_000_000
"""GitHub accepts smaller assets only."""
MOST_FILES: Final = 100_000
_LEVEL: Final = 6
_LONGEST_PART: Final = 255
# What `Sphinx` and `MkDocs` leave for their own next build. It differs each time, and no reader needs it.
_LEFTOVERS: Final = frozenset({".buildinfo", ".buildinfo.bak", ".doctrees"})


def archive_name(project: str, version: str) -> str:
    """The name of the archive, with the name of the project as files of an index have it (PEP 625).

    >>> archive_name("Demo.Pkg", "1.2")
    'demo_pkg-1.2-docs.tar.gz'
    """
    from packaging.utils import canonicalize_name

    return f"{canonicalize_name(project).replace('-', '_')}-{version}{SUFFIX}"


def page_fault(path: str) -> str:
    """Why no file of this path, with slashes, may be on a branch of pages or be unpacked; empty if it may.

    >>> page_fault("a/index.html"), page_fault("../x"), page_fault("a/.GIT/config")
    ('', 'has a part that is not a plain name', 'has a part that git keeps for itself')
    """
    parts = path.split("/")
    if len(parts) > MOST_PARTS:
        return f"is more than {MOST_PARTS} folders deep"
    for part in parts:
        if part in {"", ".", ".."} or "\\" in part or not part.isprintable():
            return "has a part that is not a plain name"
        if len(part.encode(errors="surrogateescape")) > _LONGEST_PART:
            return f"has a part of more than {_LONGEST_PART} bytes"
        if part.casefold().rstrip(". ").partition(":")[0] in {".git", "git~1"}:
            return "has a part that git keeps for itself"
    return ""


def pages_of(folder: Path) -> dict[str, Path]:
    """The files of built pages by their path in the site, without what builders leave for themselves.

    Raises `BuildFailed` for links and other things that are no files, for names that cannot be published, for too many
    or too large files, and if there is no ``index.html`` at the top.
    """
    found: dict[str, Path] = {}
    total = 0
    for path, kind in _walk(folder, ""):
        if kind or (kind := page_fault(path)):
            raise _unfit(f"{clean(path)} {kind}")
        length = (folder / path).stat().st_size
        total += length
        found[path] = folder / path
        if length >= LARGEST_FILE:
            raise _unfit(f"{clean(path)} has {size(length)}, and GitHub accepts files below {size(LARGEST_FILE)}")
        if len(found) > MOST_FILES or total > MOST_BYTES:
            raise _unfit(f"they have more than {MOST_FILES} files or {size(MOST_BYTES)}")
    if "index.html" not in found:
        raise _unfit("there is no index.html at the top")
    return dict(sorted(found.items()))


def _walk(folder: Path, below: str) -> Iterator[tuple[str, str]]:
    """Every file below a folder, and a text for what is no plain file."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            path = f"{below}{entry.name}"
            if entry.name in _LEFTOVERS:
                continue
            if entry.is_symlink():
                yield path, "is a symbolic link"
            elif entry.is_dir(follow_symlinks=False):
                if path.count("/") < MOST_PARTS:
                    yield from _walk(folder / entry.name, f"{path}/")
                else:
                    yield path, page_fault(path) or "is too deep"
            elif entry.is_file(follow_symlinks=False):
                yield path, ""
            else:
                yield path, "is no plain file"


def _unfit(what: str) -> BuildFailed:
    return BuildFailed(f"the built pages cannot be published: {what}", next_step=advice.CORRECT_DOCS())


def pack(pages: dict[str, Path], target: Path, date: int) -> None:
    """Write pages into an archive, atomically. The same pages and date (seconds since 1970) give the same bytes."""
    top = target.name.removesuffix(".tar.gz")
    with (
        atomic_writer(target) as stream,
        gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=stream, mtime=date) as packing,
        tarfile.open(fileobj=packing, mode="w:", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, file in sorted(pages.items()):
            with open_regular(file) as content:
                info = tarfile.TarInfo(f"{top}/{path}")
                info.size, info.mtime, info.mode = os.fstat(content.fileno()).st_size, date, 0o644
                archive.addfile(info, content)
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep every member in memory


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[tuple[str, int, IO[bytes]]]]:
    """Yield every file of an archive: its path in the site, its size and its content. Raises `Unknown`."""
    try:
        with open_regular(archive) as stream, tarfile.open(fileobj=stream, mode="r|gz") as packed:
            yield _members(packed, archive)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise
        raise _broken(archive, clean(str(error)) or "it is cut off") from error


def _members(packed: tarfile.TarFile, archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    top = archive.name.removesuffix(".tar.gz")
    total = count = 0
    names: set[str] = set()
    for member in packed:
        packed.members.clear()  # type: ignore[attr-defined]  # see above
        folder, _, path = member.name.partition("/")
        total, count = total + member.size, count + 1
        content = packed.extractfile(member) if member.isreg() else None
        if content is None or folder != top or page_fault(path) or path in names:
            raise _broken(archive, f"{clean(member.name)} does not belong there")
        if total > MOST_BYTES or count > MOST_FILES:
            raise _broken(archive, f"it has more than {MOST_FILES} files or {size(MOST_BYTES)}")
        names.add(path)
        yield path, member.size, content


def _broken(archive: Path, why: str) -> Unknown:
    return Unknown(
        f"this is no archive of pages that this version can read: {why}",
        where=str(archive),
        next_step=advice.USE_VERSION_THAT_WROTE_IT(),
        retryable=False,
    )


def tree_of(archive: Path, *, like: str = "") -> tuple[str, int]:
    """The id of the tree that these pages have in git, and their number. Unpacks nothing. Raises `Unknown`.

    ``like`` is an id of the repository, which says how it names objects.
    """
    with _opened(archive) as members:
        blobs = [(path, object_id("blob", content.read(), like=like)) for path, _, content in members]
    return site_tree(blobs, like=like), len(blobs)


def unpack(archive: Path, into: Path) -> int:
    """Write the pages into an empty folder, and return their number.

    Raises `Unknown`, and `ToolMissing` if names that differ in case are one file here.
    """
    count = 0
    with _opened(archive) as members:
        for path, _, content in members:
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with target.open("xb") as stream:
                    stream.write(content.read())
            except FileExistsError as error:
                raise ToolMissing(
                    f"this machine cannot hold {clean(path)} beside a page of that name in another case",
                    where=str(archive),
                    next_step=advice.RENAME_FOR_ALL_SYSTEMS(),
                ) from error
            count += 1
    return count

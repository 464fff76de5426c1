"""Open, write and remove what is below a folder ``.unmoor``, and never through a link.

Everybody who can push a commit, and every program that ran in the checkout before, decides what is there. A link
would lead reads, writes and deletions to any other place on this machine. So from ``.unmoor`` on each component
is opened relative to the descriptor of the one above, and without following links (``dir_fd``, ``O_NOFOLLOW``):
a link that is put there between two steps is refused too. How the folder above ``.unmoor`` is reached does not
matter. In a path without ``.unmoor``, the folders are followed as usual.

A file that is written in place must have one name only: a hard link would change a file elsewhere. A file that is
replaced may have several. Pipes and devices are refused before they are opened, since that could wait for ever.

Every function that takes a path raises `Refused` for such an entry, with what to remove.

Every system that unmoor runs on has ``dir_fd`` (POSIX; the lock needs ``fcntl`` as well). Programs that are given a
path, such as git and uv, follow links again: for them `refuse_links` only looks before they start. Mounts are not links
and are followed. Not libpathrs: its Python package has no wheels, and it needs Linux's ``openat2``.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.errors import Refused
from unmoor.filesystem.commands import ownership_command, remove_command
from unmoor.util.text import clean

OWN: Final = ".unmoor"
"""The name of unmoor's folder in a checkout."""
# A clone of the project has the project's own links. Only git writes there, and it is only ever removed.
_CLONES: Final = frozenset({("rehearsal", "checkout")})
_DEEPEST = 64
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_FILE = os.O_CLOEXEC | os.O_NONBLOCK
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def open_folder(path: Path, *, make: bool = False, mode: int = 0o777) -> Iterator[int]:
    """Open a folder and yield its descriptor, to be used as ``dir_fd``.

    With ``make``, missing folders are made; ``mode`` is that of the last one. Raises `FileNotFoundError` if there
    is none.
    """
    parts = path.absolute().parts
    owned = parts.index(OWN) if OWN in parts else len(parts)
    above = Path(*parts[:owned])
    if make and owned == len(parts):
        above.mkdir(mode, parents=True, exist_ok=True)
    elif make:
        above.mkdir(parents=True, exist_ok=True)
    handle = os.open(above, _FOLDER)
    try:
        for number, name in enumerate(parts[owned:], owned + 1):
            here = Path(*parts[:number])
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, mode if number == len(parts) else 0o777, dir_fd=handle)
            below = _open_below(handle, name, here)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def make_folder(path: Path, *, mode: int = 0o777) -> None:
    """Make a folder and the missing ones above it. An existing one stays as it is."""
    with open_folder(path, make=True, mode=mode):
        pass


def make_private(path: Path) -> None:
    """Make a folder that only its owner can enter, or close an existing one below ``.unmoor`` to others."""
    with open_folder(path, make=True, mode=0o700) as folder:
        if _is_owned(path) and os.fstat(folder).st_uid == os.geteuid():
            # A descriptor of O_PATH cannot be changed itself.
            handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            try:
                os.fchmod(handle, 0o700)
            finally:
                os.close(handle)


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read it. Raises `FileNotFoundError` if there is none, and outside ``.unmoor`` if it is no file."""
    owned = _is_owned(path)
    try:
        with open_folder(path.parent) as folder:
            if stat.S_ISREG(os.stat(path.name, dir_fd=folder, follow_symlinks=not owned).st_mode):
                handle = os.open(path.name, os.O_RDONLY | _FILE | (os.O_NOFOLLOW if owned else 0), dir_fd=folder)
                if stat.S_ISREG(os.fstat(handle).st_mode):
                    return os.fdopen(handle, "rb")
                os.close(handle)
            if owned:
                raise _refused(folder, path)
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
            raise
        if owned:
            raise _wrong(path, "it was changed while it was opened") from error
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def open_in_place(path: Path, *, flags: int = os.O_RDWR, mode: int = 0o644, empty: bool = False) -> int:
    """Open a file to change it in place, and return its descriptor. A missing file is made, with ``mode``.

    ``flags`` are those of `os.open`. With ``empty``, what it holds is dropped. The last component is never a link,
    outside ``.unmoor`` either.
    """
    with open_folder(path.parent, make=True) as folder:
        require_replaceable(folder, path)
        try:
            handle = os.open(path.name, flags | os.O_CREAT | os.O_NOFOLLOW | _FILE, mode, dir_fd=folder)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENXIO}:  # put there just now: a link, a pipe
                raise _refused(folder, path) from error
            raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(handle)
        raise _wrong(path, "the file has another name too (a hard link), and would change there as well")
    if empty:
        os.ftruncate(handle, 0)
    return handle


def require_replaceable(folder: int, path: Path) -> None:
    """Check that a name in an open folder is free or a file. Outside ``.unmoor`` a link may be replaced as well."""
    with suppress(FileNotFoundError):
        mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode) and (_is_owned(path) or not stat.S_ISLNK(mode)):
            raise _refused(folder, path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with everything below it; links below it are removed, not followed."""
    with suppress(FileNotFoundError), open_folder(path.parent) as folder:
        mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode) and _is_owned(path):
            raise _refused(folder, path)
        if stat.S_ISDIR(mode):
            shutil.rmtree(path.name, dir_fd=folder)
        else:
            os.unlink(path.name, dir_fd=folder)


def rename(source: Path, target: Path) -> None:
    """Rename a file or folder on the same disk. Another file of that name is replaced."""
    with open_folder(source.parent) as before, open_folder(target.parent) as after:
        os.replace(source.name, target.name, src_dir_fd=before, dst_dir_fd=after)


def names_in(path: Path) -> list[str]:
    """Return the names in a folder, sorted; none if there is no such folder."""
    try:
        with open_folder(path) as folder:
            return _names(folder)
    except FileNotFoundError:
        return []


def refuse_links(checkout: Path) -> None:
    """Raise `Refused` if ``.unmoor`` in a checkout, or anything below it, is a link, a pipe or a device.

    Nothing is written or followed. The clone of a rehearsal is left out: it holds the project's own links. The
    folders must belong to this user, to root or to the owner of the checkout: others could change them during a run.
    """
    with open_folder(checkout) as top:
        try:
            own = _open_below(top, OWN, checkout / OWN)
        except FileNotFoundError:
            return
        owners = {os.geteuid(), 0, os.fstat(top).st_uid}
        try:
            _walk(own, checkout / OWN, (), owners)
        finally:
            os.close(own)


def _walk(folder: int, path: Path, below: tuple[str, ...], owners: set[int]) -> None:
    owner = os.fstat(folder).st_uid
    if len(below) <= 1 and owner not in owners:
        raise Refused(
            f"the folder belongs to {_user(owner)}, who could change it during a run",
            where=str(path),
            next_step=advice.TAKE_OWNERSHIP(ownership=ownership_command(path), removal=remove_command(path)),
        )
    if below in _CLONES:
        return
    if len(below) > _DEEPEST:
        raise Refused(
            f"folders are nested more than {_DEEPEST} deep",
            where=clean(str(path), 1000),
            next_step=advice.REMOVE_NESTED_FOLDERS(command=remove_command(path.parents[len(below) - 2])),
        )
    try:
        found = _names(folder)
    except PermissionError:
        return  # what this user cannot read, it does not use either
    for name in found:
        try:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                inner = _open_below(folder, name, path / name)
                try:
                    _walk(inner, path / name, (*below, name), owners)
                finally:
                    os.close(inner)
            elif not (stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):  # a killed registry leaves its socket
                raise _refused(folder, path / name)
        except FileNotFoundError:
            continue  # another run removed it


def _names(folder: int) -> list[str]:
    """Return the names in an open folder, sorted. A descriptor of ``O_PATH`` cannot be listed itself."""
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return sorted(os.listdir(readable))  # noqa: PTH208 - no path: the folder is a descriptor
    finally:
        os.close(readable)


def _open_below(folder: int, name: str, path: Path) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise _refused(folder, path) from error
        raise


def was_removed(error: OSError) -> Refused | None:
    """The error if a file or folder below ``.unmoor`` is gone that unmoor had put there, else ``None``."""
    if error.errno not in {errno.ENOENT, errno.ENOTDIR} or not error.filename or not _is_owned(Path(error.filename)):
        return None
    return removed(Path(error.filename))


def removed(path: Path) -> Refused:
    """Return the error for a file or folder of a run that is gone while the run still uses it."""
    return Refused(
        "somebody removed it, or put another one in its place, while a run used it",
        where=clean(str(path), 1000),
        next_step=advice.FIND_WHO_REMOVED(),
        retryable=True,
    )


def _is_owned(path: Path) -> bool:
    return OWN in path.absolute().parts


def _refused(folder: int, path: Path) -> Refused:
    """Return the error for an entry of an open folder that is not what it should be, and say what it is."""
    try:
        mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
        target = os.readlink(path.name, dir_fd=folder) if stat.S_ISLNK(mode) else ""
    except OSError:
        return _wrong(path, "it was changed while it was opened")
    if target:
        return _wrong(path, f"a link to {clean(target, 500)}, and unmoor follows no links here", link=True)
    if stat.S_ISREG(mode):
        return _wrong(path, "a file where unmoor needs a folder")
    return _wrong(path, f"{_KINDS.get(stat.S_IFMT(mode), 'no file')} where unmoor keeps its own files")


def _wrong(path: Path, what: str, *, link: bool = False) -> Refused:
    return Refused(
        what,
        where=clean(str(path), 1000),
        next_step=advice.REMOVE_IT(what="the link" if link else "it", command=remove_command(path, link=link)),
    )


def _user(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"

"""Open, write and remove what is below a folder ``.unmoor``, and never through a link.

Everybody who can push a commit, and every program that ran in the checkout before, decides what is there. A link
would lead reads, writes and deletions to any other place on this machine. So from ``.unmoor`` on each component
is opened below the open folder above it, and without following links: on Linux and macOS relative to its descriptor
(`unmoor.filesystem.posix`), on Windows while it is held (`unmoor.filesystem.windows`). A link that is put there between
two steps is refused too. How the folder above ``.unmoor`` is reached does not matter. In a path without ``.unmoor``,
the folders are followed as usual.

A file that is written in place must have one name only: a hard link would change a file elsewhere. A file that is
replaced may have several. Pipes and devices are refused before they are opened, since that could wait for ever.

Every function that takes a path raises `Refused` for such an entry, with what to remove.

Programs that are given a path, such as git and uv, follow links again: for them `refuse_links` only looks before they
start. Mounts are not links and are followed, but for those of Windows, which are links there. Not libpathrs: its Python
package has no wheels, and it needs Linux's ``openat2``.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.errors import Refused
from unmoor.filesystem.commands import ownership_command, remove_command
from unmoor.filesystem.protocol import EntryKind, OpenFolder
from unmoor.filesystem.system import here
from unmoor.util.text import clean

OWN: Final = ".unmoor"
"""The name of unmoor's folder in a checkout."""
# A clone of the project has the project's own links. Only git writes there, and it is only ever removed.
_CLONES: Final = re.compile(r"rehearsal/checkout|chaos/(?:base|round-[0-9]+)/checkout")
_DEEPEST = 64
_NO_FOLDER: Final = frozenset({errno.ELOOP, errno.ENOTDIR})


@contextmanager
def open_folder(path: Path, *, make: bool = False, mode: int = 0o777) -> Iterator[OpenFolder]:
    """Open a folder, and the folders above it from ``.unmoor`` on; they stay open until the end of the block.

    With ``make``, missing folders are made; ``mode`` is that of the last one. Raises `FileNotFoundError` if there
    is none.
    """
    parts = path.absolute().parts
    owned = next((number for number, part in enumerate(parts) if _is_own(part)), len(parts))
    above = Path(*parts[:owned])
    if make:
        here().make_top(above, mode if owned == len(parts) else 0o777)
    folder = here().open_top(above)
    opened = [folder]
    try:
        for number, name in enumerate(parts[owned:], owned + 1):
            at = Path(*parts[:number])
            if make:
                with suppress(FileExistsError):
                    folder.make(name, mode if number == len(parts) else 0o777)
            folder = _open_below(folder, name, at)
            opened.append(folder)
        yield folder
    finally:
        for each in reversed(opened):
            each.close()


def require_private(handle: int, path: Path) -> None:
    """Raise `Refused` if others can read or change an open file, although it was made for this user only."""
    if access := here().access_of_others(handle):
        raise Refused(
            f"others can read this file: its file system does not keep permissions ({access})",
            where=clean(str(path), 1000),
            next_step=advice.KEEP_PRIVATE(),
        )


def make_folder(path: Path, *, mode: int = 0o777) -> None:
    """Make a folder and the missing ones above it. An existing one stays as it is."""
    with open_folder(path, make=True, mode=mode):
        pass


def make_private(path: Path) -> None:
    """Make a folder that only its owner can enter, or close an existing one below ``.unmoor`` to others."""
    with open_folder(path, make=True, mode=0o700) as folder:
        if _is_owned(path):
            folder.keep_private()


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read it. Raises `FileNotFoundError` if there is none, and outside ``.unmoor`` if it is no file."""
    owned = _is_owned(path)
    try:
        with open_folder(path.parent) as folder:
            if folder.look(path.name, follow=not owned).kind is EntryKind.FILE:
                handle = folder.open_file(path.name, os.O_RDONLY, follow=not owned)
                if here().entry_of(handle).kind is EntryKind.FILE:
                    return os.fdopen(handle, "rb")
                os.close(handle)
            if owned:
                raise _refused(folder, path)
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
        if owned:
            raise changed(path) from error
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def open_in_place(path: Path, *, flags: int = os.O_RDWR, mode: int = 0o644, empty: bool = False) -> int:
    """Open a file to change it in place, and return its descriptor. A missing file is made, with ``mode``.

    ``flags`` are those of `os.open`. With ``empty``, what it holds is dropped. The last component is never a link,
    outside ``.unmoor`` either.
    """
    with open_folder(path.parent, make=True) as folder:
        require_replaceable(folder, path)
        try:
            handle = folder.open_file(path.name, flags | os.O_CREAT, mode)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENXIO}:  # put there just now: a link, a pipe
                raise _refused(folder, path) from error
            raise
    found = here().entry_of(handle)
    if found.kind is not EntryKind.FILE or found.links > 1:
        os.close(handle)
        raise _wrong(path, "the file has another name too (a hard link), and would change there as well")
    if empty:
        os.truncate(handle, 0)
    return handle


def require_replaceable(folder: OpenFolder, path: Path) -> None:
    """Check that a name in an open folder is free or a file. Outside ``.unmoor`` a link may be replaced as well."""
    with suppress(FileNotFoundError):
        kind = folder.look(path.name).kind
        if kind is not EntryKind.FILE and (_is_owned(path) or kind is not EntryKind.LINK):
            raise _refused(folder, path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with everything below it; links below it are removed, not followed."""
    with suppress(FileNotFoundError), open_folder(path.parent) as folder:
        kind = folder.look(path.name).kind
        if kind is EntryKind.LINK and _is_owned(path):
            raise _refused(folder, path)
        if kind is EntryKind.FOLDER:
            folder.remove_tree(path.name)
        else:
            folder.unlink(path.name)


def rename(source: Path, target: Path) -> None:
    """Rename a file or folder on the same disk. Another file of that name is replaced."""
    with open_folder(source.parent) as before, open_folder(target.parent) as after:
        before.replace(source.name, after, target.name)


def names_in(path: Path) -> list[str]:
    """Return the names in a folder, sorted; none if there is no such folder."""
    try:
        with open_folder(path) as folder:
            return folder.names()
    except FileNotFoundError:
        return []


def refuse_links(checkout: Path) -> None:
    """Raise `Refused` if ``.unmoor`` in a checkout, or anything below it, is a link, a pipe or a device.

    Nothing is written or followed. The clone of a rehearsal is left out: it holds the project's own links. The
    folders must belong to this user, to an administrator or to the owner of the checkout: others could change them
    during a run.
    """
    with open_folder(checkout) as top:
        try:
            own = _open_below(top, OWN, checkout / OWN)
        except FileNotFoundError:
            return
        owners = here().trusted_owners() | {top.itself().owner}
        try:
            _walk(own, checkout / OWN, (), owners)
        finally:
            own.close()


def _walk(folder: OpenFolder, path: Path, below: tuple[str, ...], owners: frozenset[str]) -> None:
    if len(below) <= 1 and (owner := folder.itself().owner) not in owners:
        raise Refused(
            f"the folder belongs to user {here().user_name(owner)}, who could change it during a run",
            where=str(path),
            next_step=advice.TAKE_OWNERSHIP(ownership=ownership_command(path), removal=remove_command(path)),
        )
    if _CLONES.fullmatch("/".join(below)):
        return
    if len(below) > _DEEPEST:
        raise Refused(
            f"folders are nested more than {_DEEPEST} deep",
            where=clean(str(path), 1000),
            next_step=advice.REMOVE_NESTED_FOLDERS(command=remove_command(path.parents[len(below) - 2])),
        )
    try:
        found = folder.names()
    except PermissionError:
        return  # what this user cannot read, it does not use either
    for name in found:
        try:
            kind = folder.look(name).kind
            if kind is EntryKind.FOLDER:
                inner = _open_below(folder, name, path / name)
                try:
                    _walk(inner, path / name, (*below, name), owners)
                finally:
                    inner.close()
            elif kind not in {EntryKind.FILE, EntryKind.SOCKET}:  # a killed registry leaves its socket
                raise _refused(folder, path / name)
        except FileNotFoundError:
            continue  # another run removed it


def _open_below(folder: OpenFolder, name: str, path: Path) -> OpenFolder:
    try:
        return folder.below(name)
    except OSError as error:
        if error.errno in _NO_FOLDER:
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


def changed(path: Path) -> Refused:
    """Return the error for a folder or file that somebody replaced while unmoor opened it."""
    return _wrong(path, "it was changed while it was opened")


def _is_owned(path: Path) -> bool:
    return any(map(_is_own, path.absolute().parts))


def _is_own(part: str) -> bool:
    """Whether a name is that of unmoor's folder: in any case, since many file systems do not tell them apart."""
    return part.lower() == OWN


def _refused(folder: OpenFolder, path: Path) -> Refused:
    """Return the error for an entry of an open folder that is not what it should be, and say what it is."""
    try:
        kind = folder.look(path.name).kind
        target = folder.link_target(path.name) if kind is EntryKind.LINK else ""
    except OSError:
        return changed(path)
    if target:
        return _wrong(path, f"a link to {clean(target, 500)}, and unmoor follows no links here", link=True)
    if kind is EntryKind.FILE:
        return _wrong(path, "a file where unmoor needs a folder")
    return _wrong(path, f"{kind.value} where unmoor keeps its own files")


def _wrong(path: Path, what: str, *, link: bool = False) -> Refused:
    return Refused(
        what,
        where=clean(str(path), 1000),
        next_step=advice.REMOVE_IT(what="the link" if link else "it", command=remove_command(path, link=link)),
    )

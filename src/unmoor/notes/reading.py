"""Read text of the project safely: only from the repository, up to a size limit, without control characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from unmoor import advice
from unmoor.errors import Refused
from unmoor.util.text import clean

# The largest file that is read, in bytes.
LIMIT = 10_000_000

Warn = Callable[[str], None]

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")
_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def ignore_warning(_text: str) -> None:
    """Discard a warning."""


def word_set(text: str) -> frozenset[str]:
    """Split a text into a set of words."""
    return frozenset(text.split())


def strip_controls(text: str) -> str:
    """Drop escape sequences and control characters, and normalise line endings to newlines."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def decode(data: bytes, *, where: str, warn: Warn = ignore_warning) -> str:
    """Decode bytes as UTF-8. Raises `Refused` for a null byte or more than 10 MB, and warns about other encodings."""
    name = clean(where)
    if len(data) > LIMIT:
        raise Refused(
            f"it is larger than {LIMIT // 1_000_000} MB",
            where=name,
            next_step=advice.MOVE_OLD_VERSIONS(),
        )
    if b"\0" in data:
        raise Refused("it contains a null byte, so it is not text", where=name, next_step=advice.SAVE_AS_UTF8())
    try:
        return strip_controls(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        warn(f"{name} is not UTF-8: unreadable characters are replaced")
        return strip_controls(data.decode("utf-8-sig", errors="replace"))


def resolve_inside(checkout: Path, path: Path) -> Path:
    """Return the real path of a file in the repository.

    A tag can contain links, and settings can contain ``..``. Raises `Refused` for a path that leads out of the
    repository or into its ``.git``.
    """
    top = _top(checkout.resolve())
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise _outside_error(checkout, path) from error
    if not real.is_relative_to(top) or ".git" in real.relative_to(top).parts:
        raise _outside_error(checkout, path)
    return real


def _top(project: Path) -> Path:
    """The top of the repository that contains a project's folder. Notes may be outside that folder."""
    return next((each for each in (project, *project.parents) if (each / ".git").exists()), project)


def read(checkout: Path, path: Path, *, warn: Warn = ignore_warning) -> str:
    """Read a text file of the checkout. Raises what `resolve_inside` and `decode` raise."""
    with resolve_inside(checkout, path).open("rb") as stream:
        data = stream.read(LIMIT + 1)
    return decode(data, where=display_path(checkout, path), warn=warn)


def display_path(checkout: Path, path: Path) -> str:
    """A path relative to the checkout, with slashes as git writes it, safe to print; any other one as it is."""
    return clean(path.relative_to(checkout).as_posix() if path.is_relative_to(checkout) else str(path))


def _outside_error(checkout: Path, path: Path) -> Refused:
    return Refused(
        "it leads out of the repository",
        where=display_path(checkout, path),
        next_step=advice.KEEP_NOTES_INSIDE(),
    )

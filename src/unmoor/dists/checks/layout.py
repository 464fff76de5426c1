"""Check where the members of a wheel are installed: every one in a known place, and no file where a folder is needed.

Installers spread the ``.data`` folder over the scheme of an environment (binary distribution format, "the .data
directory"). pip treats every top-level folder that ends in ``.data`` so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation

DATA = CheckRule(
    name="wheel-data",
    refuses="a file in a .data folder, but not below purelib, platlib, headers, scripts or data",
    by=By.INSTALLERS,
)
COLLISION = CheckRule(name="wheel-collision", refuses="a file where a folder is needed", by=By.INSTALLERS)
RULES = (DATA, COLLISION)

_KINDS = ("purelib", "platlib", "headers", "scripts", "data")
_LIBRARY = ("purelib", "platlib")
# What installers write into the dist-info folder themselves.
_WRITTEN = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def check_places(folder: str, names: Iterable[str]) -> Iterator[Problem]:
    """Check the names of all members. ``folder`` is the dist-info folder."""
    files = {f"{folder}/{name}" for name in _WRITTEN}
    folders: set[str] = set()
    for name in names:
        place = _place(name)
        if place is None:
            yield violation(DATA, f"{name} is not below {', '.join(_KINDS[:-1])} or {_KINDS[-1]}")
            continue
        if name.endswith("/"):
            folders.add(place.removesuffix("/"))
        else:
            files.add(place)
        parent = place.removesuffix("/").rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    for place in sorted(files & folders):
        yield violation(COLLISION, f"{place} is a file and a folder")


def _place(name: str) -> str | None:
    """Where a member is installed: a path below the library, or with its kind in front. ``None`` if there is no place.

    Folders, which end in a slash, are never out of place.
    """
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    kind, _, path = rest.partition("/")
    if kind not in _KINDS or not path:
        return name if name.endswith("/") else None
    return path if kind in _LIBRARY else f"{kind}:/{path}"

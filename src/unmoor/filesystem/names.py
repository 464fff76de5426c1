"""Which names files can have on which system, and which names are one file there.

These are rules about text: nothing here touches a disk, so the names in an archive can be judged for every system.
Only `local_fault` asks which system this is.
Names are relative paths with ``/`` between their components, as archives and git write them.

The rules of Windows are those of "Naming Files, Paths, and Namespaces" in Microsoft's documentation; a test compares
them with ``ntpath.isreserved``, which Python has since 3.13 only and which gives no reasons. pathvalidate takes
``nul .txt`` and ``CONIN$`` for valid names, which Windows does not.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

LONG: Final = 170
"""A longer path, in UTF-16 units, exceeds the 259 of Windows in an environment of usual depth.

That is one in ``C:/Users/NAME/AppData/Local/Programs/Python/Python313/Lib/site-packages`` with a name of the longest
kind, 20 characters. Windows can allow longer paths, but does not by default.
"""
_BREAKS_RULE: Final = re.compile(
    r"(?P<character>[<>:\"|?*\\\x00-\x1f])"
    r"|(?P<end>[. ])(?=/|$)"
    r"|(?:^|/)(?P<device>con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9\u00b9\u00b2\u00b3])(?= *(?:\.|/|$))",
    re.IGNORECASE,
)
# What every name that breaks the rule has: looked for first, because nearly all names have none of it.
_CHARACTERS: Final = frozenset('<>:"|?*\\').union(map(chr, range(32)))
_DEVICES: Final = ("con", "prn", "aux", "nul", "com", "lpt")
_DOTS: Final = re.compile(r"(?:^|/)\.\.?(?=/|$)")


class SameName(NamedTuple):
    """Two paths of files or folders that are one on a file system that ignores case or Unicode normalization."""

    first: str
    second: str

    @property
    def difference(self) -> str:
        """In what they differ, for a message: ``case`` or ``Unicode normalization``."""
        by_form = unicodedata.normalize("NFC", self.first) == unicodedata.normalize("NFC", self.second)
        return "Unicode normalization" if by_form else "case"


def windows_fault(path: str) -> str:
    """Explain why Windows cannot have a file or folder of that name. Empty if it can."""
    if _is_plain(path) or (found := _BREAKS_RULE.search(_DOTS.sub("", path))) is None:
        return ""
    if device := found["device"]:
        return f"contains {device!r}, which is the name of a device on Windows, with or without an extension"
    if found["end"]:
        what = "dot" if found["end"] == "." else "blank"
        return f"has a component that ends in a {what}, which Windows removes"
    character = found["character"]
    shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
    return f"contains the character {shown}, which file names on Windows cannot have"


def _is_plain(path: str) -> bool:
    lowered = path.lower()
    return (
        _CHARACTERS.isdisjoint(path)
        and not path.endswith((".", " "))
        and "./" not in path
        and " /" not in path
        and not any(device in lowered for device in _DEVICES)
    )


def macos_fault(path: str) -> str:
    """Explain why macOS cannot have a file or folder of that name. Empty if it can.

    Python has a lone surrogate in a name that is no UTF-8 (PEP 383).
    """
    is_utf8 = path.isascii() or not any("\ud800" <= each <= "\udfff" for each in path)
    return "" if is_utf8 else "is not UTF-8, as macOS requires"


_FAULTS: Final[Mapping[str, Callable[[str], str]]] = {"win32": windows_fault, "darwin": macos_fault}


def local_fault(path: str, system: str = sys.platform) -> str:
    """Explain why this machine cannot have a file or folder of that name. Empty if it can.

    ``system`` is the name that ``sys.platform`` gives it.
    """
    return _FAULTS[system](path) if system in _FAULTS else ""


def is_long(path: str) -> bool:
    """Whether a path is too long for a usual environment on Windows: see `LONG`."""
    return len(path) > LONG // 2 and len(path.encode("utf-16-le", "surrogatepass")) > 2 * LONG


def comparable(path: str) -> str:
    """The same text for all names that are one file on Windows or macOS.

    This is a canonical caseless match (Unicode 3.13, D145), which is coarser by a few letters than NTFS and APFS.
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def find_same_names(paths: Iterable[str]) -> Iterator[SameName]:
    """Find files and folders that are one on a file system which ignores case or normalization, sorted by name.

    A folder may end in a slash. Only the outermost folders that differ are reported, not what is in them.
    """
    names = {path.removesuffix("/") for path in paths}
    folders = {path.rpartition("/")[0] for path in names}
    for folder in tuple(folders):
        above = folder.rpartition("/")[0]
        while above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    every = (names | folders) - {""}
    groups: dict[str, list[str]] = {}
    for name in every:
        groups.setdefault(comparable(name), []).append(name)
    if len(groups) == len(every):
        return
    for name in sorted(key for key, group in groups.items() if len(group) > 1):
        first, *others = sorted(groups[name])
        for other in others:
            if first.rpartition("/")[0] == other.rpartition("/")[0]:
                yield SameName(first, other)

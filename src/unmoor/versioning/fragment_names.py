"""Which files are news fragments, by towncrier's documented configuration: their folders, their types, their names.

These rules read names only, so that they hold for a commit, for the index and for files on disk.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatch
from typing import Any, Final

_DEFAULT_KINDS: Final = ("feature", "bugfix", "doc", "removal", "misc")
_ALWAYS_IGNORED: Final = (".gitignore", ".gitkeep", ".keep", "readme", "readme.md", "readme.rst")
_EXTENSIONS: Final = frozenset(
    {"md", "markdown", "rst", "txt", "j2", "jinja", "jinja2", "html", "htm", "toml", "cfg", "ini", "yml", "yaml"}
    | {"json", "py", "in", "template", "tmpl"}
)


def folders_of(table: Mapping[str, Any], package: str) -> tuple[str, ...]:
    """The folders with fragments, one for each section, relative to the project. ``package`` is the project's.

    Raises ``KeyError``, ``TypeError`` or ``AttributeError`` for an invalid table, as the other readers here do.
    """
    directory = table.get("directory")
    sections = [str(section["path"]) for section in table.get("section", ())] or [""]
    if directory is not None:
        found = [posixpath.join(str(directory), path) for path in sections]
    else:
        root = str(table.get("package_dir", "."))
        found = [posixpath.join(root, package, path, "newsfragments") for path in sections]
    return tuple(dict.fromkeys(map(posixpath.normpath, found)))


def kinds_of(table: Mapping[str, Any]) -> frozenset[str]:
    """The types of fragments."""
    if table.get("fragment"):
        return frozenset(table["fragment"].keys())
    if table.get("type"):
        return frozenset(str(kind.get("directory", kind["name"].lower())) for kind in table["type"])
    return frozenset(_DEFAULT_KINDS)


def ignored_of(table: Mapping[str, Any]) -> tuple[str, ...]:
    """The patterns of names that are no fragments, in lower case."""
    template = posixpath.basename(str(table.get("template", "towncrier:default"))).lower()
    return (*_ALWAYS_IGNORED, template, *(str(name).lower() for name in table.get("ignore") or ()))


def is_ignored(name: str, ignored: Collection[str]) -> bool:
    """Whether a name is that of no fragment, whatever else is in it."""
    return any(fnmatch(name.lower(), pattern) for pattern in ignored)


def is_fragment(name: str, kinds: Collection[str]) -> bool:
    """Whether towncrier takes a file for a fragment: one of the parts after its first dot is a type."""
    return any(part in kinds for part in name.split(".")[1:])


def looks_like_fragment(name: str) -> bool:
    """Whether a file that is none may be meant as one.

    >>> [looks_like_fragment(name) for name in ("12.fetaure.md", "12.md", "template.md.j2", "CONTRIBUTING.md")]
    [True, True, False, False]
    """
    first, *rest = name.split(".")
    if not first:
        return False
    kinds = [part for part in rest if part.lower() not in _EXTENSIONS and not part.isdigit()]
    numbered = re.fullmatch(r"#?\d+", first) is not None or first.startswith("+")
    return bool(rest) and (numbered or any(re.fullmatch(r"[A-Za-z][\w-]*", part) for part in kinds))


def in_folders(names: Collection[str], folders: Collection[str]) -> Iterator[str]:
    """Yield the paths directly in one of the folders."""
    wanted = {"" if folder == "." else folder for folder in folders}
    yield from (path for path in names if posixpath.dirname(path) in wanted)
